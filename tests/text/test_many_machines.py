"""The numbers that chapter 17 and README state of several workers are those of the results, and of the networks."""

import json
import pathlib

import keras
import numpy as np
import pytest

from gaml_utils.experiments import load, select
from gaml_utils.experiments.glyphs import GLYPHS, tuned_step_size
from gaml_utils.intervals import mean_interval
from gaml_utils.networks import conv4
from tests.support.checkout import ROOT

TOGETHER, BENCH, MEMORY = load("glyphs_together"), load("bench"), load("memory_curve")
CELLS = json.loads((ROOT / "notebooks" / "17_many_machines.ipynb").read_text(encoding="utf-8"))["cells"]
CHAPTER = "\n".join("".join(cell["source"]) for cell in CELLS)


def parameters(model):
    return sum(int(np.prod(v.shape)) for v in model.trainable_variables)


def test_the_networks_have_as_many_parameters_as_the_chapter_says():
    assert f'"conv4-64": {parameters(conv4(5, 64)):_}' in CHAPTER
    resnet = parameters(keras.applications.ResNet50(weights=None))
    assert f'"ResNet-50": {round(resnet, -5):_}' in CHAPTER and "25.6 million" in CHAPTER


def test_chapter_08_by_two_workers_was_run_whole_with_the_committed_config():
    assert TOGETHER["config"] == GLYPHS and TOGETHER["difference"] <= 1e-12
    assert [run["seed"] for run in TOGETHER["runs"]] == GLYPHS["seeds"]
    assert {(run["workers"], run["learner"], run["rule"]) for run in TOGETHER["runs"]} == {(2, "MAML", "agreement")}
    script = pathlib.Path(TOGETHER["command"].split()[5])
    assert (ROOT / script).is_file() and TOGETHER["command"] in (ROOT / "data/results/README.md").read_text("utf-8")


@pytest.mark.parametrize("shots", range(len(GLYPHS["test_shots"])))
def test_its_accuracy_lies_within_the_stored_interval(shots):
    runs = load("glyphs")["runs"]
    size = tuned_step_size(GLYPHS, runs, "MAML", "agreement")
    stored = mean_interval(select(runs, "comparison", "MAML", "agreement", size, "test_accuracy")[:, shots, 0])
    assert {run["step_size"] for run in TOGETHER["runs"]} == {size}
    assert stored.low <= np.mean([run["test_accuracy"][shots][0] for run in TOGETHER["runs"]]) <= stored.high


def test_two_workers_were_timed_on_the_same_work():
    workers = BENCH["workers"]
    assert workers["difference"] <= 1e-12 and workers["tasks"] == 16 and len(workers["rounds"]) >= 5
    for name, ratio in workers["ratios"].items():
        two, one = name.split(" / ")
        assert ratio == pytest.approx(np.median([r[one] / r[two] for r in workers["rounds"]]))
    one_thread, both_cores = (
        [r[one] / r["two workers"] for r in workers["rounds"]] for one in list(workers["seconds"])[::2]
    )
    assert 1 < min(one_thread) <= max(one_thread) < 2 and "Not twice as quick as one thread" in CHAPTER
    assert min(both_cores) < 1 < max(both_cores) and "five rounds do not decide" in CHAPTER
    assert "in every round they were quicker than two workers" in CHAPTER
    assert all(r["two processes apart"] < r["two workers"] for r in workers["rounds"])
    assert workers["ratios"]["two processes apart / one process, one thread"] > 1.8 and "nearly twice as" in CHAPTER


def test_memory_with_conv4_grows_with_the_tasks_and_is_flat_task_by_task():
    rows = MEMORY["conv4"]["rows"]
    direct, by_task = ([r["megabytes"] for r in rows if r["way"] == way] for way in ("direct", "task by task"))
    assert MEMORY["conv4"]["largest difference of a weight"] <= 1e-4
    assert direct == sorted(direct) and MEMORY["config"]["conv4 tasks"][-1] == 1000
    assert direct[-1] > 10_000 and "to above ten gigabytes" in CHAPTER
    assert 80 < min(by_task) and max(by_task) < 120 and "stays near a hundred megabytes" in CHAPTER
