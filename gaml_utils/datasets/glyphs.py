"""The embedded characters of many scripts (chapter 08)."""

import pathlib

import numpy as np

from gaml_utils.datasets.images import SIDE, SPLITS, ImageSet
from gaml_utils.paths import DATA, existing

PATH = DATA / "glyphs" / "glyphs.npz"


def load_glyphs(path: pathlib.Path = PATH) -> ImageSet:
    """The embedded characters, 20 images each, made by data/glyphs/make.py; the README beside it tells where from.

    The file keeps 98 bytes per image and one entry per class, script or font; here each image gets its own.
    No hash is computed: reading a .npz already checks the checksum of each array, and a test compares the SHA-256
    of each with data/glyphs.json. FileNotFoundError where the file is missing, ValueError where its arrays do not fit.
    """
    with np.load(existing(path), allow_pickle=False) as stored:
        file = dict(stored)
    check_file(file, path.name)
    classes = len(file["class_script"])
    images = np.unpackbits(file["images"], axis=1).reshape(-1, SIDE, SIDE)
    labels = np.repeat(np.arange(classes), len(images) // classes)
    script = file["class_script"][labels]
    return ImageSet(images, labels, file["scripts"][script], file["split"][script], file["hands"].astype(np.int64))


def check_file(file: dict[str, np.ndarray], name: str) -> None:
    """ValueError unless the arrays fit together: else labels would stand beside the wrong images."""
    missing = sorted({"images", "class_script", "scripts", "split", "hands"} - set(file))
    fault = f"{missing} missing" if missing else ""
    if not missing:
        images, of_class, scripts, split, hands = (
            file[n] for n in ("images", "class_script", "scripts", "split", "hands")
        )
        fits = {
            "images": images.dtype == np.uint8 and images.shape[1:] == (SIDE * SIDE // 8,) and len(images) > 0,
            "class_script": of_class.ndim == 1 and of_class.dtype.kind in "iu" and len(of_class) > 0,
            "scripts": scripts.ndim == 1 and scripts.dtype.kind == "U",
            "split": split.shape == scripts.shape and set(split.tolist()) <= set(SPLITS),
            "hands": hands.shape == images.shape[:1] and hands.dtype.kind in "iu",
        }
        if all(fits.values()):
            fits["class_script"] = len(images) % len(of_class) == 0 and set(of_class.tolist()) <= set(
                range(len(scripts))
            )
        fault = ", ".join(n for n, good in fits.items() if not good)
    if fault:
        raise ValueError(f"{name} should hold arrays that fit together, but is damaged ({fault}): git restore data")
