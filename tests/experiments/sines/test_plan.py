"""The plan of chapter 05's experiment: the comparison first, then its controls."""

from gaml_utils.experiments import runner as ex
from gaml_utils.experiments.sines import plan
from tests.support.small_experiment import COMPARISON, NOISE, OTHER, TINY

# ---------------------------------------------------------------- the plan


def test_plan_starts_with_the_comparison_alone():
    jobs = plan.sine_numpy_jobs(TINY, {})
    assert {job["part"] for job in jobs} == {"comparison"}
    assert len({ex.key(job) for job in jobs}) == COMPARISON


def test_plan_asks_for_controls_only_when_the_whole_comparison_is_done():
    jobs = plan.sine_numpy_jobs(TINY, {})
    done = {ex.key(job): job | {"validation_mse": 1.0} for job in jobs[:-1]}
    assert plan.sine_numpy_jobs(TINY, done) == jobs


def planned(best):
    """The plan after a comparison in which, for each learner and rule, the step size `best` was best."""
    jobs = plan.sine_numpy_jobs(TINY, {})
    losses = {ex.key(job): float(job["step_size"] != best[job["learner"], job["rule"]]) for job in jobs}
    return plan.sine_numpy_jobs(TINY, {ex.key(job): job | {"validation_mse": losses[ex.key(job)]} for job in jobs})


BEST = {
    ("MAML", "uniform"): 0.001,
    ("MAML", "agreement"): 0.03,
    ("Reptile", "uniform"): 1.0,
    ("Reptile", "agreement"): 0.1,
}


def test_controls_run_at_the_step_size_chosen_for_their_learner_and_rule():
    controls = [job for job in planned(BEST) if job["part"] != "comparison"]
    assert len(controls) == NOISE + OTHER
    assert all(job["step_size"] == BEST[job["learner"], job["rule"]] for job in controls)


def test_noise_control_has_both_rules_and_the_seeds_of_the_comparison():
    jobs = [job for job in planned(BEST) if job["part"] == "noise"]
    assert {(job["rule"], job["seed"]) for job in jobs} == {(r, s) for r in TINY["rules"] for s in TINY["seeds"]}


def test_other_seeds_control_is_uniform_on_the_control_seeds():
    jobs = [job for job in planned(BEST) if job["part"] == "other seeds"]
    assert {(job["rule"], job["seed"]) for job in jobs} == {("uniform", s) for s in TINY["control_seeds"]}


def test_real_plan_pairs_ten_seeds_and_controls_with_ten_others():
    config = plan.SINE_NUMPY
    assert len(config["seeds"]) >= 10 and len(config["control_seeds"]) == len(config["seeds"])
    assert not set(config["seeds"]) & set(config["control_seeds"])
    assert {"uniform", "agreement"} == set(config["rules"])
