"""Answers to the exercises of chapter 08: right ones, classic mistakes, other wrong ones. Plain loops, for the most."""

import math
import statistics

import numpy as np

# ---------------------------------------------------------------- 8.1


def episode_loop(labels, order, classes, shots, queries, skip=None, first=0):
    support, support_y, query, query_y = [], [], [], []
    for new, c in enumerate(classes):
        mine = [int(n) for n in order if labels[n] == c]
        start = shots if skip is None else skip
        support += mine[:shots]
        query += mine[start : start + queries]
        support_y += shots * [new + first]
        query_y += queries * [new + first]
    return support, support_y, query, query_y


def episode_array(labels, order, classes, shots, queries):
    mine = np.stack([order[labels[order] == c][: shots + queries] for c in classes])
    y = np.arange(len(classes))
    return mine[:, :shots].ravel(), y.repeat(shots), mine[:, shots:].ravel(), y.repeat(queries)


def old_names(labels, order, classes, shots, queries):
    support, _, query, _ = episode_loop(labels, order, classes, shots, queries)
    return support, labels[support], query, labels[query]


# ---------------------------------------------------------------- 8.2


def moved(image, down, right):
    result = np.zeros_like(image)
    height, width = image.shape
    for i in range(height):
        for j in range(width):
            if 0 <= i - down < height and 0 <= j - right < width:
                result[i, j] = image[i - down, j - right]
    return result


def cosine(a, b):
    return np.sum(a * b) / math.sqrt(np.sum(a * a) * np.sum(b * b))


def shifts(reach):
    return [(d, r) for d in range(-reach, reach + 1) for r in range(-reach, reach + 1)]


def nearest(move=moved, like=cosine, which=shifts, over=max, choose=np.argmax, label=True):
    def answer(support_x, support_y, query_x, reach):
        found = []
        for q in query_x:
            places = [move(q, *s) for s in which(reach)]
            k = choose([over([like(s, p) for p in places]) for s in support_x])
            found.append(support_y[k] if label else k)
        return found

    return answer


def by_moving_the_window(support_x, support_y, query_x, reach):
    """Cuts windows out of a query with a wide margin."""
    wide = np.pad(query_x, ((0, 0), (reach, reach), (reach, reach)))
    windows = np.lib.stride_tricks.sliding_window_view(wide, query_x.shape[1:], axis=(1, 2))
    products = np.einsum("qijhw,shw->qsij", windows, support_x)
    lengths = np.sqrt((windows**2).sum(axis=(3, 4))[:, None] * (support_x**2).sum(axis=(1, 2))[:, None, None])
    return support_y[(products / lengths).max(axis=(2, 3)).argmax(axis=1)]


# ---------------------------------------------------------------- 8.3


def evaluation(statistics_of="support", counted="own class"):
    def answer(support, query):
        (sx, sy, sf), (qx, qy, qf) = support, query
        pool = {"support": sx, "query": sx, "both": np.vstack([sx, qx])}[statistics_of]
        means = [((sx - pool.mean(0)) / pool.std(0))[sy == c].mean(axis=0) for c in np.unique(sy)]
        pool = qx if statistics_of == "query" else pool
        right = []
        for x, y, f in zip((qx - pool.mean(0)) / pool.std(0), qy, qf, strict=True):
            shown = sf if counted == "any class" else sf[sy == y]
            if counted == "all" or f not in shown:
                right.append(np.argmin([np.linalg.norm(x - m) for m in means]) == y)
            elif counted == "as wrong":
                right.append(False)
        return sum(right) / len(right)

    return answer


# ---------------------------------------------------------------- 8.4


def needed(accuracies, half_width):
    return math.ceil(1.96**2 * statistics.variance(list(map(float, accuracies))) / half_width**2)


def needed_by_trying(accuracies, half_width):
    n = 1
    while 1.96 * np.std(accuracies, ddof=1) / np.sqrt(n) > half_width:
        n += 1
    return n


# ---------------------------------------------------------------- right, wrong with a hint, wrong

RIGHT = {
    "8.1": [episode_loop, episode_array, lambda *case: list(map(np.array, episode_loop(*case)))],
    "8.2": [nearest(), by_moving_the_window],
    "8.3": [evaluation(), lambda *case: np.array(evaluation()(*case))],
    "8.4": [needed, needed_by_trying],
}

WRONG = {
    "8.1": [
        ("overlap", lambda *case: episode_loop(*case, skip=0)),
        ("classes' own numbers", old_names),
        ("order of their number", lambda l, o, classes, *n: episode_loop(l, o, sorted(classes), *n)),
        ("ignores `order`", lambda l, o, *rest: episode_loop(l, sorted(o), *rest)),
        ("one image too early", lambda *case: episode_loop(*case, skip=case[3] - 1)),
        ("query set first", lambda *case: episode_loop(*case)[2:] + episode_loop(*case)[:2]),
        ("after the numbers", lambda *case: [episode_loop(*case)[k] for k in (0, 2, 1, 3)]),
    ],
    "8.2": [
        ("stays where it is", nearest(which=lambda reach: shifts(0))),
        ("np.roll", nearest(move=lambda image, d, r: np.roll(image, (d, r), axis=(0, 1)))),
        ("straight shifts", nearest(which=lambda reach: [s for s in shifts(reach) if 0 in s])),
        ("return its label", nearest(label=False)),
        ("least similar", nearest(choose=np.argmin)),
        ("both lengths", nearest(like=lambda a, b: np.sum(a * b))),
        ("length of the shifted query", nearest(like=lambda s, q: np.sum(s * q) / math.sqrt(np.sum(s * s)))),
        ("mean over the shifts", nearest(over=np.mean)),
    ],
    "8.3": [
        ("both leaks", evaluation("query", "all")),
        ("how do the queries get", evaluation("query")),
        ("has shown", evaluation(counted="all")),
        ("still use the other queries", evaluation("both")),
        ("leaves out too much", evaluation(counted="any class")),
        ("counted as wrong", evaluation(counted="as wrong")),
        ("share of wrong answers", lambda *case: 1 - evaluation()(*case)),
    ],
    "8.4": [
        ("ddof=1", lambda a, h: math.ceil((1.96 * np.std(a) / h) ** 2)),
        ("whole number", lambda a, h: 1.96**2 * np.var(a, ddof=1) / h**2),
        ("rounded down", lambda a, h: needed(a, h) - 1),
        ("half of the interval", lambda a, h: needed(a, h / 2)),
        ("1.96 is missing", lambda a, h: math.ceil(np.var(a, ddof=1) / h**2)),
        ("square the ratio", lambda a, h: math.ceil(1.96 * np.std(a, ddof=1) / h)),
        ("single queries", lambda a, h: math.ceil(1.96**2 * np.mean(a) * (1 - np.mean(a)) / h**2)),
    ],
}

ALSO_WRONG = {
    "8.1": [lambda *case: episode_loop(*case, first=1), lambda *case: episode_loop(*case)[:2]],
    "8.2": [lambda sx, sy, qx, reach: np.zeros(len(qx)), lambda sx, sy, qx, reach: sy],
    "8.3": [lambda *case: 1.0, lambda *case: 1 / 3],
    "8.4": [lambda a, h: 600, lambda a, h: len(a)],
}
