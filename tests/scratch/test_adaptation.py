"""Adaptation curves: the loss of each task after each inner step."""

import numpy as np
import pytest

from gaml_utils.records import TaskBatch
from gaml_utils.scratch.adaptation import adaptation_curve
from gaml_utils.scratch.inner_loop import adapt
from gaml_utils.scratch.mlp import init_mlp, predict
from gaml_utils.tasks.regression import NoiseTasks, SineTasks


def problem(sizes=(1, 8, 8, 1), tasks=4, seed=0):
    rng = np.random.default_rng(seed)
    params = [p + 0.1 * rng.normal(size=p.shape) for p in init_mlp(rng, sizes)]
    return params, SineTasks().sample(rng, tasks, 5, 7)


def curve_task_by_task(params, batch, inner_lr, steps, activation):
    curve = np.empty((len(batch.support_x), steps + 1))
    for i in range(len(curve)):
        for k in range(steps + 1):
            one = slice(i, i + 1)
            theta = adapt(params, batch.support_x[one], batch.support_y[one], inner_lr, k, activation)
            curve[i, k] = np.mean((predict(theta, batch.query_x[one], activation) - batch.query_y[one]) ** 2)
    return curve


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("sizes", [(1, 8, 8, 1), (1, 5, 1)])
def test_curve_is_adapt_one_task_and_one_step_count_at_a_time(sizes, activation):
    params, batch = problem(sizes)
    expected = curve_task_by_task(params, batch, 0.02, 4, activation)
    curve = adaptation_curve(params, batch, 0.02, 4, activation)
    assert np.linalg.norm(curve - expected) <= 1e-12 * np.linalg.norm(expected)


@pytest.mark.parametrize("steps", [0, 1, 6])
def test_curve_has_one_row_a_task_and_one_column_more_than_steps(steps):
    params, batch = problem(tasks=3)
    assert adaptation_curve(params, batch, steps=steps).shape == (3, steps + 1)


def test_curve_starts_at_the_loss_before_adaptation():
    params, batch = problem()
    expected = np.mean((predict(params, batch.query_x) - batch.query_y) ** 2, axis=(1, 2))
    np.testing.assert_allclose(adaptation_curve(params, batch, steps=2)[:, 0], expected, rtol=1e-12)


def test_curve_averages_over_the_features_of_y():
    rng = np.random.default_rng(1)
    params = init_mlp(rng, (2, 4, 3))
    batch = TaskBatch(*(rng.normal(size=(2, 5, n)) for n in (2, 3, 2, 3)))
    expected = curve_task_by_task(params, batch, 0.1, 2, "tanh")
    np.testing.assert_allclose(adaptation_curve(params, batch, 0.1, 2, "tanh"), expected, rtol=1e-12)


def test_curve_changes_neither_parameters_nor_batch():
    params, batch = problem()
    before = [a.copy() for a in (*params, *batch)]
    adaptation_curve(params, batch, steps=3)
    assert all(np.array_equal(a, b) for a, b in zip((*params, *batch), before, strict=True))


def test_curve_of_the_constant_0_on_noise_is_its_variance_before_adaptation():
    params = [np.zeros((1, 4)), np.zeros(4), np.zeros((4, 1)), np.zeros(1)]
    batch = NoiseTasks(std=2.0).sample(np.random.default_rng(0), 50, 5, 400)
    variance = adaptation_curve(params, batch, steps=0).mean()
    assert variance == pytest.approx(4.0, abs=0.16)  # four standard errors


def broken(**changes):
    """Arguments of adaptation_curve with one of them spoiled."""
    params, batch = problem()
    return {"params": params, "batch": batch, "inner_lr": 0.01, "steps": 2, "activation": "relu"} | changes


def batch_with(**changes):
    return problem()[1]._replace(**changes)


BAD_CURVES = {
    "negative steps": ("steps", {"steps": -1}),
    "half a step": ("steps", {"steps": 1.5}),
    "steps True": ("steps", {"steps": True}),
    "steps as text": ("steps", {"steps": "3"}),
    "inner_lr 0": ("inner_lr", {"inner_lr": 0}),
    "inner_lr negative": ("inner_lr", {"inner_lr": -0.1}),
    "inner_lr nan": ("inner_lr", {"inner_lr": np.nan}),
    "inner_lr infinite": ("inner_lr", {"inner_lr": np.inf}),
    "inner_lr array": ("inner_lr", {"inner_lr": np.full((4, 1), 0.1)}),
    "params nan": ("params", {"params": [np.full_like(p, np.nan) for p in problem()[0]]}),
    "params do not chain": ("params", {"params": problem()[0][:2] + problem((1, 5, 1))[0][2:]}),
    "params not a list": ("params", {"params": np.zeros(4)}),
    "params for 2 features": ("params", {"params": problem((2, 4, 1))[0]}),
    "params with 2 outputs": ("params", {"params": problem((1, 4, 2))[0]}),
    "activation unknown": ("activation", {"activation": "sigmoid"}),
    "batch of three": ("batch", {"batch": tuple(problem()[1][:3])}),
    "support without task axis": ("support_x", {"batch": batch_with(support_x=np.zeros((5, 1)))}),
    "support nan": ("support_y", {"batch": batch_with(support_y=np.full((4, 5, 1), np.nan))}),
    "query task missing": ("query_x", {"batch": batch_with(query_x=np.zeros((3, 7, 1)))}),
    "query points missing": ("query_y", {"batch": batch_with(query_y=np.zeros((4, 6, 1)))}),
    "query infinite": ("query_x", {"batch": batch_with(query_x=np.full((4, 7, 1), np.inf))}),
}


@pytest.mark.parametrize(("name", "changes"), BAD_CURVES.values(), ids=BAD_CURVES)
def test_bad_input_of_a_curve_gets_a_valueerror_that_names_it(name, changes):
    with pytest.raises(ValueError, match=rf"\b{name}\b"):
        adaptation_curve(**broken(**changes))


@pytest.mark.parametrize("steps", [0, 1])
@pytest.mark.parametrize(("name", "points"), [("support_y", 5), ("query_y", 7)])
def test_curve_refuses_y_with_more_features_than_the_network_puts_out(name, points, steps):
    wide = {name: np.zeros((4, points, 2))}
    with pytest.raises(ValueError, match=f"{name}|params"):
        adaptation_curve(**broken(batch=batch_with(**wide), steps=steps))
