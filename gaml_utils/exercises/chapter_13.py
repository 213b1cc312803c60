"""Exercises of chapter 13: Gini's slopes, the largest strength without a negative weight, an attack on a linear model,
and how far an attack can raise a loss.
"""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(13)

# ---------------------------------------------------------------- 13.1: Gini's slopes


def _gini(losses, whole=True, divided=True, ascending=True):
    T, mu = len(losses), losses.mean()
    rank = np.argsort(np.argsort(losses if ascending else -losses)) + 1
    G = np.abs(losses[:, None] - losses).sum() / (2 * T * T * mu)
    slopes = (2 * rank - T - 1) / T - (G if whole else 0)
    return slopes / (T * mu) if divided else slopes


_loss_cases = [(_rng.exponential(size=T) + 0.05,) for T in (3, 4, 7)]

# ---------------------------------------------------------------- 13.2: how strong may it be?


def _theil(losses):
    r = losses / losses.mean()
    return np.mean(r * np.log(r))


def _strongest(losses, which=np.min, unit=True, theil=True):
    mu = losses.mean()
    return (mu if unit else 1.0) / ((_theil(losses) if theil else 0) - np.log(which(losses) / mu))


# ---------------------------------------------------------------- 13.3: an attack on a linear model


def _attack(w, x, y, epsilon, sign=1.0, clip=True, signed=True, residual=True):
    gradient = (2 * (x @ w - y) if residual else np.ones(len(x)))[:, None] * w
    moved = x + sign * epsilon * (np.sign(gradient) if signed else gradient)
    return np.clip(moved, 0, 1) if clip else moved


def _linear_case(points, features, epsilon):
    x = _rng.uniform(size=(points, features))
    return _rng.normal(size=features), x, _rng.normal(size=points), epsilon


_attack_cases = [_linear_case(2, 3, 0.1), _linear_case(4, 3, 0.3), _linear_case(5, 2, 0.5)]

# ---------------------------------------------------------------- 13.4: how far can the loss rise?


def _rise(gradient, x, epsilon):
    return np.sum(gradient * (np.clip(x + epsilon * np.sign(gradient), 0, 1) - x))


_rise_cases = [
    (_rng.normal(size=4), np.array([0.0, 1.0, 0.0, 1.0]), 0.1),
    (np.array([0.5, -0.5, 0.2, -0.3]), np.array([0.0, 0.0, 1.0, 1.0]), 0.2),
    (_rng.normal(size=6), np.array([0.0, 0.05, 0.5, 0.95, 1.0, 0.3]), 0.1),
]

EXERCISES = {
    "13.1": Exercise(
        _gini,
        cases=_loss_cases,
        mistakes={
            "the measure itself is missing: mu stands in it as well, and depends on every loss.": lambda losses: _gini(
                losses, whole=False
            ),
            "divide by T mu: the measure is one of losses over their mean.": lambda losses: _gini(
                losses, divided=False
            ),
            "the sign: the largest loss has the largest slope.": lambda losses: _gini(losses, ascending=False),
            "those are Theil's slopes.": lambda losses: (
                (np.log(losses / losses.mean()) - _theil(losses)) / losses.sum()
            ),
            "that is the measure, one number; asked is one slope per task.": lambda losses: (
                np.abs(losses[:, None] - losses).sum() / (2 * losses.sum() * len(losses))
            ),
            "that divides by T once too often.": lambda losses: _gini(losses) / len(losses),
            "those are the weights at strength 1, with 1/T; asked are the slopes.": lambda losses: (
                _gini(losses) + 1 / len(losses)
            ),
        },
    ),
    "13.2": Exercise(
        _strongest,
        cases=_loss_cases,
        mistakes={
            "the easiest task sets the bound, not the hardest.": lambda losses: _strongest(losses, np.max),
            "that is in units of the mean loss; asked is the strength itself: times mu.": lambda losses: _strongest(
                losses, unit=False
            ),
            "Theil's measure is missing in the slope, ln r - I.": lambda losses: _strongest(losses, theil=False),
            "that is the largest loss in place of the mean.": lambda losses: (
                losses.max() / (_theil(losses) - np.log(losses.min() / losses.mean()))
            ),
            "that is one over the strength.": lambda losses: 1 / _strongest(losses),
            "the uniform weight is 1/T and the slope has 1/T as well: T cancels.": lambda losses: (
                _strongest(losses) / len(losses)
            ),
            "that is the bound of the median task.": lambda losses: _strongest(losses, np.median),
        },
    ),
    "13.3": Exercise(
        _attack,
        cases=_attack_cases,
        mistakes={
            "keep the inputs between 0 and 1.": lambda *case: _attack(*case, clip=False),
            "that lowers the loss; an attack goes up the gradient.": lambda *case: _attack(*case, sign=-1.0),
            "take the sign of the gradient: every input moves as far.": lambda *case: _attack(*case, signed=False),
            "the residual has a sign, too: the gradient is 2 (w x - y) w.": lambda *case: _attack(
                *case, residual=False
            ),
            "those are the clean inputs.": lambda w, x, y, epsilon: x,
            "that is the step alone; add it to the inputs.": lambda w, x, y, epsilon: (
                epsilon * np.sign((x @ w - y)[:, None] * w)
            ),
            "that moves each input by epsilon times its own size.": lambda w, x, y, epsilon: np.clip(
                x * (1 + epsilon * np.sign((x @ w - y)[:, None] * w)), 0, 1
            ),
        },
    ),
    "13.4": Exercise(
        _rise,
        cases=_rise_cases,
        mistakes={
            "ink cannot get darker than 1, nor paper lighter than 0: what is clipped does not count.": (
                lambda gradient, x, epsilon: epsilon * np.abs(gradient).sum()
            ),
            "the length of the gradient is what a step of that length gains; each pixel moves by epsilon here.": (
                lambda gradient, x, epsilon: epsilon * np.linalg.norm(gradient)
            ),
            "signs cancel in that sum; every pixel moves to its own side.": lambda gradient, x, epsilon: (
                epsilon * gradient.sum()
            ),
            "that is a mean; the rises of the pixels add up.": lambda *case: _rise(*case) / len(case[1]),
            "the attack raises the loss.": lambda *case: -_rise(*case),
            "that is how far the pixels move, not what the loss gains.": lambda gradient, x, epsilon: np.abs(
                np.clip(x + epsilon * np.sign(gradient), 0, 1) - x
            ).sum(),
        },
    ),
}
