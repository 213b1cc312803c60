"""Gradient agreement with one thing taken out: why is it worse than the mean on sines? (chapter 05)"""

import numpy as np

from gaml_utils.weighting.agreement import agreement_weights


def squared_length_weights(updates: np.ndarray) -> np.ndarray:
    """Only the self term of agreement: w_i = |g_i|^2 / sum_k |g_k|^2. (tasks, parameters) -> (tasks,)."""
    squares = np.einsum("tp,tp->t", updates, updates)
    return squares / squares.sum()


def positive_part_weights(updates: np.ndarray) -> np.ndarray:
    """Agreement without negative weights: those are set to 0, and the rest add up to 1 again."""
    w = np.maximum(agreement_weights(updates), 0.0)
    return w / w.sum()


def fifteen_tasks_weights(updates: np.ndarray) -> np.ndarray:
    """The plain mean of the first 15 tasks: as many as agreement effectively listens to."""
    return np.where(np.arange(len(updates)) < 15, 1 / 15, 0.0)
