"""Builds the site out of what is stored: python docs/build_site.py [FOLDER [NOTEBOOKS]]. Nothing is executed.

The pages are the chapters, their solutions, README, CONTRIBUTING, the notes on results, and the pages of docs/; they
are laid out in FOLDER/site-source as they lie in the repository, so that their links hold; the site is FOLDER/site.
FOLDER is build/, if not given. Where NOTEBOOKS is given, its notebooks take the places of those of the same name:
`make run` shows what it ran.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import assets
import launch

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "LICENSE-TEXT", "CITATION.cff", "constraints.txt"]
PAGES += ["data/README.md", "data/results", "data/glyphs/README.md", "data/golden_batch/README.md", "docs", "notebooks"]


def assemble(source: pathlib.Path, notebooks: pathlib.Path | None = None) -> None:
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
        text = re.sub(r"\]\(([\w-]+\.png)\)", r"](docs/\1)", text)
        (source / path.name).write_text(text, encoding="utf-8")
        path.unlink()
    for path in source.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"\]\(docs/([\w-]+\.md)", r"](\1", text), encoding="utf-8")
    if notebooks:
        shutil.copytree(notebooks, source / "notebooks", dirs_exist_ok=True)
    for path in (source / "notebooks").rglob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"\]\(((?:\.\./)+)docs/([\w-]+\.md)", r"](\1\2", text), encoding="utf-8")


def main(folder: pathlib.Path, notebooks: pathlib.Path | None = None) -> int:
    """Assemble, then Sphinx; a warning is an error. Returns 0 if all went well."""
    source, site = folder / "site-source", folder / "site"
    assemble(source, notebooks)
    shutil.rmtree(site, ignore_errors=True)
    formulas = assets.beside("mathjax.js", source / "_static")
    for name in ("site.css", "site.js"):
        shutil.copyfile(ROOT / "docs" / name, source / "_static" / name)
    found = {"SITE_MATHJAX": formulas, "SITE_REPOSITORY": launch.repository(), "TF_CPP_MIN_LOG_LEVEL": "3"}
    options = ["-q", "-W", "--keep-going", "-c", str(source / "docs"), "-d", str(folder / "site-cache")]
    done = subprocess.run([sys.executable, "-m", "sphinx", *options, str(source), str(site)], env=os.environ | found)
    if done.returncode == 0:
        print(site / "index.html")
    return done.returncode


if __name__ == "__main__":
    folders = [pathlib.Path(name).resolve() for name in sys.argv[1:]]
    sys.exit(main(*folders or [ROOT / "build"]))
