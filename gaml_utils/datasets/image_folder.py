"""Your own images: a folder of PNG and JPEG files, a folder per class, as arrays for EpisodeTasks.

    train = load_image_folder("my_images", size=84, split="train")
    tasks = EpisodeTasks(train.images, train.labels, ways=5)
    learner.fit(as_dataset(tasks, 4, shots=1, queries=15), steps_per_epoch=1000)
    test = load_image_folder("my_images", size=84, split="test")
    accuracy_interval(learner, EpisodeTasks(test.images, test.labels, ways=5), rng, episodes=600, queries=15)

mini-ImageNet, the paper's own data set, comes as a folder images/ and three lists, train.csv, val.csv and test.csv, of
lines "filename,label" (Ravi and Larochelle 2017, ICLR: 64, 16 and 20 classes of 600 images, 84 x 84). The five lines
above are its protocol: 5 ways, 1 or 5 shots, 15 queries per class, 600 test episodes with a 95% interval. The images
are not ours to give; where such a folder is, it is read.
"""

import csv
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from gaml_utils.checks import check_count
from gaml_utils.paths import check_no_pointer

SUFFIXES = (".png", ".jpg", ".jpeg")
FORMATS = ("PNG", "JPEG")
NAMES = {"train": ("train",), "validation": ("validation", "val", "valid"), "test": ("test",)}


class LabelledImages(NamedTuple):
    """N images and the class of each.

    images: uint8 (N, height, width, channels), 0 to 255. labels: int64 (N,), places in `classes`. classes: the names.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: list[str]


def load_image_folder(
    path: str | pathlib.Path,
    size: int | tuple[int, int],
    split: str | Sequence[str] | None = None,
    channels: int = 3,
) -> LabelledImages:
    """The images of a folder, one folder per class, or of the folder images/ beside lists train.csv, val.csv, test.csv.

    size: the side in pixels, or (height, width); images of another size are resized (Pillow, bilinear).
    split: "train", "validation" or "test": a folder of that name within, or the list of that name; or the names of
    the classes wanted; None for all of a folder that has no splits. channels: 3 for colour, 1 for grey.
    Files and classes come in the order of their names. Names that start with a dot, and Thumbs.db, are passed over.
    Raises FileNotFoundError for a folder, list or file that is missing, and ValueError, naming the file, for an image
    that cannot be read, a file that is none, an empty class, a class in two splits, or a name that leads outside.
    """
    height, width = (size, size) if isinstance(size, int | np.integer) else tuple(size)
    for name, value in (("size", height), ("size", width)):
        check_count(name, value)
    if channels not in (1, 3):
        raise ValueError(f"channels should be 3 or 1, got {channels!r}")
    folder = pathlib.Path(path)
    if not folder.is_dir():
        raise FileNotFoundError(f"path should be a folder of images, but {folder} is none")
    files = files_of_classes(folder, split)
    classes = sorted(files)
    labels = np.repeat(np.arange(len(classes)), [len(files[c]) for c in classes])
    pixels = [pixels_of(f, height, width, channels) for c in classes for f in files[c]]
    return LabelledImages(np.stack(pixels), labels.astype(np.int64), classes)


def files_of_classes(folder: pathlib.Path, split: Any) -> dict[str, list[pathlib.Path]]:
    """class -> its files, of a split."""
    splits: Mapping[str, Any] = {name: there for name in NAMES if (there := where(folder, name)) is not None}
    if isinstance(split, str):
        if split not in NAMES:
            raise ValueError(f"split should be one of {', '.join(NAMES)}, or a list of classes, got {split!r}")
        if split not in splits:
            said = " or ".join(NAMES[split])
            raise FileNotFoundError(f"path should hold a folder or a list (.csv) named {said}, {folder} does not")
        in_splits = {name: read_split(folder, there) for name, there in splits.items()}
        for other, classes in in_splits.items():
            both = sorted(set(classes) & set(in_splits[split]))
            if other != split and both:
                raise ValueError(f"class {both[0]} should be in one split, but is in {split} and in {other}")
        return in_splits[split]
    if splits:
        raise ValueError(f"split should be one of {', '.join(splits)}, which {folder} has, got {split!r}")
    found = class_folders(folder)
    if split is None:
        return found
    missing = [name for name in split if name not in found]
    if missing or len(split) == 0:
        raise ValueError(f"split should name classes of {', '.join(sorted(found))}, got {missing or split!r}")
    return {name: found[name] for name in split}


def where(folder: pathlib.Path, split: str) -> pathlib.Path | None:
    """The list, or else the folder, of a split."""
    places = [folder / f"{name}.csv" for name in NAMES[split]] + [folder / name for name in NAMES[split]]
    return next((p for p in places if p.is_file() or (p.suffix != ".csv" and p.is_dir())), None)


def read_split(folder: pathlib.Path, there: pathlib.Path) -> dict[str, list[pathlib.Path]]:
    """class -> its files, of a list or of a folder of classes."""
    return listed(folder / "images", there) if there.suffix == ".csv" else class_folders(there)


def listed(images: pathlib.Path, table: pathlib.Path) -> dict[str, list[pathlib.Path]]:
    """class -> its files in the folder `images`, as a list of "filename,label" says."""
    check_no_pointer(table)
    found: dict[str, list[pathlib.Path]] = {}
    with table.open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.DictReader(lines)
        if not {"filename", "label"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{table.name} should have the columns filename,label, got {reader.fieldnames}")
        for row in reader:
            name, label = row["filename"], row["label"]
            inside = name and "\\" not in name and not pathlib.PurePosixPath(name).is_absolute()
            if not inside or ".." in pathlib.PurePosixPath(name).parts or not label:
                raise ValueError(
                    f"{table.name} should name files below images/ and their classes, got {name!r}, {label!r}"
                )
            if not (images / name).is_file():
                raise FileNotFoundError(f"{table.name} names {name}, which is not in {images}")
            found.setdefault(label, []).append(images / name)
    if not found:
        raise ValueError(f"{table.name} should name some files, but is empty")
    twice = [f for files in found.values() for f in files]
    if len(set(twice)) < len(twice):
        raise ValueError(f"{table.name} should name each file once")
    return {label: sorted(files) for label, files in found.items()}


def class_folders(folder: pathlib.Path) -> dict[str, list[pathlib.Path]]:
    """class -> its files, of a folder of folders."""
    found = {}
    for entry in visible(folder):
        if not entry.is_dir():
            raise ValueError(f"path should hold a folder per class, but {entry} is a file")
        files = visible(entry)
        for f in files:
            if f.suffix.lower() not in SUFFIXES or not f.is_file():
                raise ValueError(f"class {entry.name} should hold PNG and JPEG files only, got {f.name}")
        if not files:
            raise ValueError(f"class {entry.name} should hold images, but its folder is empty: {entry}")
        found[entry.name] = files
    if not found:
        raise ValueError(f"path should hold a folder per class, but {folder} is empty")
    return found


def visible(folder: pathlib.Path) -> list[pathlib.Path]:
    """What is in a folder, by name; not what file managers leave behind."""
    return sorted(f for f in folder.iterdir() if not f.name.startswith(".") and f.name.lower() != "thumbs.db")


def pixels_of(file: pathlib.Path, height: int, width: int, channels: int) -> np.ndarray:
    """One image as uint8 (height, width, channels). Pillow's own limit of pixels holds."""
    check_no_pointer(file)
    try:
        with Image.open(file, formats=FORMATS) as image:
            pixels = image.convert("RGB" if channels == 3 else "L")
        if pixels.size != (width, height):
            pixels = pixels.resize((width, height), Image.Resampling.BILINEAR)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{file} should be a PNG or JPEG image that can be read: {error}") from None
    return np.asarray(pixels, dtype=np.uint8).reshape(height, width, channels)
