"""The package as a wheel: built, installed outside any checkout, and used there with its data."""

import subprocess
import sys
import zipfile
from email import message_from_bytes

import pytest

from tests.support.checkout import ROOT

HANG = 600  # seconds: a guard, not a budget


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built with what is installed, so that no network is needed."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-build-isolation",
        "--no-deps",
        "-w",
        str(folder),
        str(ROOT),
    ]
    done = subprocess.run(build, capture_output=True, text=True, timeout=HANG)
    assert done.returncode == 0, done.stderr[-2000:]
    (path,) = folder.glob("*.whl")
    return path


def test_it_holds_package_types_and_data_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"gaml_utils"}
    package = {
        f"gaml_utils/{p.relative_to(ROOT / 'gaml_utils').as_posix()}" for p in (ROOT / "gaml_utils").rglob("*.py")
    }
    results = {f"gaml_utils/data/results/{p.name}" for p in (ROOT / "data" / "results").glob("*.json")}
    data = {"gaml_utils/data/glyphs/glyphs.npz", "gaml_utils/data/golden_batch/golden_batch.npz"}
    assert package | results | data | {"gaml_utils/py.typed"} <= set(names)


def test_it_says_what_it_is(wheel):
    with zipfile.ZipFile(wheel) as opened:
        (name,) = [n for n in opened.namelist() if n.endswith("METADATA")]
        told = message_from_bytes(opened.read(name))
    assert told["Author"] == "the contributors" and told["License-Expression"] == "MIT"
    assert told.get_all("Project-URL") == ["The paper, https://arxiv.org/abs/1810.08178"]
    assert {"keras", "lab", "test", "imitation", "bench", "browser", "cluster"} == set(told.get_all("Provides-Extra"))
    assert "Typing :: Typed" in told.get_all("Classifier")


USED = """
import pathlib, sys
import gaml_utils
from gaml_utils.datasets import load_glyphs, load_golden_batch
from gaml_utils.experiments import load
assert pathlib.Path(gaml_utils.__file__).parent.parent == pathlib.Path(sys.argv[1]), gaml_utils.__file__
print(len(load_glyphs().images), len(load_golden_batch()[1].support_x), len(load("study")["runs"]) > 2000)
try:
    load("no such study")
except FileNotFoundError as error:
    print(error)
"""


def test_installed_outside_any_checkout_it_has_its_data(wheel, tmp_path):
    """In a folder of its own, which stands before the checkout's on Python's path; dependencies as they are here."""
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--target",
        str(site),
        str(wheel),
    ]
    done = subprocess.run(install, capture_output=True, text=True, timeout=HANG)
    assert done.returncode == 0, done.stderr[-2000:]
    code = f"import sys; sys.path.insert(0, sys.argv[1])\n{USED}"
    used = [sys.executable, "-c", code, str(site)]
    done = subprocess.run(used, cwd=elsewhere, capture_output=True, text=True, timeout=HANG)
    assert done.returncode == 0, done.stderr[-2000:]
    numbers, missing = done.stdout.splitlines()
    assert numbers == "33240 5 True"
    assert missing.startswith("no such study.json is missing from") and "install gaml-utils anew" in missing
