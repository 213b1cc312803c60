"""Few-shot tasks without labels: clusters of an embedding in place of classes. Chapter 14.

Hsu, Levine and Finn 2019 (arXiv:1810.02334), Algorithm 1, "CACTUs". Any learner can be trained on such tasks.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gaml_utils.checks import as_numbers, check_count, check_no_mask, check_rng
from gaml_utils.tasks.episodes import EpisodeTasks


class ClusterTasks(EpisodeTasks):
    """Episodes whose classes are clusters, with `sample` as EpisodeTasks has it: numbered anew in each.

    images, ways, rotations, augment: as in EpisodeTasks. clusters: whole numbers (N,), the cluster of each image, or
    (partitions, N) for several ways to part them, of which each episode takes one; below 0 for an image in no cluster.
    Clusters are drawn uniformly, whatever their size, among those with at least shots + queries images: a smaller one
    would give an image as its own query. With the true labels as the partition the episodes are those of EpisodeTasks.
    Raises ValueError as EpisodeTasks does, and where a partition has fewer than `ways` clusters that are large enough.
    """

    def __init__(
        self,
        images: np.ndarray,
        clusters: np.ndarray,
        ways: int,
        rotations: bool = False,
        augment: Callable | None = None,
    ) -> None:
        check_no_mask("clusters", clusters)
        found = np.asarray(clusters)
        if found.dtype.kind not in "iu" or found.ndim not in (1, 2) or 0 in found.shape:
            raise ValueError(
                f"clusters should be whole numbers, (N,) or (partitions, N), got {found.dtype} {found.shape}"
            )
        self.partitions = found.reshape(-1, found.shape[-1])
        super().__init__(images, self.partitions[0], ways, rotations=rotations, augment=augment)
        self._drawers: dict[tuple[int, int], tuple[np.ndarray, EpisodeTasks]] = {}

    def draw(self, rng: np.random.Generator, tasks: int, shots: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
        """Which images, as EpisodeTasks.draw: each episode's from one partition."""
        check_rng(rng)
        for name, value in (("tasks", tasks), ("shots", shots), ("queries", queries)):
            check_count(name, value)
        several = len(self.partitions) > 1
        of_task = rng.integers(len(self.partitions), size=tasks) if several else np.zeros(tasks, dtype=np.int64)
        drawn = [np.empty((tasks, self.ways, n), dtype=np.int64) for n in (shots, queries)]
        for p in np.unique(of_task):
            here = np.flatnonzero(of_task == p)
            kept, drawer = self._drawer(int(p), shots + queries)
            for numbers, found in zip(drawn, drawer.draw(rng, len(here), shots, queries), strict=True):
                numbers[here] = kept[found]
        return drawn[0], drawn[1]

    def large_enough(self, images: int, partition: int = 0) -> np.ndarray:
        """(N,): is this image in a cluster of at least so many images?"""
        clusters = self.partitions[partition]
        _, place, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
        return (sizes[place] >= images) & (clusters >= 0)

    def _drawer(self, partition: int, needed: int) -> tuple[np.ndarray, EpisodeTasks]:
        """The images in clusters of that size, and episodes over their numbers."""
        if (partition, needed) not in self._drawers:
            kept = np.flatnonzero(self.large_enough(needed, partition))
            clusters = self.partitions[partition][kept]
            if len(np.unique(clusters)) < self.ways:
                raise ValueError(
                    f"clusters should have at least {self.ways} (the ways) with {needed} images (shots + queries), "
                    f"but partition {partition} has {len(np.unique(clusters))}: ask for fewer, or make larger clusters"
                )
            stand_ins = np.empty((len(kept), 1, 1), dtype=bool)
            self._drawers[partition, needed] = kept, EpisodeTasks(stand_ins, clusters, self.ways)
        return self._drawers[partition, needed]


def cluster(embedding: np.ndarray, k: int, partitions: int = 1, rng: np.random.Generator | None = None) -> np.ndarray:
    """The cluster of each point, by scikit-learn's k-means: (N,) from 0 to k - 1, or (partitions, N) for several.

    embedding: (N, features). Of several partitions each scales every axis by a number from U(0, 1) of its own first.
    rng: of the scales and of where k-means starts; default_rng(0) if not given.
    Raises ValueError for an embedding that is not finite numbers (N, features), or more clusters than points.
    """
    from sklearn.cluster import KMeans  # here, since it takes a second to import

    z = as_numbers("embedding", embedding, "an array (N, features)")
    if z.ndim != 2 or 0 in z.shape or not np.isfinite(z).all():
        raise ValueError(f"embedding should be finite numbers (N, features), got shape {z.shape}")
    check_count("k", k, at_least=2, at_most=len(z), what=" (the points)")
    check_count("partitions", partitions)
    rng = check_rng(np.random.default_rng(0) if rng is None else rng)
    found = np.empty((partitions, len(z)), dtype=np.int64)
    for row in found:
        scaled = z * rng.uniform(size=z.shape[1]) if partitions > 1 else z
        row[:] = KMeans(k, n_init=1, random_state=int(rng.integers(2**31))).fit_predict(scaled)
    return found[0] if partitions == 1 else found


def same_label_pairs(clusters: np.ndarray, labels: np.ndarray) -> float:
    """Of all pairs of images in one cluster, the share with the same label: 1 where clusters hold one label each.

    For a look from outside: an unlabelled training has no labels to ask. clusters, labels: (N,). NaN without pairs.
    """
    a, b = (np.unique(values, return_inverse=True)[1] for values in (clusters, labels))
    both = np.unique(np.stack([a, b]), axis=1, return_counts=True)[1]
    pairs = [(n * (n - 1)).sum() for n in (both, np.bincount(a))]
    return float(pairs[0] / pairs[1]) if pairs[1] else float("nan")


def task_purities(numbers: np.ndarray, labels: Any) -> np.ndarray:
    """(tasks,): of all pairs of images in one class of a task, the share with the same label.

    numbers: which images, (tasks, ways, images), at least two a class, as `draw` gives them, support and query joined.
    labels: (N,).
    """
    of = np.asarray(labels)[numbers]
    same = of[..., :, None] == of[..., None, :]
    images = numbers.shape[-1]
    return (same.sum(axis=(1, 2, 3)) - same.shape[1] * images) / (same.shape[1] * images * (images - 1))
