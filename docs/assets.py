"""Files of others that pages need beside them: fetched once into the user's cache, and known by their SHA-256.

So that formulas, slides and checks work without a network. MathJax is under the Apache License 2.0, reveal.js under the
MIT License, axe-core under the Mozilla Public License 2.0; none of them is part of this repository.
"""

import logging
import pathlib
import shutil

import pooch

NPM = "https://cdn.jsdelivr.net/npm/"
FILES = {  # what they are called here: where they come from, and what they are
    "mathjax.js": (  # one file with all glyphs in it
        "mathjax@3.2.2/es5/tex-svg.js",
        "d4295dc33744836935c1399feece5159577b34c5c8ffb9f1c6324cd82e03a882",
    ),
    "reveal.js": (
        "reveal.js@5.2.1/dist/reveal.js",
        "46538b52db48724192f59bf46f5e851a18e302777c46f4a34c32709d010d6a29",
    ),
    "reveal.css": (
        "reveal.js@5.2.1/dist/reveal.css",
        "68f915a11ebf7203c0446576b7e952ff61c5dd02134a8a226ffaf62ed42136d2",
    ),
    "notes.js": (
        "reveal.js@5.2.1/plugin/notes/notes.js",
        "df1201d19d03241a2897d39c3d38768177df1cbd4bde06327b321cb83461ae89",
    ),
    "axe.js": (
        "axe-core@4.14.1/axe.min.js",
        "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c",
    ),
}


def address(name: str) -> str:
    """Where a file of FILES can be fetched."""
    return NPM + FILES[name][0]


def cached(name: str) -> pathlib.Path:
    """Where a file of FILES is kept; fetched if it is not there. Raises OSError or ValueError if it cannot be had."""
    folder = pathlib.Path(pooch.os_cache("gaml_utils"))
    known = f"sha256:{FILES[name][1]}"
    pooch.get_logger().setLevel(logging.ERROR)
    kept = FILES[name][0].replace("/", "-")
    fetch = pooch.HTTPDownloader(timeout=20)
    return pathlib.Path(pooch.retrieve(address(name), known, kept, folder, downloader=fetch))


def beside(name: str, folder: pathlib.Path) -> str:
    """Copy a file into a folder of pages. Its name there, or its address, after a warning, where it cannot be had."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(cached(name), folder / name)
    except (OSError, ValueError) as problem:
        print(f"{name} could not be fetched: these pages will need a network ({type(problem).__name__})")
        return address(name)
    return name
