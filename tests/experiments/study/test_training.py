"""One training of the study says what it should."""

import json

import pytest

from gaml_utils.experiments.study import grid, training
from gaml_utils.experiments.study import plan as study
from gaml_utils.experiments.study.grid import STUDY
from tests.support.tiny_study import TINY

# ---------------------------------------------------------------- one training


@pytest.mark.parametrize("part", [p for p in STUDY["settings"] if not p.startswith("glyphs")])
def test_every_setting_on_numbers_trains_and_tests(part):
    done = training.study_job(TINY, study.job(part, "MAML", "power -1 of outer", 0.003, 1))
    assert json.loads(json.dumps(done)) == done
    assert 0 < done["test_median"] <= done["test_worst"] and 0 < done["validation_error"]
    assert 1 <= done["effective_tasks"] <= STUDY["settings"][part]["meta_batch"] and done["cpu_seconds"] >= 0
    assert (done["others_weight"] is None) == (STUDY["settings"][part]["share"] == 0)


@pytest.mark.parametrize("learner", grid.SINE_LEARNERS)
def test_all_learners_train_and_first_order_differs(learner):
    a = training.study_job(TINY, study.job("sines", learner, "agreement of updates", 0.003, 0))
    b = training.study_job(TINY, study.job("sines", learner, "uniform", 0.003, 0))
    assert a["test_error"] != b["test_error"] and b["effective_tasks"] == 25


def test_what_is_compared_makes_a_difference():
    updates, outer = (
        training.study_job(TINY, study.job("sines", "MAML", f"agreement of {s}", 0.003, 0))["test_error"]
        for s in ("updates", "outer")
    )
    assert updates != outer


def test_a_job_on_images_trains_and_tests():
    done = training.study_job(TINY, study.job("glyphs, wrong labels", "MAML", "agreement of outer", 0.003, 0))
    assert 0 < done["test_error"] < 1 and 0 <= done["negative_share"] < 1
