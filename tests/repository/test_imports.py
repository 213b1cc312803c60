"""Who may import whom, what an import brings in, and that it changes nothing."""

import ast
import os
import pathlib
import subprocess
import sys

import pytest

from tests.support.checkout import ROOT

PACKAGE = ROOT / "gaml_utils"
GROUND = {
    "keras_settings",
    "records",
    "checks",
    "code",
    "intervals",
    "paths",
    "memory",
    "worker_processes",
    "reproducibility",
    "setup_check",
    "writing",
}
MIDDLE = {"tasks", "datasets", "weighting", "networks", "plotting"}
MAY = {  # what each folder may import, beside itself and the ground
    **{folder: set() for folder in MIDDLE},
    "tasks": {"datasets"},
    "scratch": MIDDLE,
    "learners": MIDDLE,
    "experiments": {*MIDDLE, "scratch", "learners"},
    "exercises": {*MIDDLE, "scratch", "learners"},
}
SPARED = {("reproducibility", "plotting")}  # the style of the figures, when reproducible() is called
WITH_TENSORFLOW = {"networks", "learners"}


def folder_of(module: str) -> str:
    """gaml_utils.learners.maml -> learners; the face of the package itself is "face"."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "face"


def modules() -> dict[str, pathlib.Path]:
    """Every module of the package by its name."""
    paths = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in sorted(PACKAGE.rglob("*.py"))}
    return {name.removesuffix(".__init__"): path for name, path in paths.items()}


def imports(path: pathlib.Path, nested: bool) -> set[str]:
    """The modules a file imports; nested: those inside functions as well."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree) if nested else tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("name", modules())
def test_every_module_keeps_the_rule_of_dependency(name):
    mine = folder_of(name)
    used = {folder_of(m) for m in imports(modules()[name], nested=True) if m.startswith("gaml_utils.")}
    if mine == "face":
        assert not used & {"experiments", "exercises"}
        return
    allowed = {mine, *GROUND, *(MAY.get(mine, set()))} | {to for who, to in SPARED if who == mine}
    assert used <= allowed, f"{name} imports {sorted(used - allowed)}"


@pytest.mark.parametrize("name", [n for n in modules() if folder_of(n) not in WITH_TENSORFLOW])
def test_tensorflow_is_imported_by_networks_learners_and_trainings_alone(name):
    """A training imports it in the function that trains: planning and reading results need none."""
    training = name.startswith("gaml_utils.experiments.") and "training" in name
    later = training or folder_of(name) == "exercises" or folder_of(name) == "weighting"
    used = {m.split(".")[0] for m in imports(modules()[name], nested=not later)}
    assert not used & {"tensorflow", "keras"}


def test_there_is_no_circle():
    graph = {n: {m for m in imports(p, nested=False) if m in modules()} - {n} for n, p in modules().items()}
    faces = {n for n, p in modules().items() if p.name == "__init__.py"}
    graph = {n: used - faces for n, used in graph.items() if n not in faces}  # a face is on the way to its own leaves
    while free := [n for n, used in graph.items() if not used & graph.keys()]:
        for n in free:
            del graph[n]
    assert not graph, f"these import each other: {sorted(graph)}"


def test_folders_stand_on_five_floors_at_most():
    """A folder stands one floor above the highest that it imports; the ground is the first."""
    used = {}
    for name, path in modules().items():
        mine = folder_of(name)
        if mine != "face":
            others = {folder_of(m) for m in imports(path, nested=False) if m.startswith("gaml_utils.")}
            used[mine] = used.get(mine, set()) | {o for o in others - {mine} if o in GROUND or o in MAY}

    def floor(folder: str) -> int:
        return 1 if folder in GROUND else 1 + max((floor(other) for other in used.get(folder, ())), default=0)

    assert max(map(floor, used)) <= 5


@pytest.mark.parametrize("name", [n for n, p in modules().items() if p.name == "__init__.py"])
def test_a_file_does_not_bear_the_name_of_what_its_face_hands_on(name):
    path = modules()[name]
    names = {
        k.asname or k.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.ImportFrom) for k in n.names
    }
    children = {p.stem for p in path.parent.iterdir() if p.suffix == ".py"} - {"__init__"}
    assert not names & children or folder_of(name) == "exercises"


def said(code: str, **environment: str) -> str:
    """What a fresh process prints."""
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "OPENBLAS", "OMP_"))} | environment
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=outside)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_importing_the_package_brings_in_numpy_and_little_else():
    heavy = ("tensorflow", "scipy", "matplotlib", "tqdm", "IPython")
    assert said(f"import sys, gaml_utils; print([m for m in {heavy} if m in sys.modules])") == "[]"


WITHOUT_TENSORFLOW = [
    "gaml_utils",
    *(f"gaml_utils.{folder}" for folder in ("tasks", "datasets", "weighting", "scratch", "plotting", "experiments")),
    "gaml_utils.exercises",
    "gaml_utils.experiments.registry",
    *(f"gaml_utils.experiments.{folder}" for folder in ("sines", "glyphs", "omniglot", "study")),
]


def test_part_one_and_the_results_need_no_tensorflow():
    """It is made to fail: not installed is not the same as not imported."""
    code = (
        f"import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None; import {', '.join(WITHOUT_TENSORFLOW)}"
    )
    assert said(code) == ""


STATE = """
import os, warnings
import IPython, matplotlib.pyplot, numpy, scipy.ndimage, scipy.sparse, scipy.stats
from threadpoolctl import threadpool_info

def state():
    threads = [i["num_threads"] for i in threadpool_info()]
    return dict(os.environ), threads, dict(matplotlib.rcParams), warnings.filters[:]

before = state()
import IMPORTED
print(state() == before)
"""


def test_importing_changes_nothing_in_the_process():
    """Neither environment, nor threads, nor the style of figures, nor what is warned of."""
    assert said(STATE.replace("IMPORTED", ", ".join(WITHOUT_TENSORFLOW))) == "True"


SWITCHES = """
import os
from gaml_utils import reproducible
reproducible()
import matplotlib
from threadpoolctl import threadpool_info
import numpy
threads = {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}
style = matplotlib.rcParams["axes.grid"]
print(os.environ["TF_ENABLE_ONEDNN_OPTS"], os.environ["TF_CPP_MIN_LOG_LEVEL"], threads, style)
"""


def test_reproducible_settles_it_but_leaves_a_readers_own():
    assert said(SWITCHES) == "0 3 {1} True"
    threads = min(2, os.cpu_count() or 1)  # OpenBLAS takes no more than there are cores
    assert said(SWITCHES, TF_ENABLE_ONEDNN_OPTS="1", OPENBLAS_NUM_THREADS="2").startswith(f"1 3 {{{threads}}}")


def test_reproducible_warns_where_it_comes_too_late():
    late = "import sys, types, warnings; sys.modules['tensorflow'] = types.ModuleType('tensorflow')\n"
    code = late + "from gaml_utils import reproducible\nwith warnings.catch_warnings(record=True) as told:\n"
    assert "before TensorFlow" in said(
        code + "    warnings.simplefilter('always'); reproducible()\nprint(told[0].message)"
    )
