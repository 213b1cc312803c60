"""Relation networks around any Keras model: how to compare is learned as well. Chapter 15."""

from typing import Any

import keras
import tensorflow as tf

from gaml_utils.learners.engine.checks import output_shape
from gaml_utils.learners.engine.variables import ModelVariables
from gaml_utils.learners.metric.base import MetricLearner, class_means
from gaml_utils.networks.normalisation import PACKAGE


@keras.saving.register_keras_serializable(PACKAGE)
class RelationNetwork(MetricLearner):
    """A second network says how alike a query and a class are, from their features one behind the other.

    Sung et al. 2018 (arXiv:1711.06025). model: points -> features, (points, ..., channels), such as
    `encoder(strides=(2, 2, 1, 1), flat=False)`. relation: (pairs, ..., 2 channels), the class's features first, ->
    (pairs, 1), a logit, such as `relation_module()`. A class's features are the mean of its support's; the paper sums
    them, and then another number of shots is another scale.
    For the paper's loss of pairs by themselves compile with loss=pair_squared_error, or with pair_cross_entropy.
    Arguments and errors as in MetricLearner, and ValueError for a relation that does not fit the model, or with a state
    that is not trained: batch normalisation would let a pair's score depend on the other pairs.
    """

    def __init__(self, model: keras.Model, ways: int, relation: keras.Model, **kwargs: Any) -> None:
        super().__init__(model, ways, **kwargs)
        self.relation = relation
        self.relation_variables = ModelVariables(relation)

    def checked_setting(self, name: str, value: Any) -> Any:
        """As MetaLearner.checked_setting."""
        if name != "relation":
            return super().checked_setting(name, value)
        if hasattr(self, "relation"):
            raise ValueError("relation should stay as it is: make a new learner for another")
        if not isinstance(value, keras.Model) or not value.built or not value.trainable_variables:
            raise ValueError(f"relation should be a built keras.Model, got {type(value).__name__}")
        *rest, channels = output_shape(self.model)
        pair = *rest, 2 * channels
        if tuple(value.input_shape[1:]) != pair or tuple(value.output_shape[1:]) != (1,):
            raise ValueError(
                f"relation should take pairs of the model's features, {pair}, and give (1,), "
                f"but takes {value.input_shape[1:]} and gives {value.output_shape[1:]}"
            )
        if value.non_trainable_variables:
            raise ValueError(f"relation should have no state, but has {value.non_trainable_variables[0].path}")
        return value

    @property
    def outer_variables(self) -> list:
        """theta, and the relation's variables."""
        return [*super().outer_variables, *self.relation.trainable_variables]

    def kept(self, outer: list, features: tf.Tensor, mine: tf.Tensor) -> tf.Tensor:
        """The mean features of each class, (ways, ...)."""
        means = class_means(tf.reshape(features, (features.shape[0], -1)), mine)
        return tf.reshape(means, (self.ways, *features.shape[1:]))

    def compare(self, outer: list, memory: tf.Tensor, features: tf.Tensor) -> tf.Tensor:
        """Logits, (queries, ways)."""
        queries, shape = features.shape[0], features.shape[1:]
        each = tf.broadcast_to(memory[None], (queries, self.ways, *shape))
        pairs = tf.concat([each, tf.broadcast_to(features[:, None], (queries, self.ways, *shape))], axis=-1)
        pairs = tf.reshape(pairs, (queries * self.ways, *pairs.shape[2:]))
        own = outer[len(self.model.trainable_variables) :]
        scores, _, added = self.relation_variables.call(own, pairs, [], training=False)
        if self.functional.added:  # its penalties count as those of the model do
            self.functional.added[-1] += added
        return tf.reshape(scores, (queries, self.ways))

    def get_config(self) -> dict:
        """For saving: the settings of MetricLearner, and the relation."""
        return super().get_config() | {"relation": keras.saving.serialize_keras_object(self.relation)}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "RelationNetwork":
        """The learner that get_config describes."""
        relation = keras.saving.deserialize_keras_object(config["relation"], custom_objects)
        return super().from_config(config | {"relation": relation}, custom_objects)


@keras.saving.register_keras_serializable(PACKAGE)
def pair_squared_error(y: Any, scores: Any) -> Any:
    """The loss of Sung et al. 2018: (r - 1)^2 where the query is of the class, r^2 elsewhere, r = sigmoid(score).

    y: (points,) whole numbers. scores: (points, ways) logits. Returns (points,).
    """
    same = tf.one_hot(tf.cast(tf.reshape(y, (-1,)), tf.int32), scores.shape[-1], dtype=scores.dtype)
    return tf.reduce_mean((tf.sigmoid(scores) - same) ** 2, axis=-1)
