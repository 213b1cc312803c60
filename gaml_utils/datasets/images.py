"""The form that all images of the series have, whatever their source (chapters 08 and 09)."""

from typing import NamedTuple

import numpy as np

SIDE = 28  # pixels, both ways
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
