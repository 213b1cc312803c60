"""The embedded characters of many scripts (chapter 08)."""

import pathlib

import numpy as np

from gaml_utils.datasets.images import SIDE, ImageSet
from gaml_utils.paths import DATA, existing

PATH = DATA / "glyphs" / "glyphs.npz"


def load_glyphs(path: pathlib.Path = PATH) -> ImageSet:
    """The embedded characters, 20 images each, made by data/glyphs/make.py; the README beside it tells where from.

    The file keeps 98 bytes per image and one entry per class, script or font; here each image gets its own.
    No hash is computed: reading a .npz already checks the checksum of each array, and a test compares the SHA-256
    of each with data/glyphs.json. FileNotFoundError where the file is missing.
    """
    with np.load(existing(path), allow_pickle=False) as stored:
        file = dict(stored)
    classes = len(file["class_script"])
    images = np.unpackbits(file["images"], axis=1).reshape(-1, SIDE, SIDE)
    labels = np.repeat(np.arange(classes), len(images) // classes)
    script = file["class_script"][labels]
    return ImageSet(images, labels, file["scripts"][script], file["split"][script], file["hands"].astype(np.int64))
