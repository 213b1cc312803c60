"""The long run of chapter 08, made short: planned in two stages, tuned on validation alone, and trained as it says."""

import numpy as np
import pytest

from gaml_utils.experiments.files import load
from gaml_utils.experiments.glyphs import plan
from gaml_utils.experiments.glyphs import training as runs
from gaml_utils.experiments.registry import EXPERIMENTS
from gaml_utils.experiments.trainings import key

TINY = plan.GLYPHS | {
    "seeds": [0, 1, 2],
    "tuning_seeds": [0],
    "control_seeds": [100, 101],
    "filters": 4,
    "meta_batch": 2,
    "iterations": 20,
    "validation_episodes": 4,
    "test_episodes": 4,
    "test_queries": 2,
}
CELLS, SIZES = 3 * 2, 2 * (3 + 3 + 4)  # learners x rules, step sizes of both rules


def with_accuracy(job, accuracy):
    return job | {"validation_accuracy": accuracy}


def first_stage(best):
    """The tuning runs, done: the best step size of each cell is best[learner, rule]."""
    jobs = plan.glyph_jobs(TINY, {})
    found = [with_accuracy(j, [[0.9 if j["step_size"] == best(j) else 0.5]]) for j in jobs]
    return {key(run): run for run in found}


def test_first_every_step_size_with_the_tuning_seeds_alone():
    jobs = plan.glyph_jobs(TINY, {})
    assert len(jobs) == len({key(j) for j in jobs}) == SIZES
    assert {j["seed"] for j in jobs} == {0}


def test_then_the_other_seeds_each_rule_at_its_own_best_step_size():
    def best(job):
        return {"uniform": 0.003, "agreement": 0.01}[job["rule"]]

    done = first_stage(best)
    later = [j for j in plan.glyph_jobs(TINY, done) if key(j) not in done]
    compared, control = ([j for j in later if j["part"] == part] for part in ("comparison", "other seeds"))
    assert len(compared) == CELLS * 2 and {j["seed"] for j in compared} == {1, 2}
    assert all(j["step_size"] == best(j) for j in later)
    assert len(control) == 3 * 2 and {(j["rule"], j["seed"]) for j in control} == {("uniform", 100), ("uniform", 101)}


def test_tuning_counts_a_diverged_run_as_the_worst_and_looks_at_no_other_seed():
    done = first_stage(lambda job: 0.003)
    for run in done.values():
        if run["step_size"] == 0.003:
            run["validation_accuracy"] = None
    other = plan.job("comparison", "MAML", "uniform", 0.01, 5) | {"validation_accuracy": [[1.0]]}
    done[key(other)] = other
    done[key(plan.job("comparison", "MAML", "uniform", 0.001, 0))]["validation_accuracy"] = [[0.6]]
    assert plan.tuned_step_size(TINY, list(done.values()), "MAML", "uniform") == 0.001


def test_both_rules_have_the_same_step_sizes_images_and_steps():
    for setting in plan.GLYPHS["learners"].values():
        assert setting["shots"] + setting["queries"] * (setting["shots"] == 1) == 4
        assert len(setting["step_sizes"]) >= 3


@pytest.mark.parametrize("learner", ["MAML", "Reptile"])
def test_a_job_trains_and_tests_and_says_what_the_weights_did(learner):
    done = runs.glyph_job(TINY, plan.job("comparison", learner, "agreement", 0.003, 1))
    assert np.shape(done["validation_accuracy"]) == (1, 1) and np.shape(done["test_accuracy"]) == (2, 1)
    for name in ("train_accuracy", "negative_share", "smallest_weight", "cosine_to_mean"):
        assert len(done[name]) == runs.BLOCKS
    assert 0 <= min(done["negative_share"]) and max(done["negative_share"]) < 1
    assert max(done["smallest_weight"]) < 0.5  # of two: uniform weights would be a half


def test_the_stored_run_is_that_of_the_committed_config():
    stored = load("glyphs")
    config = stored["config"]
    assert config == EXPERIMENTS["glyphs"].config
    assert {"keras"} < stored["versions"].keys()
    cells = {(r["learner"], r["rule"]) for r in stored["runs"]}
    for learner, rule in cells:
        best = plan.tuned_step_size(config, stored["runs"], learner, rule)
        chosen = [r["seed"] for r in stored["runs"] if key(r)[:4] == ("comparison", learner, rule, best)]
        assert sorted(chosen) == config["seeds"] and len(chosen) >= 5
    assert len(cells) == len(config["learners"]) * len(config["rules"])


def test_a_learner_that_the_config_has_and_the_package_has_not_is_refused():
    """It must not become another one."""
    config = plan.GLYPHS | {"learners": plan.GLYPHS["learners"] | {"Meta": plan.GLYPHS["learners"]["MAML"]}}
    with pytest.raises(ValueError, match="learner should be one of 'MAML'.*got 'Meta'"):
        runs.make_learner(config, "Meta", "uniform", 0.001)
    with pytest.raises(ValueError, match="rule should be one of 'uniform'.*got 'agreemint'"):
        runs.make_learner(plan.GLYPHS, "MAML", "agreemint", 0.001)
