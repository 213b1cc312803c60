"""The numbers that chapters 12 and 13 and README state of the other learners are those of the results."""

import numpy as np
import pytest
from scipy import stats

from gaml_utils.experiments import load
from gaml_utils.experiments.learners import (
    LEARNERS_GLYPHS,
    LEARNERS_SINES,
    accuracies_under_attack,
    cell,
    change,
    headlines,
    learner_jobs,
    step_sizes,
)
from gaml_utils.experiments.learners.plan import INNER_SIZES
from gaml_utils.experiments.records import key
from tests.support.checkout import ROOT

SINES, GLYPHS = load("learners_sines"), load("learners_glyphs")
PLANS = {"learners_sines": LEARNERS_SINES, "learners_glyphs": LEARNERS_GLYPHS}
README = (ROOT / "README.md").read_text(encoding="utf-8")
CELLS = [(f, name, rule) for f in (SINES, GLYPHS) for name, s in f["config"]["learners"].items() for rule in s["rules"]]
every_cell = pytest.mark.parametrize(
    ("results", "name", "rule"), CELLS, ids=[f"{f['experiment']}, {name}, {rule}" for f, name, rule in CELLS]
)


@pytest.mark.parametrize("results", [SINES, GLYPHS], ids=PLANS)
def test_the_file_is_the_plan_run_to_its_end(results):
    assert results["config"] == PLANS[results["experiment"]]
    done = {key(run): run for run in results["runs"]}
    assert {key(job) for job in learner_jobs(results["config"], done)} == set(done)


@every_cell
def test_no_cell_stands_at_an_end_of_its_list(results, name, rule):
    size = step_sizes(results, name, rule)[1]
    tried = {run["step_size"] for run in results["runs"] if (run["learner"], run["rule"]) == (name, rule)}
    assert min(tried) < size < max(tried)


def test_one_inner_step_size_is_the_last_that_the_plan_knows_as_its_notes_say():
    at_end = {
        (results["experiment"], name)
        for results, name, rule in CELLS
        if step_sizes(results, name, rule)[0] in (INNER_SIZES[0], INNER_SIZES[-1])
    }
    assert at_end == {("learners_glyphs", "CAML")}
    notes = (ROOT / "data" / "results" / "README.md").read_text(encoding="utf-8")
    assert "CAML's inner step size on glyphs, 10, is the last one that the plan knows" in notes


def test_what_is_said_in_words():
    """A third and two fifths of MAML's error; doubled, and more than ten times; one, two and more numbers."""
    uniform = {name: cell(SINES, name).mean() for name in ("MAML", "Meta-SGD", "CAML")}
    assert 1 - uniform["Meta-SGD"] / uniform["MAML"] == pytest.approx(1 / 3, abs=0.05)
    assert 1 - uniform["CAML"] / uniform["MAML"] == pytest.approx(2 / 5, abs=0.05)
    updates = {name: cell(SINES, name, "agreement of updates").mean() / uniform[name] for name in uniform}
    assert updates["MAML"] == pytest.approx(2, abs=0.1)
    assert updates["Meta-SGD"] > 10 and updates["CAML"] > 10
    few = [cell(SINES, f"CAML, k = {k}").mean() for k in (1, 2, 5)]
    assert few[0] > 3 * few[1] and abs(few[2] / few[1] - 1) < 0.1
    assert abs(uniform["CAML"] / few[1] - 1) < 0.1


def test_five_steps_help_maml_and_caml_and_not_meta_sgd():
    gain = {n: np.nanmean(cell(SINES, n, field="test_five_steps")) / cell(SINES, n).mean() for n in ("MAML", "CAML")}
    assert gain["CAML"] < gain["MAML"] < 0.5
    assert not np.mean(cell(SINES, "Meta-SGD", field="test_five_steps")) < 100


@pytest.mark.parametrize("results", [SINES, GLYPHS], ids=PLANS)
@pytest.mark.parametrize("name", ["MAML", "Meta-SGD", "CAML"])
def test_uniform_weights_on_other_seeds_are_alike(results, name):
    runs = {r["seed"]: r for r in results["runs"] if (r["learner"], r["rule"]) == (name, "uniform")}
    other = np.array([runs[seed]["test_error"] for seed in results["config"]["control_seeds"]])
    mine = cell(results, name)
    spread = np.sqrt((mine.var(ddof=1) + other.var(ddof=1)) / len(mine))
    t = stats.t.ppf(0.995, 2 * len(mine) - 2)  # of 1%
    assert abs(mine.mean() - other.mean()) < t * spread


@every_cell
def test_readme_has_every_learner_and_rule(results, name, rule):
    tables = README.split("**Does it matter to other learners?**")[1].split("\n\n**")[0].split("| learner |")
    table = tables[1 if results is SINES else 2].split("\n\n")[0]
    rows = {line.split("|")[1].strip(): line for line in table.splitlines()[2:]}
    shown = f"{cell(results, name).mean():.3f}" if rule == "uniform" else None
    if shown is None:
        found = change(results, (name, rule), (name, "uniform"))
        shown = f"{found.change:+.0f}% [{found.low:+.0f}, {found.high:+.0f}]"
    assert shown in rows[name]


def test_readme_has_what_attacks_leave():
    said = README.split("**Does it matter to other learners?**")[1].split("\n\n**")[0].split("| trained |")[1]
    rows = {line.split("|")[1].strip(): line for line in said.split("\n\n")[0].splitlines()[2:]}
    for name in ("MAML", "ADML", "ADML, uncrossed", "ADML, only queries"):
        support, query = (accuracies_under_attack(GLYPHS, name, side).mean(axis=0) for side in ("support", "query"))
        shown = " | ".join(f"{100 * a:.1f}" for a in (support[0], *support[1:], *query[1:]))
        assert f"| {shown} |" in rows[name]


def test_readme_tells_the_headlines():
    said = README.split("**Does it matter to other learners?**")[1].split("\n\n**")[0]
    for h in headlines(SINES, GLYPHS):
        assert h.verdict in ("better", "worse")
        interval = f"[{h.comparison.low:+.3f}, {h.comparison.high:+.3f}]"
        assert f"{h.name}, {h.verdict}" in said and interval in said


def test_what_chapter_13_says_in_words():
    """35 points, four fifths, half as much time again; within 10%; strength 0.1: nothing found."""
    (l8,) = (h for h in headlines(SINES, GLYPHS) if h.name == "L8")
    assert l8.comparison.difference == pytest.approx(-0.35, abs=0.01)
    assert cell(GLYPHS, "CAML").mean() / cell(GLYPHS, "MAML").mean() == pytest.approx(1.8, abs=0.05)
    seconds = {name: np.median(cell(GLYPHS, name, field="cpu_seconds")) for name in ("MAML", "ADML")}
    assert seconds["ADML"] / seconds["MAML"] == pytest.approx(1.5, abs=0.1)
    for name, s in GLYPHS["config"]["learners"].items():
        for rule in s["rules"][1:]:
            found = change(GLYPHS, (name, rule), (name, "uniform"))
            assert -10 < found.low < found.high < 10
    for measure in ("Theil", "GE(2)", "Gini"):
        for field in ("test_error", "test_median", "theil_after"):
            found = change(SINES, (f"TAML, {measure}, before, 0.1", "uniform"), ("MAML", "uniform"), field)
            assert found.low < 0 < found.high
