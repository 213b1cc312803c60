"""The numbers that chapter 16 and README state of imitation are those of the results."""

import pytest

from gaml_utils.experiments import load
from gaml_utils.experiments.learners import IMITATION, MUJOCO, cell, change, headlines
from gaml_utils.intervals import mean_interval
from tests.support.checkout import ROOT

RESULTS, ENGINE = load("imitation"), load("imitation_mujoco")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SAID = README.split("**And by imitation?**")[1].split("\n\nOn sine regression")[0]


def reached(results, name, field="test_error"):
    m = mean_interval(100 * (1 - cell(results, name, field=field)))
    return f"{m.mean:.1f} [{m.low:.1f}, {m.high:.1f}]"


@pytest.mark.parametrize("name", IMITATION["learners"])
def test_readme_has_the_row_of_every_policy(name):
    rows = {line.split("|")[1].strip(): line for line in SAID.splitlines() if line.startswith("|")}
    learns = "test_before" in next(r for r in RESULTS["runs"] if r["learner"] == name and r["seed"] == 0)
    row = [reached(RESULTS, name), f"{100 * (1 - cell(RESULTS, name, field='test_error_closer').mean()):.1f}"]
    row.append(f"{100 * (1 - cell(RESULTS, name, field='test_before').mean()):.1f}" if learns else "")
    row.append(reached(ENGINE, name) if name in MUJOCO["learners"] else "")
    assert [part.strip() for part in rows[name].split("|")[2:-1]] == row


def test_readme_tells_the_rules_and_the_headlines():
    for rule in IMITATION["learners"]["MIL"]["rules"][1:]:
        found = change(RESULTS, ("MIL", rule), ("MIL", "uniform"))
        assert f"{found.change:+.0f}% [{found.low:+.0f}, {found.high:+.0f}]" in SAID
    for h in headlines(RESULTS):
        assert f"{h.name}, {h.verdict}" in SAID and f"[{h.comparison.low:+.3f}, {h.comparison.high:+.3f}]" in SAID


def test_what_chapter_16_says_in_words():
    missed = {name: 100 * cell(RESULTS, name).mean() for name in IMITATION["learners"]}
    assert missed["told the goal"] == 0 and 96.5 < missed["ignores the demonstration"] < 97.5
    assert 13.5 < missed["MIL"] < 14.5 and cell(RESULTS, "MIL", field="test_before").mean() > 0.99
    found = {h.name: 100 * h.comparison.difference for h in headlines(RESULTS)}
    assert -82.5 < found["I1"] < -81.5 and -21.5 < found["I2"] < -20.5 and -22.5 < found["I3"] < -21.5
    apart = {pair: missed[pair[0]] - missed[pair[1]] for pair in (("CAML", "MIL"), ("CAML", "MAML"))}
    assert 7.5 < apart["CAML", "MIL"] < 8.5 and -15.5 < apart["CAML", "MAML"] < -14.5
    assert 59.5 < missed["MIL, watching"] - missed["MIL"] < 60.5
    engine = {name: 100 * (1 - cell(ENGINE, name).mean()) for name in MUJOCO["learners"]}
    assert 98.5 < engine["MIL"] < 99.5 and 95.5 <= engine["MIL, watching"] < 96.5
    assert 1.5 < engine["ignores the demonstration"] < 2.5 and engine["told the goal"] > 99.5
    assert 24.5 < 100 - missed["MIL, watching"] < 25.5
    assert 1.9 < cell(RESULTS, "MIL", "agreement of outer").mean() / cell(RESULTS, "MIL").mean() < 2.1
