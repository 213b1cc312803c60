"""What is timed gives the same on any machine: with clocks that stand still, leap by an hour, or go backwards.

A fast machine with a coarse clock measures 0 seconds; a busy one measures minutes. Neither may fail a run, or a test.
"""

import ast
import importlib
import itertools
import json
import re
import time

import numpy as np
import pytest

from gaml_utils.experiments import crew, runner
from gaml_utils.experiments.sines.plan import SINE_NUMPY
from gaml_utils.experiments.study import plan
from gaml_utils.experiments.study.grid import STUDY
from gaml_utils.experiments.study.training import study_job
from tests.support.checkout import ROOT
from tests.support.small_experiment import Here

CLOCKS = ("time", "perf_counter", "process_time", "monotonic")
MINUTES = 300  # seconds: a guard against hanging is at least that


@pytest.fixture(params=["stands still", "leaps by an hour", "goes backwards"])
def clock(request, monkeypatch):
    """Every clock that the code reads, replaced."""
    step = {"stands still": 0.0, "leaps by an hour": 3600.0, "goes backwards": -1.0}[request.param]
    for name in CLOCKS:
        ticks = itertools.count()
        monkeypatch.setattr(time, name, lambda ticks=ticks: 1e6 + step * next(ticks))
    return request.param


def without_times(results: dict) -> dict:
    runs = [{k: v for k, v in run.items() if "seconds" not in k} for run in results["runs"]]
    return {k: v for k, v in results.items() if "seconds" not in k} | {"runs": runs}


SMALL = SINE_NUMPY | {
    "seeds": [0],
    "control_seeds": [],
    "validation_tasks": 3,
    "test_tasks": 3,
    "learners": {
        "MAML": SINE_NUMPY["learners"]["MAML"]
        | {"sizes": [1, 4, 1], "iterations": 20, "step_sizes": [0.01], "meta_batch": 2, "shots": 3, "queries": 3}
    },
}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The results with the clocks of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crew, "ProcessPoolExecutor", Here)
        path = runner.run("sine_numpy", SMALL, tmp_path_factory.mktemp("expected"))
    return json.loads(path.read_text())


def test_a_whole_experiment_is_the_same(expected, clock, tmp_path, monkeypatch):
    monkeypatch.setattr(crew, "ProcessPoolExecutor", Here)
    found = json.loads(runner.run("sine_numpy", SMALL, tmp_path).read_text())
    assert without_times(found) == without_times(expected)


def test_a_training_of_the_study_is_the_same(clock):
    sines = STUDY["learners"]["sines"]["MAML"] | {"iterations": 4}
    config = STUDY | {
        "learners": {"sines": {"MAML": sines}},
        "validation_tasks": {"sines": 5},
        "test_tasks": {"sines": 5},
    }
    job = plan.job("sines", "MAML", "agreement of updates", 0.003, 0)
    one, two = (study_job(config, job) for _ in range(2))
    assert {k: v for k, v in one.items() if k != "cpu_seconds"} == {k: v for k, v in two.items() if k != "cpu_seconds"}
    assert isinstance(one["cpu_seconds"], float)


@pytest.fixture
def benchmarks(monkeypatch):
    """The modules of tests/benchmarks import one another by their short names."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "benchmarks")
    return importlib.import_module


def test_rates_of_benchmarks_are_numbers(benchmarks, clock):
    clocks, keras_speed = benchmarks("clocks"), benchmarks("keras_speed")
    start = time.process_time()
    assert np.isfinite(clocks.per_second(10, time.process_time() - start))
    blocks = [{"steps": 8, "cpu": 0.0, "wall": 0.0, "megabytes": 1.0} for _ in range(3)]
    assert np.isfinite(keras_speed.summary({"blocks": blocks})["rate"])


def python_tests() -> list:
    return [p for p in sorted((ROOT / "tests").rglob("*.py")) if "benchmarks" not in p.parts]


def of_the_clock(node: ast.expr) -> bool:
    """seconds, run["cpu_seconds"], time.perf_counter() - start, and the like."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    names |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    names |= {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return any(name.endswith("seconds") or name in CLOCKS[1:] for name in names)


def wishes(tree: ast.AST) -> list[int]:
    """Lines that ask a clock of this machine to have moved, or to have moved little."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right = node.left, node.comparators[0]
            zero = isinstance(right, ast.Constant) and right.value == 0
            if isinstance(node.ops[0], ast.Gt) and zero and of_the_clock(left):
                found.append(node.lineno)
        if isinstance(node, ast.keyword) and node.arg == "timeout":
            if isinstance(node.value, ast.Constant) and node.value.value < MINUTES:
                found.append(node.lineno)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep":
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("path", python_tests(), ids=lambda p: p.stem)
def test_no_test_asks_the_machine_to_be_slow_or_quick(path):
    assert wishes(ast.parse(path.read_text(encoding="utf-8"))) == []


def test_such_wishes_are_found():
    code = 'assert done["cpu_seconds"] > 0\nrun(a, timeout=20)\ntime.sleep(1)\nassert time.process_time() - start > 0'
    assert sorted(wishes(ast.parse(code))) == [1, 2, 3, 4]
    assert wishes(ast.parse('assert done["cpu_seconds"] >= 0\nsubprocess.run(a, timeout=600)')) == []


@pytest.mark.parametrize(
    "name", ["Makefile", "README.md", ".github/workflows/tests.yml", ".github/workflows/newest.yml"]
)
def test_cells_of_notebooks_have_minutes(name):
    found = re.findall(r"--nbval-cell-timeout=(\d+)", (ROOT / name).read_text(encoding="utf-8"))
    assert found and all(int(seconds) >= MINUTES for seconds in found)
