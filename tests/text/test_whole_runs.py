"""The runs that chapters 14 to 16 read are their plans run to the end, and no search stopped at an end of its list."""

import pytest

from gaml_utils.experiments import load
from gaml_utils.experiments.learners import (
    CACTUS,
    IMITATION,
    METRIC,
    MUJOCO,
    SEMI_SUPERVISED,
    learner_jobs,
    step_sizes,
)
from gaml_utils.experiments.omniglot.plan_comparing import OMNIGLOT_COMPARING, comparing_jobs
from gaml_utils.experiments.records import key

PLANS = {
    "cactus": CACTUS,
    "metric": METRIC,
    "semi_supervised": SEMI_SUPERVISED,
    "imitation": IMITATION,
    "imitation_mujoco": MUJOCO,
}
JOBS = {of: (plan, learner_jobs) for of, plan in PLANS.items()}
JOBS["omniglot_comparing"] = OMNIGLOT_COMPARING, comparing_jobs
CELLS = [(of, name, rule) for of, plan in PLANS.items() for name, s in plan["learners"].items() for rule in s["rules"]]


@pytest.mark.parametrize("of", JOBS)
def test_the_file_is_the_plan_run_to_its_end(of):
    results, (plan, jobs) = load(of), JOBS[of]
    assert results["config"] == plan
    done = {key(run): run for run in results["runs"]}
    assert {key(job) for job in jobs(results["config"], done)} == set(done)


@pytest.mark.parametrize(("of", "name", "rule"), CELLS)
def test_no_cell_stands_at_an_end_of_its_list(of, name, rule):
    results = load(of)
    size = step_sizes(results, name, rule)[1]
    tried = {run["step_size"] for run in results["runs"] if (run["learner"], run["rule"]) == (name, rule)}
    assert min(tried) < size < max(tried)
