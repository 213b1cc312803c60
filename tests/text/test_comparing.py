"""The numbers that chapter 15 and README state of learners without an inner loop are those of the results."""

import numpy as np
import pytest

from gaml_utils.experiments import load
from gaml_utils.experiments.learners import METRIC, cell, change, headlines
from gaml_utils.intervals import mean_interval
from tests.support.checkout import ROOT

RESULTS = load("metric")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAID = README.split("**And without an inner loop?**")[1].split("\n\n**And by imitation?**")[0]
LEARNERS = RESULTS["config"]["learners"]


@pytest.mark.parametrize("name", LEARNERS)
def test_readme_has_the_row_of_every_learner(name):
    rows = {line.split("|")[1].strip(): line for line in SAID.splitlines() if line.startswith("|")}
    m = mean_interval(100 * (1 - cell(RESULTS, name)))
    five = 100 * (1 - cell(RESULTS, name, field="test_error_5_shots").mean())
    row = [f"{m.mean:.1f} [{m.low:.1f}, {m.high:.1f}]", f"{five:.1f}"]
    for rule in METRIC["learners"]["MAML"]["rules"][1:]:
        tried = rule in LEARNERS[name]["rules"]
        found = change(RESULTS, (name, rule), (name, "uniform")) if tried else None
        row.append(f"{found.change:+.0f}% [{found.low:+.0f}, {found.high:+.0f}]" if tried else "")
    assert [part.strip() for part in rows[name].split("|")[2:-1]] == row


def test_what_the_chapter_says_of_five_shots_and_of_a_training_that_went_wrong():
    behind = [
        100 * float(np.mean(cell(RESULTS, "MAML", field=field)) - np.mean(cell(RESULTS, "prototypical", field=field)))
        for field in ("test_error", "test_error_5_shots")
    ]
    assert 11 < behind[0] < 12 and 7.5 < behind[1] < 8.5
    half = np.sort(cell(RESULTS, "relation", "power -0.5 of outer"))
    assert half[-1] > 1.4 * half[-2]
    assert f"{1 - cell(RESULTS, 'MANN, 5,000 steps').mean():.2f}" == "0.57"


def test_what_chapter_15_says_in_points():
    found = {h.name: 100 * h.comparison.difference for h in headlines(RESULTS)}
    assert -12 < found["M1"] < -11 and -1.45 < found["M2"] < -1.35
    assert 1.7 < found["M3"] < 2 and 0.55 < found["M5"] < 0.65
    behind = {name: 100 * (cell(RESULTS, name).mean() - cell(RESULTS, "prototypical").mean()) for name in LEARNERS}
    assert 14.5 < behind["MAML, equal time"] < 15.5 and 1.45 < behind["Gaussian prototypical"] < 1.55


def official(file, learner, part):
    runs = [r for r in load(file)["runs"] if (r["learner"], r["rule"]) == (learner, "uniform")]
    return np.array([r["error"] for r in runs if r["part"].startswith(part)])


@pytest.mark.parametrize("part", ["small1", "small2"])
def test_what_chapter_15_and_readme_say_of_the_official_trials(part):
    maml = official("omniglot", "MAML", part)
    for learner in ("prototypical", "relation"):
        error = official("omniglot_comparing", learner, part)
        assert len(error) == len(maml) == 5
        assert error.max() < 23.2 and error.min() > 0
        assert error.mean() > maml.mean()
        assert f"{error.mean():.1f}%" in README.split("On the official one-shot test")[1].split("Quoted")[0]
