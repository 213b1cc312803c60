"""The plan of the challenge."""

from gaml_utils.experiments.omniglot.plan import OMNIGLOT, omniglot_jobs

# ---------------------------------------------------------------- the experiment


def test_jobs_are_every_rule_of_every_set_over_all_seeds():
    jobs = omniglot_jobs(OMNIGLOT, {})
    cells = {(job["part"], job["rule"]) for job in jobs}
    assert cells == {("small1", "uniform"), ("small1", "agreement"), ("small2", "uniform")}
    assert len(OMNIGLOT["seeds"]) >= 5 and len(jobs) == len(cells) * len(OMNIGLOT["seeds"])
    assert len({(j["part"], j["rule"], j["seed"]) for j in jobs}) == len(jobs)
