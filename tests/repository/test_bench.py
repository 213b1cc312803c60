"""The benchmark refuses who is wrong, and README states what was stored."""

import importlib
import json
import sys
import types

import numpy as np
import pytest

from tests.support.checkout import ROOT

sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))

import bench_table
import keras_speed
import memory_curve

BENCH = json.loads((ROOT / "data" / "results" / "bench.json").read_text(encoding="utf-8"))


def test_readme_has_the_table_of_the_stored_run():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme == bench_table.with_table(readme, BENCH)


def test_the_stored_run_is_complete_and_everybody_in_it_was_right():
    assert list(BENCH["workloads"]) == list(keras_speed.WORKLOADS)
    assert BENCH["rounds"] >= 9
    everywhere = {"ours", "ours, agreement", "ours, fit", "TensorFlow by hand", "torch.func", "higher"}
    for workload in BENCH["workloads"].values():
        assert everywhere <= set(workload["rates"])
        assert "learn2learn" in workload["notes"]
        assert all(rate["gradient error"] <= keras_speed.TOLERANCE for rate in workload["rates"].values())
        assert not any("FAILED" in note or "not installed" in note for note in workload["notes"].values())


@pytest.mark.parametrize("rule", ["agreement / uniform", "outer / updates", "power -1 / uniform"])
def test_readme_gives_the_lowest_and_the_highest_ratio_of_each_rule(rule):
    found = {"sine": [], "conv": []}
    for name, workload in BENCH["workloads"].items():
        found[name[:4]] += [way[rule] for way in workload["in one process"].values()]
    sines, images = (f"{min(ratios):.2f} to {max(ratios):.2f}" for ratios in found.values())
    assert f"is {sines} on sines and {images} on images." in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("fit", "bare", "sentence"),
    [
        ("ours, fit", "ours", "a step a call, it has {} of the bare step's speed"),
        ("ours, fit without diagnostics", "ours", "`compile(diagnostics=False)` leaves both out: {}."),
        ("ours, fit, 8 a call, XLA", "ours, 8 a call, XLA", "and `fit` has {} of its speed"),
        (
            "ours, fit without diagnostics, 8 a call, XLA",
            "ours, 8 a call, XLA",
            "`as_dataset(..., drawn_together=32)`, {}.",
        ),
    ],
)
def test_readme_gives_the_lowest_and_the_highest_speed_of_fit(fit, bare, sentence):
    found = [w["rates"] for w in BENCH["workloads"].values() if fit in w["rates"]]
    ratios = [rates[fit]["rate"] / rates[bare]["rate"] for rates in found]
    said = sentence.format(f"{min(ratios):.2f} to {max(ratios):.2f}")
    assert said in (ROOT / "README.md").read_text(encoding="utf-8")


def duel_module(monkeypatch, **contenders):
    monkeypatch.setitem(sys.modules, "peer_tensorflow", types.SimpleNamespace(**contenders))
    monkeypatch.delitem(sys.modules, "peer_duel", raising=False)
    module = importlib.import_module("peer_duel")
    monkeypatch.delitem(sys.modules, "peer_duel")
    return module


def test_a_contender_that_fails_in_its_thread_ends_the_duel_at_once(monkeypatch):
    def run(turn):
        turn()
        raise FloatingPointError("diverged")

    duellist = duel_module(monkeypatch).Duellist(types.SimpleNamespace(run=run, per_call=1))
    assert duellist.block(0.0) > 0
    with pytest.raises(FloatingPointError, match="diverged"):
        duellist.block(0.0)


@pytest.mark.parametrize("conv", [False, True])
def test_a_duel_sets_the_median_rates_against_one_another(monkeypatch, conv):
    rates = {"by_hand": 8.0, "ours": 4.0, "ours_agreement": 3.0, "ours_outer": 1.5, "ours_power": 1.0}
    rates |= {
        "by_hand_several_xla": 8.0,
        **{name.replace("ours", "ours_several_xla"): rate / 2 for name, rate in rates.items() if name != "by_hand"},
    }

    class Blocks:
        """Its rate; now and then, and while it starts, the machine is busy."""

        def __init__(self, rate):
            self.rate, self.blocks = rate, 0

        def block(self, seconds):
            self.blocks += 1
            return self.rate if self.blocks > 2 and self.blocks % 4 else self.rate / 100

    contenders = {name: lambda problem, rate=rate: rate for name, rate in rates.items()}
    peer_duel = duel_module(monkeypatch, **contenders)
    monkeypatch.setattr(peer_duel, "Duellist", Blocks)
    found = peer_duel.duel(keras_speed.Problem("stride" if conv else "sine"))
    shares = {"agreement / uniform": 0.75, "outer / updates": 0.5, "power -1 / uniform": 0.25}
    expected = {"a step a call": {"ours / by hand": 0.5, **shares}}
    assert found == (expected if conv else expected | {"8 a call, XLA": {"ours / by hand": 0.25, **shares}})


def test_memory_grows_with_the_tasks_directly_and_stays_the_same_task_by_task():
    stored = json.loads(memory_curve.STORED.read_text(encoding="utf-8"))
    assert stored["config"] == memory_curve.CONFIG and stored["parameters"] >= 5e6
    assert stored["largest difference of a weight"] <= 1e-5
    direct, by_task = ([row["megabytes"] for row in stored["rows"] if row["way"] == way] for way in memory_curve.WAYS)
    one, tasks = stored["megabytes of one gradient"], memory_curve.CONFIG["tasks"]
    assert len(direct) == len(by_task) == len(tasks)
    assert all(megabytes > 2 * n * one for megabytes, n in zip(direct, tasks, strict=True))
    assert max(by_task) < 6 * one and max(by_task) - min(by_task) < one


def test_versions_name_what_was_timed():
    for versions in (keras_speed.versions(), memory_curve.versions()):
        assert {"python", "keras", "numpy"} < set(versions) and {"tensorflow", "tensorflow-cpu"} & set(versions)


def test_cost_grows_linearly_in_tasks_and_in_inner_steps():
    for what, fixed, value in (("tasks", "inner steps", 1), ("inner steps", "tasks", 25)):
        rows = [row for row in BENCH["cost"] if row[fixed] == value]
        n, ms = (np.array([row[name] for row in rows]) for name in (what, "milliseconds"))
        assert len(n) >= 5 and n.max() == {"tasks": 1000, "inner steps": 20}[what]
        assert np.corrcoef(n, ms)[0, 1] ** 2 > 0.99


def workload(rates):
    duels = {"a step a call": {"ours / by hand": 0.5}, "8 a call, XLA": {"ours / by hand": 0.987}}
    found = {"rates": {k: {"rate": v} for k, v in rates.items()}, "in one process": duels}
    return found | {"gigaflops of a matrix product": 100, "megaflops": 10}


def test_the_table_shows_the_best_way_of_each_and_a_gap_for_who_is_absent():
    table = bench_table.table({"workloads": {"w": workload({"ours": 5.0, "ours, XLA": 123.4, "higher": 0.25})}})
    assert table.splitlines()[-1] == "| w | 123 |  |  |  | 0.25 |  | 10000 | 0.99 |"


class Duel:
    """Its answer, at once."""

    answer = staticmethod(lambda: {"found": {"a step a call": {"ours / by hand": 1.0}}})
    end = staticmethod(lambda: None)


@pytest.mark.parametrize("error", [0.0, 1e-3])
def test_a_contender_with_a_wrong_gradient_is_named_and_not_timed(monkeypatch, error, capsys):
    right = [[[3.0, 4.0]], [0.0]]

    def ask_once(peer, problem):
        if peer is keras_speed.REFERENCE:
            return {peer.weights: right for peer in keras_speed.PEERS.values()} | {"central differences": 1e-9}
        return [[[3.0, 4.0 + 5 * error * (peer.function == "func")]], [0.0]]

    timed = {}
    monkeypatch.setattr(keras_speed, "ask_once", ask_once)
    monkeypatch.setattr(keras_speed, "missing", lambda peer: ["higher"] if "higher" in peer.needs else [])
    monkeypatch.setattr(keras_speed, "measure", lambda jobs, rounds: timed.update(jobs) or {})
    monkeypatch.setattr(keras_speed, "Worker", lambda peer, problem: Duel)
    result = keras_speed.workload("sine, 25 tasks, 1 inner step", 1)
    assert ("torch.func" in timed) == (error == 0.0) == ("WRONG" not in result["notes"].get("torch.func", ""))
    assert "ours" in timed and result["notes"]["higher"] == "not installed"
    capsys.readouterr()


def test_a_reference_that_central_differences_contradict_stops_everything(monkeypatch):
    wrong = {"uniform": [[1.0]], "agreement": [[1.0]], "central differences": 1e-2}
    monkeypatch.setattr(keras_speed, "ask_once", lambda peer, problem: wrong)
    with pytest.raises(SystemExit, match="the reference itself is wrong"):
        keras_speed.check({}, keras_speed.Problem("sine"))
