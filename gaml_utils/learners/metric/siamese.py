"""Siamese networks around any Keras model: two images, one twin network, are they the same? Chapter 15."""

import math
from typing import Any

import keras
import tensorflow as tf

from gaml_utils.learners.engine.checks import output_shape
from gaml_utils.learners.metric.base import MetricLearner, class_means, flat
from gaml_utils.networks.normalisation import PACKAGE

SOFT = -0.1  # how the weights of the differences start: what differs is not the same


@keras.saving.register_keras_serializable(PACKAGE)
class SiameseNetwork(MetricLearner):
    """How alike two points are: sum_j a_j |h(x1)_j - h(x2)_j| + b, the logit of "the same class".

    Koch, Zemel and Salakhutdinov 2015 (ICML deep learning workshop). model: the twin h, points -> features, one for
    both. a, (features,), and b, (), are learned. A query's score for a class is the mean of its logits with the class's
    support points.
    For the paper's loss, each pair by itself, compile with loss=pair_cross_entropy; a softmax over the classes, as the
    other learners have it, leaves b without a task. Arguments and errors as in MetricLearner.
    """

    def __init__(self, model: keras.Model, *args: Any, **kwargs: Any) -> None:
        super().__init__(model, *args, **kwargs)
        size = math.prod(output_shape(model))
        self.a = self.add_weight((size,), keras.initializers.Constant(SOFT), name="a")
        self.b = self.add_weight((), "zeros", name="b")

    @property
    def outer_variables(self) -> list:
        """theta, a and b."""
        return [*super().outer_variables, self.a, self.b]

    def compare(self, outer: list, memory: Any, features: tf.Tensor) -> tf.Tensor:
        """Logits, (queries, ways), means over the support points of each class."""
        support, mine = memory
        a, b = outer[-2:]
        differences = tf.abs(flat(features)[:, None] - flat(support))
        pairs = tf.tensordot(differences, a, 1) + b  # (queries, support points)
        return tf.transpose(class_means(tf.transpose(pairs), mine))


@keras.saving.register_keras_serializable(PACKAGE)
def pair_cross_entropy(y: Any, scores: Any) -> Any:
    """The loss of pairs: is the query of this class, or not? One binary cross-entropy for each way, their mean.

    y: (points,) whole numbers. scores: (points, ways) logits. Returns (points,).
    """
    same = tf.one_hot(tf.cast(tf.reshape(y, (-1,)), tf.int32), scores.shape[-1], dtype=scores.dtype)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(same, scores), axis=-1)
