"""Exercises of chapter 07: kinds of agreement, and an outer gradient with two faults; updates: (tasks, parameters)."""

import numpy as np

from gaml_utils.exercises.chapter_04 import scores, weights, without_self
from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(7)
_updates = _rng.normal(size=(5, 8)) + 0.4
_three = np.array([[2.0, 0.5], [-0.4, 0.1], [0.3, -1.2]])
_wide = np.array(
    [
        [0.2, 0.1, -0.1],
        [1.0, 0.4, 0.3],
        [3.0, -1.0, 0.5],
        [-0.5, 0.6, 0.2],
        [-1.4, 0.3, 1.1],
        [0.7, 1.2, -0.6],
    ]
)


def _normalised(s):
    return s / np.abs(s).sum()


# ---------------------------------------------------------------- 7.1: agreement with the others


def _others(g):
    return _normalised(without_self(g))


def _pairs_of_others(g):
    """Absolute inner products, those of a task with itself left out."""
    return np.abs(g @ g.T).sum() - (g * g).sum()


def _unit(g):
    return g / np.linalg.norm(g, axis=1, keepdims=True)


# ---------------------------------------------------------------- 7.2: copies


def _copied_scores(g, counts):
    return g @ (counts @ g)


def _totals(g, counts):
    return _normalised(counts * _copied_scores(g, counts))


# ---------------------------------------------------------------- 7.3: tempered scores


def _power(s, p):
    return np.sign(s) * np.abs(s) ** p


def _softmax(s):
    return np.exp(s - s.max()) / np.exp(s - s.max()).sum()


# ---------------------------------------------------------------- 7.4: two faults


def _absolute(z):
    """|z| of the real part, such that a complex step through it gives the derivative."""
    return z * np.sign(z.real)


def _inner(theta, support_x, support_y, inner_lr):
    error = np.einsum("tnp,p->tn", support_x, theta) - support_y
    return inner_lr * 2 / support_x.shape[1] * np.einsum("tnp,tn->tp", support_x, error)


def _losses(theta, updates, query_x, query_y):
    return np.mean((np.einsum("tnp,tp->tn", query_x, theta - updates) - query_y) ** 2, axis=1)


def _rule(g, book):
    products = g @ g.T
    return products.sum(axis=1) / (_absolute(products).sum() if book else _absolute(products.sum(axis=1)).sum())


def _uniform(g, book):
    return np.ones(len(g)) / len(g)


def _outer(
    theta,
    support_x,
    support_y,
    query_x,
    query_y,
    inner_lr,
    detached=True,
    book=False,
    rule=_rule,
    first_order=False,
    judged=None,
):
    """The gradient by complex steps; detached and book are the two faults of the exercise."""
    judged = judged or (query_x, query_y)
    fixed = _inner(theta, support_x, support_y, inner_lr)

    def objective(t):
        updates = _inner(t, support_x, support_y, inner_lr)
        w = rule(fixed if detached else updates, book)
        return np.sum(w * _losses(t, fixed if first_order else updates, *judged))

    steps = 1e-20j * np.eye(len(theta))
    return np.array([objective(theta + e).imag / 1e-20 for e in steps])


def _linear_tasks(tasks, points, parameters):
    slopes = 1.0 + 1.5 * _rng.normal(size=(tasks, parameters))
    arrays = []
    for _ in range(2):
        x = _rng.normal(size=(tasks, points, parameters))
        arrays += [x, np.einsum("tnp,tp->tn", x, slopes)]
    return arrays


_mend_cases = [(_rng.normal(size=p), *_linear_tasks(t, n, p), 0.1) for t, n, p in ((4, 6, 3), (6, 10, 2))]

EXERCISES = {
    "7.1": Exercise(
        _others,
        cases=[(_updates,), (_three,), (_wide,)],
        mistakes={
            "the task's own term is still in its score.": weights,
            "those are the scores; divide them by the sum of their absolute values.": without_self,
            "the normaliser has to sum the new scores: with the old ones the absolute weights do not add up to 1.": lambda g: (
                without_self(g) / np.abs(scores(g)).sum()
            ),
            "that is the book's normaliser: the absolute value goes around each score, not around each inner product.": lambda g: (
                without_self(g) / _pairs_of_others(g)
            ),
            "the absolute value is forgotten: scores of both signs cancel in the normaliser.": lambda g: (
                without_self(g) / without_self(g).sum()
            ),
            "the sign of the score is lost: a task against the others should get a negative weight.": lambda g: np.abs(
                _others(g)
            ),
            "a task's own term is its squared length |g_i|^2, not its length.": lambda g: _normalised(
                scores(g) - np.linalg.norm(g, axis=1)
            ),
            "those weights come from cosines; here lengths count.": lambda g: _others(_unit(g)),
            "divided by T once more: the absolute weights should add up to 1.": lambda g: _others(g) / len(g),
        },
    ),
    "7.2": Exercise(
        _totals,
        cases=[(_three, np.array([1, 4, 2])), (_wide, np.array([1, 2, 1, 3, 1, 5])), (_updates, np.ones(5, int))],
        mistakes={
            "that ignores the counts.": lambda g, n: weights(g),
            "that is the weight of one copy; a task's copies count together.": lambda g, n: (
                _copied_scores(g, n) / np.sum(n * np.abs(_copied_scores(g, n)))
            ),
            "the copies are missing from the normaliser: it sums over the whole meta-batch.": lambda g, n: (
                n * _copied_scores(g, n) / np.abs(_copied_scores(g, n)).sum()
            ),
            "copies are missing from both the normaliser and the total; only the scores know of them.": lambda g, n: (
                _normalised(_copied_scores(g, n))
            ),
            "the scores know nothing of the copies: each score is an inner product with the sum over the whole "
            "meta-batch.": lambda g, n: _normalised(n * scores(g)),
            "those are shares of the tasks; agreement does not weigh all alike.": lambda g, n: n / n.sum(),
            "that is one weight a copy; add up those of the same task.": lambda g, n: weights(np.repeat(g, n, axis=0)),
            "the sign of the score is lost.": lambda g, n: np.abs(_totals(g, n)),
        },
    ),
    "7.3": Exercise(
        lambda g, p: _normalised(_power(scores(g), p)),
        cases=[(_wide, 0.5), (_three, 2.0), (_updates, 1.0), (_wide, 0.1)],
        mistakes={
            "p is ignored.": lambda g, p: weights(g),
            "the sign of the score is lost.": lambda g, p: _normalised(np.abs(scores(g)) ** p),
            "normalise last: after the power the absolute weights no longer add up to 1.": lambda g, p: _power(
                weights(g), p
            ),
            "those are the tempered scores; normalise them.": lambda g, p: _power(scores(g), p),
            "that is the exponent 1/p.": lambda g, p: _normalised(_power(scores(g), 1 / p)),
            "the absolute value is forgotten in the normaliser: scores of both signs cancel.": lambda g, p: (
                _power(scores(g), p) / _power(scores(g), p).sum()
            ),
            "the power comes after the sum: it is the score that is tempered, not each inner product.": lambda g, p: (
                _normalised(_power(g @ g.T, p).sum(axis=1))
            ),
            "that is a softmax, which has no negative weights.": lambda g, p: _softmax(scores(g) / p),
            "the normaliser has to sum the tempered scores.": lambda g, p: (
                _power(scores(g), p) / np.abs(scores(g)).sum()
            ),
        },
    ),
    "7.4": Exercise(
        _outer,
        cases=_mend_cases,
        mistakes={
            "that still has both faults.": lambda *case: _outer(*case, detached=False, book=True),
            "one mended. The other: the gradient still flows through the weights.": lambda *case: _outer(
                *case, detached=False
            ),
            "one mended. The other: look at the normaliser, and where its absolute value stands.": lambda *case: _outer(
                *case, book=True
            ),
            "that detaches the updates in the inner loop as well, which leaves the first-order gradient; only the weights "
            "are constants.": lambda *case: _outer(*case, first_order=True),
            "that is first-order, because the updates are detached in the inner loop as well, and the normaliser is still "
            "the book's.": lambda *case: _outer(*case, first_order=True, book=True),
            "those are uniform weights; agreement weighs the tasks by their updates.": lambda *case: _outer(
                *case, rule=_uniform
            ),
            "that judges on the support set; the outer loss is the query set's.": lambda *case: _outer(
                *case, judged=case[1:3]
            ),
            "divided by T once more: the absolute weights should add up to 1.": lambda *case: (
                _outer(*case) / len(case[1])
            ),
            "the sign is wrong: return the gradient, which the optimiser descends.": lambda *case: -_outer(*case),
        },
        tolerance=1e-6,
    ),
}
