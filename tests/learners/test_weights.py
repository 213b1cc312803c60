"""One weight per task in the learners, and rules written in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.weighting.agreement import agreement_weights
from gaml_utils.weighting.numpy_adapter import tensor_rule
from tests.support.keras_learners import RULES, arrays, build, fit
from tests.support.keras_models import (
    as_data,
    batch_for,
    outer_objective,
    values,
)
from tests.support.plain_formulas import central_differences, relative_error, same


def softmax_weights(g):
    return tf.nn.softmax(1e3 * tf.reduce_sum(g * g, axis=1))


def test_no_gradient_flows_through_the_weights():
    batch = batch_for("dense")
    open_, stopped = (
        build("dense", weighting=rule).meta_gradient(batch)
        for rule in (softmax_weights, lambda g: softmax_weights(tf.stop_gradient(g)))
    )
    assert same(arrays(open_), arrays(stopped))


def test_gradient_with_uneven_weights_is_the_weighted_sum():
    """Weights through which a gradient would flow: the outer objective holds them constant."""
    batch, learner = batch_for("dense"), build("dense", weighting=softmax_weights)
    result = learner.meta_gradient(batch)
    objective = outer_objective(learner.model, batch, 0.1, 2, result.weights.numpy())
    theta = values(learner.model.trainable_variables)
    assert np.ptp(result.weights) > 1e-3
    assert relative_error(result.gradient, central_differences(objective, theta, 1e-5)) < 1e-6


def numpy_agreement(g):
    assert isinstance(g, np.ndarray)
    scores = g @ g.sum(0)
    return scores / np.abs(scores).sum()


def test_from_numpy_gives_what_the_tensor_rule_gives():
    batch = batch_for("dense")
    ours, theirs = (build("dense", weighting=rule) for rule in (agreement_weights, tensor_rule(numpy_agreement)))
    assert relative_error(arrays(theirs.meta_gradient(batch)), arrays(ours.meta_gradient(batch))) < 1e-12
    for learner in (ours, theirs):
        fit(learner, as_data(batch), 3)
    assert relative_error(values(theirs.model.variables), values(ours.model.variables)) < 1e-12


def test_from_numpy_leaves_arrays_to_the_rule():
    g = np.random.default_rng(0).normal(size=(4, 3))
    assert np.array_equal(tensor_rule(numpy_agreement)(g), numpy_agreement(g))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_from_numpy_gives_tensors_of_the_dtype_of_the_updates(dtype):
    updates = tf.cast(np.random.default_rng(0).normal(size=(4, 3)), dtype)
    w = tensor_rule(lambda g: [0, 1, 2, 3])(updates)
    assert w.dtype == dtype and np.array_equal(w, [0, 1, 2, 3])


def test_from_numpy_takes_the_package_rules():
    updates = tf.constant(np.random.default_rng(0).normal(size=(4, 3)))
    for rule in RULES.values():
        np.testing.assert_allclose(tensor_rule(rule)(updates), rule(updates), rtol=1e-12)
