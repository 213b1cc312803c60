"""Where results lie, and how they are read and written: whole or not at all."""

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


def load(name: str, folder: pathlib.Path = RESULTS) -> Results:
    """The stored results of an experiment: config, versions, wall_seconds and runs, as records.Results says.

    Raises FileNotFoundError where there is no such file.
    """
    return json.loads(existing(folder / f"{name}.json").read_text(encoding="utf-8"))


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
