"""Archives that are missing, damaged or hostile; small zips, served by this process or lying in a folder."""

import hashlib
import io
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from gaml_utils.datasets import omniglot, omniglot_archives
from gaml_utils.datasets.omniglot import load_omniglot, omniglot_is_here, shrunk
from gaml_utils.datasets.omniglot_archives import ARCHIVES, members
from tests.support.omniglot_archives import (
    SMALL1,
    blocks,
    listing,
    small_set,
    zipped,
)

FAULTS = {
    "empty": lambda right: b"",
    "truncated": lambda right: right[: len(right) // 2],
    "a byte short": lambda right: right[:-1],
    "a byte changed": lambda right: right[:100] + bytes([right[100] ^ 1]) + right[101:],
    "another archive": lambda right: zipped({"set/Greek/character01/0900_01.png": blocks(7)}),
    "a web page": lambda right: b"<html>not found</html>",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_archive_is_fetched_again(place, server, monkeypatch, fault):
    right = zipped(small_set())
    server.offer(monkeypatch, SMALL1, right)
    (place / "data" / SMALL1).write_bytes(FAULTS[fault](right))
    assert not omniglot_is_here() and server.asked == []
    assert len(load_omniglot("small1").images) == 9
    assert (place / "data" / SMALL1).read_bytes() == right and server.asked == [SMALL1]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_download_is_refused_and_leaves_nothing(place, server, monkeypatch, fault):
    right = zipped(small_set())
    server.offer(monkeypatch, SMALL1, right, FAULTS[fault](right))
    with pytest.raises(FileNotFoundError, match="is not there and could not be fetched"):
        load_omniglot("small1")
    assert server.asked == [SMALL1] and listing(place) == []


@pytest.mark.parametrize("there", ["is not there", "is damaged or another file"])
def test_without_a_network_one_sentence_says_what_to_put_where(place, server, monkeypatch, there):
    server.offer(monkeypatch, SMALL1, zipped(small_set()))
    server.stop()
    if "damaged" in there:
        (place / "data" / SMALL1).write_bytes(b"half")
    with pytest.raises(FileNotFoundError) as raised:
        load_omniglot("small1")
    text = str(raised.value)
    assert f"{SMALL1} {there} and could not be fetched (ConnectionError)" in text
    assert all(name in text and entry.url in text for name, entry in ARCHIVES.items())
    assert f"into the folder {place / 'data'}" in text and "GAML_DATA" in text
    assert "\n" not in text and text.endswith(".") and ". " not in text


def test_a_folder_that_cannot_be_written_to_gets_the_same_sentence(place, server, monkeypatch):
    server.offer(monkeypatch, SMALL1, zipped(small_set()))
    (place / "file").write_bytes(b"")
    monkeypatch.setenv("GAML_DATA", str(place / "file" / "below"))
    with pytest.raises(FileNotFoundError, match="could not be fetched") as raised:
        load_omniglot("small1")
    assert all(entry.url in str(raised.value) for entry in ARCHIVES.values())


def test_a_right_archive_is_used_where_it_lies_and_its_folder_is_left_alone(place, server, monkeypatch):
    server.offer(monkeypatch, SMALL1, right := zipped(small_set()), b"")
    (place / "data" / SMALL1).write_bytes(right)
    assert len(load_omniglot("small1").images) == 9
    assert listing(place / "data") == [SMALL1] and server.asked == []
    assert listing(place / "cache") == [f"gaml_utils/omniglot_{hashlib.sha256(right).hexdigest()[:16]}_1.npz"]


def test_without_gaml_data_the_archives_lie_in_the_cache(place, server, monkeypatch):
    monkeypatch.delenv("GAML_DATA")
    server.offer(monkeypatch, SMALL1, right := zipped(small_set()))
    load_omniglot("small1")
    assert (place / "cache" / "gaml_utils" / SMALL1).read_bytes() == right


def test_a_cache_that_cannot_be_written_to_does_not_hinder(place, server, monkeypatch):
    server.offer(monkeypatch, SMALL1, zipped(small_set()))
    (place / "cache").write_bytes(b"")
    assert len(load_omniglot("small1").images) == 9 and len(load_omniglot("small1").images) == 9
    assert server.asked == [SMALL1]


OUTSIDE = ["../evil.png", "/evil.png", "set/../../evil.png", "..\\evil.png", "C:\\evil.png", "\\evil.png", ".."]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_member_that_points_outside_is_refused(place, server, monkeypatch, name):
    server.offer(monkeypatch, SMALL1, zipped(small_set() | {name: blocks(1)}))
    with pytest.raises(ValueError, match="archive should hold names below its own folder only"):
        load_omniglot("small1")
    assert listing(place) == [f"data/{SMALL1}"]


def test_names_with_dots_that_stay_inside_are_read():
    assert members(zipped({"a/b..png": b"1", "a/...": b"2", "a/": b""})) == {"a/b..png": b"1", "a/...": b"2"}


def test_a_member_that_would_fill_the_memory_is_refused():
    with pytest.raises(ValueError, match="at most 1 MiB"):
        members(zipped({"a.png": b"0" * (2**20 + 1)}))
    assert len(members(zipped({"a.png": b"0" * 2**20}))["a.png"]) == 2**20


def test_all_members_together_have_a_limit(monkeypatch):
    data = zipped({f"set/{k}.png": b"\0" * 1000 for k in range(20)})
    assert len(members(data)) == 20
    monkeypatch.setattr(omniglot_archives, "LARGEST_TOTAL", 19_000)
    with pytest.raises(ValueError, match="MiB in all"):
        members(data)
    monkeypatch.setattr(omniglot_archives, "MOST", 19)
    with pytest.raises(ValueError, match="at most 19 files, got 20"):
        members(data)


def test_a_header_that_lies_about_the_size_does_not_help():
    data = bytearray(zipped({"set/a.png": b"\0" * (2**20 + 5)}))
    for signature, place in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        start = data.index(signature) + place
        data[start : start + 4] = (100).to_bytes(4, "little")
    with pytest.raises((ValueError, zipfile.BadZipFile)):
        members(bytes(data))


def test_a_name_that_comes_twice_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
            archive.writestr("set/a.png", b"1")
            archive.writestr("set/a.png", b"2")
    with pytest.raises(ValueError, match="each name once"):
        members(file.getvalue())


@pytest.mark.parametrize("named", ["~nobody_here/omniglot", __file__])
def test_gaml_data_that_is_no_folder_is_a_sentence(named, place, monkeypatch):
    monkeypatch.setenv("GAML_DATA", named)
    with pytest.raises(FileNotFoundError, match="GAML_DATA should name a folder"):
        load_omniglot("small1")


def test_a_pointer_of_git_lfs_is_told(place, server, monkeypatch):
    server.offer(monkeypatch, SMALL1, zipped(small_set()))
    server.stop()
    (place / "data" / SMALL1).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(FileNotFoundError, match="is its pointer in Git LFS .`git lfs pull`"):
        load_omniglot("small1")


def test_drawings_in_another_format_than_png_are_refused():
    Image.new("1", (105, 105)).save(file := io.BytesIO(), format="BMP")
    with pytest.raises(UnidentifiedImageError):
        shrunk(file.getvalue())


def test_a_kept_file_of_other_drawings_is_made_again(place, server, monkeypatch):
    server.offer(monkeypatch, SMALL1, zipped(small_set()))
    right = load_omniglot("small1")
    entry = ARCHIVES[SMALL1]
    with np.load(omniglot.kept_file(SMALL1)) as kept:
        arrays = kept["names"], kept["bits"], kept["pairs"]
    monkeypatch.setitem(ARCHIVES, SMALL1, entry._replace(drawings=omniglot.digest(arrays)))
    other = arrays[0], arrays[1][::-1].copy(), arrays[2]
    omniglot.store(omniglot.kept_file(SMALL1), other)
    assert omniglot.load(SMALL1) is None
    np.testing.assert_array_equal(load_omniglot("small1").images, right.images)
    assert omniglot.load(SMALL1) is not None
