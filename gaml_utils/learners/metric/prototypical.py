"""Prototypical networks around any Keras model: a class is the mean of its features. Chapter 15."""

from typing import Any

import keras
import tensorflow as tf

from gaml_utils.checks import check_count, known
from gaml_utils.learners.metric.base import MetricLearner, class_means, flat
from gaml_utils.networks.normalisation import PACKAGE


@keras.saving.register_keras_serializable(PACKAGE)
class PrototypicalNetwork(MetricLearner):
    """A query's score for class k is minus its squared distance to c_k, the mean of the class's support features.

    Snell, Swersky and Zemel 2017 (arXiv:1703.05175). model: points -> features; `encoder` is one.
    Arguments and errors as in MetricLearner; temperature divides the squared distance, which the paper takes as it is.
    """

    def kept(self, outer: list, features: tf.Tensor, mine: tf.Tensor) -> tf.Tensor:
        """The prototypes, (ways, features)."""
        return class_means(flat(features), mine)

    def compare(self, outer: list, memory: tf.Tensor, features: tf.Tensor) -> tf.Tensor:
        """Minus the squared distances, (queries, ways)."""
        return -squared_distances(flat(features), memory)


@keras.saving.register_keras_serializable(PACKAGE)
class SemiSupervisedPrototypicalNetwork(PrototypicalNetwork):
    """Prototypes refined by support points without a label, those with the label -1: steps of soft k-means.

    Ren et al. 2018 (arXiv:1803.00676): c_k becomes the mean of its own points and of all unlabelled ones, each counted
    as far as it seems to be of class k, softmax_k(-|f - c_k|^2 / temperature).
    refinements: how many such steps. tasks.WithUnlabelled makes such tasks. The book calls this semi-prototypical.
    """

    allows_unlabelled = True
    allows_weights = False

    def __init__(self, *args: Any, refinements: int = 1, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refinements = refinements

    def checked_setting(self, name: str, value: Any) -> Any:
        """As MetaLearner.checked_setting."""
        if name == "refinements":
            check_count(name, value, at_least=0)
        return super().checked_setting(name, value)

    def kept(self, outer: list, features: tf.Tensor, mine: tf.Tensor) -> tf.Tensor:
        """The refined prototypes, (ways, features)."""
        features = flat(features)
        prototypes = class_means(features, mine)
        unlabelled = 1 - tf.reduce_sum(mine, axis=1, keepdims=True)  # (points, 1)
        for _ in range(self.refinements):
            seems = tf.nn.softmax(self.compare(outer, prototypes, features) / self.temperature)
            prototypes = class_means(features, mine + unlabelled * seems)
        return prototypes

    def get_config(self) -> dict:
        """For saving: the settings of MetricLearner, and refinements."""
        return super().get_config() | {"refinements": self.refinements}


@keras.saving.register_keras_serializable(PACKAGE)
class GaussianPrototypicalNetwork(MetricLearner):
    """Each point comes with a precision, how sure its features are: prototypes are means weighted by it.

    Fort 2017 (arXiv:1708.02735). model: points -> features and raw precisions s, in one vector: D + 1 numbers for
    precision="radius", one for all features, 2 D for "diagonal", one each. S = 1 + softplus(s);
    c_k = sum S_i f_i / sum S_i, S_k = sum S_i over the class's support; a score is -(f - c_k)' S_k (f - c_k), the
    square of the paper's distance, so that S of 1 throughout is a prototypical network times the shots.
    Arguments and errors as in MetricLearner, and ValueError for another precision, or a model with too few outputs.
    """

    def __init__(self, *args: Any, precision: str = "radius", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.precision = precision

    def checked_setting(self, name: str, value: Any) -> Any:
        """As MetaLearner.checked_setting."""
        if name == "precision":
            known(name, value, dict.fromkeys(["radius", "diagonal"]))
        return super().checked_setting(name, value)

    def parts(self, features: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The features, (points, D), and their precisions, (points, 1) or (points, D)."""
        features = flat(features)
        size = features.shape[1]
        if size < 2 or (self.precision == "diagonal" and size % 2):
            wanted = "at least 2" if self.precision == "radius" else "an even number of"
            raise ValueError(f"model should give {wanted} features, the last of them precisions, got {size}")
        split = size - 1 if self.precision == "radius" else size // 2
        return features[:, :split], 1 + tf.nn.softplus(features[:, split:])

    def kept(self, outer: list, features: tf.Tensor, mine: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Prototypes, (ways, D), and their precisions, (ways, 1) or (ways, D)."""
        f, precision = self.parts(features)
        total = tf.matmul(mine, precision, transpose_a=True)
        return tf.matmul(mine, precision * f, transpose_a=True) / total, total

    def compare(self, outer: list, memory: Any, features: tf.Tensor) -> tf.Tensor:
        """Minus the distances in units of the classes' precisions, squared: (queries, ways)."""
        prototypes, precision = memory
        f, _ = self.parts(features)
        return -tf.reduce_sum(precision * (f[:, None] - prototypes) ** 2, axis=-1)

    def get_config(self) -> dict:
        """For saving: the settings of MetricLearner, and precision."""
        return super().get_config() | {"precision": self.precision}


def squared_distances(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """|a_i - b_j|^2, (points, points), of vectors in rows."""
    return tf.reduce_sum((a[:, None] - b) ** 2, axis=-1)
