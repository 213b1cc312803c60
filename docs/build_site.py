"""Builds the site out of what is stored: python docs/build_site.py [FOLDER]. Nothing is executed.

The pages are the chapters, their solutions, README, CONTRIBUTING, the notes on results, and the pages of docs/; they
are laid out in FOLDER/site-source as they lie in the repository, so that their links hold; the site is FOLDER/site.
FOLDER is build/, if not given.
"""

import logging
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pooch

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "LICENSE-TEXT", "CITATION.cff", "constraints.txt"]
PAGES += ["data/README.md", "data/results", "data/glyphs/README.md", "data/golden_batch/README.md", "docs", "notebooks"]
# one file with all glyphs in it, so that formulas show without a network; Apache License 2.0
MATHJAX = "https://cdn.jsdelivr.net/npm/mathjax@3.2.2/es5/tex-svg.js"
SHA256 = "d4295dc33744836935c1399feece5159577b34c5c8ffb9f1c6324cd82e03a882"


def assemble(source: pathlib.Path) -> None:
    """Lay the pages out."""
    shutil.rmtree(source, ignore_errors=True)
    for name in PAGES:
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, path, ignore=shutil.ignore_patterns(".ipynb_checkpoints", "*.partial.jsonl"))
        else:
            shutil.copyfile(ROOT / name, path)
    for path in (source / "docs").glob("*.md"):  # beside README, so that what is included of it leads where it led
        text = path.read_text(encoding="utf-8").replace("](../", "](").replace("{include} ../", "{include} ")
        (source / path.name).write_text(text, encoding="utf-8")
        path.unlink()


def mathjax(static: pathlib.Path) -> str:
    """Where the pages find MathJax: a copy beside them, fetched once into the user's cache and known by its SHA-256.

    Where it cannot be had, its address, after a warning: then formulas need a network.
    """
    kept = pathlib.Path(pooch.os_cache("gaml_utils")) / "mathjax-3.2.2-tex-svg.js"
    pooch.get_logger().setLevel(logging.ERROR)
    static.mkdir()  # Sphinx wants it, with something in it or not
    try:
        pooch.retrieve(MATHJAX, f"sha256:{SHA256}", kept.name, kept.parent, downloader=pooch.HTTPDownloader(timeout=20))
    except (OSError, ValueError) as problem:
        print(f"MathJax could not be fetched: formulas of this site will need a network ({type(problem).__name__})")
        return MATHJAX
    shutil.copyfile(kept, static / "mathjax.js")
    return "mathjax.js"


def repository() -> str:
    """owner/name of the clone's origin, where that is on GitHub."""
    asked = subprocess.run(["git", "remote", "get-url", "origin"], cwd=ROOT, capture_output=True, text=True)
    found = re.fullmatch(
        r"(?:https?://(?:[^@/]*@)?|ssh://git@|git@)github\.com[:/](.+?/.+?)(?:\.git)?/?", asked.stdout.strip()
    )
    return found[1] if found else ""


def main(folder: pathlib.Path) -> int:
    """Assemble, then Sphinx; a warning is an error. Returns 0 if all went well."""
    source, site = folder / "site-source", folder / "site"
    assemble(source)
    shutil.rmtree(site, ignore_errors=True)
    found = {"SITE_MATHJAX": mathjax(source / "_static"), "SITE_REPOSITORY": repository(), "TF_CPP_MIN_LOG_LEVEL": "3"}
    options = ["-q", "-W", "--keep-going", "-c", str(source / "docs"), "-d", str(folder / "site-cache")]
    done = subprocess.run([sys.executable, "-m", "sphinx", *options, str(source), str(site)], env=os.environ | found)
    if done.returncode == 0:
        print(site / "index.html")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve() if sys.argv[1:] else ROOT / "build"))
