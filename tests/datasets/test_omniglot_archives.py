"""Archives that are missing, damaged or hostile; small zips, served by this process or lying in a folder."""

import hashlib

import pytest

from gaml_utils.datasets.omniglot import load_omniglot, omniglot_is_here
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
