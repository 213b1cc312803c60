"""Adding the rule of CONTRIBUTING.md's example touches the files that it names, and the whole house knows it."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.support.checkout import ROOT

GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Add a rule", 1)[1].split("\n## ", 1)[0]
KNOWN = """
import numpy as np
import gaml_utils, sys
assert gaml_utils.__file__.startswith(sys.argv[1])
from gaml_utils.experiments.study import STUDY
from gaml_utils.experiments.study.grid import follow_up
from gaml_utils.experiments.study.measures import weighting_of
from gaml_utils.experiments.study.plan import rules_of
from gaml_utils.experiments.study.tables import columns
from gaml_utils.weighting import RULES, inverse_length_weights

g = np.array([[3.0, 4.0], [1.0, 0.0]])
assert np.allclose(RULES["inverse length"](g), [1 / 6, 5 / 6])
assert weighting_of("inverse length of outer") == (inverse_length_weights, "outer")
config = follow_up(STUDY, ["inverse length"])
assert rules_of(config, "sines", "MAML") == ["uniform", "inverse length of outer"]
assert columns({"config": config, "runs": []}, "MAML") == ["inverse length of outer"]
"""
SAVED = """
import sys, keras, numpy as np
from gaml_utils.learners import MAML
from gaml_utils.weighting import RULES

learner = MAML(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]), weighting=RULES["inverse length"])
learner.compile()
learner.save(sys.argv[2])
assert keras.models.load_model(sys.argv[2]).weighting is RULES["inverse length"]
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """A copy of the package with the example in it, and the files that were touched."""
    root = tmp_path_factory.mktemp("copy")
    for name in ("gaml_utils", "data"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    code = re.sub(r"^   ", "", re.search(r"```python\n(.*?)```", GUIDE, re.DOTALL)[1], flags=re.MULTILINE)
    weighting, rule = root / "gaml_utils" / "weighting", "inverse_length_weights"
    (weighting / "inverse_length.py").write_text(f'"""One over the length."""\n\n{code}')
    line = f"from gaml_utils.weighting.inverse_length import {rule}\n"
    face = weighting / "__init__.py"
    face.write_text(face.read_text().replace("\n__all__ = [\n", f'{line}\n__all__ = [\n    "{rule}",\n', 1))
    names = weighting / "names.py"
    text = names.read_text().replace("\n# name ->", f"{line}\n# name ->", 1)
    names.write_text(re.sub(r"\n}\n$", f'\n    "inverse length": {rule},\n}}\n', text))
    return root


def run(code: str, root, *arguments: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(root)}
    command = [sys.executable, "-W", "error::UserWarning", "-c", code, str(root), *arguments]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]


def test_five_files_are_named():
    named = re.findall(r"^\d\. `([^`]+)`", GUIDE, re.MULTILINE)
    expected = ["weighting/NAME.py", "weighting/__init__.py", "weighting/names.py"]
    assert named == [*(f"gaml_utils/{name}" for name in expected), "tests/weighting/test_NAME.py", "README.md"]


def test_the_house_knows_the_new_rule(changed):
    """Its experiments, its tables: three files of the package were touched, and no list was forgotten."""
    run(KNOWN, changed)


def test_a_learner_with_the_new_rule_is_saved_and_loaded(changed, tmp_path):
    run(SAVED, changed, str(tmp_path / "learner.keras"))
