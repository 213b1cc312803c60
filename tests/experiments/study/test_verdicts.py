"""Reading the study: pairs by seed, at each rule's own step size, and Holm's correction."""

import numpy as np
import pytest

from gaml_utils.experiments.study import grid
from gaml_utils.experiments.study import plan as study
from gaml_utils.experiments.study import verdicts as read

CONFIG = grid.STUDY | {"seeds": [0, 1, 2, 3], "tuning_seeds": [0]}


def results(effect, diverged=()):
    """Every cell of two settings; uniform has error 1 + seed / 10, the others `effect` of their rule more."""
    runs, rng = [], np.random.default_rng(0)
    for part in ("sines", "noise"):
        for learner in CONFIG["settings"][part]["learners"]:
            for rule in study.rules_of(CONFIG, part, learner):
                for seed in CONFIG["seeds"]:
                    error = 1 + seed / 10 + effect.get(rule, 0.0) + 0.01 * rng.normal()
                    if seed == 0:  # a tried step size that is worse on validation
                        wrong = study.job(part, learner, rule, 0.001, 0)
                        runs.append(wrong | {"validation_error": 9.0, "test_error": 0.0})
                    run = study.job(part, learner, rule, 0.003, seed)
                    gone = (rule, seed) in diverged
                    runs.append(run | {"validation_error": None if gone else error})
                    if not gone:
                        runs[-1]["test_error"] = error
    runs.append(study.job("sines", "MAML", "uniform", 0.003, 100) | {"validation_error": 5.0, "test_error": 5.0})
    return {"config": CONFIG, "runs": runs}


def test_a_cell_is_read_at_its_own_step_size_without_the_control_seeds():
    found = read.cell(results({}), "sines", "MAML", "uniform")
    assert found.shape == (4,) and np.allclose(found, [1, 1.1, 1.2, 1.3], atol=0.05)


def test_headlines_say_better_and_worse_and_leave_out_settings_that_are_not_there():
    found = read.headlines(results({"power -1 of outer": -0.3, "agreement of outer": 0.3}))
    verdicts = {h.name: h.verdict for h in found}
    assert set(verdicts) == {"H1", "H2", "H3", "H4", "H6", "H7", "H8"}
    assert verdicts["H3"] == verdicts["H8"] == "better" and verdicts["H2"] == verdicts["H6"] == "worse"
    assert all(h.corrected >= h.p for h in found)
    assert "corrected p" in read.headline_table(results({}))
    alone = results({})
    alone["runs"] = [run for run in alone["runs"] if run["learner"] == "MAML"]  # as --quick has it
    assert {h.name for h in read.headlines(alone)} == {"H1", "H2", "H3", "H6", "H7", "H8"}


def test_a_diverged_training_is_said_and_the_others_are_tested():
    found = {h.name: h for h in read.headlines(results({}, diverged=[("cosine of outer", 2)]))}
    assert found["H7"].verdict == "diverged" and found["H7"].comparison is None
    assert found["H8"].comparison is not None
    assert "a training diverged" in read.headline_table(results({}, diverged=[("cosine of outer", 2)]))


def test_a_training_that_ended_finite_but_far_away_counts_as_diverged():
    found = results({})
    for run in found["runs"]:
        if (run["rule"], run["step_size"], run["seed"]) == ("cosine of outer", 0.003, 2):
            run["test_error"] = 1e30
    assert np.isnan(read.cell(found, "noise", "MAML", "cosine of outer")).tolist() == [False, False, True, False]
    assert read.verdict(found, "noise", "MAML", "cosine of outer") == "diverged"
    assert np.isfinite(read.cell(found, "noise", "MAML", "uniform")).all()


def test_holm_multiplies_the_smallest_by_their_number_and_never_turns_the_order():
    assert read.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert read.holm([0.9, 0.5]).tolist() == [1.0, 1.0]
    assert read.holm([0.02]).tolist() == [0.02]


def test_a_verdict_is_corrected_for_a_headline_and_by_its_interval_elsewhere(monkeypatch):
    found = results({"power -1 of outer": -0.3, "cosine of updates": 0.3})
    assert read.verdict(found, "noise", "MAML", "power -1 of outer") == "better"  # H8
    assert read.verdict(found, "noise", "MAML", "cosine of updates") == "worse"  # exploratory
    assert read.verdict(found, "noise", "Reptile", "agreement of updates") == "no difference found"
    same = ("noise", "MAML", "cosine of updates")
    assert read.verdict(found, *same, against="cosine of updates") == "no difference found"
    assert read.verdict(found, *same, against="power -1 of outer") == "worse"
    assert read.verdict(results({}, diverged=[("cosine of updates", 2)]), *same) == "diverged"
    monkeypatch.setattr(read, "holm", lambda p: np.full(len(p), 0.9))
    assert read.verdict(found, "noise", "MAML", "power -1 of outer") == "no difference found"
    assert read.verdict(found, *same) == "worse"


def test_a_small_run_is_held_against_the_whole_one():
    whole, other = results({"power -1 of outer": -0.3}), results({"power -1 of outer": 0.3, "agreement of outer": 0.3})
    undecided = "; no difference was found there for H1, H2, H4, H6, H7"
    assert read.same_signs(whole, whole) == f"same sign as in the whole study: 2 of 2{undecided}"
    assert read.same_signs(other, whole) == (
        f"same sign as in the whole study: 0 of 2; H3 differs; H8 differs{undecided}"
    )
