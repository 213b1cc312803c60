"""Few-shot classification: episodes of N ways and K shots, drawn from labelled images (chapter 08).

An episode is a task: `ways` classes, numbered anew from 0, a few images of each to learn from and others to be judged
by. Vinyals et al. 2016 (arXiv:1606.04080), section 2.2.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gaml_utils.checks import check_count, check_no_mask, check_rng
from gaml_utils.records import TaskBatch

NONE = -1  # fills up rows of a table that are shorter than the others


class EpisodeTasks:
    """Episodes from images (N, height, width) or (N, height, width, channels), with `sample` as SineTasks has it.

    images: of any type of number, which stay as large as they are: divide bytes by 255, or put keras.layers.Rescaling
    into the model. labels: (N,), the class of each image. ways: classes an episode.
    groups: (N,) or None, e.g. the alphabet: all classes of an episode come from one group. The groups with at least
    `ways` classes are equally likely, whatever their size.
    hands: (N,) or None, who made each image (a font, a drawer): no hand serves both support and query of a class.
    rotations: each class drawn is turned by 0, 90, 180 or 270 degrees, all its images alike, so that each gives four
    (Santoro et al. 2016, arXiv:1605.06065). Two turns of one character never meet in an episode: a circle turned is
    the same circle. For training only.
    augment: None, or a function (rng, images) -> images, float32 (n, height, width), with channels where the images
    have them, for training only.
    Raises ValueError for images that are no finite numbers, where shapes differ, a class spans two groups, or no group
    has `ways` classes.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        ways: int,
        groups: Any = None,
        hands: Any = None,
        rotations: bool = False,
        augment: Callable | None = None,
    ) -> None:
        self.images = check_images(images)
        if rotations and self.images.shape[1] != self.images.shape[2]:
            raise ValueError(f"images should be square to be turned, got {self.images.shape[1:3]}")
        check_count("ways", ways)
        self.ways, self.rotations, self.augment = ways, bool(rotations), augment
        self.classes, self._class = np.unique(self._one_each("labels", labels), return_inverse=True)
        self._members = table(self._class)
        self._groups = self._classes_of_groups(groups)
        self._hand = None
        if hands is not None:
            self._hand = within_class(self._one_each("hands", hands), self._class)
            self._images_of_hand = np.zeros((len(self.classes), self._hand.max() + 1), dtype=np.int64)
            np.add.at(self._images_of_hand, (self._class, self._hand), 1)

    def draw(self, rng: np.random.Generator, tasks: int, shots: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
        """Which images: their numbers, (tasks, ways, shots) and (tasks, ways, queries), none of them twice in a task.

        Raises ValueError if a count is not a whole number of at least 1, or a class cannot give that many.
        """
        check_rng(rng)
        for name, value in (("tasks", tasks), ("shots", shots), ("queries", queries)):
            check_count(name, value)
        self._check_enough(shots, queries)
        group = self._groups[rng.integers(len(self._groups), size=tasks)]
        chosen = np.take_along_axis(group, shuffled(rng, group != NONE)[:, : self.ways], axis=1).ravel()
        members = self._members[chosen]  # (tasks * ways, images of a class)
        row, there = np.arange(len(chosen))[:, None], members != NONE
        if self._hand is None:
            order, start = shuffled(rng, there), np.full(len(chosen), shots)
        else:
            for_support = self._support_hands(rng, chosen, shots, queries)
            for_support = there & np.take_along_axis(for_support, self._hand[members], axis=1)
            order, start = shuffled(rng, there, for_support), for_support.sum(axis=1)
        support = members[row, order[:, :shots]]
        query = members[row, np.take_along_axis(order, start[:, None] + np.arange(queries), axis=1)]
        return support.reshape(tasks, self.ways, shots), query.reshape(tasks, self.ways, queries)

    def sample(self, rng: np.random.Generator, tasks: int, shots: int, queries: int) -> TaskBatch:
        """A meta-batch of fresh episodes; shots and queries count per class; the points stand class by class.

        support_x float32 (tasks, ways * shots, height, width, channels), 1 channel where the images have no axis for
        it; support_y int32 (tasks, ways * shots), 0 to ways - 1; query_x and query_y likewise. Raises ValueError as
        `draw` does.
        """
        drawn = self.draw(rng, tasks, shots, queries)
        turns = rng.integers(4, size=(tasks, self.ways)) if self.rotations else None
        arrays = []
        for numbers in drawn:
            x = self._pictures(rng, numbers, turns)
            channels = x.shape[3:] or (1,)
            arrays.append(x.reshape(tasks, -1, *x.shape[1:3], *channels))
            y = np.repeat(np.arange(self.ways, dtype=np.int32), numbers.shape[2])
            arrays.append(np.tile(y, (tasks, 1)))
        return TaskBatch(*arrays)

    def _pictures(self, rng: np.random.Generator, numbers: np.ndarray, turns: np.ndarray | None) -> np.ndarray:
        x = self.images[numbers.ravel()]
        if turns is not None:
            turns = np.repeat(turns.ravel(), numbers.shape[2])
            for quarter in (1, 2, 3):
                x[turns == quarter] = np.rot90(x[turns == quarter], quarter, axes=(1, 2))
        x = x.astype(np.float32, copy=False)
        if self.augment is None:
            return x
        changed = np.asarray(self.augment(rng, x), dtype=np.float32)
        if changed.shape != x.shape:
            raise ValueError(f"augment should return images of shape {x.shape}, got {changed.shape}")
        return changed

    def _support_hands(self, rng: np.random.Generator, chosen: np.ndarray, shots: int, queries: int) -> np.ndarray:
        """(len(chosen), hands): which hands of each class drawn serve the support set; the others serve the query set.

        The hands stand in random order, and a random cut that leaves enough images on both sides parts them. An order
        without such a cut is drawn again; `_check_enough` has seen that there is one with it.
        """
        counts = self._images_of_hand[chosen]
        serves, todo = np.zeros(counts.shape, dtype=bool), np.arange(len(chosen))
        while len(todo):
            order = shuffled(rng, counts[todo] > 0)
            so_far = np.cumsum(np.take_along_axis(counts[todo], order, axis=1), axis=1)
            fits = (so_far >= shots) & (so_far[:, -1:] - so_far >= queries)
            cut = np.where(fits, rng.random(fits.shape), -1.0).argmax(axis=1)
            serves[todo] = np.argsort(order, axis=1) <= cut[:, None]
            todo = todo[~fits.any(axis=1)]
        return serves

    def _check_enough(self, shots: int, queries: int) -> None:
        if self._hand is None:
            images = (self._members != NONE).sum(axis=1)
            enough = images >= shots + queries
        else:
            images = self._images_of_hand.sum(axis=1)
            sums = np.zeros((len(images), images.max() + 1), dtype=bool)  # which numbers sets of hands can make
            sums[:, 0] = True
            for counts in self._images_of_hand.T:
                source = np.arange(sums.shape[1]) - counts[:, None]
                sums |= (source >= 0) & np.take_along_axis(sums, np.maximum(source, 0), axis=1)
            made = np.arange(sums.shape[1])
            enough = (sums & (made >= shots) & (images[:, None] - made >= queries)).any(axis=1)
        if not enough.all():
            poor = int(np.argmin(enough))
            without = "" if self._hand is None else " without a hand in both"
            raise ValueError(
                f"shots and queries should be fewer: class {self.classes[poor]} has {images[poor]} images, "
                f"which cannot give {shots} and {queries}{without}"
            )

    def _classes_of_groups(self, groups: Any) -> np.ndarray:
        if groups is None:
            classes = np.arange(len(self.classes))[None]
        else:
            group = np.unique(self._one_each("groups", groups), return_inverse=True)[1]
            of_class = group[self._members[:, 0]]
            if (of_class[self._class] != group).any():
                raise ValueError("groups should be the same for all images of a class, but a class spans two")
            classes = table(of_class)
        sizes = (classes != NONE).sum(axis=1)
        if self.ways > sizes.max():
            where = "there are" if groups is None else "the largest group has"
            raise ValueError(f"ways should be at most the classes {where}, {sizes.max()}, got {self.ways}")
        return classes[sizes >= self.ways]

    def _one_each(self, name: str, values: Any) -> np.ndarray:
        check_no_mask(name, values)
        values = np.asarray(values)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError(f"{name} should have no NaN or infinity among them: leave those images out")
        if values.shape != self.images.shape[:1]:
            raise ValueError(f"{name} should be one per image, shape {self.images.shape[:1]}, got {values.shape}")
        return values


def check_images(images: Any) -> np.ndarray:
    """The images as an array (N, height, width) or (N, height, width, channels) of finite numbers, or a ValueError."""
    check_no_mask("images", images)
    form = "images should be numbers (N, height, width) or (N, height, width, channels)"
    try:
        found = np.asarray(images)
    except ValueError as error:
        raise ValueError(f"{form}, all of one size: resize them first ({error})") from None
    if found.dtype.kind not in "buif":
        raise ValueError(f"{form}, all of one size, got dtype {found.dtype}")
    if found.ndim not in (3, 4) or 0 in found.shape:
        raise ValueError(f"{form}, none of them 0, got {found.shape}")
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise ValueError("images should hold finite numbers only, got NaN or infinity")
    return found


def table(owner: np.ndarray) -> np.ndarray:
    """(owners, most): row k holds the places where owner, (n,) of 0, 1, ..., is k; short rows end in NONE."""
    counts = np.bincount(owner)
    rows = np.full((len(counts), counts.max()), NONE)
    rows[np.arange(counts.max()) < counts[:, None]] = np.argsort(owner, kind="stable")
    return rows


def within_class(hands: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The hands of each class numbered from 0: (n,). Two classes' hands of one number need not be the same."""
    pairs, place = np.unique(np.stack([classes, np.unique(hands, return_inverse=True)[1]]), axis=1, return_inverse=True)
    first = np.searchsorted(pairs[0], pairs[0])
    return (np.arange(pairs.shape[1]) - first)[place]


def shuffled(rng: np.random.Generator, there: np.ndarray, first: np.ndarray | None = None) -> np.ndarray:
    """A random order of each row's places, (rows, places): those of `first` first, those not `there` last."""
    keys = rng.random(there.shape) + 2.0 * ~there
    return np.argsort(keys if first is None else keys - first, axis=1)
