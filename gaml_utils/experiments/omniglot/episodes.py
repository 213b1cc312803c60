"""The episodes of chapter 09: half of them within one alphabet, their images augmented and centred."""

import numpy as np

from gaml_utils.datasets.images import ImageSet
from gaml_utils.records import TaskBatch
from gaml_utils.tasks.augmentation import affine_wobble, centred, elastic_wobble
from gaml_utils.tasks.episodes import EpisodeTasks
from gaml_utils.tasks.mixtures import Mixture


def augment(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """As another hand might have drawn them: turned, stretched, moved and bent, and one bit a pixel again."""
    wobbled = affine_wobble(rng, images, angle=5.0, stretch=0.075, shift=0.75)
    return (elastic_wobble(rng, wobbled) > 0.45).astype(np.float32)


class HalfMixed(Mixture):
    """Episodes of which half take their classes from one alphabet, the others from all.

    Each character gives eight classes: turned by quarters, and mirrored. data: an ImageSet, its images centred.
    """

    def __init__(self, data: ImageSet, ways: int) -> None:
        turned = [np.rot90(m, q, axes=(1, 2)) for m in (data.images, data.images[:, :, ::-1]) for q in range(4)]
        labels = np.concatenate([data.labels + k * (data.labels.max() + 1) for k in range(8)])
        alphabets = np.concatenate([[f"{name} {k}" for name in data.scripts] for k in range(8)])
        images = np.concatenate(turned), labels, ways
        within = EpisodeTasks(*images, groups=alphabets, augment=augment)
        super().__init__(within, EpisodeTasks(*images, augment=augment), share=0.5)


def centred_batch(batch: TaskBatch) -> TaskBatch:
    """The batch with each image moved until its ink is in the middle: its own ink, and nothing of the other images."""
    moved = [centred(x.reshape(-1, *x.shape[2:4])).reshape(x.shape) for x in (batch.support_x, batch.query_x)]
    return batch._replace(support_x=moved[0], query_x=moved[1])
