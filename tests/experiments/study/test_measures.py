"""Errors and weights are summed up as the plan says."""

import numpy as np

from gaml_utils.experiments.study import sine_training as work


def test_errors_and_weights_are_summed_up_as_the_plan_says():
    found = work.error_summary(np.arange(20.0))
    assert found == {"test_error": 9.5, "test_median": 9.5, "test_worst": 18.5}
    weights = np.array([[9.0, 9.0, 9.0, 9.0], [0.5, 0.25, 0.5, -0.25]])  # the first half does not count
    record = work.weight_record(weights, others=1)
    assert record == {"negative_share": 0.25, "effective_tasks": 1.6, "others_weight": -1}
    assert work.weight_record(weights, 0)["others_weight"] is None
