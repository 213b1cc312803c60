"""Reptile's direction, and the points of its minibatches."""

import itertools

import numpy as np
import pytest

from gaml_utils.records import TaskBatch
from gaml_utils.scratch.inner_loop import adapt
from gaml_utils.scratch.mlp import loss
from gaml_utils.scratch.optimizers import SGD
from gaml_utils.scratch.reptile import reptile_direction
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from tests.support.directions import GIVEN, Recorder, activations, given_weights, problems
from tests.support.plain_formulas import (
    flat,
    plain_gradient,
    plain_updates,
    relative_error,
    same,
    shaped,
    sine_problem,
)


def test_reptiles_outer_directions_are_its_updates():
    params, batch = sine_problem(6)
    results = [reptile_direction(params, batch, weighting=agreement_weights, source=s) for s in ("updates", "outer")]
    assert same(*([*r.gradient, *r[1:]] for r in results))


# Reptile's direction


@problems
@activations
@pytest.mark.parametrize("steps", [1, 5])
def test_the_reptile_direction_is_the_mean_displacement_over_a_loop(problem, activation, steps):
    params, batch = problem(7)
    result = reptile_direction(params, batch, 0.05, steps, activation)
    assert relative_error(result.gradient, [plain_updates(params, batch, 0.05, steps, activation).mean(0)]) < 1e-12


def test_the_reptile_direction_uses_the_weights_it_is_given():
    params, batch = sine_problem(7)
    result = reptile_direction(params, batch, 0.05, 3, weighting=given_weights)
    assert np.array_equal(result.weights, GIVEN)
    assert relative_error(result.gradient, [GIVEN @ plain_updates(params, batch, 0.05, 3, "tanh")]) < 1e-12


def test_the_reptile_direction_sees_the_support_set_only():
    params, batch = sine_problem(7)
    other = batch._replace(query_y=batch.query_y + 1.0)
    first, second = reptile_direction(params, batch), reptile_direction(params, other)
    assert same(first.gradient, second.gradient)
    assert not np.any(first.query_losses == second.query_losses)


def test_sgd_on_the_reptile_direction_is_the_step_of_reptile():
    params, batch = sine_problem(8)
    result = reptile_direction(params, batch, 0.05, 3, weighting=agreement_weights)
    adapted = adapt(params, *batch[:2], 0.05, 3, "tanh")
    moved = [p + 0.5 * np.tensordot(result.weights, a - p, 1) for p, a in zip(params, adapted, strict=True)]
    assert relative_error(SGD(0.5).step(params, result.gradient), moved) < 1e-12


def test_the_defaults_of_reptile_direction():
    params, batch = sine_problem(8)
    by_default = reptile_direction(params, batch)
    spelled = reptile_direction(
        params,
        batch,
        inner_lr=0.02,
        inner_steps=5,
        activation="tanh",
        weighting=uniform_weights,
        batch_size=None,
        rng=None,
    )
    assert same([*by_default.gradient, *by_default[1:]], [*spelled.gradient, *spelled[1:]])


# Reptile's minibatches


def minibatch_updates(params, batch, inner_lr, steps, batch_size, seed=0):
    seen = Recorder()
    reptile_direction(params, batch, inner_lr, steps, "tanh", seen, batch_size, np.random.default_rng(seed))
    return seen.updates


def possible_updates(params, x, y, inner_lr, steps, batch_size):
    """One task's update for every order in which passes over shuffled points can run."""
    passes = -(-steps * batch_size // len(x))
    found = []
    for orders in itertools.product(itertools.permutations(range(len(x))), repeat=passes):
        order, theta = sum(orders, ()), params
        for k in range(steps):
            points = list(order[k * batch_size : (k + 1) * batch_size])
            gradient = plain_gradient(theta, x[points], y[points], "tanh")
            theta = [p - inner_lr * g for p, g in zip(theta, gradient, strict=True)]
        found.append(flat(params) - flat(theta))
    return np.array(found)


@pytest.mark.parametrize("shots, batch_size, steps", [(3, 1, 3), (4, 2, 2), (3, 2, 3), (3, 1, 5), (2, 1, 6), (4, 3, 1)])
def test_minibatches_are_passes_over_a_shuffled_support_set(shots, batch_size, steps):
    params, batch = sine_problem(9, tasks=4, shots=shots)
    updates = minibatch_updates(params, batch, 0.05, steps, batch_size)
    for update, x, y in zip(updates, *batch[:2], strict=True):
        possible = possible_updates(params, x, y, 0.05, steps, batch_size)
        assert np.min(np.linalg.norm(possible - update, axis=1)) < 1e-12 * np.linalg.norm(update)


@pytest.mark.parametrize("shots, batch_size, steps", [(10, 2, 5), (10, 5, 4), (9, 3, 6), (10, 4, 5)])
def test_each_pass_sees_each_point_once(shots, batch_size, steps):
    params, batch = sine_problem(10, shots=shots)
    tiny = 1e-7  # so small that all steps take their gradient at the same place
    updates = minibatch_updates(params, batch, tiny, steps, batch_size)
    for update, x, y in zip(updates, *batch[:2], strict=True):
        full = flat(plain_gradient(params, x, y, "tanh"))
        assert relative_error([update], [tiny * steps * full]) < 1e-4


def test_every_order_of_the_points_occurs_and_each_task_has_its_own():
    params, batch = sine_problem(11, tasks=1, shots=3)
    repeated = TaskBatch(*(np.repeat(a, 200, axis=0) for a in batch))
    updates = minibatch_updates(params, repeated, 0.05, 3, 1)
    possible = possible_updates(params, *(a[0] for a in batch[:2]), 0.05, 3, 1)
    which = np.argmin(np.linalg.norm(updates[:, None] - possible, axis=2), axis=1)
    counts = np.bincount(which, minlength=6)
    assert counts.min() > 15 and counts.max() < 55  # 33 expected, give or take 5


def test_each_pass_has_an_order_of_its_own():
    params, batch = sine_problem(11, tasks=1, shots=3)
    repeated = TaskBatch(*(np.repeat(a, 60, axis=0) for a in batch))
    updates = minibatch_updates(params, repeated, 0.05, 6, 1)
    assert len(np.unique(updates.round(12), axis=0)) > 20  # 36 are possible, 6 if the passes were alike


def test_minibatches_depend_on_the_generator_only():
    params, batch = sine_problem(12, shots=10)
    first, again, other = (minibatch_updates(params, batch, 0.05, 5, 2, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.any(np.all(first == other, axis=1))


def test_a_minibatch_of_all_shots_is_the_full_batch_up_to_rounding():
    params, batch = sine_problem(12, shots=6)
    full = reptile_direction(params, batch, 0.05, 4)
    mini = reptile_direction(params, batch, 0.05, 4, batch_size=6, rng=np.random.default_rng(0))
    assert relative_error(mini.gradient, full.gradient) < 1e-13


@activations
def test_a_minibatch_update_goes_into_weights_direction_and_losses(activation):
    params, batch = sine_problem(13, shots=6)
    seen = Recorder()
    options = dict(inner_lr=0.05, inner_steps=4, activation=activation, batch_size=2)
    reptile_direction(params, batch, weighting=seen, rng=np.random.default_rng(0), **options)
    result = reptile_direction(params, batch, weighting=agreement_weights, rng=np.random.default_rng(0), **options)
    assert np.array_equal(result.weights, agreement_weights(seen.updates))
    assert relative_error(result.gradient, [result.weights @ seen.updates]) < 1e-12
    for i, update in enumerate(seen.updates):
        end = shaped(flat(params) - update, params)
        one = slice(i, i + 1)
        np.testing.assert_allclose(
            result.query_losses[i], loss(end, batch.query_x[one], batch.query_y[one], activation)[0], rtol=1e-12
        )
