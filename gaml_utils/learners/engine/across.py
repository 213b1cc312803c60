"""Weights over the tasks of all workers, each of which holds the results of its own share.

What travels in an outer step, P being the parameters and T the tasks of all workers: for uniform weights nothing but
the weighted direction, P numbers; for agreement the sum of the updates as well, another P, and the T scores; for any
other rule the rows it compares, T P numbers, or T where it compares losses.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from gaml_utils.weighting.arrays import normalised, row_sums
from gaml_utils.weighting.powers import power_weights

xp = tf.experimental.numpy


def across(weighting: Callable, workers: Any) -> Callable:
    """The rule, (own tasks, parameters) -> (tasks of all workers,): what `weighting` gives for the rows of all."""
    if workers.alone:
        return weighting
    if weighting in (uniform_weights, power_weights(0)):
        return lambda rows: weighting(tf.ones((workers.count * rows.shape[0], 1), rows.dtype))
    if weighting in (agreement_weights, power_weights(1)):
        return lambda rows: agreement_of_sums(rows, workers)
    return lambda rows: weighting(workers.join(rows))


def agreement_of_sums(g: tf.Tensor, workers: Any) -> tf.Tensor:
    """agreement_weights of the rows of all workers, (tasks of all workers,), without another worker's rows.

    s_i = g_i . sum_j g_j needs the sum alone. g: this worker's rows, (own tasks, parameters).
    """
    precision = np.finfo(g.dtype.name)
    own = tf.stack([tf.reduce_max(tf.abs(g)), tf.reduce_sum(row_sums(xp, g * g))])
    largest, squares = tf.unstack(workers.join(own[None]), axis=1)
    largest, squares = tf.reduce_max(largest), tf.reduce_sum(squares)
    safe = (precision.tiny**0.5 < squares) & (squares < precision.max**0.5)  # as weighting.arrays.scaled has it
    unit = tf.where(safe | (largest <= precision.tiny), tf.ones_like(largest), largest)
    g = g / unit
    total = workers.add_up(tf.linalg.matvec(g, tf.ones(g.shape[0], g.dtype), transpose_a=True))  # sum_j g_j
    scores, lengths = workers.join((tf.linalg.matvec(g, total), row_sums(xp, g * g)))
    return normalised(xp, scores, tf.reduce_sum(lengths), precision)
