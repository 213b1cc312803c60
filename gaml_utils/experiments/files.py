"""Where results lie, and how they are read and written: whole or not at all."""

import ast
import functools
import hashlib
import json
import pathlib
import platform
import re
from collections.abc import Mapping
from importlib import metadata

import numpy as np
import scipy

from gaml_utils.experiments.records import Results
from gaml_utils.paths import BUILD, RESULTS, existing
from gaml_utils.writing import write_text

QUICK = BUILD / "quick"
PACKAGE = pathlib.Path(__file__).parents[1]
CODE = ("learners", "networks", "scratch", "tasks", "weighting")


def load(name: str, folder: pathlib.Path = RESULTS) -> Results:
    """The stored results of an experiment: config, versions, wall_seconds and runs, as records.Results says.

    Raises FileNotFoundError where there is no such file.
    """
    return json.loads(existing(folder / f"{name}.json").read_text(encoding="utf-8"))


@functools.cache
def code_digest() -> str:
    """SHA-256 of what computes an experiment's numbers: the code of CODE, without its comments and docstrings."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in CODE for path in (PACKAGE / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and isinstance(getattr(body[0] if body else None, "value", None), ast.Constant):
                node.body = body[1:]  # type: ignore[attr-defined]
        digest.update(f"{path.relative_to(PACKAGE).as_posix()} {ast.dump(tree)}".encode())
    return digest.hexdigest()


def versions(keras: bool) -> dict[str, str]:
    """Of Python and of what the numbers of an experiment depend on; keras: of Keras and TensorFlow as well.

    With them go k-means and the physics engine, where it is installed.
    """
    found = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    packages = ("keras", "tensorflow", "tensorflow_cpu", "scikit-learn", "gymnasium", "mujoco") if keras else ()
    installed = {d.name: d.version for d in metadata.distributions()} if packages else {}
    return found | {package: installed[package] for package in packages if package in installed}


def write_json(path: pathlib.Path, content: Mapping) -> None:
    """As JSON, indented, with each list of numbers on one line."""
    text = json.dumps(content, indent=1, allow_nan=False)
    text = re.sub(r'\[([^][{}"]*)\]', lambda numbers: f"[{' '.join(numbers[1].split())}]", text)
    write_text(path, text + "\n")
