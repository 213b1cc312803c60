"""Where results lie, and how they are read and written: whole or not at all."""

import ast
import hashlib
import json
import pathlib
import platform
import re
from collections.abc import Mapping
from importlib import metadata

import numpy as np
import scipy

from gaml_utils.experiments.records import Config, Results, Run, key
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


def read_partial(path: pathlib.Path, config: Config) -> dict[tuple, Run]:
    """The finished runs by key. A line cut short by a kill is dropped.

    Raises ValueError for a file that was made with another config, or by other code of rules and learners.
    """
    header, runs = {"config": json.loads(json.dumps(config)), "code": code_digest()}, []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            runs.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    found = runs.pop(0) if runs else header
    for name, what in (("config", "with another config"), ("code", "by other code of rules and learners")):
        if found.get(name, header["code"]) != header[name]:
            raise ValueError(f"{path.name} was made {what}: finish that run, or delete the file")
    write_text(path, "".join(json.dumps(line) + "\n" for line in [header, *runs]))
    return {key(r): r for r in runs}


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
