"""Answers to the exercises of chapter 13: right ones, and classic mistakes with what they are told."""

import numpy as np

# ---------------------------------------------------------------- 13.1


def by_differences(losses, strength, h=1e-6):
    def lowered(losses):
        r = losses / np.mean(losses)
        return np.mean(losses) + strength * np.mean(r * np.log(r))

    each = h * np.eye(len(losses))
    return [(lowered(losses + e) - lowered(losses - e)) / (2 * h) for e in each]


def theil(losses):
    return np.mean(losses / losses.mean() * np.log(losses / losses.mean()))


def slopes(losses):
    return (np.log(losses / losses.mean()) - theil(losses)) / losses.sum()


# ---------------------------------------------------------------- 13.2


def by_all_tasks(losses):
    steep = np.array([slope for slope in slopes(losses) if slope < 0])
    return np.min(-1 / len(losses) / steep)


# ---------------------------------------------------------------- 13.3


def pixel_by_pixel(x, y, w, epsilon, sign=1):
    residual = sum(a * b for a, b in zip(x, w, strict=True)) - y
    moved = [a + sign * epsilon * (1 if residual * b > 0 else -1) for a, b in zip(x, w, strict=True)]
    return [min(max(a, 0.0), 1.0) for a in moved]


# ---------------------------------------------------------------- 13.4


def attack(theta, x, y, epsilon):
    return x + epsilon * np.sign(2 * theta * (theta * x - y))


def step(theta, x, y, alpha):
    return theta - 2 * alpha * x * (theta * x - y)


def crossed(theta, alpha, epsilon, support, query):
    (x_S, y_S), (x_Q, y_Q) = support, query
    clean, attacked = step(theta, x_S, y_S, alpha), step(theta, attack(theta, x_S, y_S, epsilon), y_S, alpha)
    return (attacked * x_Q - y_Q) ** 2 + (clean * attack(theta, x_Q, y_Q, epsilon) - y_Q) ** 2


def loss_of(theta, alpha, support, query):
    return (step(theta, *support, alpha) * query[0] - query[1]) ** 2


def attacked(theta, pair, epsilon):
    return attack(theta, *pair, epsilon), pair[1]


# ---------------------------------------------------------------- right, wrong with a hint, wrong

RIGHT = {
    "13.1": [lambda losses, s: 1 / len(losses) + s * slopes(losses), by_differences],
    "13.2": [by_all_tasks, lambda losses: losses.mean() / (theil(losses) - np.log(losses.min() / losses.mean()))],
    "13.3": [pixel_by_pixel, lambda x, y, w, e: np.clip(x + e * np.sign(2 * (w @ x - y) * w), 0, 1)],
    "13.4": [
        crossed,
        lambda t, a, e, s, q: loss_of(t, a, attacked(t, s, e), q) + loss_of(t, a, s, attacked(t, q, e)),
    ],
}

WRONG = {
    "13.1": [
        ("times the mean loss", lambda losses, s: 1 / len(losses) + s * slopes(losses) * losses.sum()),
        (
            "depends on every loss",
            lambda losses, s: 1 / len(losses) + s * np.log(losses / losses.mean()) / losses.sum(),
        ),
        (
            "nothing as a constant",
            lambda losses, s: 1 / len(losses) + s * (np.log(losses / losses.mean()) + 1) / losses.sum(),
        ),
        ("slopes alone", lambda losses, s: s * slopes(losses)),
        ("the sign", lambda losses, s: 1 / len(losses) - s * slopes(losses)),
        ("strength is left out", lambda losses, s: 1 / len(losses) + slopes(losses)),
        ("add up to 1", lambda losses, s: (1 / len(losses) + s * slopes(losses)) / (1 + s * slopes(losses).sum())),
    ],
    "13.2": [
        ("multiply by it", lambda losses: by_all_tasks(losses) / losses.mean()),
        ("part of the slope", lambda losses: losses.mean() / np.log(losses.mean() / losses.min())),
        ("never un-learned", lambda losses: -1 / len(losses) / slopes(losses)[np.argmax(losses)]),
        ("cancels", lambda losses: by_all_tasks(losses) / len(losses)),
        ("the sign", lambda losses: -by_all_tasks(losses)),
    ],
    "13.3": [
        ("climbs the loss", lambda *case: pixel_by_pixel(*case, sign=-1)),
        ("within 0 and 1", lambda x, y, w, e: x + e * np.sign((x @ w - y) * w)),
        ("moves by epsilon", lambda x, y, w, e: np.clip(x + e * 2 * (x @ w - y) * w, 0, 1)),
        ("residual's sign", lambda x, y, w, e: np.clip(x + e * np.sign(w), 0, 1)),
        ("step alone", lambda x, y, w, e: e * np.sign((x @ w - y) * w)),
        ("not the weights", lambda x, y, w, e: np.clip(w + e * np.sign((x @ w - y) * x), 0, 1)),
    ],
    "13.4": [
        (
            "not crossed",
            lambda t, a, e, s, q: loss_of(t, a, s, q) + loss_of(t, a, attacked(t, s, e), attacked(t, q, e)),
        ),
        ("attacked queries after the clean", lambda t, a, e, s, q: loss_of(t, a, s, attacked(t, q, e))),
        ("clean queries after the attacked", lambda t, a, e, s, q: loss_of(t, a, attacked(t, s, e), q)),
        ("their mean", lambda *case: crossed(*case) / 2),
        (
            "not at the adapted",
            lambda t, a, e, s, q: (
                loss_of(t, a, attacked(t, s, e), q) + loss_of(t, a, s, attacked(step(t, *s, a), q, e))
            ),
        ),
        ("nothing is attacked", lambda t, a, e, s, q: 2 * loss_of(t, a, s, q)),
        ("climbs the loss", lambda t, a, e, s, q: crossed(t, a, -e, s, q)),
    ],
}

ALSO_WRONG = {
    "13.1": [lambda losses, s: losses / losses.sum(), lambda losses, s: np.exp(losses) / np.exp(losses).sum()],
    "13.2": [lambda losses: losses.mean() / theil(losses), lambda losses: losses.min()],
    "13.3": [lambda x, y, w, e: x, lambda x, y, w, e: np.clip(x, 0, 1) + e],
    "13.4": [
        lambda t, a, e, s, q: loss_of(t, a, attacked(t, s, e), attacked(t, q, e)),
        lambda t, a, e, s, q: loss_of(t, a, attacked(t, s, e), q) * loss_of(t, a, s, attacked(t, q, e)),
    ],
}
