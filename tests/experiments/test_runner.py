"""The long runs, made short: planned, stopped, gone on with, and written whole or not at all."""

import contextlib
import copy
import dataclasses
import json
import math
import os
import pathlib
import signal
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from gaml_utils.experiments import __main__ as command
from gaml_utils.experiments import files, registry, trainings
from gaml_utils.experiments import runner as ex
from gaml_utils.experiments.sines import plan, training
from gaml_utils.scratch.adaptation import adaptation_curve
from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.scratch.mlp import init_mlp
from gaml_utils.scratch.optimizers import SGD, Adam
from gaml_utils.scratch.reptile import reptile_direction
from gaml_utils.scratch.training import train
from gaml_utils.tasks.regression import NoiseTasks, SineTasks
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights

TINY = {
    "seeds": [0, 1],
    "control_seeds": [100, 101],
    "rules": ["uniform", "agreement"],
    "validation_tasks": 6,
    "test_tasks": 8,
    "learners": {
        "MAML": {
            "sizes": [1, 4, 1],
            "activation": "relu",
            "inner_lr": 0.01,
            "inner_steps": 1,
            "meta_batch": 3,
            "shots": 5,
            "queries": 5,
            "iterations": 20,
            "optimizer": "Adam",
            "step_sizes": [0.001, 0.03],
            "test_steps": 3,
            "selected_after": 1,
        },
        "Reptile": {
            "sizes": [1, 4, 1],
            "activation": "tanh",
            "inner_lr": 0.02,
            "inner_steps": 2,
            "meta_batch": 3,
            "shots": 5,
            "queries": 5,
            "iterations": 20,
            "optimizer": "SGD",
            "step_sizes": [0.1, 1.0],
            "test_steps": 4,
            "selected_after": 2,
        },
    },
}
COMPARISON, NOISE, OTHER = 2 * 2 * 2 * 2, 2 * 2 * 2, 2 * 2  # learners, rules, step sizes, seeds
ALL = COMPARISON + NOISE + OTHER
NAME = "sine_numpy"
THREADS = tuple(ex.ENVIRONMENT)


class HerePool:
    """A pool that works in this very process, and answers out of order."""

    def __init__(self, processes, maxtasksperchild=None):
        self.processes = processes

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def imap_unordered(self, function, jobs):
        return (function(job) for job in reversed(jobs))

    def close(self):
        """Nobody is to be sent home."""

    join = close


class HereContext:
    Pool = HerePool


@pytest.fixture(autouse=True)
def same_environment(monkeypatch):
    """A run sets thread counts for its processes; the other tests should not see them."""
    for name in THREADS:
        monkeypatch.setenv(name, os.environ.get(name, ""))
        monkeypatch.delenv(name)


@pytest.fixture
def here(monkeypatch):
    """Run without starting processes."""
    monkeypatch.setattr(ex.multiprocessing, "get_context", lambda method: HereContext)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nobody stopped, in a process of its own as the real ones are."""
    folder = tmp_path_factory.mktemp("whole") / "made" / "on the way"
    with pytest.MonkeyPatch.context() as patch:
        for name in THREADS:
            patch.setenv(name, "1")
        return ex.run(NAME, TINY, folder)


def replace_experiment(monkeypatch, **changed):
    """The experiment, with another work or other jobs."""
    monkeypatch.setitem(registry.EXPERIMENTS, NAME, dataclasses.replace(registry.EXPERIMENTS[NAME], **changed))


@pytest.fixture
def counted(monkeypatch):
    """The jobs that are really worked on."""
    worked = []

    def work(config, job):
        worked.append(ex.key(job))
        return training.sine_numpy_job(config, job)

    replace_experiment(monkeypatch, work=work)
    return worked


@pytest.fixture
def full_disk(monkeypatch):
    """Within `with full_disk():` a text is written half, and then there is no space left."""
    write_text = pathlib.Path.write_text

    def half(path, text, **options):
        write_text(path, text[: len(text) // 2], **options)
        raise OSError("no space left")

    @contextlib.contextmanager
    def full():
        with monkeypatch.context() as patch:
            patch.setattr(pathlib.Path, "write_text", half)
            yield

    return full


def apart_from_time(path):
    content = json.loads(path.read_text())
    assert content.pop("wall_seconds") >= 0
    return json.dumps(content)  # as text: the order of keys and runs counts as well


def partial_lines(whole):
    """The partial file of a run that has finished all its jobs, as it was just before its end."""
    runs = [run | {"seconds": 0.01} for run in json.loads(whole.read_text())["runs"]]
    return [json.dumps({"config": TINY}, sort_keys=True), *map(json.dumps, runs)]


def result(job, loss):
    return {"part": "comparison", "learner": "MAML", "rule": "uniform", "seed": 0, "validation_mse": loss} | job


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

    def get_context(method):
        seen.append((method, *(os.environ.get(name) for name in THREADS)))
        return HereContext

    monkeypatch.setattr(ex.multiprocessing, "get_context", get_context)
    ex.run(NAME, TINY, tmp_path)
    assert set(seen) == {("spawn", *"11111")}


@pytest.mark.parametrize("processes", [1, 3])
def test_as_many_processes_as_asked_for(here, tmp_path, monkeypatch, processes):
    asked = []
    monkeypatch.setattr(HereContext, "Pool", lambda n, **options: asked.append(n) or HerePool(n))
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
    assert [path.name for path in tmp_path.iterdir()] == ["sine_numpy.partial.jsonl"]
    assert apart_from_time(ex.run(NAME, TINY, tmp_path)) == apart_from_time(whole)
    assert len(counted) == ALL - 3


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


# ---------------------------------------------------------------- written whole or not at all


def test_written_file_is_json_and_nothing_is_left_beside_it(tmp_path):
    content = {"runs": [{"part": "other seeds", "curve": [1.5, None, -3e-07], "none": []}], "sizes": [[1, 4], [2]]}
    ex.write_json(tmp_path / "a.json", content)
    assert json.loads((tmp_path / "a.json").read_text()) == content
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_write_that_fails_half_way_leaves_the_old_file(tmp_path, full_disk):
    (tmp_path / "a.json").write_text("old")
    with full_disk(), pytest.raises(OSError, match="no space left"):
        ex.write_json(tmp_path / "a.json", {"new": 1})
    assert (tmp_path / "a.json").read_text() == "old"


@pytest.mark.parametrize("content", [{"array": np.zeros(2)}, {"object": object()}, {"number": math.nan}])
def test_content_that_is_no_json_leaves_the_old_file(tmp_path, content):
    (tmp_path / "a.json").write_text("old")
    with pytest.raises((TypeError, ValueError)):
        ex.write_json(tmp_path / "a.json", {"fine": 1} | content)
    assert (tmp_path / "a.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_move_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    def refuse(source, target):
        raise PermissionError("in use")

    (tmp_path / "a.json").write_text("old")
    monkeypatch.setattr(ex.os, "replace", refuse)
    with pytest.raises(PermissionError):
        ex.write_json(tmp_path / "a.json", {"new": 1})
    assert (tmp_path / "a.json").read_text() == "old"


# ---------------------------------------------------------------- the plan


def test_plan_starts_with_the_comparison_alone():
    jobs = plan.sine_numpy_jobs(TINY, {})
    assert {job["part"] for job in jobs} == {"comparison"}
    assert len({ex.key(job) for job in jobs}) == COMPARISON


def test_plan_asks_for_controls_only_when_the_whole_comparison_is_done():
    jobs = plan.sine_numpy_jobs(TINY, {})
    done = {ex.key(job): job | {"validation_mse": 1.0} for job in jobs[:-1]}
    assert plan.sine_numpy_jobs(TINY, done) == jobs


def planned(best):
    """The plan after a comparison in which, for each learner and rule, the step size `best` was best."""
    jobs = plan.sine_numpy_jobs(TINY, {})
    losses = {ex.key(job): float(job["step_size"] != best[job["learner"], job["rule"]]) for job in jobs}
    return plan.sine_numpy_jobs(TINY, {ex.key(job): job | {"validation_mse": losses[ex.key(job)]} for job in jobs})


BEST = {
    ("MAML", "uniform"): 0.001,
    ("MAML", "agreement"): 0.03,
    ("Reptile", "uniform"): 1.0,
    ("Reptile", "agreement"): 0.1,
}


def test_controls_run_at_the_step_size_chosen_for_their_learner_and_rule():
    controls = [job for job in planned(BEST) if job["part"] != "comparison"]
    assert len(controls) == NOISE + OTHER
    assert all(job["step_size"] == BEST[job["learner"], job["rule"]] for job in controls)


def test_noise_control_has_both_rules_and_the_seeds_of_the_comparison():
    jobs = [job for job in planned(BEST) if job["part"] == "noise"]
    assert {(job["rule"], job["seed"]) for job in jobs} == {(r, s) for r in TINY["rules"] for s in TINY["seeds"]}


def test_other_seeds_control_is_uniform_on_the_control_seeds():
    jobs = [job for job in planned(BEST) if job["part"] == "other seeds"]
    assert {(job["rule"], job["seed"]) for job in jobs} == {("uniform", s) for s in TINY["control_seeds"]}


def test_real_plan_pairs_ten_seeds_and_controls_with_ten_others():
    config = plan.SINE_NUMPY
    assert len(config["seeds"]) >= 10 and len(config["control_seeds"]) == len(config["seeds"])
    assert not set(config["seeds"]) & set(config["control_seeds"])
    assert {"uniform", "agreement"} == set(config["rules"])


def test_best_step_size_has_the_lowest_mean_validation_loss():
    runs = [result({"step_size": s}, loss) for s, loss in [(0.1, 1.0), (0.1, 9.0), (0.2, 4.0), (0.2, 5.0)]]
    assert trainings.best_step_size(runs, "MAML", "uniform") == 0.2


def test_diverged_run_counts_as_infinite():
    runs = [result({"step_size": s}, loss) for s, loss in [(0.1, 1.0), (0.1, None), (0.2, 50.0), (0.2, 70.0)]]
    assert trainings.best_step_size(runs, "MAML", "uniform") == 0.2


@pytest.mark.parametrize(
    "other", [{"part": "noise"}, {"part": "other seeds"}, {"learner": "Reptile"}, {"rule": "agreement"}]
)
def test_best_step_size_looks_at_no_other_part_learner_or_rule(other):
    runs = [result({"step_size": 0.1}, 5.0), result({"step_size": 0.2}, 4.0), result({"step_size": 0.1} | other, -99.0)]
    assert trainings.best_step_size(runs, "MAML", "uniform") == 0.2


@pytest.mark.parametrize("field", ["part", "learner", "rule", "step_size", "seed"])
def test_runs_that_differ_in_one_thing_have_different_keys(field):
    job = {"part": "noise", "learner": "MAML", "rule": "uniform", "step_size": 0.1, "seed": 0}
    assert ex.key(job) != ex.key(job | {field: "another"})


# ---------------------------------------------------------------- select


def test_select_gives_one_row_a_seed_in_the_order_of_the_seeds(whole):
    runs = json.loads(whole.read_text())["runs"]
    rows = trainings.select(runs, "comparison", "Reptile", "agreement", 1.0, "test_mse")
    by_key = {ex.key(run): run for run in runs}
    expected = [by_key["comparison", "Reptile", "agreement", 1.0, seed]["test_mse"] for seed in TINY["seeds"]]
    assert rows.tolist() == expected


def test_select_of_a_number_gives_one_a_seed(whole):
    runs = json.loads(whole.read_text())["runs"]
    assert trainings.select(runs, "comparison", "MAML", "uniform", 0.03, "validation_mse").shape == (2,)


@pytest.mark.parametrize("other", [{"part": "noise"}, {"learner": "Reptile"}, {"rule": "agreement"}, {"step_size": 9}])
def test_select_looks_at_no_other_setting(other):
    job = result({"step_size": 0.1}, 5.0)
    assert trainings.select([job | other, job], "comparison", "MAML", "uniform", 0.1, "validation_mse").tolist() == [
        5.0
    ]


def test_select_has_nan_where_a_run_diverged():
    fine = result({"step_size": 0.1, "test_mse": [3.0, 2.0]}, 1.0)
    runs = [fine, result({"step_size": 0.1, "seed": 1}, None)]
    curves = trainings.select(runs, "comparison", "MAML", "uniform", 0.1, "test_mse")
    np.testing.assert_array_equal(curves, [[3.0, 2.0], [np.nan, np.nan]])
    losses = trainings.select(runs, "comparison", "MAML", "uniform", 0.1, "validation_mse")
    np.testing.assert_array_equal(losses, [1.0, np.nan])


# ---------------------------------------------------------------- one run


def by_hand(part, learner, rule, step_size, seed):
    """The parameters that a run should end with, and the tasks it should be judged on."""
    s = TINY["learners"][learner]
    weighting = {"uniform": uniform_weights, "agreement": agreement_weights}[rule]
    tasks = NoiseTasks() if part == "noise" else SineTasks()
    common = dict(inner_lr=s["inner_lr"], inner_steps=s["inner_steps"], activation=s["activation"], weighting=weighting)

    def direction(params, batch):
        return (meta_gradient if learner == "MAML" else reptile_direction)(params, batch, **common)

    params, _ = train(
        init_mlp(np.random.default_rng([seed, 1]), s["sizes"]),
        tasks,
        direction,
        Adam(step_size) if learner == "MAML" else SGD(step_size),
        20,
        meta_batch=3,
        shots=5,
        queries=5,
        seed=seed,
        progress=False,
    )
    return params, tasks


@pytest.mark.parametrize(
    ("part", "learner", "rule"),
    [
        ("comparison", "MAML", "agreement"),
        ("comparison", "Reptile", "uniform"),
        ("noise", "Reptile", "agreement"),
        ("other seeds", "MAML", "uniform"),
    ],
)
def test_run_is_what_training_and_testing_by_hand_give(part, learner, rule):
    s = TINY["learners"][learner]
    job = {"part": part, "learner": learner, "rule": rule, "step_size": s["step_sizes"][1], "seed": 3}
    run = training.sine_numpy_job(TINY, job)
    params, tasks = by_hand(**job)
    test = tasks.sample(np.random.default_rng(2_000), 8, 5, 50)
    curve = adaptation_curve(params, test, s["inner_lr"], s["test_steps"], s["activation"])
    np.testing.assert_allclose(run["test_mse"], curve.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(run["test_median"], np.median(curve, axis=0), rtol=1e-5)
    validation = tasks.sample(np.random.default_rng(1_000), 6, 5, 5)
    curve = adaptation_curve(params, validation, s["inner_lr"], s["selected_after"], s["activation"])
    assert run["validation_mse"] == pytest.approx(curve[:, -1].mean(), rel=1e-5)


@pytest.mark.parametrize("rule", ["uniform", "agreement"])
@pytest.mark.parametrize("step_size", [1e4, 1e6, 1e9])
def test_run_that_diverges_has_no_validation_loss(step_size, rule):
    config = copy.deepcopy(TINY)
    config["learners"]["Reptile"] |= {"activation": "relu", "inner_lr": 0.1}
    job = {"part": "comparison", "learner": "Reptile", "rule": rule, "step_size": step_size, "seed": 0}
    assert training.sine_numpy_job(config, job) == job | {"validation_mse": None}


def test_whole_run_with_a_diverging_step_size_chooses_the_other(here, tmp_path):
    config = copy.deepcopy(TINY)
    config["learners"] = {
        "Reptile": config["learners"]["Reptile"] | {"activation": "relu", "inner_lr": 0.1, "step_sizes": [1e9, 0.1]}
    }
    runs = files.load(NAME, ex.run(NAME, config, tmp_path).parent)["runs"]
    diverged = [run for run in runs if run["validation_mse"] is None]
    assert {run["step_size"] for run in diverged} == {1e9}
    assert {run["step_size"] for run in runs if run["part"] != "comparison"} == {0.1}


# ---------------------------------------------------------------- small pieces


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.23456789, 1.23457),
        (123456789, 123457000.0),
        (1e-9 / 3, 3.33333e-10),
        (0, 0.0),
        (-2.5, -2.5),
        (np.nan, None),
        (np.inf, None),
        (-np.inf, None),
        (np.array([1.0, np.nan, np.inf]), [1.0, None, None]),
        ([], []),
        (np.array([[1.0, 2.00000049], [np.inf, -3.0]]), [[1.0, 2.0], [None, -3.0]]),
    ],
)
def test_rounded_keeps_six_digits_and_makes_none_of_what_is_not_finite(value, expected):
    assert trainings.rounded(value) == expected


def test_rounded_gives_plain_python_that_json_holds_unchanged():
    value = trainings.rounded(np.array([0.1, np.nan, 1 / 3]))
    assert json.loads(json.dumps(value, allow_nan=False)) == value


def test_command_line_runs_the_named_experiment(monkeypatch, capsys):
    calls = []

    def run(name, config, **options):
        calls.append((name, config["seeds"], options))
        return pathlib.Path("somewhere") / f"{name}.json"

    monkeypatch.setattr(command, "run", run)
    command.main([NAME, "--jobs", "2"])
    command.main([NAME, "--seeds", "3"])
    assert calls == [(NAME, list(range(10)), {"processes": 2}), (NAME, [0, 1, 2], {"processes": 1})]
    assert capsys.readouterr().out == "sine_numpy.json\n" * 2


WRONG = [["sine_nympy"], [], [NAME, "--jobs", "two"], [NAME, "--jobs", "0"], [NAME, "--seeds", "0"]]


@pytest.mark.parametrize("arguments", WRONG)
def test_command_line_refuses_what_it_does_not_know(monkeypatch, capsys, arguments):
    monkeypatch.setattr(command, "run", lambda *a, **k: pytest.fail("nothing should run"))
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    assert stopped.value.code == 2
    assert "usage: python -m gaml_utils.experiments" in capsys.readouterr().err


def test_refused_name_is_told_the_names_there_are(capsys):
    with pytest.raises(SystemExit):
        command.main(["sine_nympy"])
    assert NAME in capsys.readouterr().err


@pytest.mark.parametrize("name", registry.EXPERIMENTS)
def test_tensorflows_version_is_stored_where_images_are_trained_on(name):
    """Images are Keras's, numbers NumPy's."""
    experiment = registry.experiment(name)
    families = {setting["family"] for setting in experiment.config.get("settings", {}).values()}
    assert experiment.keras == ("filters" in experiment.config or "glyphs" in families)
