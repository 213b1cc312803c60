"""The numbers that README and chapter 05 state are those of the results file."""

import nbformat
import numpy as np
import pytest

from gaml_utils.experiments.files import load
from gaml_utils.experiments.registry import EXPERIMENTS
from gaml_utils.experiments.trainings import best_step_size, key, select
from gaml_utils.intervals import paired_comparison
from tests.support.checkout import ROOT

RESULTS = load("sine_numpy")
CONFIG, RUNS = RESULTS["config"], RESULTS["runs"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHAPTER, KERAS_CHAPTER = (
    "\n".join(cell.source for cell in nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells)
    for name in ("05_gradient_agreement", "07_gradient_agreement_in_tensorflow")
)


def errors_of(learner: str, rule: str, part: str = "comparison") -> np.ndarray:
    """(seeds,): the test error of one rule at its best step size."""
    best = best_step_size(RUNS, learner, rule)
    return select(RUNS, part, learner, rule, best, "test_mse")[:, CONFIG["learners"][learner]["selected_after"]]


def test_the_file_was_made_by_the_committed_config():
    assert CONFIG == EXPERIMENTS["sine_numpy"].config
    assert RESULTS["command"] == "python -m gaml_utils.experiments sine_numpy"


@pytest.mark.parametrize("learner", CONFIG["learners"])
def test_readme_and_chapter_state_the_measured_numbers(learner):
    uniform, agreement = errors_of(learner, "uniform"), errors_of(learner, "agreement")
    d = paired_comparison(agreement, uniform)
    assert len(uniform) == d.pairs == 10
    difference, interval = f"{d.difference:+.3f}", f"[{d.low:+.3f}, {d.high:+.3f}]"
    assert f"| {uniform.mean():.3f} | {agreement.mean():.3f} | {difference} {interval} |" in README
    assert f"difference {difference}, 95% interval {interval}" in CHAPTER
    assert f"{learner} {uniform.mean():.3f}" in CHAPTER and f"against {agreement.mean():.3f}" in CHAPTER
    assert f"{learner} {uniform.mean():.3f} with uniform weights against {agreement.mean():.3f}" in KERAS_CHAPTER or (
        f"{learner} {uniform.mean():.3f} against {agreement.mean():.3f}" in KERAS_CHAPTER
    )
    assert f"{CONFIG['learners'][learner]['iterations']:,} for {learner}" in KERAS_CHAPTER
    assert d.low > 0  # "worse", and "both intervals leave out 0"


def test_half_as_large_again_and_a_fifth_larger():
    means = {(L, r): errors_of(L, r).mean() for L in CONFIG["learners"] for r in CONFIG["rules"]}
    larger = {L: means[L, "agreement"] / means[L, "uniform"] - 1 for L in CONFIG["learners"]}
    assert 0.45 < larger["MAML"] < 0.6 and 0.17 < larger["Reptile"] < 0.23


def test_along_one_curve_the_error_changes_by_more_than_the_factor_stated():
    for learner, setting in CONFIG["learners"].items():
        for rule in CONFIG["rules"]:
            losses = [
                select(RUNS, "comparison", learner, rule, e, "validation_mse").mean() for e in setting["step_sizes"]
            ]
            assert np.nanmax(losses) / np.nanmin(losses) > 1.7


@pytest.mark.parametrize("learner", CONFIG["learners"])
def test_the_controls_hold(learner):
    assert not paired_comparison(errors_of(learner, "uniform"), errors_of(learner, "uniform", "other seeds")).found


def test_best_step_sizes_are_not_at_an_end_of_the_list():
    for learner, setting in CONFIG["learners"].items():
        for rule in CONFIG["rules"]:
            assert best_step_size(RUNS, learner, rule) not in (setting["step_sizes"][0], setting["step_sizes"][-1])


def test_the_stated_running_time_is_the_measured_one():
    assert f"all {len(RUNS)} training runs (about {round(RESULTS['wall_seconds'] / 60, -1):.0f} minutes" in README


def variant(rule: str) -> np.ndarray:
    """(seeds,): MAML's test error after one step with one of the variants at its best step size."""
    runs = load("sine_variants")["runs"]
    best = best_step_size(runs, "MAML", rule)
    setting = CONFIG["learners"]["MAML"]["step_sizes"]
    assert best not in (setting[0], setting[-1])
    return select(runs, "comparison", "MAML", rule, best, "test_mse")[:, 1]


def test_the_variants_ran_under_the_same_conditions():
    config = load("sine_variants")["config"]
    assert config == EXPERIMENTS["sine_variants"].config
    assert config["seeds"] == CONFIG["seeds"] and config["learners"]["MAML"] == CONFIG["learners"]["MAML"]


def test_what_chapter_05_says_of_the_variants():
    uniform, agreement = errors_of("MAML", "uniform"), errors_of("MAML", "agreement")
    length, positive, fifteen = (variant(rule) for rule in ("squared length", "positive part", "15 tasks"))
    gap = agreement.mean() - uniform.mean()
    assert fifteen.mean() - uniform.mean() < gap / 5  # explain little
    assert length.mean() - uniform.mean() > gap / 2  # most of the damage
    assert paired_comparison(positive, agreement).high < 0  # clearly better
    assert paired_comparison(positive, uniform).low > 0  # still worse than the mean
    assert not paired_comparison(fifteen, uniform).found


@pytest.mark.parametrize("rule", CONFIG["rules"])
def test_a_stored_run_made_again_is_the_stored_one(rule):
    """To six digits on the machine that made the file; on others rounding may grow in 6,000 steps, so within 10%."""
    wanted = ("comparison", "MAML", rule, 0.003, 0)
    stored = next(run for run in RUNS if key(run) == wanted)
    job = {name: stored[name] for name in ("part", "learner", "rule", "step_size", "seed")}
    again = EXPERIMENTS["sine_numpy"].work(CONFIG, job)
    assert again["test_mse"][:3] == pytest.approx(stored["test_mse"][:3], rel=0.1)
