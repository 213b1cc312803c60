"""The long runs, made short: planned, stopped, gone on with."""

import copy
import json
import math
import os
import signal
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from gaml_utils.experiments import crew, files, registry
from gaml_utils.experiments import runner as ex
from gaml_utils.experiments.sines import plan
from tests.support.small_experiment import (
    ALL,
    COMPARISON,
    NAME,
    NOISE,
    OTHER,
    THREADS,
    TINY,
    Here,
    apart_from_time,
    partial_lines,
    replace_experiment,
)

# ---------------------------------------------------------------- a whole run


def test_file_is_named_after_the_experiment(whole):
    assert whole.name == "sine_numpy.json"


def test_file_holds_config_versions_and_wall_time(whole):
    content = json.loads(whole.read_text())
    assert content["experiment"] == NAME
    assert content["command"] == "python -m gaml_utils.experiments sine_numpy"
    assert content["config"] == TINY
    assert content["versions"].keys() == {"python", "numpy", "scipy"}
    assert content["versions"]["numpy"] == np.__version__
    assert content["wall_seconds"] >= 0


def test_file_holds_all_three_parts(whole):
    parts = Counter(run["part"] for run in json.loads(whole.read_text())["runs"])
    assert parts == {"comparison": COMPARISON, "noise": NOISE, "other seeds": OTHER}


def test_every_run_is_there_once_in_the_order_of_the_plan(whole):
    runs = json.loads(whole.read_text())["runs"]
    done = {ex.key(run): run for run in runs}
    assert len(done) == ALL
    assert [ex.key(run) for run in runs] == [ex.key(job) for job in plan.sine_numpy_jobs(TINY, done)]


def test_every_run_holds_its_curves(whole):
    for run in json.loads(whole.read_text())["runs"]:
        steps = TINY["learners"][run["learner"]]["test_steps"]
        assert len(run["test_mse"]) == len(run["test_median"]) == steps + 1
        assert len(run["train_query_mse"]) == len(run["negative_share"]) == len(run["effective_tasks"]) == 20
        assert all(math.isfinite(v) for v in (run["validation_mse"], *run["test_mse"], *run["train_query_mse"]))


def test_uniform_weights_are_never_negative_and_count_every_task(whole):
    for run in json.loads(whole.read_text())["runs"]:
        if run["rule"] == "uniform":
            assert set(run["negative_share"]) == {0.0}
            assert run["effective_tasks"] == pytest.approx([3.0] * 20)


def test_agreement_trains_otherwise_than_uniform(whole):
    runs = {ex.key(run): run for run in json.loads(whole.read_text())["runs"]}
    assert runs["comparison", "MAML", "uniform", 0.03, 0] != runs["comparison", "MAML", "agreement", 0.03, 0]
    uniform, agreement = (runs["comparison", "MAML", rule, 0.03, 0]["test_mse"] for rule in TINY["rules"])
    assert uniform != agreement


def test_no_partial_and_no_temporary_file_is_left(whole):
    assert [path.name for path in whole.parent.iterdir()] == ["sine_numpy.json"]


def test_load_gives_what_was_stored(whole):
    assert files.load(NAME, whole.parent) == json.loads(whole.read_text())


def test_a_run_in_this_process_and_out_of_order_gives_the_same_file(whole, here, tmp_path):
    assert apart_from_time(ex.run(NAME, TINY, tmp_path)) == apart_from_time(whole)


def test_a_second_run_replaces_the_first(whole, here, tmp_path):
    (tmp_path / "sine_numpy.json").write_text("old")
    assert apart_from_time(ex.run(NAME, TINY, tmp_path)) == apart_from_time(whole)


def test_wall_time_is_the_sum_of_all_runs_stopped_or_not(whole, here, tmp_path):
    header, *runs = partial_lines(whole)
    slow = [json.dumps(json.loads(line) | {"seconds": 100.0}) for line in runs]
    (tmp_path / "sine_numpy.partial.jsonl").write_text("\n".join([header, *slow]) + "\n")
    assert files.load(NAME, ex.run(NAME, TINY, tmp_path).parent)["wall_seconds"] == 100.0 * ALL


def test_processes_are_started_afresh_with_one_thread_each(tmp_path, monkeypatch):
    seen = []

    class Seen(Here):
        def __init__(self, processes, mp_context, initializer):
            seen.append((mp_context.get_start_method(), *(os.environ.get(name) for name in THREADS)))

    monkeypatch.setattr(crew, "ProcessPoolExecutor", Seen)
    ex.run(NAME, TINY, tmp_path)
    assert set(seen) == {("spawn", *"11111")} and len(seen) >= ALL / crew.JOBS_PER_PROCESS


@pytest.mark.parametrize("processes", [1, 3])
def test_as_many_processes_as_asked_for(here, tmp_path, monkeypatch, processes):
    asked = []
    monkeypatch.setattr(crew, "ProcessPoolExecutor", lambda n, **options: asked.append(n) or Here(n))
    ex.run(NAME, TINY, tmp_path, processes=processes)
    assert set(asked) == {processes}


# ---------------------------------------------------------------- stopped and gone on with


@pytest.mark.parametrize("finished", [0, 1, 7, COMPARISON, COMPARISON + 3, ALL])
def test_stopped_run_goes_on_and_ends_with_the_same_file(whole, here, counted, tmp_path, finished):
    lines = partial_lines(whole)
    kept = lines[: 1 + finished]
    (tmp_path / "sine_numpy.partial.jsonl").write_text("\n".join(kept) + "\n")
    assert apart_from_time(ex.run(NAME, TINY, tmp_path)) == apart_from_time(whole)
    assert len(counted) == len(set(counted)) == ALL - finished
    assert [path.name for path in tmp_path.iterdir()] == ["sine_numpy.json"]


@pytest.mark.parametrize("cut", [1, 40, -2])
def test_line_cut_off_by_a_kill_is_worked_on_again(whole, here, counted, tmp_path, cut):
    lines = partial_lines(whole)
    (tmp_path / "sine_numpy.partial.jsonl").write_text("\n".join(lines[:6]) + "\n" + lines[6][:cut])
    assert apart_from_time(ex.run(NAME, TINY, tmp_path)) == apart_from_time(whole)
    assert len(counted) == ALL - 5
    assert ex.key(json.loads(lines[6])) in counted


def test_line_without_its_line_end_is_kept_and_the_next_one_is_not_glued_to_it(whole, here, counted, tmp_path):
    partial_file = tmp_path / "sine_numpy.partial.jsonl"
    partial_file.write_text("\n".join(partial_lines(whole)[:6]))
    assert apart_from_time(ex.run(NAME, TINY, tmp_path)) == apart_from_time(whole)
    assert len(counted) == ALL - 5


def test_spoiled_line_in_the_middle_costs_only_itself(whole, here, counted, tmp_path):
    lines = partial_lines(whole)
    lines[3] = lines[3][:50]
    (tmp_path / "sine_numpy.partial.jsonl").write_text("\n".join(lines[:9]) + "\n")
    assert apart_from_time(ex.run(NAME, TINY, tmp_path)) == apart_from_time(whole)
    assert len(counted) == ALL - 7


def test_empty_partial_file_is_a_fresh_start(whole, here, tmp_path):
    (tmp_path / "sine_numpy.partial.jsonl").write_text("")
    assert apart_from_time(ex.run(NAME, TINY, tmp_path)) == apart_from_time(whole)


def test_first_line_cut_off_by_a_kill_is_a_fresh_start(whole, here, tmp_path):
    (tmp_path / "sine_numpy.partial.jsonl").write_text(partial_lines(whole)[0][:30])
    assert apart_from_time(ex.run(NAME, TINY, tmp_path)) == apart_from_time(whole)


def test_disk_that_is_full_when_going_on_costs_no_finished_run(whole, here, tmp_path, full_disk):
    partial_file = tmp_path / "sine_numpy.partial.jsonl"
    partial_file.write_text("\n".join(partial_lines(whole)[:6]) + "\n")
    before = partial_file.read_text()
    with full_disk(), pytest.raises(OSError, match="no space left"):
        ex.run(NAME, TINY, tmp_path)
    assert partial_file.read_text().startswith(before)


def test_run_that_fails_keeps_what_it_finished(whole, here, counted, tmp_path, monkeypatch):
    work = registry.EXPERIMENTS[NAME].work

    def work_until_it_fails(config, job):
        if len(counted) == 4:
            raise RuntimeError("the machine is tired")
        return work(config, job)

    replace_experiment(monkeypatch, work=work_until_it_fails)
    with pytest.raises(RuntimeError, match="tired"):
        ex.run(NAME, TINY, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["sine_numpy.partial.jsonl"]
    replace_experiment(monkeypatch, work=work)
    assert apart_from_time(ex.run(NAME, TINY, tmp_path)) == apart_from_time(whole)
    assert len(counted) == ALL


def test_a_run_leaves_the_environment_as_it_was(here, tmp_path, monkeypatch):
    monkeypatch.setenv(THREADS[0], "7")
    before = dict(os.environ)
    ex.run(NAME, TINY, tmp_path)
    assert dict(os.environ) == before


def test_each_finished_run_is_on_the_disk_before_the_next_is_awaited(here, tmp_path, monkeypatch):
    lines_on_disk = []

    def fsync(number):
        lines_on_disk.append(len((tmp_path / "sine_numpy.partial.jsonl").read_text().splitlines()))

    monkeypatch.setattr(ex.os, "fsync", fsync)
    ex.run(NAME, TINY, tmp_path)
    assert lines_on_disk == list(range(2, ALL + 2))  # the first line is the config


KILLED = """
import json, os, pathlib, signal, sys
from gaml_utils.experiments import runner

def until_the_kill(results, **bar):
    for k, result in enumerate(results):
        if k == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        yield result

runner.tqdm = until_the_kill
runner.run("sine_numpy", json.loads(sys.argv[1]), pathlib.Path(sys.argv[2]))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_process_loses_nothing_it_had_finished(whole, here, counted, tmp_path):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, json.dumps(TINY), str(tmp_path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=600,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sine_numpy.partial.jsonl", "sine_numpy.partial.lock"]
    assert apart_from_time(ex.run(NAME, TINY, tmp_path)) == apart_from_time(whole)
    assert len(counted) == ALL - 3
    assert [path.name for path in tmp_path.iterdir()] == ["sine_numpy.json"]


def other_config():
    config = copy.deepcopy(TINY)
    config["learners"]["MAML"]["iterations"] = 21
    return config


def test_partial_file_of_another_config_is_refused_and_left_alone(whole, here, tmp_path):
    partial_file = tmp_path / "sine_numpy.partial.jsonl"
    before = "\n".join(partial_lines(whole)[:5]) + '\n{"half a li'
    partial_file.write_text(before)
    with pytest.raises(ValueError, match=r"sine_numpy\.partial\.jsonl was made with another config"):
        ex.run(NAME, other_config(), tmp_path)
    assert partial_file.read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["sine_numpy.partial.jsonl"]


def test_order_of_the_config_does_not_make_it_another(whole, here, counted, tmp_path):
    (tmp_path / "sine_numpy.partial.jsonl").write_text("\n".join(partial_lines(whole)) + "\n")
    ex.run(NAME, dict(reversed(TINY.items())), tmp_path)
    assert counted == []


def test_tuple_in_place_of_a_list_does_not_make_it_another(whole, here, counted, tmp_path):
    (tmp_path / "sine_numpy.partial.jsonl").write_text("\n".join(partial_lines(whole)) + "\n")
    ex.run(NAME, TINY | {"seeds": tuple(TINY["seeds"])}, tmp_path)
    assert counted == []


def test_whole_run_with_a_diverging_step_size_chooses_the_other(here, tmp_path):
    config = copy.deepcopy(TINY)
    config["learners"] = {
        "Reptile": config["learners"]["Reptile"] | {"activation": "relu", "inner_lr": 0.1, "step_sizes": [1e9, 0.1]}
    }
    runs = files.load(NAME, ex.run(NAME, config, tmp_path).parent)["runs"]
    diverged = [run for run in runs if run["validation_mse"] is None]
    assert {run["step_size"] for run in diverged} == {1e9}
    assert {run["step_size"] for run in runs if run["part"] != "comparison"} == {0.1}
