"""Exercises of chapter 16: what counts as reached, a bias that moves more, a learned loss, and what, not where."""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(16)

# ---------------------------------------------------------------- 16.1: done, not fitted


def _success(paths, goals, within, at=-1):
    """The share of paths, (tasks, steps + 1, 2), that end within that distance of their goals, (tasks, 2)."""
    return float((_distances(paths, goals)[:, at] < within).mean())


def _distances(paths, goals):
    return np.linalg.norm(paths - goals[:, None], axis=-1)


def _walks(tasks, steps, reach):
    """Paths that wander around their goals: some come near and leave again."""
    goals, starts = _rng.normal(size=(2, tasks, 2))
    return goals[:, None] + reach * (
        2 * starts[:, None] + np.cumsum(_rng.normal(size=(tasks, steps + 1, 2)), axis=1)
    ), goals


_success_cases = [(*_walks(60, 8, 0.1), 0.25), (*_walks(80, 6, 0.2), 0.6), (*_walks(90, 10, 0.3), 0.8)]

# ---------------------------------------------------------------- 16.2: a bias that moves more


def _moved_bias(gradient, w2, inner_lr, own=True, factor=1.0):
    """What one inner step makes of b + w2 z: b and z both move, w2 does not. gradient (units,): of the loss by b."""
    return -inner_lr * factor * (own * gradient + w2 @ (w2.T @ gradient))


_moved_bias_cases = [
    (_rng.normal(size=units), _rng.normal(size=(units, k)), lr)
    for units, k, lr in ((2, 1, 0.1), (4, 2, 0.3), (3, 5, 1.0))
]

# ---------------------------------------------------------------- 16.3: the gradient of a learned loss


def _of_inner_head(
    v_in, v_out, w, inner_lr, shown, query, error=True, product=True, adapted=True, sign=-1.0, outer=1.0
):
    """dL/dv_in: features w o, inner head v_in, actions v_out w o. shown, query: (observations, actions), (points,)."""
    o, a = shown
    after = w - inner_lr * 2 * v_in * np.mean((v_in * w * o - a) * o)
    moves = error * np.mean((v_in * w * o - a) * o) + product * v_in * w * np.mean(o * o)
    q, b = query
    slope = 2 * np.mean((v_out * (after if adapted else w) * q - b) * v_out * q)
    return outer * slope * sign * 2 * inner_lr * moves


def _points(count):
    o = _rng.normal(size=count)
    return o, 1.3 * o + 0.2 * _rng.normal(size=count)


_head_cases = [
    (*(float(x) for x in _rng.normal(size=3).round(2)), lr, _points(n), _points(n))
    for lr, n in ((0.1, 3), (0.3, 5), (0.05, 8))
]

# ---------------------------------------------------------------- 16.4: what, not where


def _wanted(places, hues, hue, far=False, round_=True):
    """The place of the object, (tasks, 2), whose hue, (tasks, objects), is nearest on the circle to the task's."""
    apart = np.abs(hues - hue[:, None])
    apart = np.minimum(apart, 1 - apart) if round_ else apart
    chosen = apart.argmax(axis=1) if far else apart.argmin(axis=1)
    return places[np.arange(len(places)), chosen]


_wanted_cases = [
    (_rng.normal(size=(tasks, objects, 2)), _rng.random((tasks, objects)), _rng.random(tasks))
    for tasks, objects in ((20, 2), (40, 3), (60, 5))
]

EXERCISES = {
    "16.1": Exercise(
        _success,
        cases=_success_cases,
        mistakes={
            "to come near on the way is not enough: it counts where the path ends.": lambda paths, goals, within: (
                _distances(paths, goals).min(axis=1) < within
            ).mean(),
            "within is a distance: take the root of the sum of squares.": lambda paths, goals, within: (
                _distances(paths, goals)[:, -1] ** 2 < within
            ).mean(),
            "that is where it starts. Look at the last place.": lambda *case: _success(*case, at=0),
            "that is the share of goals that are missed.": lambda *case: 1 - _success(*case),
            "the distance is in the plane, and not in either coordinate by itself.": lambda paths, goals, within: (
                (np.abs(paths[:, -1] - goals) < within).all(axis=1).mean()
            ),
            "that is how many. Return the share of all.": lambda paths, goals, within: (
                len(goals) * _success(paths, goals, within)
            ),
            "that is a mean distance. Count those that arrive.": lambda paths, goals, within: _distances(paths, goals)[
                :, -1
            ].mean(),
        },
    ),
    "16.2": Exercise(
        _moved_bias,
        cases=_moved_bias_cases,
        mistakes={
            "b itself moves as well.": lambda *case: _moved_bias(*case, own=False),
            "z moves too, and w2 z with it.": lambda gradient, w2, inner_lr: -inner_lr * gradient,
            "a step goes against the gradient.": lambda *case: _moved_bias(*case, factor=-1.0),
            "z moves by -inner_lr times w2^T gradient; then w2 once more in front of it.": lambda g, w2, inner_lr: (
                -inner_lr * (g + w2 @ w2.sum(axis=0))
            ),
            "the step size stands in front of both parts, once.": lambda gradient, w2, inner_lr: (
                -inner_lr * gradient - inner_lr**2 * w2 @ (w2.T @ gradient)
            ),
            "inner_lr is left out.": lambda gradient, w2, inner_lr: _moved_bias(gradient, w2, 1.0),
        },
    ),
    "16.3": Exercise(
        _of_inner_head,
        cases=_head_cases,
        mistakes={
            "that is first order: w after the step depends on v_in, and only so does the outer loss.": lambda *case: (
                0.0
            ),
            "v_in stands in the inner gradient twice: in front, and in the error.": lambda *case: _of_inner_head(
                *case, product=False
            ),
            "v_in stands in front of the inner gradient too: the product rule has two terms.": lambda *case: (
                _of_inner_head(*case, error=False)
            ),
            "the query loss is taken at w after the step.": lambda *case: _of_inner_head(*case, adapted=False),
            "the inner step goes against its gradient: a minus.": lambda *case: _of_inner_head(*case, sign=1.0),
            "both losses are means of squares: a factor of 2 each.": lambda *case: _of_inner_head(*case, outer=0.5),
            "the step size belongs to the inner step.": lambda v_in, v_out, w, inner_lr, shown, query: (
                _of_inner_head(v_in, v_out, w, inner_lr, shown, query) / inner_lr
            ),
        },
    ),
    "16.4": Exercise(
        _wanted,
        cases=_wanted_cases,
        mistakes={
            "hues lie on a circle: 0.95 is near to 0.05.": lambda *case: _wanted(*case, round_=False),
            "that is the object whose hue is farthest from the task's.": lambda *case: _wanted(*case, far=True),
            "that is the first object. Compare the hues.": lambda places, hues, hue: places[:, 0],
            "that is the mean of the places, where no object lies.": lambda places, hues, hue: places.mean(axis=1),
            "return its place, not its number.": lambda places, hues, hue: _wanted(
                np.broadcast_to(np.arange(hues.shape[1])[None, :, None], (*hues.shape, 1)), hues, hue
            )[:, 0],
            "compare with the task's hue: the largest hue says nothing.": lambda places, hues, hue: places[
                np.arange(len(places)), hues.argmax(axis=1)
            ],
        },
    ),
}
