"""Runs are told apart and read; the step size is the one with the lowest validation error."""

import json

import numpy as np
import pytest

from gaml_utils.experiments import runner as ex
from gaml_utils.experiments import trainings
from tests.support.small_experiment import TINY, result


def test_best_step_size_has_the_lowest_mean_validation_loss():
    runs = [result({"step_size": s}, loss) for s, loss in [(0.1, 1.0), (0.1, 9.0), (0.2, 4.0), (0.2, 5.0)]]
    assert trainings.best_step_size(runs, "MAML", "uniform") == 0.2


def test_diverged_run_counts_as_infinite():
    runs = [result({"step_size": s}, loss) for s, loss in [(0.1, 1.0), (0.1, None), (0.2, 50.0), (0.2, 70.0)]]
    assert trainings.best_step_size(runs, "MAML", "uniform") == 0.2


@pytest.mark.parametrize(
    "other", [{"part": "noise"}, {"part": "other seeds"}, {"learner": "Reptile"}, {"rule": "agreement"}]
)
def test_best_step_size_looks_at_no_other_part_learner_or_rule(other):
    runs = [result({"step_size": 0.1}, 5.0), result({"step_size": 0.2}, 4.0), result({"step_size": 0.1} | other, -99.0)]
    assert trainings.best_step_size(runs, "MAML", "uniform") == 0.2


@pytest.mark.parametrize("field", ["part", "learner", "rule", "step_size", "seed"])
def test_runs_that_differ_in_one_thing_have_different_keys(field):
    job = {"part": "noise", "learner": "MAML", "rule": "uniform", "step_size": 0.1, "seed": 0}
    assert ex.key(job) != ex.key(job | {field: "another"})


# ---------------------------------------------------------------- select


def test_select_gives_one_row_a_seed_in_the_order_of_the_seeds(whole):
    runs = json.loads(whole.read_text())["runs"]
    rows = trainings.select(runs, "comparison", "Reptile", "agreement", 1.0, "test_mse")
    by_key = {ex.key(run): run for run in runs}
    expected = [by_key["comparison", "Reptile", "agreement", 1.0, seed]["test_mse"] for seed in TINY["seeds"]]
    assert rows.tolist() == expected


def test_select_of_a_number_gives_one_a_seed(whole):
    runs = json.loads(whole.read_text())["runs"]
    assert trainings.select(runs, "comparison", "MAML", "uniform", 0.03, "validation_mse").shape == (2,)


@pytest.mark.parametrize("other", [{"part": "noise"}, {"learner": "Reptile"}, {"rule": "agreement"}, {"step_size": 9}])
def test_select_looks_at_no_other_setting(other):
    job = result({"step_size": 0.1}, 5.0)
    assert trainings.select([job | other, job], "comparison", "MAML", "uniform", 0.1, "validation_mse").tolist() == [
        5.0
    ]


def test_select_has_nan_where_a_run_diverged():
    fine = result({"step_size": 0.1, "test_mse": [3.0, 2.0]}, 1.0)
    runs = [fine, result({"step_size": 0.1, "seed": 1}, None)]
    curves = trainings.select(runs, "comparison", "MAML", "uniform", 0.1, "test_mse")
    np.testing.assert_array_equal(curves, [[3.0, 2.0], [np.nan, np.nan]])
    losses = trainings.select(runs, "comparison", "MAML", "uniform", 0.1, "validation_mse")
    np.testing.assert_array_equal(losses, [1.0, np.nan])


# ---------------------------------------------------------------- small pieces


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.23456789, 1.23457),
        (123456789, 123457000.0),
        (1e-9 / 3, 3.33333e-10),
        (0, 0.0),
        (-2.5, -2.5),
        (np.nan, None),
        (np.inf, None),
        (-np.inf, None),
        (np.array([1.0, np.nan, np.inf]), [1.0, None, None]),
        ([], []),
        (np.array([[1.0, 2.00000049], [np.inf, -3.0]]), [[1.0, 2.0], [None, -3.0]]),
    ],
)
def test_rounded_keeps_six_digits_and_makes_none_of_what_is_not_finite(value, expected):
    assert trainings.rounded(value) == expected


def test_rounded_gives_plain_python_that_json_holds_unchanged():
    value = trainings.rounded(np.array([0.1, np.nan, 1 / 3]))
    assert json.loads(json.dumps(value, allow_nan=False)) == value
