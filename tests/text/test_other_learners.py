"""The numbers that chapter 12 and README state of the other learners are those of the results."""

import numpy as np
import pytest

from gaml_utils.experiments import load
from gaml_utils.experiments.learners import LEARNERS_SINES, cell, change, headlines, learner_jobs, step_sizes
from gaml_utils.experiments.records import key
from tests.support.checkout import ROOT

SINES = load("learners_sines")
README = (ROOT / "README.md").read_text(encoding="utf-8")
CELLS = [(name, rule) for name, s in LEARNERS_SINES["learners"].items() for rule in s["rules"]]


def test_the_file_is_the_plan_run_to_its_end():
    assert SINES["config"] == LEARNERS_SINES
    done = {key(run): run for run in SINES["runs"]}
    assert {key(job) for job in learner_jobs(SINES["config"], done)} == set(done)


@pytest.mark.parametrize("which", CELLS, ids=[", ".join(c) for c in CELLS])
def test_no_cell_stands_at_an_end_of_its_list(which):
    size = step_sizes(SINES, *which)[1]
    tried = {run["step_size"] for run in SINES["runs"] if (run["learner"], run["rule"]) == which}
    assert min(tried) < size < max(tried)


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


def test_uniform_weights_on_other_seeds_are_alike():
    for name in ("MAML", "Meta-SGD", "CAML"):
        runs = {r["seed"]: r for r in SINES["runs"] if (r["learner"], r["rule"]) == (name, "uniform")}
        other = np.array([runs[seed]["test_error"] for seed in LEARNERS_SINES["control_seeds"]])
        mine = cell(SINES, name)
        spread = np.sqrt((mine.var(ddof=1) + other.var(ddof=1)) / len(mine))
        assert abs(mine.mean() - other.mean()) < 2.9 * spread  # 1% of a t with 18 degrees of freedom


def test_readme_has_every_learner_and_rule():
    table = README.split("**Does it matter to other learners?**")[1].split("\n\n")[1]
    rows = {line.split("|")[1].strip(): line for line in table.splitlines()[2:]}
    for name, rule in CELLS:
        shown = f"{cell(SINES, name).mean():.3f}" if rule == "uniform" else None
        if shown is None:
            found = change(SINES, (name, rule), (name, "uniform"))
            shown = f"{found.change:+.0f}% [{found.low:+.0f}, {found.high:+.0f}]"
        assert shown in rows[name]


def test_readme_tells_the_headlines():
    said = README.split("**Does it matter to other learners?**")[1].split("\n\n**")[0]
    for h in headlines(SINES):
        assert h.verdict in ("better", "worse")
        interval = f"[{h.comparison.low:+.3f}, {h.comparison.high:+.3f}]"
        assert f"{h.name}, {h.verdict}" in said and interval in said
