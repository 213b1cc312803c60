"""Uniform weights, gradient agreement and its nearest relatives: (tasks, parameters) -> (tasks,).

Derived in chapters 04 and 05. Row i of `updates` is task i's update, theta - theta'_i: its whole displacement in the
inner loop. The same lines serve NumPy arrays and TensorFlow tensors. The outer gradient treats the weights as
constants.
"""

from typing import Any

import numpy as np

from gaml_utils.weighting.arrays import check_finite, namespace, normalised, row_sums, scaled


def uniform_weights(updates: Any) -> Any:
    """Every task counts the same, 1/T: plain MAML and plain Reptile.

    updates: (tasks, parameters). Returns (tasks,).
    Raises ValueError if updates is not such an array or holds NaN or infinity.
    """
    xp, updates = namespace(updates)
    check_finite(xp, updates)
    tasks = updates.shape[0]
    return xp.ones(tasks, updates.dtype) / tasks


def agreement_weights(updates: Any) -> Any:
    """A task counts by how well its update agrees with the average update.

    Scores s_i = sum_j g_i . g_j, weights w_i = s_i / sum_k |s_k|, so the absolute weights add up to 1 and
    a task that points against the average gets a negative weight. Eshratifar, Eigen and Pedram 2018
    (arXiv:1810.08178), Algorithm 1. Where the scores vanish (all updates zero, or cancelling one another)
    no task agrees with anything, and the weights are uniform.

    updates: (tasks, parameters). Returns (tasks,).
    Raises ValueError if updates is not such an array or holds NaN or infinity.
    """
    xp, updates = namespace(updates)
    tasks, precision = updates.shape[0], np.finfo(updates.dtype.name)
    g, squares = scaled(xp, updates, precision)  # weights do not depend on the scale
    scores = xp.dot(g, xp.dot(xp.ones(tasks, g.dtype), g))  # s_i = g_i . sum_j g_j
    return normalised(xp, scores, squares, precision)


def cosine_weights(updates: Any) -> Any:
    """Agreement in direction alone, s_i = sum_j cos(g_i, g_j): agreement_weights of updates of length 1.

    No task counts more, for itself or for others, because its update is long. (Cosines to the mean update would not
    do: long updates settle where the mean points.) An update of zeros has score 0.

    updates: (tasks, parameters). Returns (tasks,). Raises ValueError as agreement_weights.
    """
    xp, updates = namespace(updates)
    largest = xp.max(xp.abs(updates), axis=1)
    check_finite(xp, largest)
    tiny = np.finfo(updates.dtype.name).tiny
    g = updates / xp.where(largest > tiny, largest, xp.ones_like(largest))[:, None]  # its square is in range
    lengths = xp.sqrt(row_sums(xp, g * g))
    return agreement_weights(g / xp.where(lengths > tiny, lengths, xp.ones_like(lengths))[:, None])


def leave_one_out_weights(updates: Any) -> Any:
    """Agreement with the others, s_i = g_i . sum_{j != i} g_j: without the self term |g_i|^2 of chapter 04.

    Updates at right angles agree with no other, however long they are: the weights are uniform.

    updates: (tasks, parameters). Returns (tasks,). Raises ValueError as agreement_weights.
    """
    xp, updates = namespace(updates)
    precision = np.finfo(updates.dtype.name)
    g, squares = scaled(xp, updates, precision)
    others = xp.dot(xp.ones(g.shape[0], g.dtype), g) - g
    return normalised(xp, row_sums(xp, g * others), squares, precision)
