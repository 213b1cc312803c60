"""Meta-SGD by hand: against MAML, central differences, the product of gradients, and Keras on the golden batch."""

import keras
import numpy as np
import pytest

from gaml_utils.learners.meta_sgd import MetaSGD
from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.scratch.meta_sgd import meta_sgd_direction, split_rates, with_rates
from gaml_utils.scratch.mlp import loss
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from gaml_utils.weighting.powers import power_weights
from tests.support.directions import activations
from tests.support.keras_learners import GOLDEN, PARAMS, compiled
from tests.support.keras_models import float64, functional
from tests.support.plain_formulas import central_differences, of_task, plain_gradient, relative_error, sine_problem


def problem(seed=1):
    """Parameters with rates of both signs, and sines."""
    params, batch = sine_problem(seed)
    rng = np.random.default_rng(seed)
    return [*params, *(rng.normal(0.03, 0.03, p.shape) for p in params)], batch


def adapted(params, batch, activation):
    """theta'_i, each task alone."""
    theta, alpha = split_rates(params)
    for i in range(len(batch.support_x)):
        g = plain_gradient(theta, batch.support_x[i], batch.support_y[i], activation)
        yield [p - a * b for p, a, b in zip(theta, alpha, g, strict=True)]


def objective(params, batch, activation, w):
    return sum(
        w_i * loss([p[None] for p in theta], batch.query_x[i : i + 1], batch.query_y[i : i + 1], activation)[0]
        for i, (w_i, theta) in enumerate(zip(w, adapted(params, batch, activation), strict=True))
    )


@activations
@pytest.mark.parametrize("weighting", [uniform_weights, agreement_weights])
@pytest.mark.parametrize("source", ["updates", "outer", "losses"])
def test_the_gradient_by_theta_and_rates_is_that_of_central_differences(activation, weighting, source):
    params, batch = problem()
    result = meta_sgd_direction(params, batch, activation, weighting, source)
    expected = central_differences(lambda p: objective(p, batch, activation, result.weights), params, 1e-6)
    assert relative_error(result.gradient, expected) < 1e-6


@activations
def test_the_rates_gradient_is_the_product_of_support_and_query_gradients(activation):
    params, batch = problem(2)
    theta, _ = split_rates(params)
    result = meta_sgd_direction(params, batch, activation)
    products = []
    for i, after in enumerate(adapted(params, batch, activation)):
        g_support = plain_gradient(theta, batch.support_x[i], batch.support_y[i], activation)
        g_query = plain_gradient(after, batch.query_x[i], batch.query_y[i], activation)
        products.append([-a * b for a, b in zip(g_support, g_query, strict=True)])
    by_hand = [np.mean([p[k] for p in products], axis=0) for k in range(len(theta))]
    assert relative_error(result.gradient[len(theta) :], by_hand) < 1e-12


@activations
@pytest.mark.parametrize("source", ["updates", "losses"])
def test_equal_rates_are_maml(activation, source):
    params, batch = sine_problem(3)
    ours = meta_sgd_direction(with_rates(params, 0.05), batch, activation, agreement_weights, source)
    maml = meta_gradient(params, batch, 0.05, activation=activation, weighting=agreement_weights, source=source)
    assert relative_error(ours.gradient[: len(params)], maml.gradient) < 1e-12
    np.testing.assert_allclose(ours.weights, maml.weights, rtol=1e-12)


@pytest.mark.parametrize("source", ["updates", "outer"])
@pytest.mark.parametrize("weighting", [uniform_weights, agreement_weights, power_weights(-1)])
def test_keras_computes_the_same_on_the_golden_batch(weighting, source):
    rng = np.random.default_rng(0)
    rates = [rng.normal(0.01, 0.01, p.shape) for p in PARAMS]
    with float64():
        hidden = [keras.layers.Dense(40, "relu") for _ in range(2)]
        model = functional(*hidden, keras.layers.Dense(1), shape=(1,))
    model.set_weights(PARAMS)
    learner = compiled(MetaSGD(model, weighting=weighting, source=source))
    for variable, rate in zip(learner.rates, rates, strict=True):
        variable.assign(rate)
    theirs = learner.meta_gradient(GOLDEN)
    ours = meta_sgd_direction([*PARAMS, *rates], GOLDEN, weighting=weighting, source=source)
    assert relative_error([np.array(g) for g in theirs.gradient], ours.gradient) < 1e-10
    np.testing.assert_allclose(theirs.weights, ours.weights, rtol=1e-8)
    assert of_task([np.array(theirs.query_losses)], 0)[0] == pytest.approx(ours.query_losses[0], rel=1e-10)


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda p: p[:-1],
        lambda p: [*p[:-1], np.zeros(7)],
        lambda p: [*p[:-1], np.full(p[-1].shape, np.nan)],
        lambda p: p[: len(p) // 2],
        lambda p: np.zeros(8),
    ],
)
def test_parameters_without_a_rate_for_each_are_refused(spoilt):
    params, batch = problem()
    with pytest.raises(ValueError, match="params should"):
        meta_sgd_direction(spoilt(params), batch)


def test_nothing_is_changed():
    params, batch = problem()
    before = [p.copy() for p in params]
    meta_sgd_direction(params, batch, weighting=agreement_weights)
    assert all(np.array_equal(a, b) for a, b in zip(params, before, strict=True))
