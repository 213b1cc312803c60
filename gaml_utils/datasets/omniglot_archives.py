"""The archives of Omniglot: where they come from, what they must be, and how they are read (chapter 09).

Lake, Salakhutdinov and Tenenbaum 2015, doi:10.1126/science.aab3050; MIT licence. An archive counts by its SHA-256
alone. It is looked for in the folder that GAML_DATA names, else in the user's cache folder, and fetched into it
where it is missing or wrong. Nothing is ever unpacked to disk.
"""

import hashlib
import io
import logging
import os
import pathlib
import zipfile
from typing import NamedTuple

import pooch

from gaml_utils.paths import is_pointer

SOURCE = "https://raw.githubusercontent.com/brendenlake/omniglot/057f034baf2ecb8530bc5710e5a23584d2a519cc/python/"
LARGEST = 2**20  # bytes of a member; the drawings have a few hundred
LARGEST_TOTAL = 2**26  # of all members together; the largest archive has some 6 MiB
MOST = 20_000  # members
TIMEOUT = 20  # seconds without an answer


class Archive(NamedTuple):
    """Where an archive comes from, and what it must be."""

    url: str
    sha256: str
    drawings: str = ""  # SHA-256 of what is read out of it: see omniglot.digest


ARCHIVES = {
    "images_background_small1.zip": Archive(
        SOURCE + "images_background_small1.zip",
        "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",
        "ce63378f73d8ab32628a2712aea7bd572de847083aca40485a6d000177427e73",
    ),
    "images_background_small2.zip": Archive(
        SOURCE + "images_background_small2.zip",
        "3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f",
        "433b993bf2591c8cfc6a2c76827df8a1f3cce9c9918ba66afe488591eb83c1be",
    ),
    "all_runs.zip": Archive(
        SOURCE + "one-shot-classification/all_runs.zip",
        "437c1eeab0af8484112e1b4cc0f3d541ec727f7c47b9b202da738af9dfd6c325",
        "5b1f48ca261e0d4d57942a5bc66d368fc8e5a39d302dc6ad8f3f4ff66a1012c6",
    ),
}


def cache_folder() -> pathlib.Path:
    """The user's cache folder for this package."""
    return pathlib.Path(pooch.os_cache("gaml_utils"))


def data_folder() -> pathlib.Path:
    """Where the archives lie: GAML_DATA, or the user's cache folder."""
    named = os.environ.get("GAML_DATA")
    if not named:
        return cache_folder()
    try:
        folder = pathlib.Path(named).expanduser()
    except RuntimeError as error:  # ~somebody whom this machine does not know
        raise FileNotFoundError(f"GAML_DATA should name a folder, got {named!r}: {error}") from None
    if folder.exists() and not folder.is_dir():
        raise FileNotFoundError(f"GAML_DATA should name a folder, but {named!r} is a file")
    return folder


def archive_here(name: str) -> bytes | None:
    """The archive's bytes if the folder has it and its SHA-256 is right. Nothing is fetched."""
    try:
        data = (data_folder() / name).read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == ARCHIVES[name].sha256 else None


def archive(name: str) -> bytes:
    """The archive's bytes, SHA-256 checked: from the folder, or fetched into it, also in place of a wrong file.

    FileNotFoundError, one sentence that names the files, their addresses and the folder, where it cannot be fetched:
    no network, no right to write there, or the address gives another file.
    """
    found, why = archive_here(name), ""
    if found is None:
        there = data_folder() / name
        fault = "is damaged or another file" if there.exists() else "is not there"
        if there.is_file() and is_pointer(there):
            fault = "is its pointer in Git LFS (`git lfs pull` fetches the file)"
        why = f"{name} {fault} and could not be fetched"
        try:
            fetch(name)
            found = archive_here(name)
        except (OSError, ValueError) as error:  # those of the network are OSErrors; a wrong hash is not
            why += f" ({type(error).__name__})"
    if found is None:
        files = ", ".join(f"{n} from {a.url}" for n, a in ARCHIVES.items())
        raise FileNotFoundError(
            f"Omniglot: {why}; put {files} into the folder {data_folder()}, or into another that GAML_DATA names."
        )
    return found


def fetch(name: str) -> None:
    """Download the archive into the folder; it takes its name only when whole and of the right SHA-256."""
    log = pooch.get_logger()
    level = log.level
    log.setLevel(logging.WARNING)  # it would print the folder into the notebook
    try:
        url, sha256, _ = ARCHIVES[name]
        downloader = pooch.HTTPDownloader(timeout=TIMEOUT)
        pooch.retrieve(url, f"sha256:{sha256}", name, data_folder(), downloader=downloader)
    finally:
        log.setLevel(level)


def members(data: bytes) -> dict[str, bytes]:
    """The files of a zip archive by name, read in memory.

    ValueError for a name that points outside the archive or comes twice, for a file larger than 1 MiB, and for more
    than 64 MiB or 20,000 files in all, whatever their headers say.
    """
    found: dict[str, bytes] = {}
    total = 0
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        entries = opened.infolist()
        if len(entries) > MOST:
            raise ValueError(f"archive should hold at most {MOST} files, got {len(entries)}")
        for entry in entries:
            path = entry.filename.replace("\\", "/")
            if path.startswith("/") or ":" in path or ".." in path.split("/"):
                raise ValueError(f"archive should hold names below its own folder only, got {entry.filename!r}")
            if entry.filename in found:
                raise ValueError(f"archive should hold each name once, got {entry.filename!r} twice")
            if entry.file_size > LARGEST:
                raise ValueError(f"archive should hold files of at most 1 MiB, {entry.filename!r} is larger")
            if entry.is_dir():
                continue
            with opened.open(entry) as file:
                found[entry.filename] = file.read(LARGEST + 1)
            total += len(found[entry.filename])
            if len(found[entry.filename]) > LARGEST:
                raise ValueError(f"archive should hold files of at most 1 MiB, {entry.filename!r} is larger")
            if total > LARGEST_TOTAL:
                raise ValueError(f"archive should hold at most {LARGEST_TOTAL // 2**20} MiB in all, it holds more")
    return found
