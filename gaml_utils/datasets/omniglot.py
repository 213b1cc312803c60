"""Omniglot: the training sets of the "minimal" challenge and the official one-shot runs (chapter 09).

Lake, Salakhutdinov and Tenenbaum 2015, doi:10.1126/science.aab3050, and 2019, arXiv:1902.03477. The archives come as
archives.py tells. What is read out of them is kept, one bit a pixel, in the user's cache folder, wherever they lie.
"""

import contextlib
import hashlib
import io
import pathlib

import numpy as np
from PIL import Image

from gaml_utils.datasets.images import SIDE, ImageSet
from gaml_utils.datasets.omniglot_archives import ARCHIVES, archive, archive_here, cache_folder, members
from gaml_utils.records import TaskBatch
from gaml_utils.writing import write_whole

FORMAT = 1  # of what is kept; another number makes it again
RAW_SIDE = 105  # pixels of the drawings, both ways
INK_FROM = 0.28  # see shrunk
RUNS = TRIALS = 20


def load_omniglot(name: str) -> ImageSet:
    """A five-alphabet training set of the minimal challenge, "small1" or "small2": 20 drawings of each character.

    Labels count from 0 within the set; scripts are the alphabets, hands the drawers, 1 to 20; split is "train".
    FileNotFoundError, one sentence that says what to put where, if an archive is neither here nor to be had.
    """
    if name not in ("small1", "small2"):
        raise ValueError(f'name should be "small1" or "small2", got {name!r}')
    names, images, _ = drawings(f"images_background_{name}.zip")
    paths = [pathlib.PurePosixPath(n) for n in names]  # set / alphabet / character / number_drawer.png
    labels = np.unique([str(p.parent) for p in paths], return_inverse=True)[1].astype(np.int64)
    alphabets = np.array([p.parts[-3] for p in paths])
    drawers = np.array([int(p.stem.split("_")[1]) for p in paths], dtype=np.int64)
    return ImageSet(images, labels, alphabets, np.full(len(names), "train"), drawers)


def omniglot_one_shot_runs() -> TaskBatch:
    """The official 20 runs of within-alphabet 20-way one-shot classification, as 20 tasks of 20 trials each.

    support_x, query_x float32 (20, 20, 28, 28, 1), ink 1; support_y int32 (20, 20), 0 to 19; query_y the class that
    each run's class_labels.txt names. FileNotFoundError as load_omniglot.
    """
    names, images, pairs = drawings("all_runs.zip")
    pairs = pairs[np.argsort(pairs[:, 0])].reshape(RUNS, TRIALS, 2)  # each trial: (test item, its class)
    items, answers = pairs[..., 0], pairs[..., 1]
    classes = np.sort(answers, axis=1)
    support, query = (images[np.searchsorted(names, n), ..., None].astype(np.float32) for n in (classes, items))
    query_y = np.argmax(answers[:, :, None] == classes[:, None], axis=2).astype(np.int32)
    return TaskBatch(support, np.tile(np.arange(TRIALS, dtype=np.int32), (RUNS, 1)), query, query_y)


def omniglot_is_here() -> bool:
    """Can everything be loaded without the network? Archives count by their SHA-256. Nothing is fetched."""
    return all(load(name) is not None or archive_here(name) is not None for name in ARCHIVES)


def drawings(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The archive's drawings: names (N,), sorted, images (N, 28, 28) uint8, and the pairs of its class_labels.txt.

    Read out of the archive once, then kept in the cache folder; what is damaged there is made again.
    """
    arrays = load(name)
    if arrays is None:
        files = members(archive(name))
        names = sorted(n for n in files if n.endswith(".png"))
        bits = np.packbits([shrunk(files[n]).ravel() for n in names], axis=1)
        pairs = [files[n].decode("ascii").split() for n in sorted(files) if n.endswith("class_labels.txt")]
        arrays = np.array(names), bits, np.array(pairs, dtype=str).reshape(-1, 2)
        store(kept_file(name), arrays)
    names, bits, pairs = arrays
    return names, np.unpackbits(bits, axis=1).reshape(-1, SIDE, SIDE), pairs


def shrunk(png: bytes) -> np.ndarray:
    """A drawing, 105 x 105 and black on white, as (28, 28) uint8: 1 is ink.

    The mean of the 3 or 4 x 3 or 4 pixels whose centres lie in each small one, then one bit: ink from a share of 0.28
    on. So 10% of the pixels are ink and strokes hold: 3 of the 5,840 training drawings fall into more parts than before
    (of pixels that share an edge); from one half on it would be 2,171. Shares are ninths, twelfths or sixteenths: none
    is near 0.28.
    """
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        if image.size != (RAW_SIDE, RAW_SIDE):
            raise ValueError(f"png should be a drawing of {RAW_SIDE} x {RAW_SIDE} pixels, got {image.size}")
        small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    return (255 - np.asarray(small) >= INK_FROM * 255).astype(np.uint8)


def kept_file(name: str) -> pathlib.Path:
    """Where the drawings of an archive are kept: named by its SHA-256 and FORMAT."""
    return cache_folder() / f"omniglot_{ARCHIVES[name].sha256[:16]}_{FORMAT}.npz"


def load(name: str) -> tuple | None:
    """Names, packed images and pairs as `store` kept them; None if there is no such file, or it is another's."""
    try:
        with np.load(kept_file(name), allow_pickle=False) as kept:
            arrays = kept["names"], kept["bits"], kept["pairs"]
        whole = arrays[1].dtype == np.uint8 and arrays[1].shape == (len(arrays[0]), SIDE * SIDE // 8)
        return arrays if whole and ARCHIVES[name].drawings in ("", digest(arrays)) else None
    except Exception:  # a damaged file can fail in any way
        return None


def digest(arrays: tuple) -> str:
    """SHA-256 of names, packed images and pairs."""
    names, bits, pairs = arrays
    words = "\n".join([*names.tolist(), *pairs.ravel().tolist()])
    return hashlib.sha256(words.encode() + bits.tobytes()).hexdigest()


def store(path: pathlib.Path, arrays: tuple) -> None:
    """Keep names, packed images and pairs: whole or not at all. Where there is no right to write, nothing is kept."""
    with contextlib.suppress(OSError):
        names, bits, pairs = arrays
        write_whole(path, lambda beside: np.savez_compressed(beside, names=names, bits=bits, pairs=pairs))
