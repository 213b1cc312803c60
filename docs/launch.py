"""The ways in that depend on where a clone lives: python docs/launch.py badges | colab FOLDER | lock

badges  writes the buttons of Binder, Colab and Codespaces for this clone into README.md (`make badge`).
colab   writes each chapter and solution into FOLDER/notebooks as Colab needs it: its first cell installs the package
        beside Colab's own NumPy and TensorFlow, and its links lead to GitHub. The workflow `launch` keeps them in the
        branch "colab".
lock    writes .binder/environment.yml: what the chapters need, in the versions of constraints.txt. The package itself
        is installed after it, so that a new commit does not install 2 GB anew.
"""

import importlib.metadata
import json
import os
import pathlib
import re
import subprocess
import sys

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = pathlib.Path(__file__).resolve().parents[1]
FIRST = "notebooks/00_start_here.ipynb"
BRANCH = "colab"


def repository() -> str:
    """owner/name of this clone on GitHub, by its origin; empty where that is elsewhere."""
    if named := os.environ.get("GITHUB_REPOSITORY"):
        return named
    asked = subprocess.run(["git", "remote", "get-url", "origin"], cwd=ROOT, capture_output=True, text=True)
    host = r"(?:https?://(?:[^@/]*@)?|ssh://git@|git@)github\.com[:/]"
    found = re.fullmatch(host + r"([^/]+/[^/]+?)(?:\.git)?/?", asked.stdout.strip())
    return found[1] if found else ""


def badges(of: str) -> str:
    """A line of three buttons, in Markdown."""
    ways = {
        "Binder": (
            "https://mybinder.org/badge_logo.svg",
            f"https://mybinder.org/v2/gh/{of}/HEAD?urlpath=lab/tree/{FIRST}",
        ),
        "Colab": (
            "https://colab.research.google.com/assets/colab-badge.svg",
            f"https://colab.research.google.com/github/{of}/blob/{BRANCH}/{FIRST}",
        ),
        "Codespaces": ("https://github.com/codespaces/badge.svg", f"https://codespaces.new/{of}"),
    }
    return " ".join(f"[![Open in {name}]({picture})]({to})" for name, (picture, to) in ways.items())


def with_badges(readme: str, line: str) -> str:
    """README with this line between its two marks."""
    marks = r"(?<=<!-- launch -->\n)(?:.*\n)*?(?=<!-- /launch -->)"
    new, times = re.subn(marks, lambda _: f"{line}\n", readme)
    if times != 1:
        raise ValueError("README.md should hold <!-- launch --> and <!-- /launch -->, once, each on a line of its own")
    return new


def for_colab(notebook: dict, of: str, place: pathlib.PurePosixPath) -> dict:
    """A chapter whose first cell installs the package, and whose links lead somewhere from Colab.

    place: where the chapter lies in the repository.
    """
    install = (
        "# On Colab: the package of these chapters, beside Colab's own NumPy and TensorFlow.\n",
        f'%pip install -q "gaml-utils @ git+https://github.com/{of}"',
    )
    first = {"cell_type": "code", "execution_count": None, "id": "colab", "metadata": {}, "outputs": []}
    first["source"] = list(install)

    def absolute(link: re.Match[str]) -> str:
        parts = pathlib.PurePosixPath(os.path.normpath(place.parent / link[1])).as_posix()
        if parts.endswith(".ipynb"):
            return f"](https://colab.research.google.com/github/{of}/blob/{BRANCH}/{parts}{link[2] or ''})"
        return f"](https://github.com/{of}/blob/HEAD/{parts}{link[2] or ''})"

    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = re.sub(r"\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)", absolute, "".join(cell["source"]))
            cell = cell | {"source": text.splitlines(keepends=True)}
        cells.append(cell)
    return notebook | {"cells": [first, *cells]}


def needed(extras: set[str], environment: dict[str, str]) -> set[str]:
    """The names of all packages that gaml-utils with these extras brings along there, by what is installed here."""
    found, ahead = set(), [("gaml-utils", frozenset(extras))]
    while ahead:
        name, wanted = ahead.pop()
        for line in importlib.metadata.requires(name) or []:
            requirement = Requirement(line)
            marker = requirement.marker
            if marker and not any(marker.evaluate(environment | {"extra": extra}) for extra in wanted or {""}):
                continue
            step = canonicalize_name(requirement.name), frozenset(requirement.extras)
            if step not in found:
                found.add(step)
                ahead.append(step)
    return {name for name, _ in found}


def environment_file() -> str:
    """The text of .binder/environment.yml."""
    there = default_environment() | {
        "python_version": "3.11",
        "python_full_version": "3.11.9",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
    }
    wanted, pins = needed({"keras", "lab"}, there), []
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        pin = Requirement(line)
        if canonicalize_name(pin.name) in wanted and (pin.marker is None or pin.marker.evaluate(there)):
            pins.append(f"      - {pin.name}{pin.specifier}\n")
    return (
        "# What Binder builds first, and keeps as long as this file stays; written by `python docs/launch.py lock`.\n"
        "name: gaml\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n" + "".join(pins)
    )


def main(command: str, *folder: str) -> int:
    """The command line. Returns 0 if all went well."""
    if command == "lock":
        (ROOT / ".binder" / "environment.yml").write_text(environment_file(), encoding="utf-8")
        return 0
    of = repository()
    if not of:
        print("The origin of this clone is not a GitHub address: Binder, Colab and Codespaces need one.")
        return 1
    if command == "badges":
        readme = ROOT / "README.md"
        line = badges(of)
        readme.write_text(with_badges(readme.read_text(encoding="utf-8"), line), encoding="utf-8")
        print(f"README.md has them now: {line}")
        return 0
    for path in sorted((ROOT / "notebooks").rglob("[0-9]*.ipynb")):
        place = pathlib.PurePosixPath(path.relative_to(ROOT).as_posix())
        to = pathlib.Path(folder[0]) / place
        to.parent.mkdir(parents=True, exist_ok=True)
        notebook = for_colab(json.loads(path.read_text(encoding="utf-8")), of, place)
        to.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["badges"], ["lock"]) and not (len(sys.argv) == 3 and sys.argv[1] == "colab"):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
