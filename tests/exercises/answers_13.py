"""Answers to the exercises of chapter 13: right ones, and classic mistakes with what they are told."""

import numpy as np

# ---------------------------------------------------------------- 13.1


def by_pairs(losses, whole=True, over=True):
    T, mu = len(losses), sum(losses) / len(losses)
    G = sum(abs(a - b) for a in losses for b in losses) / (2 * T * T * mu)
    above = [sum(np.sign(a - b) for b in losses) / T for a in losses]
    return np.array([s - G * whole for s in above]) / (T * mu if over else 1)


def theil(losses):
    r = losses / np.mean(losses)
    return np.sum(r * np.log(r)) / len(r)


# ---------------------------------------------------------------- 13.2


def by_bisection(losses):
    r = losses / losses.mean()
    slopes = (np.log(r) - theil(losses)) / losses.sum()
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.min(1 / len(r) + middle * slopes) >= 0 else (low, middle)
    return low


def of_task(losses, loss):
    return np.mean(losses) / (theil(losses) - np.log(loss / np.mean(losses)))


# ---------------------------------------------------------------- 13.3


def point_by_point(w, x, y, epsilon, up=1):
    out = []
    for point, target in zip(x, y, strict=True):
        slope = 2 * (np.dot(w, point) - target)
        out.append(
            [min(1.0, max(0.0, p + up * epsilon * np.sign(slope * w_j))) for p, w_j in zip(point, w, strict=True)]
        )
    return np.array(out)


# ---------------------------------------------------------------- 13.4


def pixel_by_pixel(gradient, x, epsilon):
    total = 0.0
    for g, p in zip(gradient, x, strict=True):
        room = min(epsilon, 1 - p) if g > 0 else min(epsilon, p)
        total += abs(g) * room
    return total


# ---------------------------------------------------------------- right, wrong with a hint, wrong

RIGHT = {
    "13.1": [by_pairs, lambda losses: list(by_pairs(losses))],
    "13.2": [by_bisection, lambda losses: of_task(losses, min(losses))],
    "13.3": [point_by_point],
    "13.4": [pixel_by_pixel],
}

WRONG = {
    "13.1": [
        ("measure itself is missing", lambda losses: by_pairs(losses, whole=False)),
        ("divide by T mu", lambda losses: by_pairs(losses, over=False)),
        ("largest slope", lambda losses: by_pairs(losses) - 2 * by_pairs(losses, False)),
        ("Theil's slopes", lambda losses: (np.log(losses / losses.mean()) - theil(losses)) / losses.sum()),
        ("that is the measure", lambda losses: np.abs(np.subtract.outer(losses, losses)).mean() / 2 / losses.mean()),
        ("once too often", lambda losses: by_pairs(losses) / len(losses)),
        ("with 1/T", lambda losses: 1 / len(losses) + by_pairs(losses)),
    ],
    "13.2": [
        ("not the hardest", lambda losses: of_task(losses, max(losses))),
        ("times mu", lambda losses: by_bisection(losses) / losses.mean()),
        ("measure is missing", lambda losses: -losses.mean() / np.log(losses.min() / losses.mean())),
        ("in place of the mean", lambda losses: by_bisection(losses) * losses.max() / losses.mean()),
        ("one over", lambda losses: 1 / by_bisection(losses)),
        ("T cancels", lambda losses: by_bisection(losses) / len(losses)),
        ("median task", lambda losses: of_task(losses, np.median(losses))),
    ],
    "13.3": [
        ("between 0 and 1", lambda w, x, y, e: x + e * np.sign(np.outer(x @ w - y, w))),
        ("up the gradient", lambda *case: point_by_point(*case, up=-1)),
        ("take the sign", lambda w, x, y, e: np.clip(x + e * 2 * np.outer(x @ w - y, w), 0, 1)),
        ("residual has a sign", lambda w, x, y, e: np.clip(x + e * np.sign(w), 0, 1)),
        ("clean inputs", lambda w, x, y, e: x.copy()),
        ("step alone", lambda w, x, y, e: e * np.sign(np.outer(x @ w - y, w))),
        ("its own size", lambda w, x, y, e: np.clip(x + e * x * np.sign(np.outer(x @ w - y, w)), 0, 1)),
    ],
    "13.4": [
        ("is clipped", lambda g, x, e: e * np.sum(np.abs(g))),
        ("each pixel moves by epsilon", lambda g, x, e: e * np.sqrt(g @ g)),
        ("signs cancel", lambda g, x, e: e * np.sum(g)),
        ("add up", lambda g, x, e: pixel_by_pixel(g, x, e) / len(x)),
        ("raises the loss", lambda g, x, e: -pixel_by_pixel(g, x, e)),
        ("not what the loss gains", lambda g, x, e: np.sum(np.abs(np.clip(x + e * np.sign(g), 0, 1) - x))),
    ],
}

ALSO_WRONG = {
    "13.1": [lambda losses: np.sign(losses - losses.mean()), lambda losses: losses - losses.mean()],
    "13.2": [lambda losses: losses.mean(), lambda losses: 0.1],
    "13.3": [lambda w, x, y, e: np.clip(x + e, 0, 1), lambda w, x, y, e: np.clip(x, 0, 1) * 0],
    "13.4": [lambda g, x, e: e, lambda g, x, e: np.sum(g * x)],
}
