"""Exercises of chapter 13: the weights of Theil's measure, the strength that un-learns a task, an attack on a linear
model, and ADML's crossed loss.
"""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(13)

# ---------------------------------------------------------------- 13.1: Theil's weights


def _theil(losses, strength, own=True, scaled=True, mean=True):
    T, mu = len(losses), losses.mean()
    r = losses / mu
    slope = np.log(r) - own * np.mean(r * np.log(r))
    return mean / T + strength * slope / (T * mu if scaled else 1)


_theil_cases = [(_rng.gamma(1.5, 1.0, t), s) for t, s in ((3, 0.5), (5, 1.0), (8, 2.0))]

# ---------------------------------------------------------------- 13.2: how strong before a task is un-learned?


def _strongest(losses, of=np.min):
    """1/T + strength (ln r - I) / (T mu) = 0 for the smallest loss."""
    r = losses / losses.mean()
    return losses.mean() / (np.mean(r * np.log(r)) - np.log(of(r)))


def _strongest_without_mean(losses):
    return _strongest(losses) / losses.mean()


def _strongest_by_log(losses):
    return losses.mean() / -np.log(losses.min() / losses.mean())


_strongest_cases = [(_rng.gamma(1.5, 1.0, t),) for t in (3, 5, 8)]

# ---------------------------------------------------------------- 13.3: an attack on a linear model


def _attacked(x, y, w, epsilon, factor=1.0, low=0.0, high=1.0):
    residual = x @ w - y
    return np.clip(x + factor * epsilon * np.sign(residual * w), low, high)


_attack_cases = [(_rng.uniform(0, 1, 6), y, _rng.normal(size=6), e) for y, e in ((4.0, 0.3), (-4.0, 0.5), (0.1, 0.2))]

# ---------------------------------------------------------------- 13.4: the crossed pairs


def _moved(theta, x, y, epsilon):
    return x + epsilon * np.sign((theta * x - y) * theta)


def _after(theta, x, y, alpha):
    return theta - alpha * 2 * (theta * x - y) * x


def _crossed(theta, alpha, epsilon, support, query, pairs=((1, 0), (0, 1)), at_adapted=False):
    """pairs: (is the support attacked?, is the query?); each adds the query's loss."""
    total = 0.0
    for on_support, on_query in pairs:
        adapted = _after(theta, _moved(theta, *support, epsilon * on_support), support[1], alpha)
        at = adapted if at_adapted else theta
        total += (adapted * _moved(at, *query, epsilon * on_query) - query[1]) ** 2
    return total


_crossed_cases = [
    (0.5, 0.1, 0.1, (1.0, 2.0), (-0.5, 1.0)),
    (1.2, 0.2, 0.3, (0.8, -1.0), (0.7, 0.4)),
    (-0.8, 0.3, 0.2, (1.1, 0.6), (0.4, 0.9)),
]

EXERCISES = {
    "13.1": Exercise(
        _theil,
        cases=_theil_cases,
        mistakes={
            "divide the slope by the number of tasks times the mean loss.": lambda losses, strength: _theil(
                losses, strength, scaled=False
            ),
            "the mean loss depends on every loss too: differentiate it as well, and ln r - I is what is left.": (
                lambda losses, strength: _theil(losses, strength, own=False)
            ),
            "treat nothing as a constant: ln r + 1 is the slope with the mean loss held still.": (
                lambda losses, strength: _theil(losses, strength, own=False) + strength / len(losses) / losses.mean()
            ),
            "those are the slopes alone; the mean loss is lowered as well, with 1/T for each task.": (
                lambda losses, strength: _theil(losses, strength, mean=False)
            ),
            "the sign: a large loss gets more weight.": lambda losses, strength: _theil(losses, -strength),
            "strength is left out.": lambda losses, strength: _theil(losses, 1.0),
            "the weights are not to be made to add up to 1.": lambda losses, strength: (
                _theil(losses, strength) / _theil(losses, strength).sum()
            ),
        },
    ),
    "13.2": Exercise(
        _strongest,
        cases=_strongest_cases,
        mistakes={
            "strength is in units of the mean loss: multiply by it.": _strongest_without_mean,
            "the measure itself is part of the slope: ln r - I.": _strongest_by_log,
            "the largest loss is never un-learned; look at the smallest.": lambda losses: _strongest(losses, np.max),
            "1/T is in both terms, and cancels.": lambda losses: _strongest(losses) / len(losses),
            "the sign: ln r is below 0 for the smallest loss.": lambda losses: -_strongest(losses),
        },
    ),
    "13.3": Exercise(
        _attacked,
        cases=_attack_cases,
        mistakes={
            "the sign: an attack climbs the loss.": lambda *case: _attacked(*case, factor=-1.0),
            "keep the pixels within 0 and 1.": lambda *case: _attacked(*case, low=-np.inf, high=np.inf),
            "take the sign of the gradient: every pixel moves by epsilon.": lambda x, y, w, epsilon: np.clip(
                x + epsilon * 2 * (x @ w - y) * w, 0, 1
            ),
            "the residual's sign counts too: which way the loss rises depends on it.": lambda x, y, w, epsilon: np.clip(
                x + epsilon * np.sign(w), 0, 1
            ),
            "that is the step alone, not the attacked image.": lambda x, y, w, epsilon: (
                _attacked(x, y, w, epsilon, low=-np.inf, high=np.inf) - x
            ),
            "attack the image, not the weights.": lambda x, y, w, epsilon: np.clip(
                w + epsilon * np.sign((x @ w - y) * x), 0, 1
            ),
        },
    ),
    "13.4": Exercise(
        _crossed,
        cases=_crossed_cases,
        mistakes={
            "the pairs are not crossed: clean after clean and attacked after attacked.": lambda *case: _crossed(
                *case, pairs=((0, 0), (1, 1))
            ),
            "that is one of the two pairs: attacked queries after the clean support set.": lambda *case: _crossed(
                *case, pairs=((0, 1),)
            ),
            "that is one of the two pairs: clean queries after the attacked support set.": lambda *case: _crossed(
                *case, pairs=((1, 0),)
            ),
            "ADML adds the two losses; that is their mean.": lambda *case: _crossed(*case) / 2,
            "in training the query is attacked at theta, not at the adapted parameters.": lambda *case: _crossed(
                *case, at_adapted=True
            ),
            "that is twice MAML's loss: nothing is attacked.": lambda *case: _crossed(*case, pairs=((0, 0), (0, 0))),
            "the sign: an attack climbs the loss.": lambda theta, alpha, epsilon, support, query: _crossed(
                theta, alpha, -epsilon, support, query
            ),
        },
    ),
}
