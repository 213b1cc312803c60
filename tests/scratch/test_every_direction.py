"""What MAML's and Reptile's directions have in common: losses, weights, inputs left alone, who is to blame."""

from functools import partial

import numpy as np
import pytest

from gaml_utils.records import TaskBatch
from gaml_utils.scratch.inner_loop import adapt
from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.scratch.mlp import loss
from gaml_utils.scratch.reptile import reptile_direction
from gaml_utils.weighting.agreement import agreement_weights
from tests.support.directions import Recorder, activations, directions
from tests.support.plain_formulas import (
    copies,
    flat,
    plain_updates,
    relative_error,
    same,
    sine_problem,
    wide_problem,
)

# both directions


@directions
@activations
def test_query_losses_are_those_of_the_adapted_parameters(direction, activation):
    params, batch = wide_problem(14)
    result = direction(params, batch, 0.05, 3, activation=activation)
    adapted = adapt(params, *batch[:2], 0.05, 3, activation)
    np.testing.assert_allclose(result.query_losses, loss(adapted, *batch[2:], activation), rtol=1e-12)


@directions
@activations
@pytest.mark.parametrize("steps", [1, 3])
def test_the_weighting_is_shown_the_whole_displacement_of_each_task(direction, activation, steps):
    params, batch = sine_problem(15)
    seen = Recorder()
    direction(params, batch, 0.05, steps, activation=activation, weighting=seen)
    plain = plain_updates(params, batch, 0.05, steps, activation)
    assert seen.updates.shape == (3, flat(params).size)
    for update, expected in zip(seen.updates, plain, strict=True):
        assert relative_error([update], [expected]) < 1e-12


@directions
def test_agreement_weights_are_those_of_the_displacements(direction):
    params, batch = sine_problem(15)
    result = direction(params, batch, 0.05, 3, activation="tanh", weighting=agreement_weights)
    G = plain_updates(params, batch, 0.05, 3, "tanh")
    scores = G @ G.sum(0)
    np.testing.assert_allclose(result.weights, scores / np.abs(scores).sum(), rtol=1e-10)


@directions
def test_a_result_is_shaped_like_the_parameters_with_one_weight_and_loss_a_task(direction):
    params, batch = wide_problem(16, tasks=4)
    result = direction(params, batch)
    assert [g.shape for g in result.gradient] == [p.shape for p in params]
    assert result.weights.shape == result.query_losses.shape == (4,)


@directions
def test_uniform_is_the_mean_over_tasks(direction):
    params, batch = sine_problem(17)
    alone = [direction(params, TaskBatch(*(a[i : i + 1] for a in batch)), 0.05, 2).gradient for i in range(3)]
    mean = [sum(parts) / 3 for parts in zip(*alone, strict=True)]
    assert relative_error(direction(params, batch, 0.05, 2).gradient, mean) < 1e-12


@directions
def test_lists_and_single_precision_are_computed_in_double_precision(direction):
    params, batch = sine_problem(18)
    single, batch = [p.astype(np.float32) for p in params], TaskBatch(*(a.astype(np.float32) for a in batch))
    from_single = direction(single, batch._replace(query_x=batch.query_x.tolist()))
    from_double = direction([p.astype(np.float64) for p in single], TaskBatch(*(a.astype(np.float64) for a in batch)))
    assert same(from_single.gradient, from_double.gradient)
    assert all(g.dtype == np.float64 for g in from_single.gradient)


@activations
@pytest.mark.parametrize(
    "call",
    [
        lambda params, batch, activation: adapt(params, *batch[:2], steps=3, activation=activation),
        partial(meta_gradient, inner_steps=3),
        partial(meta_gradient, inner_steps=3, first_order=True),
        reptile_direction,
        partial(reptile_direction, batch_size=2, rng=np.random.default_rng(0)),
    ],
    ids=["adapt", "exact", "first order", "reptile", "minibatches"],
)
def test_parameters_and_batch_are_unchanged(call, activation):
    params, batch = sine_problem(19)
    before = copies([*params, *batch])
    call(params, batch, activation=activation)
    assert same([*params, *batch], before)


@directions
def test_an_inner_loop_that_runs_away_is_no_fault_of_the_updates(direction):
    params, batch = sine_problem(20)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="inner loop diverged.*inner_lr"):
        direction(params, batch, inner_lr=1e3, inner_steps=9, activation="relu", weighting=agreement_weights)


@directions
def test_an_error_of_the_weighting_is_passed_on(direction):
    def weighting(updates):
        raise ValueError("not today")

    params, batch = sine_problem(20)
    with pytest.raises(ValueError, match="not today"):
        direction(params, batch, weighting=weighting)
