"""Few-shot tasks of single images: each is a class of its own, and its other images are views of it. Chapter 14."""

from collections.abc import Callable

import numpy as np

from gaml_utils.checks import check_count, check_rng
from gaml_utils.tasks.episodes import EpisodeTasks


class ViewTasks(EpisodeTasks):
    """Episodes of `ways` single images, support and query being views of them, with `sample` as EpisodeTasks has it.

    augment: (rng, images) -> images; it makes each view, and says thereby what does not matter. Khodadadeh, Bölöni and
    Shah 2019 (arXiv:1811.11819), "UMTRA", keep the support image as it is; here it is a view as well.
    images, rotations: as in EpisodeTasks. Raises ValueError as EpisodeTasks does, and without an `augment`.
    """

    def __init__(self, images: np.ndarray, ways: int, augment: Callable, rotations: bool = False) -> None:
        if not callable(augment):
            raise ValueError(f"augment should be a function (rng, images) -> images, got {augment!r}")
        super().__init__(images, np.arange(len(images)), ways, rotations=rotations, augment=augment)

    def draw(self, rng: np.random.Generator, tasks: int, shots: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
        """As EpisodeTasks.draw, but each class is one image, shots + queries times."""
        check_rng(rng)
        for name, value in (("tasks", tasks), ("shots", shots), ("queries", queries)):
            check_count(name, value)
        chosen = np.stack([rng.choice(len(self.images), self.ways, replace=False) for _ in range(tasks)])
        support, query = (np.repeat(chosen[..., None], n, axis=2) for n in (shots, queries))
        return support, query
