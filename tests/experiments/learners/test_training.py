"""One training of each of the other learners says what it should."""

import functools
import json

import numpy as np
import pytest

from gaml_utils.experiments.learners import LEARNERS_GLYPHS, LEARNERS_SINES
from gaml_utils.experiments.learners.training import learner_job
from gaml_utils.experiments.records import job

SINES = LEARNERS_SINES | {"iterations": 100, "validation_tasks": 6, "test_tasks": 20}
GLYPHS = LEARNERS_GLYPHS | {"iterations": 2, "filters": 2, "validation_tasks": 6, "test_tasks": 6, "meta_batch": 2}


@functools.cache
def of_sines(part, learner, rule="uniform"):
    """What one training of sines records."""
    return learner_job(SINES, job(part, learner, rule, 0.003, 1))


@pytest.mark.parametrize("learner", ["MAML", "Meta-SGD", "CAML", "TAML, GE(2), before, 1"])
def test_a_learner_of_sines_is_trained_and_tested(learner):
    done = of_sines("inner 0.01", learner)
    assert json.loads(json.dumps(done)) == done
    assert 0 < done["test_error"] < done["test_before"] and 0 < done["test_median"] <= done["test_worst"]
    assert 0 < done["theil_before"] < 1 and done["cpu_seconds"] >= 0
    assert ("negative_rates" in done) == (learner == "Meta-SGD")


def test_a_tuning_seed_is_validated_and_not_tested():
    done = learner_job(SINES, job("inner 0.01", "CAML, k = 2", "uniform", 0.003, 200))
    assert 0 < done["validation_error"] and "test_error" not in done


def test_rules_and_settings_are_those_of_the_job():
    """Another rule, another inner step size, another measure: another error."""
    jobs = [
        ("inner 0.01", "MAML"),
        ("inner 0.03", "MAML"),
        ("inner 0.01", "MAML", "agreement of outer"),
        ("inner 0.01", "TAML, Gini, after, 1"),
    ]
    assert len({of_sines(*one)["test_error"] for one in jobs}) == 4


def test_a_training_that_diverges_has_no_errors():
    done = learner_job(SINES, job("inner 1000", "MAML", "uniform", 0.1, 1))
    assert done["validation_error"] is None and "test_error" not in done


@pytest.mark.parametrize(
    ("learner", "epsilons"),
    [("CAML", 2), ("TAML, entropy", 2), ("ADML", 2), ("ADML, only queries", 1)],
)
def test_a_learner_of_glyphs_is_trained_and_tested(learner, epsilons):
    config = GLYPHS | {"epsilons": GLYPHS["epsilons"][:epsilons]}
    done = learner_job(config, job("inner 0.3", learner, "uniform", 0.003, 1))
    assert json.loads(json.dumps(done)) == done
    assert 0 < done["test_error"] <= 1 and 0 < done["test_error_5_shots"] <= 1
    assert ("query_attacked" in done) == ("ADML" in learner)
    if "ADML" in learner:
        assert len(done["support_attacked"]) == len(done["query_attacked"]) == epsilons
        assert np.min(done["query_attacked"]) > done["test_error"]


def test_only_uniform_weights_are_tested_on_more_than_one_shot():
    done = learner_job(GLYPHS, job("inner 0.3", "MAML", "power -0.5 of outer", 0.003, 1))
    assert "test_error_5_shots" not in done and "query_attacked" not in done
