"""The plan of the challenge for learners that compare."""

import pytest

from gaml_utils.experiments.omniglot.plan import OMNIGLOT
from gaml_utils.experiments.omniglot.plan_comparing import OMNIGLOT_COMPARING, comparing_jobs
from gaml_utils.experiments.records import key

LEARNERS = OMNIGLOT_COMPARING["learners"]


def finished(jobs, best):
    """Runs of these jobs; the error of a pair of sizes grows with its distance from the best one."""
    runs = {}
    for job in jobs:
        temperature = float(job["part"].split()[-1])
        wanted = best[job["learner"]]
        error = abs(temperature / wanted[0] - 1) + abs(job["step_size"] / wanted[1] - 1)
        runs[key(job)] = job | ({"validation_error": error} if job["part"].startswith("tuning") else {"error": 1.0})
    return runs


def test_both_learners_are_tuned_over_as_many_pairs_of_sizes():
    jobs = comparing_jobs(OMNIGLOT_COMPARING, {})
    assert all(job["part"].startswith("tuning") and job["seed"] in (200, 201) for job in jobs)
    each = [sum(job["learner"] == name for job in jobs) for name in LEARNERS]
    assert each == [18, 18]


def test_the_best_pair_alone_is_tested_on_both_sets_over_all_seeds():
    best = {"prototypical": (300.0, 0.003), "relation": (1.0, 0.003)}
    jobs = comparing_jobs(OMNIGLOT_COMPARING, finished(comparing_jobs(OMNIGLOT_COMPARING, {}), best))
    tested = [job for job in jobs if not job["part"].startswith("tuning")]
    cells = {(job["learner"], job["part"], job["step_size"]) for job in tested}
    assert cells == {
        (name, f"{training_set}, temperature {best[name][0]:g}", 0.003)
        for name in LEARNERS
        for training_set in ("small1", "small2")
    }
    assert {job["seed"] for job in tested} == set(OMNIGLOT["seeds"]) and len(tested) == 20


@pytest.mark.parametrize(
    ("sizes", "asked"), [((1000.0, 0.003), "3000"), ((300.0, 0.01), "0.03"), ((100.0, 0.001), "0.")]
)
def test_a_list_whose_end_wins_is_extended_before_anything_is_tested(sizes, asked):
    best = {"prototypical": sizes, "relation": (1.0, 0.003)}
    before = comparing_jobs(OMNIGLOT_COMPARING, {})
    after = comparing_jobs(OMNIGLOT_COMPARING, finished(before, best))
    new = [job for job in after if job["learner"] == "prototypical" and job not in before]
    assert new and all(job["part"].startswith("tuning") for job in new)
    assert any(asked in f"{job['part']} {job['step_size']}" for job in new)


def test_all_but_the_learners_is_held_equal_to_chapter_09():
    for name in ("ways", "filters", "meta_batch", "queries", "iterations", "warmup", "seeds"):
        assert OMNIGLOT_COMPARING[name] == OMNIGLOT[name]
