"""Exercises of chapter 04: scores, weights and the weighted direction. g is (tasks, parameters)."""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(4)
_cases = [
    (np.array([[1.0], [1.0], [-1.0]]),),
    (_rng.normal(size=(5, 8)) + 0.5,),
    (np.array([[2.0, 0.0], [1.0, 1.0], [-0.5, 0.2], [0.3, -1.0]]),),
]
_w = np.array([0.4, 0.3, 0.2, -0.1])


def scores(g):
    """s_i = sum_j g_i . g_j."""
    return g @ g.sum(axis=0)


def weights(g):
    """w_i = s_i / sum_k |s_k|."""
    return scores(g) / np.abs(scores(g)).sum()


def without_self(g):
    """The scores with g_i . g_i left out."""
    return scores(g) - (g * g).sum(axis=1)


def _normalised(s):
    return s / np.abs(s).sum()


def _rows(g):
    return g / np.linalg.norm(g, axis=1, keepdims=True)


def books_normaliser(g):
    """The absolute value inside both sums, as in the book's notebook."""
    return scores(g) / np.abs(g @ g.T).sum()


EXERCISES = {
    "4.1": Exercise(
        scores,
        cases=_cases,
        mistakes={
            "the self term is missing: the sum over j includes j = i.": without_self,
            "that is the inner product with the mean, which is s_i / T; the formula has the sum.": lambda g: (
                g @ g.mean(axis=0)
            ),
            "those are cosines: the formula does not divide by the lengths.": lambda g: scores(_rows(g)),
            "that is only the self term |g_i|^2; sum over all j.": lambda g: (g * g).sum(axis=1),
            "that is the whole matrix of inner products; sum each row.": lambda g: g @ g.T,
            "those are absolute values: a task that disagrees should get a negative score.": lambda g: np.abs(
                g @ g.T
            ).sum(axis=1),
            "np.sum without an axis gave one number for all tasks; there is one score per task.": lambda g: np.sum(
                g @ g.T
            ),
        },
    ),
    "4.2": Exercise(
        weights,
        cases=_cases,
        mistakes={
            "that is the book's normaliser: the absolute value goes around each score, after the sum over j, "
            "not around each inner product.": books_normaliser,
            "the absolute value is forgotten: scores of both signs cancel in the normaliser.": lambda g: (
                scores(g) / scores(g).sum()
            ),
            "the self term is missing from the scores.": lambda g: _normalised(without_self(g)),
            "divided by T once more: the absolute weights should add up to 1 as they are.": lambda g: (
                weights(g) / len(g)
            ),
            "a disagreeing task should get a negative weight: the sign of the score is lost.": lambda g: np.abs(
                weights(g)
            ),
            "those are the scores; divide them by the sum of their absolute values.": scores,
            "those weights come from cosines; the formula does not divide by the lengths.": lambda g: _normalised(
                scores(_rows(g))
            ),
            "those are uniform weights.": lambda g: np.ones(len(g)) / len(g),
            "that is a softmax, which has no negative weights.": lambda g: (
                np.exp(scores(g) - scores(g).max()) / np.exp(scores(g) - scores(g).max()).sum()
            ),
        },
    ),
    "4.3": Exercise(
        lambda g, w: w @ g,
        cases=[(_cases[2][0], _w), (_rng.normal(size=(3, 5)), np.array([2.0, 0.0, -1.5]))],
        mistakes={
            "np.sum turned the direction into one number; the direction is a vector, one entry per parameter.": lambda g, w: (
                np.sum(w @ g)
            ),
            "np.sum over everything, repeated for every parameter: each coordinate should have its own sum.": lambda g, w: (
                np.full(g.shape[1], np.sum(w @ g))
            ),
            "divided by T: the weights already add up to 1 in absolute value.": lambda g, w: w @ g / len(w),
            "those are the weighted updates, one per task; add them over the tasks.": lambda g, w: w[:, None] * g,
            "that ignores the weights.": lambda g, w: g.mean(axis=0),
            "that ignores the signs of the weights.": lambda g, w: np.abs(w) @ g,
        },
    ),
    "4.4": Exercise(
        lambda g: (g * g).sum(axis=1).sum() / (np.ones(len(g)) @ g @ g.T @ np.ones(len(g))),
        cases=[
            (np.array([[2.0, 0.0], [1.0, 1.0], [-0.5, 0.2], [0.3, -1.0]]),),  # the last two scores are negative
            (_rng.normal(size=(6, 4)) + 0.5,),
            (_rng.normal(size=(3, 10)) + 0.3,),
        ],
        mistakes={
            "divide by the sum of the scores; absolute values stand in the weights only.": lambda g: (
                (g * g).sum() / np.abs(scores(g)).sum()
            ),
            "that is one share a task; add the self terms up first, and the scores.": lambda g: (
                (g * g).sum(axis=1) / scores(g)
            ),
            "that is the share of the other terms; the self terms are what is left.": lambda g: (
                1 - (g * g).sum() / scores(g).sum()
            ),
            "divide by the sum of the scores, not by the sum of the absolute inner products.": lambda g: (
                (g * g).sum() / np.abs(g @ g.T).sum()
            ),
            "that divides the other way round: self terms over all terms.": lambda g: scores(g).sum() / (g * g).sum(),
            "divide by all terms, not by the others only.": lambda g: (g * g).sum() / without_self(g).sum(),
        },
    ),
}
