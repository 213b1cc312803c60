"""The images of the series: characters of many scripts, in one form whatever their source (chapters 08 and 09)."""

import pathlib
from typing import NamedTuple

import numpy as np

PATH = pathlib.Path(__file__).resolve().parent.parent / "data" / "glyphs.npz"
SIDE = 28                                                    # pixels, both ways
SPLITS = ("train", "validation", "test")


class ImageSet(NamedTuple):
    """N characters as bitmaps, and what is known of each.

    images (N, 28, 28) uint8: 1 is ink, 0 is paper. labels (N,) int64: the number of the character, its class.
    scripts (N,) str: the script or alphabet of the character. split (N,) str: "train", "validation" or "test";
    all characters of a script share it. hands (N,) int64: who made the image, a font (glyphs) or a drawer (Omniglot).
    """

    images: np.ndarray
    labels: np.ndarray
    scripts: np.ndarray
    split: np.ndarray
    hands: np.ndarray

    def part(self, split: str) -> "ImageSet":
        """The images of one split, their labels unchanged. ValueError for a split this set does not hold."""
        known = [name for name in SPLITS if name in self.split]
        if split not in known:
            raise ValueError(f"split should be one of {', '.join(known)}, got {split!r}")
        chosen = self.split == split
        return ImageSet(*(array[chosen] for array in self))


def load_glyphs(path: pathlib.Path = PATH) -> ImageSet:
    """The embedded characters, 20 images each, made by data/make_glyphs.py; data/README.md tells where from.

    The file keeps 98 bytes an image and one entry a class, script or font; here each image gets its own.
    No hash is computed: reading a .npz already checks the checksum of each array, and a test compares the SHA-256
    of each with data/glyphs.json. FileNotFoundError where the file is missing.
    """
    with np.load(path, allow_pickle=False) as stored:
        file = dict(stored)
    classes = len(file["class_script"])
    images = np.unpackbits(file["images"], axis=1).reshape(-1, SIDE, SIDE)
    labels = np.repeat(np.arange(classes), len(images) // classes)
    script = file["class_script"][labels]
    return ImageSet(images, labels, file["scripts"][script], file["split"][script], file["hands"].astype(np.int64))
