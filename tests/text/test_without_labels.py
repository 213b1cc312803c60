"""The numbers that chapter 14 and README state of learning without labels are those of the results."""

import pytest

from gaml_utils.experiments import load
from gaml_utils.experiments.learners import CACTUS, cell, change, headlines
from tests.support.checkout import ROOT

RESULTS = load("cactus")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAID = README.split("**And without labels?**")[1].split("\n\n**And without an inner loop?**")[0]
LEARNERS = RESULTS["config"]["learners"]
KINDS = ("prototypical", "MAML")


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


@pytest.mark.parametrize("source", KINDS)
def test_a_control_that_was_filled_by_lot_is_far_below_all_others(source):
    names = [name for name in LEARNERS if name.startswith(source)]
    lowest = min(names, key=lambda name: 1 - cell(RESULTS, name).mean())
    assert lowest == f"{source}, shuffled"
    others = [1 - cell(RESULTS, name).max() for name in names if name != lowest]
    assert min(others) > 1 - cell(RESULTS, lowest).min() + 0.1


def test_rules_on_clusters_are_told_in_readme():
    for kind in KINDS:
        for rule in CACTUS["learners"]["MAML, instance"]["rules"][1:]:
            found = change(RESULTS, (f"{kind}, instance", rule), (f"{kind}, instance", "uniform"))
            assert f"{found.change:+.0f}% [{found.low:+.0f}, {found.high:+.0f}]" in SAID


def test_what_chapter_14_says_in_points_and_of_signs():
    accuracy = {name: 100 * (1 - cell(RESULTS, name).mean()) for name in LEARNERS}
    found = {h.name: 100 * h.comparison.difference for h in headlines(RESULTS)}
    assert -15.5 < found["U1"] < -14.5 and -4 < found["U2"] < -3.5 and -6 < found["U3"] < -5.5
    assert 12.5 < accuracy["prototypical, labels"] - accuracy["prototypical, instance"] < 13.5
    signs = [cell(RESULTS, f"{kind}, instance", "agreement of outer", "purity_correlation") for kind in KINDS]
    assert all((of < 0).all() and len(of) == 5 for of in signs)
    clustered = [
        name for name in LEARNERS if name.startswith("prototypical") and not name.endswith(("labels", "views"))
    ]
    purest = max(clustered, key=lambda name: cell(RESULTS, name, field="pair_share").mean())
    assert purest == max(clustered, key=accuracy.get) == "prototypical, instance"
