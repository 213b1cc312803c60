"""Reptile around Keras models: NumPy's numbers, and the points of its minibatches."""

import numpy as np
import pytest

from gaml_utils.learners.reptile import Reptile
from gaml_utils.scratch import reptile as numpy_reptile
from tests.support.keras_learners import GOLDEN, PARAMS, RULES, arrays, build, compiled, golden_model
from tests.support.keras_models import (
    batch_for,
)
from tests.support.plain_formulas import plain_gradient, relative_error, same


@pytest.mark.parametrize("rule", RULES)
def test_reptile_equals_numpy(rule):
    learner = compiled(Reptile(golden_model(), 0.02, 3, weighting=RULES[rule]))
    expected = numpy_reptile.reptile_direction(PARAMS, GOLDEN, 0.02, 3, "relu", RULES[rule])
    assert relative_error(arrays(learner.meta_gradient(GOLDEN)), arrays(expected)) < 1e-10


# Reptile on minibatches


def minibatches(steps=4, batch_size=4, seed=0):
    return compiled(Reptile(golden_model(), 0.02, steps, batch_size=batch_size, seed=seed))


def test_each_pass_sees_each_point_once():
    """Ten points, in steps of four: the first ten draws are one pass, the next ten another."""
    order = minibatches(steps=5).order(GOLDEN).numpy()
    assert order.shape == (5, 5, 4)
    passes = order.reshape(5, 2, 10)
    assert np.array_equal(np.sort(passes, -1), np.broadcast_to(np.arange(10), passes.shape))
    assert len({tuple(p) for p in passes.reshape(10, 10)}) == 10


def test_same_outer_step_draws_the_same_points_and_another_step_or_seed_others():
    learner = minibatches()
    order = learner.order(GOLDEN).numpy()
    assert np.array_equal(order, learner.order(GOLDEN)) and np.array_equal(order, minibatches().order(GOLDEN))
    assert not np.array_equal(order, minibatches(seed=1).order(GOLDEN))
    learner.optimizer.iterations.assign(1)
    assert not np.array_equal(order, learner.order(GOLDEN))


def test_minibatch_reptile_is_sgd_on_those_points():
    learner = minibatches()
    result, order = learner.meta_gradient(GOLDEN), learner.order(GOLDEN).numpy()
    total = [np.zeros_like(p) for p in PARAMS]
    for x, y, steps in zip(*GOLDEN[:2], order, strict=True):
        theta = PARAMS
        for points in steps:
            gradient = plain_gradient(theta, x[points], y[points], "relu")
            theta = [p - 0.02 * g for p, g in zip(theta, gradient, strict=True)]
        total = [t + (p - q) / 5 for t, p, q in zip(total, PARAMS, theta, strict=True)]
    assert relative_error(result.gradient, total) < 1e-10


def test_reptiles_outer_directions_are_its_updates():
    batch = batch_for("dense")
    assert same(*(arrays(build("dense", Reptile, source=s).meta_gradient(batch)) for s in ("updates", "outer")))
