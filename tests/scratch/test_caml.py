"""CAML by hand: against central differences, a linear model worked out, and Keras on the golden batch's tasks."""

import keras
import numpy as np
import pytest

from gaml_utils.learners.caml import CAML
from gaml_utils.networks.context import Context
from gaml_utils.scratch.caml import adapt_context, beside, caml_direction, predict_in_context
from gaml_utils.scratch.mlp import init_mlp, loss
from gaml_utils.tasks.regression import SineTasks
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from gaml_utils.weighting.powers import power_weights
from tests.support.directions import activations
from tests.support.keras_learners import GOLDEN, compiled
from tests.support.keras_models import float64, functional
from tests.support.plain_formulas import central_differences, relative_error

K = 3


def problem(seed=1, sizes=(1 + K, 7, 5, 1)):
    """Random parameters, biases included, and sines."""
    rng = np.random.default_rng(seed)
    params = [p + 0.3 * rng.normal(size=p.shape) for p in init_mlp(rng, sizes)]
    return params, SineTasks().sample(rng, 4, 6, 7)


def objective(params, batch, steps, activation, w):
    """sum_i w_i L_i, by adapting the contexts with differences of the loss: no derivative by hand."""
    total = 0.0
    for i, w_i in enumerate(w):
        x, y = batch.support_x[i : i + 1], batch.support_y[i : i + 1]
        phi = np.zeros((1, K))
        for _ in range(steps):

            def of_context(p, x=x, y=y):
                return loss(params, beside(x, p[0]), y, activation)[0]

            phi = phi - 0.2 * central_differences(of_context, [phi], 1e-5)[0]
        total += w_i * loss(params, beside(batch.query_x[i : i + 1], phi), batch.query_y[i : i + 1], activation)[0]
    return total


@activations
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("weighting, source", [(uniform_weights, "updates"), (agreement_weights, "outer")])
def test_the_gradient_is_that_of_central_differences(activation, steps, weighting, source):
    params, batch = problem()
    result = caml_direction(params, batch, K, 0.2, steps, activation, weighting, source)
    expected = central_differences(lambda p: objective(p, batch, steps, activation, result.weights), params, 1e-4)
    assert relative_error(result.gradient, expected) < 1e-4


@activations
def test_without_the_second_order_part_it_is_another_gradient(activation):
    """The bound above tells the two apart."""
    params, batch = problem()
    exact = caml_direction(params, batch, K, 0.2, 1, activation).gradient
    small = caml_direction(params, batch, K, 1e-9, 1, activation).gradient
    assert relative_error(exact, small) > 0.05


def test_a_linear_model_by_hand():
    """y = theta x + phi: one step from 0 takes phi to 2 alpha times the mean residual."""
    theta, alpha = 1.5, 0.3
    params = [np.array([[theta], [1.0]]), np.zeros(1)]
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 5, 1)), rng.normal(size=(2, 5, 1))
    phi = adapt_context(params, x, y, 1, alpha)
    np.testing.assert_allclose(phi, 2 * alpha * np.mean(y - theta * x, axis=1), rtol=1e-12)
    np.testing.assert_allclose(predict_in_context(params, x, phi), theta * x + phi[:, None], rtol=1e-12)


@activations
def test_updates_are_the_contexts(activation):
    params, batch = problem(2)
    shown = []

    def rule(updates):
        shown.append(updates)
        return uniform_weights(updates)

    caml_direction(params, batch, K, 0.2, 2, activation, rule)
    np.testing.assert_array_equal(shown[0], -adapt_context(params, *batch[:2], K, 0.2, 2, activation))


def test_the_order_of_the_support_points_does_not_matter_and_equal_tasks_have_equal_contexts():
    params, batch = problem(3)
    x, y = batch.support_x, batch.support_y
    phi = adapt_context(params, x, y, K)
    np.testing.assert_allclose(adapt_context(params, x[:, ::-1], y[:, ::-1], K), phi, rtol=1e-10)
    twice = adapt_context(params, np.repeat(x[:1], 2, 0), np.repeat(y[:1], 2, 0), K)
    np.testing.assert_array_equal(twice[0], twice[1])


def test_a_context_that_the_first_layer_does_not_see_stays_at_zero():
    """W_phi = 0 is a saddle: neither the context nor W_phi ever moves."""
    params, batch = problem(4)
    params[0][-K:] = 0
    assert not adapt_context(params, *batch[:2], K).any()
    assert not caml_direction(params, batch, K).gradient[0][-K:].any()


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("source", ["updates", "outer"])
@pytest.mark.parametrize("weighting", [uniform_weights, agreement_weights, power_weights(-1)])
def test_keras_computes_the_same_on_the_golden_batch(weighting, source, steps):
    params = init_mlp(np.random.default_rng(0), (1 + K, 40, 40, 1))
    with float64():
        layers = [Context(K), *(keras.layers.Dense(40, "relu") for _ in range(2)), keras.layers.Dense(1)]
        model = functional(*layers, shape=(1,))
    model.set_weights([np.zeros(K), *params])
    learner = compiled(CAML(model, 0.5, inner_steps=steps, weighting=weighting, source=source))
    theirs = learner.meta_gradient(GOLDEN)
    ours = caml_direction(params, GOLDEN, K, 0.5, steps, weighting=weighting, source=source)
    assert relative_error([np.array(g) for g in theirs.gradient], ours.gradient) < 1e-10
    np.testing.assert_allclose(theirs.weights, ours.weights, rtol=1e-7)
    np.testing.assert_allclose(theirs.query_losses, ours.query_losses, rtol=1e-10)


@pytest.mark.parametrize("context", [0, 4, 1.5, True])
def test_another_context_than_the_first_layer_can_take_is_refused(context):
    params, batch = problem()
    with pytest.raises(ValueError, match="context should be a whole number"):
        caml_direction(params, batch, context)


def test_parameters_of_another_width_are_refused():
    _, batch = problem()
    with pytest.raises(ValueError, match="params should take the 4 features"):
        caml_direction(init_mlp(np.random.default_rng(0), (6, 3, 1)), batch, K)
