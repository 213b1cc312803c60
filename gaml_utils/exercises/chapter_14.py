"""Exercises of chapter 14: pairs of one label, a step of k-means, which images can be drawn, and classes that collide."""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(14)

# ---------------------------------------------------------------- 14.1: pairs of one label


def _pairs(clusters, labels, of=None):
    """Of all pairs of images that share `of` (their cluster), the share that shares both."""
    of = clusters if of is None else of
    i, j = np.triu_indices(len(clusters), 1)
    both = (clusters[i] == clusters[j]) & (labels[i] == labels[j])
    return both.sum() / (of[i] == of[j]).sum()


def _pairs_with_themselves(clusters, labels):
    same = clusters[:, None] == clusters
    return (same & (labels[:, None] == labels)).sum() / same.sum()


def _majority(clusters, labels):
    return sum(np.bincount(labels[clusters == c]).max() for c in np.unique(clusters)) / len(labels)


def _mean_over_clusters(clusters, labels):
    found = [_pairs(clusters[clusters == c], labels[clusters == c]) for c in np.unique(clusters)]
    return float(np.mean(found))


_pair_cases = [
    (np.array([0, 0, 0, 1, 1]), np.array([7, 7, 8, 9, 9])),
    (np.repeat([2, 0, 1], [6, 3, 4]), _rng.integers(3, size=13)),
    (np.repeat([0, 1], [8, 3]), _rng.integers(2, size=11)),
]

# ---------------------------------------------------------------- 14.2: one step of k-means


def _kmeans_step(points, centres, squared=True, mean=True):
    apart = points[:, None] - centres
    nearest = ((apart**2).sum(-1) if squared else apart.sum(-1)).argmin(axis=1)
    return _moved(points, nearest, centres, np.mean if mean else np.sum)


def _moved(points, nearest, centres, of=np.mean):
    """Each centre to the mean of its points; one without any stays."""
    found = centres.copy()
    for k in np.unique(nearest):
        found[k] = of(points[nearest == k], axis=0)
    return found


def _by_first_axis(points, centres):
    return _moved(points, np.abs(points[:, None, 0] - centres[:, 0]).argmin(axis=1), centres)


def _halfway(points, centres):
    return (centres + _kmeans_step(points, centres)) / 2


_step_cases = [
    (np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 4.0], [5.0, 6.0], [6.0, 5.0]]), np.array([[1.0, 1.0], [4.0, 4.0]])),
    (
        np.concatenate([c + _rng.normal(size=(n, 2)) for c, n in (((0, 0), 4), ((0, 6), 6), ((6, 0), 5))]),
        np.array([[1.0, 1.0], [1.0, 5.0], [5.0, 0.5]]),
    ),
]

# ---------------------------------------------------------------- 14.3: which images can be drawn


def _chance_of_an_image(sizes, shots, queries, ways, uniform="clusters", drop=True, used=None):
    """For an image of each cluster: the chance to be in an episode; 0 where its cluster is too small."""
    sizes = np.asarray(sizes)
    large = sizes >= shots + queries if drop else sizes >= 1
    clusters = large * (1.0 if uniform == "clusters" else sizes)
    chosen = ways * clusters / clusters.sum()
    return chosen * ((shots + queries) if used is None else used) / sizes


_chance_cases = [([4, 10, 3, 20, 5], 1, 3, 2), ([6, 6, 2, 12, 9, 30], 2, 4, 3), ([8, 5, 5, 40], 1, 4, 2)]

# ---------------------------------------------------------------- 14.4: classes that collide


def _no_collision(characters, each, ways, again=False):
    """`each` clusters for every character, `ways` of them drawn: are all of different characters?"""
    k = characters * each
    chance = 1.0
    for j in range(ways):
        chance *= (k - j * each) / (k - (0 if again else j))
    return chance


_collision_cases = [(10, 2, 2), (50, 4, 5), (20, 3, 5)]

EXERCISES = {
    "14.1": Exercise(
        _pairs,
        cases=_pair_cases,
        mistakes={
            "a pair is two images: an image with itself is none.": _pairs_with_themselves,
            "that is the share of each cluster's commonest label. Count pairs.": _majority,
            "count all pairs together: a large cluster has more of them.": _mean_over_clusters,
            "of the pairs in one cluster, not of the pairs with one label.": lambda clusters, labels: _pairs(
                clusters, labels, of=labels
            ),
            "of the pairs in one cluster, not of all pairs.": lambda clusters, labels: _pairs(
                clusters, labels, of=np.zeros(len(labels))
            ),
            "that is the share of pairs with two labels.": lambda clusters, labels: 1 - _pairs(clusters, labels),
        },
    ),
    "14.2": Exercise(
        _kmeans_step,
        cases=_step_cases,
        mistakes={
            "square the differences before you add them up: a negative one is a distance too.": (
                lambda points, centres: _kmeans_step(points, centres, squared=False)
            ),
            "the mean of a cluster's points, not their sum.": lambda points, centres: _kmeans_step(
                points, centres, mean=False
            ),
            "use all coordinates for the distance.": _by_first_axis,
            "the centre moves all the way to the mean.": _halfway,
            "that is how far the centres move, not where they are then.": lambda points, centres: (
                _kmeans_step(points, centres) - centres
            ),
            "nothing has moved.": lambda points, centres: centres,
        },
    ),
    "14.3": Exercise(
        _chance_of_an_image,
        cases=_chance_cases,
        mistakes={
            "clusters with fewer than shots + queries images are dropped before one is drawn.": (
                lambda *case: _chance_of_an_image(*case, drop=False)
            ),
            "clusters are drawn uniformly, whatever their size.": lambda *case: _chance_of_an_image(
                *case, uniform="images"
            ),
            "queries are images of the episode too.": lambda sizes, shots, queries, ways: _chance_of_an_image(
                sizes, shots, queries, ways, used=shots
            ),
            "an episode draws `ways` clusters, not one.": lambda sizes, shots, queries, ways: _chance_of_an_image(
                sizes, shots, queries, 1
            ),
            "that is the chance of the cluster. Which share of its images is drawn?": (
                lambda sizes, shots, queries, ways: (
                    _chance_of_an_image(sizes, shots, queries, ways) * np.asarray(sizes) / (shots + queries)
                )
            ),
        },
    ),
    "14.4": Exercise(
        _no_collision,
        cases=_collision_cases,
        mistakes={
            "that is the chance of a collision.": lambda *case: 1 - _no_collision(*case),
            "a cluster is drawn once: there is one fewer each time, under the fraction too.": lambda *case: (
                _no_collision(*case, again=True)
            ),
            "each cluster drawn takes its character away, with all the clusters it has.": (
                lambda characters, each, ways: (1 - 1 / characters) ** (ways - 1)
            ),
            "that is the chance for the second cluster alone.": lambda characters, each, ways: (
                (characters * each - each) / (characters * each - 1)
            ),
            "every cluster is drawn against all before it, not only against the last.": (
                lambda characters, each, ways: ((characters * each - each) / (characters * each - 1)) ** (ways - 1)
            ),
        },
    ),
}
