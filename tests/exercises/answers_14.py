"""Answers to the exercises of chapter 14: right ones, and classic mistakes with what they are told."""

import itertools

import numpy as np

# ---------------------------------------------------------------- 14.1


def pair_by_pair(clusters, labels):
    together = both = 0
    for i, j in itertools.combinations(range(len(labels)), 2):
        if clusters[i] == clusters[j]:
            together += 1
            both += labels[i] == labels[j]
    return both / together


def by_table(clusters, labels):
    counts = np.array(
        [[np.sum((clusters == c) & (labels == y)) for y in np.unique(labels)] for c in np.unique(clusters)]
    )
    sizes = counts.sum(axis=1)
    return np.sum(counts * (counts - 1)) / np.sum(sizes * (sizes - 1))


# ---------------------------------------------------------------- 14.2


def point_by_point(points, centres):
    owned = [[] for _ in centres]
    for p in points:
        owned[int(np.argmin([np.linalg.norm(p - c) for c in centres]))].append(p)
    return [np.mean(group, axis=0) for group in owned]


def by_membership(points, centres):
    apart = np.sum(points**2, axis=1)[:, None] - 2 * points @ centres.T + np.sum(centres**2, axis=1)
    mine = np.eye(len(centres))[np.argmin(apart, axis=1)]
    return mine.T @ points / mine.sum(axis=0)[:, None]


# ---------------------------------------------------------------- 14.3


def size_by_size(sizes, shots, queries, ways):
    needed = shots + queries
    large = [size for size in sizes if size >= needed]
    return [ways / len(large) * needed / size if size >= needed else 0 for size in sizes]


def chances(sizes, shots, queries, ways):
    sizes = np.array(sizes)
    large = sizes >= shots + queries
    return np.where(large, ways * (shots + queries) / (large.sum() * sizes), 0)


# ---------------------------------------------------------------- 14.4


def draw_by_draw(characters, each, ways):
    left, clusters, chance = characters * each, characters * each, 1
    for _ in range(ways):
        chance *= left / clusters
        left, clusters = left - each, clusters - 1
    return chance


def by_counting(characters, each, ways):
    from math import comb

    return comb(characters, ways) * each**ways / comb(characters * each, ways)


# ---------------------------------------------------------------- right, wrong with a hint, wrong

RIGHT = {
    "14.1": [pair_by_pair, by_table],
    "14.2": [point_by_point, by_membership],
    "14.3": [size_by_size, chances],
    "14.4": [draw_by_draw, by_counting],
}

WRONG = {
    "14.1": [
        (
            "with itself",
            lambda c, y: np.mean((y[:, None] == y)[c[:, None] == c]),
        ),
        ("commonest label", lambda c, y: sum(max(np.sum(y[c == k] == v) for v in y) for k in set(c)) / len(c)),
        ("large cluster", lambda c, y: np.mean([pair_by_pair(c[c == k], y[c == k]) for k in set(c)])),
        ("not of the pairs with one label", lambda c, y: pair_by_pair(y, c)),
        (
            "not of all pairs",
            lambda c, y: np.mean([c[i] == c[j] and y[i] == y[j] for i, j in itertools.combinations(range(len(c)), 2)]),
        ),
        ("two labels", lambda c, y: 1 - pair_by_pair(c, y)),
    ],
    "14.2": [
        (
            "square the differences",
            lambda p, c: of_owners(p, np.argmin(np.sum(p[:, None] - c, axis=2), axis=1), c),
        ),
        ("not their sum", lambda p, c: [np.sum(g, axis=0) for g in [p[owner(p, c) == k] for k in range(len(c))]]),
        (
            "all coordinates",
            lambda p, c: of_owners(p, np.argmin(abs(p[:, :1] - c[:, 0]), axis=1), c),
        ),
        ("all the way", lambda p, c: 0.5 * (c + by_membership(p, c))),
        ("how far the centres move", lambda p, c: by_membership(p, c) - c),
        ("nothing has moved", lambda p, c: c),
    ],
    "14.3": [
        (
            "dropped before",
            lambda sizes, s, q, ways: [ways / len(sizes) * (s + q) / size for size in sizes],
        ),
        (
            "whatever their size",
            lambda sizes, s, q, ways: [
                ways * (s + q) / sum(n for n in sizes if n >= s + q) if size >= s + q else 0 for size in sizes
            ],
        ),
        ("queries are images", lambda sizes, s, q, ways: s / (s + q) * chances(sizes, s, q, ways)),
        ("not one", lambda sizes, s, q, ways: chances(sizes, s, q, 1)),
        ("chance of the cluster", lambda sizes, s, q, ways: chances(sizes, s, q, ways) * np.array(sizes) / (s + q)),
    ],
    "14.4": [
        ("chance of a collision", lambda *case: 1 - draw_by_draw(*case)),
        ("one fewer each time", lambda n, m, w: np.prod([(n * m - j * m) / (n * m) for j in range(w)])),
        ("takes its character away", lambda n, m, w: np.prod([1, *[1 - 1 / n for _ in range(w - 1)]])),
        ("for the second cluster alone", lambda n, m, w: (n * m - m) / (n * m - 1)),
        ("against all before it", lambda n, m, w: ((n * m - m) / (n * m - 1)) ** (w - 1)),
    ],
}

ALSO_WRONG = {
    "14.1": [lambda c, y: len(set(zip(c, y, strict=True))) / len(c), lambda c, y: 1.0],
    "14.2": [lambda p, c: p.mean(axis=0), lambda p, c: np.sort(by_membership(p, c), axis=0)[::-1] + 1],
    "14.3": [lambda sizes, s, q, ways: [1.0] * len(sizes), lambda sizes, s, q, ways: 1 / np.array(sizes)],
    "14.4": [lambda n, m, w: 1 / m**w, lambda n, m, w: w / (n * m)],
}


def owner(points, centres):
    return np.argmin(np.linalg.norm(points[:, None] - centres, axis=2), axis=1)


def of_owners(points, mine, centres):
    """The mean of each centre's points; a centre without any stays."""
    found = centres.copy()
    for k in np.unique(mine):
        found[k] = points[mine == k].mean(axis=0)
    return found
