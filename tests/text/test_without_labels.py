"""The numbers that chapter 14 and README state of learning without labels are those of the results."""

import pytest

from gaml_utils.experiments import load
from gaml_utils.experiments.learners import CACTUS, cell, change, headlines, learner_jobs, step_sizes
from gaml_utils.experiments.records import key
from tests.support.checkout import ROOT

RESULTS = load("cactus")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAID = README.split("**And without labels?**")[1].split("\n\n**And without an inner loop?**")[0]
LEARNERS = RESULTS["config"]["learners"]
CELLS = [(name, rule) for name, s in LEARNERS.items() for rule in s["rules"]]


def test_the_file_is_the_plan_run_to_its_end():
    assert RESULTS["config"] == CACTUS
    done = {key(run): run for run in RESULTS["runs"]}
    assert {key(job) for job in learner_jobs(RESULTS["config"], done)} == set(done)


@pytest.mark.parametrize(("name", "rule"), CELLS)
def test_no_cell_stands_at_an_end_of_its_list(name, rule):
    size = step_sizes(RESULTS, name, rule)[1]
    tried = {run["step_size"] for run in RESULTS["runs"] if (run["learner"], run["rule"]) == (name, rule)}
    assert min(tried) < size < max(tried)


@pytest.mark.parametrize("name", LEARNERS)
def test_readme_has_the_accuracy_of_every_source(name):
    learner, source = name.split(", ")
    rows = {line.split("|")[1].strip(): line for line in SAID.splitlines() if line.startswith("|")}
    place = {"prototypical": 2, "MAML": 4}[learner]
    shown = [f"{100 * (1 - cell(RESULTS, name, field=f).mean()):.1f}" for f in ("test_error", "test_error_5_shots")]
    assert [part.strip() for part in rows[source].split("|")[place : place + 2]] == shown


def test_readme_tells_the_headlines():
    for h in headlines(RESULTS):
        interval = f"[{h.comparison.low:+.3f}, {h.comparison.high:+.3f}]"
        assert f"{h.name}, {h.verdict}" in SAID and interval in SAID


@pytest.mark.parametrize("source", ["prototypical", "MAML"])
def test_a_control_that_was_filled_by_lot_is_far_below_all_others(source):
    names = [name for name in LEARNERS if name.startswith(source)]
    lowest = min(names, key=lambda name: 1 - cell(RESULTS, name).mean())
    assert lowest == f"{source}, shuffled"
    others = [1 - cell(RESULTS, name).max() for name in names if name != lowest]
    assert min(others) > 1 - cell(RESULTS, lowest).min() + 0.1


def test_rules_on_clusters_are_told_in_readme():
    for kind in ("prototypical", "MAML"):
        for rule in CACTUS["learners"]["MAML, instance"]["rules"][1:]:
            found = change(RESULTS, (f"{kind}, instance", rule), (f"{kind}, instance", "uniform"))
            assert f"{found.change:+.0f}% [{found.low:+.0f}, {found.high:+.0f}]" in SAID
