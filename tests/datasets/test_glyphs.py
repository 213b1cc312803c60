"""The embedded characters: what the file holds, that no two classes are one picture, and how hard they are."""

import hashlib
import importlib
import itertools
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from gaml_utils.datasets.glyphs import PATH, load_glyphs
from gaml_utils.datasets.images import SPLITS, ImageSet

JSON = json.loads(PATH.with_suffix(".json").read_text(encoding="utf-8"))
README = PATH.with_name("README.md").read_text(encoding="utf-8")
LOOKALIKE = 0.965  # data/glyphs/classes.py drops classes above


@pytest.fixture(scope="module")
def glyphs():
    return load_glyphs()


@pytest.fixture(scope="module")
def file():
    with np.load(PATH, allow_pickle=False) as stored:
        return dict(stored)


def blurred(images, centre=False):
    """(n, 28, 28) -> (n, 784), each blurred (SD 1.5 pixels) and of length 1."""
    x = ndimage.gaussian_filter(images.astype(float), (0, 1.5, 1.5)).reshape(len(images), -1)
    x -= x.mean(1, keepdims=True) if centre else 0
    return x / np.linalg.norm(x, axis=1, keepdims=True)


# What is in the file


def test_the_loader_gives_one_row_an_image(glyphs):
    count = len(glyphs.labels)
    assert isinstance(glyphs, ImageSet) and glyphs.images.shape == (count, 28, 28)
    assert glyphs.images.dtype == np.uint8 and set(np.unique(glyphs.images)) == {0, 1}
    assert glyphs.labels.dtype == glyphs.hands.dtype == np.int64
    assert glyphs.scripts.dtype.kind == glyphs.split.dtype.kind == "U"
    assert all(len(array) == count for array in glyphs)


def test_ink_is_one(glyphs):
    assert 0.08 < glyphs.images.mean() < 0.12  # paper is most of an image
    border = np.ones((28, 28), bool)
    border[2:-2, 2:-2] = False
    assert glyphs.images[:, border].mean() < 0.02


def test_counts_and_size(glyphs):
    per_class = np.bincount(glyphs.labels)
    assert len(per_class) >= 1200 and (per_class == 20).all()
    assert len(np.unique(glyphs.scripts)) >= 50
    assert PATH.stat().st_size <= 3_000_000


def test_hashes_are_those_of_the_json(file):
    assert {name: hashlib.sha256(a.tobytes()).hexdigest() for name, a in file.items()} == JSON["sha256"]


def test_a_class_has_one_script_and_a_script_one_split(glyphs):
    for of, group in ((glyphs.scripts, glyphs.labels), (glyphs.split, glyphs.scripts)):
        pairs = np.unique(np.stack([group.astype(str), of]), axis=1)
        assert len(np.unique(pairs[0])) == pairs.shape[1]


def test_scripts_are_split_60_15_25(file):
    shares = [np.mean(file["split"] == name) for name in SPLITS]
    np.testing.assert_allclose(shares, [0.6, 0.15, 0.25], atol=0.5 / len(file["split"]) + 1e-9)


def test_part_selects_and_keeps_labels(glyphs):
    parts = [glyphs.part(name) for name in SPLITS]
    assert sum(len(part.labels) for part in parts) == len(glyphs.labels)
    for one, other in itertools.combinations(parts, 2):
        assert not set(one.labels) & set(other.labels) and not set(one.scripts) & set(other.scripts)
    np.testing.assert_array_equal(parts[2].images, glyphs.images[glyphs.split == "test"])
    np.testing.assert_array_equal(parts[2].labels, glyphs.labels[glyphs.split == "test"])


def test_part_names_the_splits_it_knows(glyphs):
    with pytest.raises(ValueError, match="split should be one of train, validation, test, got 'valid'"):
        glyphs.part("valid")
    with pytest.raises(ValueError, match="split should be one of test, got 'train'"):
        glyphs.part("test").part("train")


def test_three_fonts_at_least_and_in_balance(glyphs, file):
    counts = [np.unique(hands, return_counts=True)[1] for hands in glyphs.hands.reshape(-1, 20)]
    assert min(map(len, counts)) >= 3 and np.mean([len(c) >= 4 for c in counts]) > 0.8
    assert all(c.max() - c.min() <= 1 for c in counts)
    assert set(glyphs.hands) == set(range(len(file["fonts"]))) and len(set(file["fonts"])) == len(file["fonts"])


# What the pictures are


def lookalikes(pictures, at_least=LOOKALIKE + 0.001):  # pictures are stored in 256 steps
    """Pairs of classes whose pictures, blurred, have a cosine of at_least."""
    x = blurred(pictures)
    return np.argwhere(np.triu(x @ x.T, k=1) > at_least)


def test_no_two_classes_are_one_picture(file):
    pictures = file["class_picture"]
    assert len(np.unique(file["class_codepoint"])) == len(pictures)
    assert len(lookalikes(pictures)) == 0
    assert lookalikes(np.concatenate([pictures, pictures[5:6]])).tolist() == [[5, len(pictures)]]


def test_images_show_the_picture_of_their_class(glyphs, file):
    in_order = glyphs.images[np.argsort(glyphs.labels, kind="stable")].reshape(-1, 20, 28, 28)
    means = blurred(in_order.mean(1), centre=True)
    likeness = means @ blurred(file["class_picture"], centre=True).T
    rank = (likeness > np.diag(likeness)[:, None]).sum(1)
    assert np.mean(rank == 0) > 0.8 and rank.max() < 100  # of more than 1,200


def test_no_blank_and_no_blot(glyphs):
    ink = glyphs.images.sum((1, 2))
    assert ink.min() >= 8 and ink.max() < 0.4 * 784
    per_class = ink.reshape(-1, 20).mean(1) / 784
    assert per_class.min() > 0.02 and per_class.max() < 0.25


def frames(widths):
    """Missing-glyph boxes as fonts draw them: upright frames, empty and crossed, (2 len(widths), 28, 28)."""
    drawn = []
    for width, crossed in itertools.product(widths, (False, True)):
        frame = np.zeros((28, 28))
        left, right = 14 - width // 2, 13 + (width + 1) // 2
        frame[[4, 23], left : right + 1] = frame[4:24, [left, right]] = 1
        if crossed:
            columns = np.round(np.linspace(left, right, 20)).astype(int)
            frame[np.arange(4, 24), columns] = frame[np.arange(4, 24), columns[::-1]] = 1
        drawn.append(frame)
    return np.array(drawn)


def like_a_box(pictures):
    """The cosine, after blurring, with the most similar box."""
    return (blurred(pictures) @ blurred(frames(range(8, 21, 2))).T).max(1)


def test_no_class_is_a_missing_glyph_box(file):
    boxes = file["class_codepoint"][like_a_box(file["class_picture"]) > 0.96]
    assert set(boxes) <= {0x2C41}  # Glagolitic onu, a box on short legs
    assert like_a_box(frames(range(9, 20, 2))).min() > 0.96  # the measure knows boxes of other widths


def font_agreement(glyphs):
    """For each script and font: how much its images of a letter are like those of the other fonts, on average."""
    images, hands = glyphs.images.reshape(-1, 20, 28, 28), glyphs.hands.reshape(-1, 20)
    pairs = [(c, font) for c, by in enumerate(hands) for font in np.unique(by)]
    ours = blurred(np.array([images[c][hands[c] == font].mean(0) for c, font in pairs]), centre=True)
    theirs = blurred(np.array([images[c][hands[c] != font].mean(0) for c, font in pairs]), centre=True)
    found = {}
    for (c, font), alike in zip(pairs, (ours * theirs).sum(1), strict=True):
        found.setdefault((glyphs.scripts[20 * c], font), []).append(alike)
    return np.array([np.mean(values) for values in found.values() if len(values) >= 5])


def test_no_font_draws_other_things_than_the_rest(glyphs):
    assert font_agreement(glyphs).min() > 0.6
    hebrew = ImageSet(*(array[glyphs.scripts == "Hebrew"] for array in glyphs))
    images = hebrew.images.copy()  # as if one font had boxes for Hebrew letters
    images[hebrew.hands == np.bincount(hebrew.hands).argmax()] = frames([14])[0]
    assert font_agreement(hebrew).min() > 0.6 > font_agreement(hebrew._replace(images=images)).min()


# How hard they are


def nearest_neighbour(glyphs, ways, within, other_font, episodes=4000):
    """Accuracy in % of 1-shot pixel nearest neighbour, by Hamming distance and by cosine; ties count in shares.

    within: all characters of an episode are of one script. other_font: support and query are of different fonts.
    """
    rng = np.random.default_rng(0)
    bits = np.packbits(glyphs.images.reshape(len(glyphs.images), -1), axis=1)
    ink = glyphs.images.sum((1, 2), dtype=float)
    first = np.arange(0, len(bits), 20)  # the first image of each class
    groups = [first[glyphs.scripts[first] == s] for s in np.unique(glyphs.scripts)] if within else [first]
    groups = [g for g in groups if len(g) >= ways]
    support, query = np.empty((episodes, ways), int), np.empty((episodes, 1), int)
    for e in range(episodes):
        classes = rng.choice(groups[rng.integers(len(groups))], ways, replace=False)
        support[e] = classes + rng.integers(20, size=ways)
        same_class = classes[0] + np.arange(20)
        mine = support[e, 0]
        barred = glyphs.hands[same_class] == glyphs.hands[mine] if other_font else same_class == mine
        query[e] = rng.choice(same_class[~barred])
    shared = np.bitwise_count(bits[support] & bits[query]).sum(-1, dtype=float)
    accuracy = []
    for score in (2 * shared - ink[support], shared / np.sqrt(ink[support])):  # highest where nearest
        best = score == score.max(1, keepdims=True)
        accuracy.append(100 * np.mean(best[:, 0] / best.sum(1)))
    return accuracy


CASES = list(itertools.product((5, 20), (False, True)))  # ways, within


@pytest.fixture(scope="module")
def accuracies(glyphs):
    """(2, 8): rows without and with the same font barred, then CASES, Hamming and cosine each."""
    return np.array([np.ravel([nearest_neighbour(glyphs, *case, barred) for case in CASES]) for barred in (0, 1)])


def told(row):
    """The figures of a row of the table in data/glyphs/README.md."""
    cells = re.search(rf"\| {row} \|(.*)\|", README)[1]
    return np.array([float(number) for number in re.findall(r"[\d.]+", cells)])


def test_pixels_tell_no_more_than_on_omniglot(accuracies):
    """And something: the classes are there to be learnt."""
    chance = np.repeat([100 / ways for ways, _ in CASES], 2)
    assert (1.5 * chance < accuracies).all() and (accuracies <= told("Omniglot")).all()


def test_readme_gives_the_measured_accuracies(accuracies):
    np.testing.assert_allclose(np.stack([told("any two images"), told("two fonts")]), accuracies, atol=0.051)


# Where they come from


def test_readme_names_every_script_package_and_licence(file):
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", README, re.MULTILINE)
    of_scripts = {name: set(packages.split()) for name, _, packages in rows}
    assert {s: of_scripts[s] for s in file["scripts"]} == {s: set(p) for s, p in JSON["packages_of_scripts"].items()}
    splits = {name: split for name, split, _ in rows}
    assert {s: splits[s] for s in file["scripts"]} == dict(zip(file["scripts"], file["split"], strict=True))
    counts = dict(zip(*np.unique(file["class_script"], return_counts=True), strict=True))
    assert sum(counts.values()) == len(file["class_codepoint"])


@pytest.fixture(scope="module")
def makers():
    """The modules that make the file: sources, shapes, classes, main."""
    sys.path.insert(0, str(PATH.parent))
    try:
        return [importlib.import_module(part) for part in ("sources", "shapes", "classes", "make")]
    finally:
        sys.path.remove(str(PATH.parent))


@pytest.fixture(scope="module")
def fonts(makers):
    """{name: file} of all fonts. Skips where they are not those that made the file."""
    try:
        packages = makers[0].package_versions()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the font packages of data/glyphs/README.md are not installed")
    if packages != JSON["packages"]:
        pytest.skip("the font packages have other versions than those in data/glyphs/glyphs.json")
    return {path.stem: path for _, path in makers[0].font_files()}


def test_readme_gives_every_package_its_licence(makers):
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", README, re.MULTILINE)
    told = {package: licence for licence, packages in rows for package in packages.split()}
    assert {p: told.get(p) for p in makers[0].PACKAGES} == makers[0].PACKAGES


def fonts_of(file, fonts, script):
    """{font number: file} of the fonts that draw a script, and the numbers of its classes."""
    classes = np.flatnonzero(file["class_script"] == list(file["scripts"]).index(script))
    return {k: fonts[file["fonts"][k]] for k in np.unique(file["hands"].reshape(-1, 20)[classes])}, classes


SAMPLE = ["Latin", "Hebrew", "NKo", "Hanunoo", "Ethiopic"]  # of all kinds; making the whole file takes minutes


@pytest.mark.parametrize("script", SAMPLE)
def test_no_font_answers_with_its_missing_glyph_box(file, makers, fonts, script):
    _, shapes, _, _ = makers
    paths, classes = fonts_of(file, fonts, script)
    hands = file["hands"].reshape(-1, 20)
    for k, path in paths.items():
        font = shapes.open_font(str(path))
        letters = [chr(file["class_codepoint"][c]) for c in classes if k in hands[c]]
        assert shapes.is_missing(font, chr(0x10FFFE)) and not any(shapes.is_missing(font, x) for x in letters)
        drawn = [shapes.render(font, x) for x in letters]
        assert len({(x.shape, x.tobytes()) for x in drawn}) == len(letters)


@pytest.mark.parametrize("script", SAMPLE)
def test_script_makes_the_stored_images(file, makers, fonts, script):
    sources, shapes, classes_module, main = makers
    here = {
        "numpy": np.__version__,
        "scipy": importlib.import_module("scipy").__version__,
        "pillow": main.PIL.__version__,
        "freetype": main.features.version("freetype2"),
    }
    if here != {name: JSON["libraries"][name] for name in here}:
        pytest.skip(f"made with {JSON['libraries']}, here are {here}")
    paths, classes = fonts_of(file, fonts, script)
    drawings = {k: classes_module.draw(str(path), sources.letters(script)) for k, path in paths.items()}
    stored, hands = file["images"].reshape(-1, 20, 98), file["hands"].reshape(-1, 20)
    for c in classes:
        point = int(file["class_codepoint"][c])
        in_turn = list(dict.fromkeys(hands[c].tolist()))
        made = main.images_of(script, point, np.array([drawings[k][point] for k in in_turn]))
        np.testing.assert_array_equal(np.packbits(made.reshape(20, -1), axis=1), stored[c])


def broken(file):
    """Ways in which the arrays may not fit together."""
    yield {name: a for name, a in file.items() if name != "hands"}
    for name in ("images", "class_script", "split", "hands"):
        yield file | {name: file[name][:-1]}
    yield file | {"images": file["images"].astype(np.int16)}
    yield file | {"images": file["images"][:, :-1]}
    yield file | {"class_script": file["class_script"] + 1000}
    yield file | {"split": np.full(file["split"].shape, "dev")}
    yield file | {"hands": file["hands"].astype(float)}


def test_arrays_that_do_not_fit_together_are_refused(tmp_path):
    with np.load(PATH, allow_pickle=False) as stored:
        file = dict(stored)
    for k, arrays in enumerate(broken(file)):
        np.savez(tmp_path / f"{k}.npz", **arrays)
        with pytest.raises(ValueError, match="should hold arrays that fit together, but is damaged"):
            load_glyphs(tmp_path / f"{k}.npz")


def test_a_pointer_of_git_lfs_is_told(tmp_path):
    path = tmp_path / "glyphs.npz"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(ValueError, match="pointer in Git LFS: run `git lfs pull`"):
        load_glyphs(path)
