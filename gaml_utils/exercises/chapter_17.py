"""Exercises of chapter 17: what a worker may know, around a ring, who waits, and without oneself by sums."""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(17)

# ---------------------------------------------------------------- 17.1: what a worker may know


def _own_weights(share, total, norm):
    """A worker's own weights, (own tasks,): its scores by the sum of all updates, over the sum of all |scores|."""
    return share @ total / norm


def _worker(workers, tasks, parameters):
    """A worker's share, the sum of all updates, and the sum of all |scores|."""
    shares = _rng.normal(size=(workers, tasks, parameters)) + 0.3 * _rng.normal(size=parameters)
    total = shares.sum(axis=(0, 1))
    return shares[0], total, float(np.abs(shares @ total).sum())


_own_cases = [_worker(3, 4, 10), _worker(2, 3, 5), _worker(5, 1, 7)]

# ---------------------------------------------------------------- 17.2: around a ring


def _ring_bytes(size, workers, rounds=2, factor=1.0):
    """What one worker sends: a part of size / workers bytes in each of 2 (workers - 1) rounds."""
    return factor * rounds * (workers - 1) * size / workers


_ring_cases = [(1200.0, 4), (1000.0, 2), (5.0e6, 1000), (7.0, 1)]

# ---------------------------------------------------------------- 17.3: who waits


def _waiting_share(seconds):
    """The part of all workers' time that is waiting; seconds (steps, workers), a step lasts as its slowest worker."""
    return float(1 - seconds.sum() / (seconds.max(axis=1).sum() * seconds.shape[1]))


_waiting_cases = [(_rng.gamma(2.0, size=(steps, workers)),) for steps, workers in ((5, 2), (8, 3), (4, 6))]

# ---------------------------------------------------------------- 17.4: without oneself, by sums


def _others_scores(share, total):
    """g_i . (sum_j g_j - g_i), (own tasks,)."""
    return share @ total - (share**2).sum(axis=1)


_others_cases = [case[:2] for case in (_worker(3, 4, 6), _worker(2, 2, 9), _worker(4, 3, 5))]

EXERCISES = {
    "17.1": Exercise(
        _own_weights,
        cases=_own_cases,
        mistakes={
            "those are scores. Divide by the norm of all.": lambda share, total, norm: share @ total,
            "that weighs this worker's tasks alone: the norm is that of all workers.": lambda share, total, norm: (
                share @ total / np.abs(share @ total).sum()
            ),
            "the sum of this worker's rows is not enough: tasks are compared with those of all workers.": (
                lambda share, total, norm: share @ share.sum(axis=0) / norm
            ),
            "a weight may be negative: no absolute value around the score.": lambda share, total, norm: (
                np.abs(share @ total) / norm
            ),
            "that leaves oneself out; agreement counts the own update as well.": lambda share, total, norm: (
                (share @ total - (share**2).sum(axis=1)) / norm
            ),
            "that is the weighted direction. Return the weights, one per task.": lambda share, total, norm: (
                (share @ total / norm) @ share
            ),
        },
    ),
    "17.2": Exercise(
        _ring_bytes,
        cases=_ring_cases,
        mistakes={
            "that is the first half, until each has one part summed up. The sums are then handed around.": (
                lambda size, workers: _ring_bytes(size, workers, rounds=1)
            ),
            "that is what all workers send together: in a round, one worker sends one part.": lambda size, workers: (
                _ring_bytes(size, workers, factor=workers)
            ),
            "there is one round fewer than workers, each time.": lambda size, workers: 2 * size,
            "those are rounds. How many bytes does each send?": lambda size, workers: 2 * (workers - 1),
            "that is one part. It is sent in many rounds.": lambda size, workers: size / workers,
            "bytes were asked for, not bits.": lambda size, workers: _ring_bytes(size, workers, factor=8),
        },
    ),
    "17.3": Exercise(
        _waiting_share,
        cases=_waiting_cases,
        mistakes={
            "that is the share that computes. Return the share that waits.": lambda seconds: (
                1 - _waiting_share(seconds)
            ),
            "they wait for each other in every step: the maximum is over the workers of one step.": lambda seconds: (
                1 - seconds.sum() / (seconds.sum(axis=0).max() * seconds.shape[1])
            ),
            "a long step counts for more than a short one: add up before you divide.": lambda seconds: np.mean(
                1 - seconds.mean(axis=1) / seconds.max(axis=1)
            ),
            "the axes are (steps, workers): the slowest of a step's workers.": lambda seconds: _waiting_share(
                seconds.T
            ),
            "those are seconds. Divide by all the time of all workers.": lambda seconds: (
                seconds.max(axis=1, keepdims=True) - seconds
            ).sum(),
            "each of the workers lasts as long as the step: count its length once for each worker.": lambda seconds: (
                (seconds.max(axis=1, keepdims=True) - seconds).sum() / seconds.max(axis=1).sum()
            ),
        },
    ),
    "17.4": Exercise(
        _others_scores,
        cases=_others_cases,
        mistakes={
            "that still counts oneself: take the own update's part off.": lambda share, total: share @ total,
            "that leaves out all tasks of this worker. Only oneself is to be left out.": lambda share, total: (
                share @ (total - share.sum(axis=0))
            ),
            "the own part is the square of the length, g_i . g_i.": lambda share, total: (
                share @ total - np.linalg.norm(share, axis=1)
            ),
            "the own part is taken off, not added.": lambda share, total: share @ total + (share**2).sum(axis=1),
            "those are weights; the scores were asked for.": lambda share, total: (
                _others_scores(share, total) / np.abs(_others_scores(share, total)).sum()
            ),
            "the sum of this worker's rows is not that of all.": lambda share, total: _others_scores(
                share, share.sum(axis=0)
            ),
        },
    ),
}
