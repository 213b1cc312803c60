"""Matching networks around any Keras model: each support point votes for its class. Chapter 15."""

from typing import Any

import keras
import tensorflow as tf

from gaml_utils.learners.engine.meta_batch import Learned
from gaml_utils.learners.metric.base import MetricLearner, flat
from gaml_utils.networks.normalisation import PACKAGE

NOTHING = -1e9  # ln of it, below any other


@keras.saving.register_keras_serializable(PACKAGE)
class MatchingNetwork(MetricLearner):
    """p(y | x) = sum_i a(x, x_i) y_i, with a the softmax, over the support points, of their cosines with the query.

    Vinyals et al. 2016 (arXiv:1606.04080), without the context embeddings. Scores are ln p. temperature divides the
    cosines; with 1, the paper's, no class of five can have more than e / (e + 4 / e) of the probability at one shot.
    Arguments and errors as in MetricLearner.
    """

    def answer(self, outer: list, learned: Learned, x: Any, training: bool = False) -> tf.Tensor:
        """ln p, (queries, ways)."""
        features, _ = self.features(outer, x, learned.state, training)
        support, mine = learned.memory
        cosines = tf.matmul(of_length_1(flat(features)), of_length_1(flat(support)), transpose_b=True)
        votes = tf.nn.log_softmax(cosines / self.temperature + ln(tf.reduce_sum(mine, axis=1)))  # (queries, support)
        own = ln(tf.cast(tf.transpose(mine) > 0, votes.dtype))
        return tf.reduce_logsumexp(votes[:, None] + own, axis=-1)


def of_length_1(features: tf.Tensor) -> tf.Tensor:
    """Each row divided by its length; rows of 0 stay so."""
    return tf.math.l2_normalize(features, axis=-1)


def ln(weight: tf.Tensor) -> tf.Tensor:
    """ln of weights of at least 0; of 0 a number so low that nothing is left of it."""
    some = weight > 0
    low = tf.constant(NOTHING, weight.dtype)
    return tf.where(some, tf.math.log(tf.where(some, weight, tf.ones_like(weight))), low)
