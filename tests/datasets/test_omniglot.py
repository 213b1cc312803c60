"""Omniglot: archives that are missing, damaged or hostile, what is kept of them, and the real ones where they are.

No test needs the network: archives are small zips, served by this process or lying in a folder.
"""

import functools
import hashlib
import http.server
import io
import os
import threading
import zipfile

import numpy as np
import pooch
import pytest
from PIL import Image
from scipy import ndimage
from scipy.spatial import KDTree

from gaml_utils.datasets import omniglot
from gaml_utils.datasets import omniglot_archives as archives
from gaml_utils.datasets.omniglot import load_omniglot, omniglot_is_here, omniglot_one_shot_runs, shrunk
from gaml_utils.datasets.omniglot_archives import ARCHIVES, Archive, archive, members
from tests.support.omniglot import needs_omniglot

SMALL1, RUNS = "images_background_small1.zip", "all_runs.zip"


def png(pixels):
    """A drawing, (105, 105) with ink True, as the bytes of a one-bit PNG, black on white."""
    file = io.BytesIO()
    Image.fromarray(~np.asarray(pixels, dtype=bool)).convert("1").save(file, "PNG")
    return file.getvalue()


def blocks(number):
    """A drawing that says `number` in 16 bits: block k of a 4 x 4 grid is black where bit k is 1."""
    bits = [(number >> k) & 1 for k in range(16)]
    return png(np.pad(np.kron(np.reshape(bits, (4, 4)), np.ones((26, 26))), ((0, 1), (0, 1))))


def number_of(image):
    """What `blocks` said, from the 28 x 28 image."""
    bits = image.reshape(4, 7, 4, 7)[:, 3, :, 3].ravel()
    return int(sum(int(bit) << k for k, bit in enumerate(bits)))


def zipped(files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for name, data in files.items():
            opened.writestr(name, data)
    return file.getvalue()


def small_set():
    """Two alphabets, of 2 and 1 characters, by 3 drawers; drawing number 100 * character + drawer."""
    files, characters = {}, [("Greek", 1), ("Greek", 2), ("Tagalog", 1)]
    for k, (alphabet, character) in enumerate(characters):
        for drawer in (1, 2, 3):
            files[f"set/{alphabet}/character{character:02}/{900 + k:04}_{drawer:02}.png"] = blocks(100 * k + drawer)
    return files


def small_runs():
    """20 runs; class c of run r is drawing 20 r + c, test item t of it belongs to class (3 t + r) mod 20."""
    files = {}
    for r in range(20):
        run, lines = f"run{r + 1:02}", []
        for k in range(20):
            answer = (3 * k + r) % 20
            files[f"{run}/training/class{k + 1:02}.png"] = blocks(20 * r + k)
            files[f"{run}/test/item{k + 1:02}.png"] = blocks(1000 + 20 * r + answer)
            lines.append(f"{run}/test/item{k + 1:02}.png {run}/training/class{answer + 1:02}.png")
        files[f"{run}/class_labels.txt"] = "\n".join(lines[::-1]) + "\n"
    return files


class Server:
    """Serves what `files` holds, by name, and remembers what was asked for."""

    def __init__(self):
        self.files, self.asked = {}, []
        handler = functools.partial(Handler, owner=self)
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def offer(self, monkeypatch, name, right, given=None):
        """Registers the archive with the SHA-256 of `right`, and serves `given`, or the right one."""
        self.files[name] = right if given is None else given
        url = f"http://127.0.0.1:{self.http.server_port}/{name}"
        monkeypatch.setitem(ARCHIVES, name, Archive(url, hashlib.sha256(right).hexdigest()))

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, *args, owner):
        self.owner = owner
        super().__init__(*args)

    def do_GET(self):
        name = self.path.lstrip("/")
        self.owner.asked.append(name)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.owner.files[name])

    def log_message(self, *args):
        pass


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty data folder and an empty cache."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("GAML_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    return tmp_path


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()


def listing(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_set_is_fetched_once_and_read_once(place, server, monkeypatch):
    server.offer(monkeypatch, SMALL1, zipped(small_set()))
    first = load_omniglot("small1")
    (place / "data" / SMALL1).unlink()
    monkeypatch.setattr(omniglot, "shrunk", lambda png: pytest.fail("a drawing is read again"))
    again = load_omniglot("small1")
    assert server.asked == [SMALL1]
    assert all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(first, again, strict=True))


def test_a_set_says_of_each_drawing_what_it_is(place, server, monkeypatch):
    server.offer(monkeypatch, SMALL1, zipped(dict(reversed(small_set().items()))))
    found = load_omniglot("small1")
    assert found.images.shape == (9, 28, 28) and found.images.dtype == np.uint8
    assert [number_of(i) for i in found.images] == [100 * k + d for k in range(3) for d in (1, 2, 3)]
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2] and found.labels.dtype == np.int64
    assert found.scripts.tolist() == ["Greek"] * 6 + ["Tagalog"] * 3
    assert found.hands.tolist() == [1, 2, 3] * 3 and found.hands.dtype == np.int64
    assert set(found.split) == {"train"}


def test_the_runs_pair_each_item_with_its_class(place, server, monkeypatch):
    server.offer(monkeypatch, RUNS, zipped(small_runs()))
    runs = omniglot_one_shot_runs()
    assert [a.shape for a in runs] == [(20, 20, 28, 28, 1), (20, 20)] * 2
    assert [a.dtype for a in runs] == [np.float32, np.int32] * 2
    assert set(np.unique(runs.query_x)) == {0.0, 1.0}
    for r in range(20):
        assert runs.support_y[r].tolist() == list(range(20))
        assert [number_of(i) for i in runs.support_x[r]] == [20 * r + c for c in range(20)]
        assert runs.query_y[r].tolist() == [(3 * k + r) % 20 for k in range(20)]
        assert [number_of(i) for i in runs.query_x[r]] == [1000 + 20 * r + y for y in runs.query_y[r]]


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


def damaged(data):
    """Ways a kept file can be wrong: cut, emptied, other contents, a bit turned anywhere."""
    yield from (b"", data[:30], data[: len(data) // 2], data[:-1], b"\0" * len(data))
    for arrays in (
        {"names": np.array(["a"])},
        {"names": np.array(["a"]), "bits": np.zeros((2, 98), np.uint8), "pairs": np.zeros((0, 2), str)},
        {"names": np.array([{}], object)},
    ):
        np.savez(file := io.BytesIO(), **arrays)
        yield file.getvalue()
    for place in np.linspace(0, len(data) - 1, 200).astype(int):
        yield data[:place] + bytes([data[place] ^ 16]) + data[place + 1 :]


def test_a_damaged_kept_file_is_made_again(place, server, monkeypatch):
    server.offer(monkeypatch, SMALL1, zipped(small_set()))
    right = load_omniglot("small1")
    kept = omniglot.kept_file(SMALL1)
    whole = kept.read_bytes()
    for data in damaged(whole):
        kept.write_bytes(data)
        assert all(np.array_equal(a, b) for a, b in zip(load_omniglot("small1"), right, strict=True))
    kept.write_bytes(whole[:-1])
    load_omniglot("small1")
    assert omniglot.load(kept) is not None and server.asked == [SMALL1]


def test_what_is_kept_belongs_to_one_archive_and_one_format(place, server, monkeypatch):
    server.offer(monkeypatch, SMALL1, zipped(small_set()))
    load_omniglot("small1")
    server.offer(monkeypatch, SMALL1, zipped({"set/Greek/character01/0900_01.png": blocks(7)}))
    assert [number_of(i) for i in load_omniglot("small1").images] == [7]
    monkeypatch.setattr(omniglot, "FORMAT", 99)
    monkeypatch.setattr(omniglot, "shrunk", lambda png: np.ones((28, 28), np.uint8))
    assert load_omniglot("small1").images.all()


def test_is_here_asks_for_every_archive_and_never_the_network(place, server, monkeypatch):
    for k, name in enumerate(ARCHIVES):
        server.offer(monkeypatch, name, right := zipped({"set/Greek/character01/0900_01.png": blocks(k)}))
        assert not omniglot_is_here()
        (place / "data" / name).write_bytes(right)
    assert omniglot_is_here()
    load_omniglot("small1")
    (place / "data" / SMALL1).unlink()
    assert omniglot_is_here()  # what is kept of it is enough
    (place / "data" / "images_background_small2.zip").unlink()
    assert not omniglot_is_here() and server.asked == []


def test_another_name_is_refused():
    with pytest.raises(ValueError, match='name should be "small1" or "small2", got "?\'?small3'):
        load_omniglot("small3")


def test_a_small_pixel_is_ink_from_a_share_of_28_percent_on():
    rng = np.random.default_rng(0)
    centres = np.arange(105) + 0.5
    rows = [np.flatnonzero((3.75 * k < centres) & (centres <= 3.75 * (k + 1))) for k in range(28)]
    assert {len(r) for r in rows} == {3, 4}
    for share in (0.1, 0.28, 0.5):
        ink = rng.random((105, 105)) < share
        expected = [[ink[np.ix_(i, j)].mean() > 0.28 for j in rows] for i in rows]
        assert np.array_equal(shrunk(png(ink)), expected)


def test_a_picture_of_another_size_is_refused():
    with pytest.raises(ValueError, match="png should be a drawing of 105 x 105 pixels"):
        shrunk(png(np.zeros((28, 28))))


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The real sets and runs, read out of their archives anew, whatever an older version has kept."""
    patch = pytest.MonkeyPatch()
    cache = tmp_path_factory.mktemp("cache")
    folder = archives.data_folder()
    before = listing(folder)
    patch.setattr(pooch, "os_cache", lambda project: cache)
    if "GAML_DATA" not in os.environ:
        patch.setenv("GAML_DATA", str(folder))
    yield load_omniglot("small1"), load_omniglot("small2"), omniglot_one_shot_runs()
    patch.undo()
    assert listing(folder) == before


@needs_omniglot
@pytest.mark.parametrize(("which", "characters"), [(0, 136), (1, 156)])
def test_real_sets_hold_five_alphabets_by_twenty_drawers(real, which, characters):
    found = real[which]
    assert len(found.images) == 20 * characters and len(set(found.scripts)) == 5
    assert np.array_equal(np.unique(found.labels), np.arange(characters))
    for label in range(characters):
        rows = found.labels == label
        assert found.hands[rows].tolist() == list(range(1, 21)) and len(set(found.scripts[rows])) == 1
    assert 0.09 < found.images.mean() < 0.11
    assert found.images.reshape(-1, 784).any(axis=1).all()


def parts(ink):
    """Of how many parts each image consists, pixels that share an edge being one: (N, height, width) -> (N,)."""
    edges = np.zeros((3, 3, 3), dtype=bool)
    edges[1] = ndimage.generate_binary_structure(2, 1)
    last = np.maximum.accumulate(ndimage.label(ink, edges)[0].max(axis=(1, 2)))  # numbered image by image
    return np.diff(last, prepend=0)


@needs_omniglot
def test_strokes_hold_where_the_docstring_says_so(real):
    raw = []
    for name in list(ARCHIVES)[:2]:
        files = members(archive(name))
        raw += [np.asarray(Image.open(io.BytesIO(files[n])).convert("L")) for n in sorted(files) if n.endswith("png")]
    before = parts(np.array(raw) < 128)
    assert (parts(np.concatenate([real[0].images, real[1].images])) > before).sum() == 3
    grey = np.array([255 - np.asarray(Image.fromarray(r).resize((28, 28), Image.Resampling.BOX)) for r in raw])
    assert (parts(grey >= 128) > before).sum() == 2171 and len(raw) == 5840
    assert not ((grey > 0.26 * 255) & (grey < 0.30 * 255)).any()


def points(png):
    """The ink of a large drawing, in pixels from its middle."""
    ink = np.argwhere(np.asarray(Image.open(io.BytesIO(png)).convert("L")) < 128).astype(float)
    return ink - ink.mean(axis=0)


def hausdorff(a, b):
    """Modified Hausdorff distance of two trees of points: Dubuisson and Jain 1994, doi:10.1109/ICPR.1994.576361."""
    return max(a.query(b.data)[0].mean(), b.query(a.data)[0].mean())


@needs_omniglot
def test_real_runs_score_as_the_official_script_scores_them(real):
    """Its baseline makes 38.8% errors, as published, over all 20 runs: these are the first five of them.

    With wrong pairs it would be 95%.
    """
    files = members(archive(RUNS))
    for run, (answers, percent) in enumerate(zip(real[2].query_y, (45, 35, 40, 25, 30), strict=False), start=1):
        support, query = (
            [KDTree(points(files[f"run{run:02}/{part}{k:02}.png"])) for k in range(1, 21)]
            for part in ("training/class", "test/item")
        )
        nearest = np.argmin([[hausdorff(q, s) for s in support] for q in query], axis=1)
        assert np.sum(nearest != answers) * 5 == percent
    assert all(sorted(y) == list(range(20)) for y in real[2].query_y)
