"""A stranger's folder of images, made here: classes, splits, lists, and everything that can be wrong with it."""

import numpy as np
import pytest
from PIL import Image

from gaml_utils.datasets import load_image_folder
from gaml_utils.tasks.augmentation import affine_wobble, elastic_wobble
from gaml_utils.tasks.episodes import EpisodeTasks


def picture(path, colour, size=(9, 7), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).convert(mode).save(path)


@pytest.fixture
def classes(tmp_path):
    """Three classes of four images, of two formats, three sizes and three modes; what file managers leave behind."""
    for k, name in enumerate(("bee", "ant", "cat")):
        for i, (suffix, mode) in enumerate((("png", "RGB"), ("PNG", "L"), ("jpg", "RGB"), ("jpeg", "L"))):
            picture(tmp_path / "all" / name / f"{i}.{suffix}", (80 * k, 80 * k, 80 * k), (9 + i, 7), mode)
        (tmp_path / "all" / name / ".DS_Store").write_bytes(b"x")
        (tmp_path / "all" / name / "Thumbs.db").write_bytes(b"x")
    return tmp_path / "all"


@pytest.fixture
def lists(tmp_path):
    """The layout of mini-ImageNet: images/ and three lists."""
    for split, names in (("train", "ab"), ("val", "c"), ("test", "d")):
        rows = ["filename,label"]
        for name in names:
            for i in range(3):
                picture(tmp_path / "mini" / "images" / f"{name}{i}.jpg", (10 * i, 0, 200))
                rows.append(f"{name}{i}.jpg,class_{name}")
        (tmp_path / "mini" / f"{split}.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "mini"


def test_a_folder_per_class(classes):
    found = load_image_folder(classes, 6)
    assert found.images.shape == (12, 6, 6, 3) and found.images.dtype == np.uint8
    assert found.classes == ["ant", "bee", "cat"]
    np.testing.assert_array_equal(found.labels, np.repeat([0, 1, 2], 4))
    for label, value in ((0, 80), (1, 0), (2, 160)):
        assert np.abs(found.images[found.labels == label].astype(int) - value).max() <= 2  # JPEG
    assert load_image_folder(classes, (5, 8), channels=1).images.shape == (12, 5, 8, 1)
    some = load_image_folder(str(classes), 6, split=["cat", "bee"])
    assert some.classes == ["bee", "cat"] and len(some.images) == 8


def test_folders_of_splits(classes, tmp_path):
    for split, name in (("train", "ant"), ("valid", "bee"), ("test", "cat")):
        (tmp_path / "split" / split).mkdir(parents=True)
        (classes / name).rename(tmp_path / "split" / split / name)
    assert load_image_folder(tmp_path / "split", 6, "validation").classes == ["bee"]
    assert load_image_folder(tmp_path / "split", 6, "test").classes == ["cat"]
    with pytest.raises(ValueError, match="split should be one of train, validation, test, which .* has, got None"):
        load_image_folder(tmp_path / "split", 6)


def test_lists_of_splits(lists):
    train = load_image_folder(lists, 84, "train")
    assert train.images.shape == (6, 84, 84, 3) and train.classes == ["class_a", "class_b"]
    assert load_image_folder(lists, 84, "validation").classes == ["class_c"]
    assert load_image_folder(lists, 84, "test").classes == ["class_d"]


def test_from_folder_to_episodes(classes):
    found = load_image_folder(classes, 6)
    tasks = EpisodeTasks(found.images, found.labels, ways=2, rotations=True, augment=affine_wobble)
    batch = tasks.sample(np.random.default_rng(0), 3, 1, 2)
    assert batch.support_x.shape == (3, 2, 6, 6, 3) and batch.query_x.shape == (3, 4, 6, 6, 3)
    assert batch.support_x.dtype == np.float32


def break_it(folder, what):
    if what == "empty class":
        (folder / "dog").mkdir()
    if what == "other file":
        (folder / "ant" / "notes.txt").write_text("x")
    if what == "file beside":
        (folder / "notes.txt").write_text("x")
    if what == "no image":
        (folder / "ant" / "0.png").write_bytes(b"no image")
    if what == "cut short":
        (folder / "ant" / "0.png").write_bytes((folder / "ant" / "0.png").read_bytes()[:45])
    if what == "another format":
        Image.new("RGB", (4, 4)).save(folder / "ant" / "0.png", format="BMP")
    if what == "pointer":
        (folder / "ant" / "0.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("empty class", "class dog should hold images"),
        ("other file", "class ant should hold PNG and JPEG files only, got notes.txt"),
        ("file beside", "a folder per class, but .*notes.txt is a file"),
        ("no image", "0.png should be a PNG or JPEG image"),
        ("cut short", "0.png should be a PNG or JPEG image"),
        ("another format", "0.png should be a PNG or JPEG image"),
        ("pointer", "0.png should be a file, but is its pointer in Git LFS: run `git lfs pull`"),
    ],
)
def test_a_broken_folder_is_told_by_name(classes, what, message):
    break_it(classes, what)
    with pytest.raises(ValueError, match=message):
        load_image_folder(classes, 6)


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ("../all/x.png,a", ValueError, "files below images/"),
        ("/etc/passwd,a", ValueError, "files below images/"),
        ("..\\x.png,a", ValueError, "files below images/"),
        ("a0.jpg,", ValueError, "files below images/"),
        ("none.jpg,a", FileNotFoundError, "names none.jpg, which is not in"),
        ("a0.jpg,class_a", ValueError, "each file once"),
        ("c0.jpg,class_c", ValueError, "class class_c should be in one split, but is in train and in validation"),
    ],
)
def test_a_wrong_line_of_a_list_is_told(lists, row, error, message):
    with (lists / "train.csv").open("a") as file:
        file.write(row + "\n")
    with pytest.raises(error, match=message):
        load_image_folder(lists, 6, "train")


@pytest.mark.parametrize("text", ["", "filename,label\n", "name,class\na0.jpg,a\n"])
def test_an_empty_list_or_other_columns_are_told(lists, text):
    (lists / "val.csv").write_text(text)
    with pytest.raises(ValueError, match="val.csv should"):
        load_image_folder(lists, 6, "test")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0,), ValueError, "size should be a whole number"),
        (((5, 1.5),), ValueError, "size should be a whole number"),
        ((6, "dev"), ValueError, "split should be one of train, validation, test"),
        ((6, "train"), FileNotFoundError, "named train, .* does not"),
        ((6, ["dog"]), ValueError, "split should name classes of ant, bee, cat"),
        ((6, []), ValueError, "split should name classes"),
        ((6, None, 2), ValueError, "channels should be 3 or 1"),
    ],
)
def test_wrong_arguments_are_named(classes, arguments, error, message):
    with pytest.raises(error, match=message):
        load_image_folder(classes, *arguments)


def test_no_folder_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="path should be a folder of images"):
        load_image_folder(tmp_path / "none", 6)
    with pytest.raises(ValueError, match="is empty"):
        load_image_folder(tmp_path, 6)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", "float64", "bool"])
def test_images_of_any_number_type_and_with_channels_make_episodes(dtype):
    images = (np.random.default_rng(0).random((12, 5, 5, 3)) > 0.5).astype(dtype)
    labels = np.repeat([0, 1, 2], 4)
    batch = EpisodeTasks(images, labels, 2).sample(np.random.default_rng(1), 2, 1, 1)
    assert batch.support_x.shape == (2, 2, 5, 5, 3) and batch.support_x.dtype == np.float32
    grey = EpisodeTasks(images[..., 0], labels, 2).sample(np.random.default_rng(1), 2, 1, 1)
    np.testing.assert_array_equal(grey.support_x, batch.support_x[..., :1])


def test_channels_are_changed_alike():
    grey = np.random.default_rng(0).random((4, 8, 8)).astype(np.float32)
    colour = np.stack([grey, 2 * grey], axis=-1)
    for change in (affine_wobble, elastic_wobble):
        one, both = change(np.random.default_rng(3), grey), change(np.random.default_rng(3), colour)
        np.testing.assert_array_equal(both[..., 0], one)
        np.testing.assert_allclose(both[..., 1], 2 * one, rtol=1e-6)


GOOD = np.ones((4, 5, 5, 3))
BAD_IMAGES = {
    "text": GOOD.astype(str),
    "complex": GOOD + 1j,
    "objects": GOOD.astype(object),
    "dates": GOOD.astype("datetime64[s]"),
    "masked": np.ma.masked_array(GOOD, GOOD > 0),
    "NaN": GOOD * np.nan,
    "infinite": GOOD * np.inf,
    "two axes": GOOD[0, :, :, 0],
    "five axes": GOOD[None],
    "none": GOOD[:0],
    "of two sizes": [np.ones((5, 5)), np.ones((6, 5)), np.ones((5, 5)), np.ones((5, 5))],
}


@pytest.mark.parametrize("kind", BAD_IMAGES)
def test_what_is_no_image_is_refused(kind):
    with pytest.raises(ValueError, match="images should"):
        EpisodeTasks(BAD_IMAGES[kind], [0, 0, 1, 1], 2)


@pytest.mark.parametrize("labels", [[0, 0, 1, np.nan], np.ma.masked_array([0, 0, 1, 1], [0, 0, 0, 1])])
def test_labels_with_gaps_are_refused(labels):
    with pytest.raises(ValueError, match="labels should have no"):
        EpisodeTasks(GOOD, labels, 2)
