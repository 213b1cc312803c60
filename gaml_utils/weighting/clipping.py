"""Clipping each update at a length that the batch itself sets: (tasks, parameters) -> (tasks,) (chapter 11).

Row i of `updates` is task i's update. No task's update counts as longer than the median one.
"""

from typing import Any

from gaml_utils.weighting.arrays import check_finite, namespace, row_sums


def clipped_weights(updates: Any) -> Any:
    """w_i = min(1, m / n_i) / T: the mean of updates clipped at the median length m of the batch; n_i is the length.

    The weights need not add up to 1. Where the median length is 0, the updates that are not 0 have weight 0.

    updates: (tasks, parameters). Returns (tasks,).
    Raises ValueError if updates is not such an array or holds NaN or infinity.
    """
    xp, updates = namespace(updates)
    largest = xp.max(xp.abs(updates))
    check_finite(xp, largest)
    g = updates / xp.where(largest > 0, largest, xp.ones_like(largest))  # lengths then neither overflow nor vanish
    n = xp.sqrt(row_sums(xp, g * g))
    tasks = g.shape[0]
    ordered = xp.sort(n)
    m = (ordered[(tasks - 1) // 2] + ordered[tasks // 2]) / 2
    longer = n > m
    return xp.where(longer, m / xp.where(longer, n, xp.ones_like(n)), xp.ones_like(n)) / tasks
