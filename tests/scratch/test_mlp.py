"""The network by hand: against one task at a time, central differences and complex steps."""

import numpy as np
import pytest

from gaml_utils.scratch import mlp
from gaml_utils.scratch.mlp import init_mlp, loss, predict
from gaml_utils.scratch.parameters import as_layers, flatten, join_layers, unflatten
from tests.support.plain_formulas import (
    central_differences,
    copies,
    of_task,
    plain_gradient,
    plain_hessian_times,
    plain_loss,
    plain_predict,
    random_params,
    relative_error,
    same,
    sine_problem,
    wide_problem,
)

activations = pytest.mark.parametrize("activation", ["relu", "tanh"])
nets = pytest.mark.parametrize(
    "sizes", [(1, 6, 1), (2, 5, 4, 3), (1, 4, 5, 4, 1), (3, 2)], ids=["one hidden", "wide", "three hidden", "linear"]
)


def problem(sizes, seed=0, tasks=3):
    """Shared parameters, parameters with a task axis, x and y."""
    params, batch = wide_problem(seed, tasks=tasks, sizes=sizes)
    rng = np.random.default_rng(seed + 100)
    per_task = [p + rng.normal(0.0, 0.3, (tasks, *p.shape)) for p in params]
    return params, per_task, batch.support_x, batch.support_y


def gradient(params, x, y, activation, weights=None):
    """The package's gradient as arrays with a task axis, and its trace; params shared or per task."""
    one = params if params[0].ndim == 2 else of_task(params, 0)
    out = np.full((len(x), flatten(one).size), np.nan)
    trace = mlp.gradient(join_layers(params), x, y, activation, as_layers(out, one), weights)
    return unflatten(out, one), trace


def hessian_times(params, vector, x, y, activation, total=False):
    """The package's Hessian-vector product as one flat row a task, or their sum."""
    _, trace = gradient(params, x, y, activation)
    layers = mlp.hessian_vector_product(join_layers(params), join_layers(vector), trace, activation, total)
    return flatten(layers, 0 if total else 1)


def vectors(params, tasks, seed=1):
    """A random vector a task, shaped like the shared parameters."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(tasks, *p.shape)) for p in params]


def test_init_mlp_gives_a_weight_and_a_bias_a_layer():
    params = init_mlp(np.random.default_rng(0), (1, 40, 30, 2))
    assert [p.shape for p in params] == [(1, 40), (40,), (40, 30), (30,), (30, 2), (2,)]
    assert all(p.dtype == np.float64 for p in params)


def test_init_mlp_draws_weights_with_the_glorot_deviation_and_zero_biases():
    W1, b1, W2, b2 = init_mlp(np.random.default_rng(0), (300, 500, 100))
    assert not b1.any() and not b2.any()
    for W, expected in ((W1, np.sqrt(2 / 800)), (W2, np.sqrt(2 / 600))):
        assert abs(W.std() / expected - 1) < 0.02
        assert abs(W.mean()) < 0.02 * expected
        assert abs(np.mean((W / W.std()) ** 4) - 3) < 0.1  # normal, not uniform


def test_init_mlp_depends_on_the_generator_only():
    first, again, other = (init_mlp(np.random.default_rng(seed), (2, 5, 1)) for seed in (3, 3, 4))
    assert same(first, again)
    assert not np.any(first[0] == other[0])


@nets
@activations
def test_predict_is_the_plain_network_for_shared_parameters(sizes, activation):
    params, _, x, _ = problem(sizes)
    plain = [plain_predict(params, xi, activation) for xi in x]
    np.testing.assert_allclose(predict(params, x, activation), plain, rtol=1e-12, atol=1e-14)


@nets
@activations
def test_predict_is_the_plain_network_for_parameters_of_each_task(sizes, activation):
    _, per_task, x, _ = problem(sizes)
    plain = [plain_predict(of_task(per_task, i), xi, activation) for i, xi in enumerate(x)]
    np.testing.assert_allclose(predict(per_task, x, activation), plain, rtol=1e-12, atol=1e-14)


@nets
@activations
def test_loss_is_the_mean_squared_error_of_each_task(sizes, activation):
    params, per_task, x, y = problem(sizes)
    shared = [plain_loss(params, xi, yi, activation) for xi, yi in zip(x, y, strict=True)]
    own = [plain_loss(of_task(per_task, i), x[i], y[i], activation) for i in range(len(x))]
    np.testing.assert_allclose(loss(params, x, y, activation), shared, rtol=1e-12)
    np.testing.assert_allclose(loss(per_task, x, y, activation), own, rtol=1e-12)


def test_relu_is_the_default_activation():
    params, _, x, y = problem((2, 5, 4, 3))
    assert np.array_equal(predict(params, x), predict(params, x, "relu"))
    assert np.array_equal(loss(params, x, y), loss(params, x, y, "relu"))


@activations
def test_the_slope_and_curvature_of_an_activation_are_its_derivatives(activation):
    f, slope, curvature = mlp.ACTIVATIONS[activation]
    z, h = np.array([-2.0, -0.3, 0.4, 1.5]), 1e-5
    at, up, down = (f(z + d, np.empty(4)) for d in (0.0, h, -h))
    np.testing.assert_allclose(slope(at), (up - down) / (2 * h), atol=1e-9)
    second = np.zeros(4) if curvature is None else curvature(at)
    np.testing.assert_allclose(second, (slope(up) - slope(down)) / (2 * h), atol=1e-9)


@nets
@activations
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "per task"])
def test_gradient_is_that_of_central_differences(sizes, activation, shared):
    params, per_task, x, y = problem(sizes)
    g, _ = gradient(params if shared else per_task, x, y, activation)
    for i in range(len(x)):
        at, task = (params if shared else of_task(per_task, i)), slice(i, i + 1)
        numeric = central_differences(lambda p, task=task: loss(p, x[task], y[task], activation)[0], at, 1e-6)
        assert relative_error(of_task(g, i), numeric) < 1e-6


@nets
@activations
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "per task"])
def test_gradient_is_plain_backpropagation(sizes, activation, shared):
    params, per_task, x, y = problem(sizes)
    g, _ = gradient(params if shared else per_task, x, y, activation)
    for i in range(len(x)):
        at = params if shared else of_task(per_task, i)
        assert relative_error(of_task(g, i), plain_gradient(at, x[i], y[i], activation)) < 1e-12


@activations
def test_the_trace_carries_the_loss(activation):
    params, per_task, x, y = problem((2, 5, 4, 3))
    for at in (params, per_task):
        np.testing.assert_allclose(gradient(at, x, y, activation)[1].loss, loss(at, x, y, activation), rtol=1e-12)


@activations
def test_weights_scale_the_gradient_of_each_task_but_not_its_loss(activation):
    _, per_task, x, y = problem((2, 5, 4, 3))
    w = np.array([0.5, -0.25, 2.0])
    plain, trace = gradient(per_task, x, y, activation)
    weighted, weighted_trace = gradient(per_task, x, y, activation, w)
    assert np.array_equal(weighted_trace.loss, trace.loss)
    for i in range(3):
        assert relative_error(of_task(weighted, i), [w[i] * g for g in of_task(plain, i)]) < 1e-14


@nets
@activations
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "per task"])
def test_hessian_vector_product_is_that_of_central_differences(sizes, activation, shared):
    params, per_task, x, y = problem(sizes)
    at, h = (params if shared else per_task), 1e-6
    v = vectors(params, len(x))
    base = [np.broadcast_to(p, d.shape) for p, d in zip(at, v, strict=True)]
    up, _ = gradient([p + h * d for p, d in zip(base, v, strict=True)], x, y, activation)
    down, _ = gradient([p - h * d for p, d in zip(base, v, strict=True)], x, y, activation)
    numeric = [(u - d) / (2 * h) for u, d in zip(up, down, strict=True)]
    product = hessian_times(at, v, x, y, activation)
    for i in range(len(x)):
        assert relative_error([product[i]], of_task(numeric, i)) < 1e-6


@nets
@activations
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "per task"])
def test_hessian_vector_product_is_the_complex_step_of_the_gradient(sizes, activation, shared):
    params, per_task, x, y = problem(sizes)
    at = params if shared else per_task
    v = vectors(params, len(x))
    product = hessian_times(at, v, x, y, activation)
    for i in range(len(x)):
        one = params if shared else of_task(per_task, i)
        plain = plain_hessian_times(one, of_task(v, i), x[i], y[i], activation)
        assert relative_error([product[i]], plain) < 1e-12


@nets
@activations
def test_total_is_the_sum_over_tasks(sizes, activation):
    params, _, x, y = problem(sizes)
    v = vectors(params, len(x))
    total = hessian_times(params, v, x, y, activation, total=True)
    assert relative_error([total], [hessian_times(params, v, x, y, activation).sum(0)]) < 1e-12


@activations
def test_the_hessian_is_symmetric(activation):
    params, per_task, x, y = problem((2, 5, 4, 3))
    u, v = vectors(params, len(x), seed=2), vectors(params, len(x), seed=3)
    uHv = np.sum(flatten(u, 1) * hessian_times(per_task, v, x, y, activation), axis=1)
    vHu = np.sum(flatten(v, 1) * hessian_times(per_task, u, x, y, activation), axis=1)
    np.testing.assert_allclose(uHv, vHu, rtol=1e-10)


@activations
def test_one_task_alone_gives_what_it_gives_among_others(activation):
    params, batch = sine_problem(0, tasks=4)
    x, y = batch.support_x, batch.support_y
    v = vectors(params, 4)
    g, Hv = gradient(params, x, y, activation)[0], hessian_times(params, v, x, y, activation)
    for i in range(4):
        one = slice(i, i + 1)
        assert relative_error(gradient(params, x[one], y[one], activation)[0], of_task(g, i)) < 1e-12
        assert relative_error(hessian_times(params, [d[one] for d in v], x[one], y[one], activation), [Hv[i]]) < 1e-12


@activations
def test_nothing_that_goes_in_is_changed(activation):
    params, per_task, x, y = problem((2, 5, 4, 3))
    v = vectors(params, len(x))
    given = [*per_task, *v, x, y]
    before = copies(given)
    loss(per_task, x, y, activation)
    hessian_times(per_task, v, x, y, activation)
    assert same(given, before)


def test_a_dead_relu_passes_no_gradient():
    W1, b1, W2, b2 = random_params(np.random.default_rng(0), (1, 3, 1))
    dead = [np.zeros_like(W1), np.array([-1.0, 0.0, 1.0]), W2, b2]
    g, _ = gradient(dead, np.ones((1, 2, 1)), np.ones((1, 2, 1)), "relu")
    assert np.array_equal(g[1][0] != 0, [False, False, True])  # at zero the slope is taken as zero
