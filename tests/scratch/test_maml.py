"""MAML's outer gradient: against one task at a time, and against central differences."""

import numpy as np
import pytest

from gaml_utils.records import TaskBatch
from gaml_utils.scratch.inner_loop import adapt
from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from gaml_utils.weighting.powers import power_weights
from tests.support.directions import GIVEN, Recorder, activations, given_weights, problems
from tests.support.plain_formulas import (
    central_differences,
    flat,
    of_task,
    outer_objective,
    plain_gradient,
    plain_meta_gradient,
    relative_error,
    same,
    sine_problem,
    wide_problem,
)

# MAML's outer gradient


@activations
@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("weighting", [uniform_weights, agreement_weights])
@pytest.mark.parametrize("problem", [sine_problem, wide_problem], ids=["sines", "several outputs"])
def test_the_exact_meta_gradient_is_that_of_central_differences(activation, steps, weighting, problem):
    params, batch = problem(1)
    result = meta_gradient(params, batch, 0.05, steps, activation=activation, weighting=weighting)

    def objective(p):
        return outer_objective(p, batch, 0.05, steps, activation, result.weights)

    assert relative_error(result.gradient, central_differences(objective, params, 1e-6)) < 1e-6


@problems
@activations
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("first_order", [False, True], ids=["exact", "first order"])
def test_the_meta_gradient_is_a_loop_over_tasks(problem, activation, steps, first_order):
    params, batch = problem(2)
    result = meta_gradient(params, batch, 0.05, steps, first_order, activation)
    tasks = len(batch.support_x)
    plain = plain_meta_gradient(params, batch, 0.05, steps, first_order, activation, np.full(tasks, 1 / tasks))
    assert relative_error(result.gradient, plain) < 1e-12


@activations
@pytest.mark.parametrize("first_order", [False, True], ids=["exact", "first order"])
def test_the_meta_gradient_uses_the_weights_it_is_given(activation, first_order):
    params, batch = sine_problem(3)
    result = meta_gradient(params, batch, 0.05, 2, first_order, activation, given_weights)
    plain = plain_meta_gradient(params, batch, 0.05, 2, first_order, activation, GIVEN)
    assert np.array_equal(result.weights, GIVEN)
    assert relative_error(result.gradient, plain) < 1e-12


def one_task(batch, i):
    """Task i alone."""
    return TaskBatch(*(a[i : i + 1] for a in batch))


@problems
@activations
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("first_order", [False, True], ids=["exact", "first order"])
def test_outer_gradients_compared_are_those_of_the_tasks_one_by_one(problem, activation, steps, first_order):
    params, batch = problem(5)
    settings = {"inner_lr": 0.05, "inner_steps": steps, "first_order": first_order, "activation": activation}
    alone = np.array(
        [flat(meta_gradient(params, one_task(batch, i), **settings).gradient) for i in range(len(batch.support_x))]
    )
    recorder = Recorder()
    meta_gradient(params, batch, **settings, weighting=recorder, source="outer")
    assert relative_error([recorder.updates], [alone]) < 1e-12
    for rule in (uniform_weights, agreement_weights, power_weights(-1)):
        result = meta_gradient(params, batch, **settings, weighting=rule, source="outer")
        assert relative_error([result.weights], [rule(alone)]) < 1e-10
        assert relative_error(result.gradient, [rule(alone) @ alone]) < 1e-10
        assert np.array_equal(result.query_losses, meta_gradient(params, batch, **settings).query_losses)


@activations
@pytest.mark.parametrize("steps", [1, 3])
def test_with_outer_gradients_compared_the_exact_meta_gradient_is_that_of_central_differences(activation, steps):
    params, batch = sine_problem(1)
    result = meta_gradient(params, batch, 0.05, steps, False, activation, agreement_weights, source="outer")

    def objective(p):
        return outer_objective(p, batch, 0.05, steps, activation, result.weights)

    updates = meta_gradient(params, batch, 0.05, steps, False, activation, agreement_weights)
    assert np.abs(result.weights - updates.weights).max() > 1e-3
    assert relative_error(result.gradient, central_differences(objective, params, 1e-6)) < 1e-6


@pytest.mark.parametrize("first_order", [False, True], ids=["exact", "first order"])
def test_updates_are_compared_by_default(first_order):
    params, batch = sine_problem(6)
    by_default = meta_gradient(params, batch, 0.05, 2, first_order, weighting=agreement_weights)
    named = meta_gradient(params, batch, 0.05, 2, first_order, weighting=agreement_weights, source="updates")
    assert same([*by_default.gradient, *by_default[1:]], [*named.gradient, *named[1:]])


@activations
@pytest.mark.parametrize("steps", [1, 3])
def test_first_order_is_the_query_gradient_at_the_adapted_parameters(activation, steps):
    params, batch = sine_problem(4)
    result = meta_gradient(params, batch, 0.05, steps, True, activation)
    adapted = adapt(params, *batch[:2], 0.05, steps, activation)
    mean = np.mean(
        [
            flat(plain_gradient(of_task(adapted, i), *query, activation))
            for i, query in enumerate(zip(*batch[2:], strict=True))
        ],
        axis=0,
    )
    assert relative_error(result.gradient, [mean]) < 1e-12


def test_exact_and_first_order_differ_in_the_order_of_the_inner_step():
    params, batch = sine_problem(5)

    def gap(inner_lr):
        exact, first = (meta_gradient(params, batch, inner_lr, 1, f, "tanh").gradient for f in (False, True))
        return relative_error(first, exact)

    assert gap(0.05) > 1e-2
    assert 9 < gap(1e-3) / gap(1e-4) < 11


@activations
def test_exact_and_first_order_share_weights_and_losses(activation):
    params, batch = sine_problem(5)
    exact, first = (meta_gradient(params, batch, 0.05, 3, f, activation, agreement_weights) for f in (False, True))
    assert same(exact[1:], first[1:])


def test_the_defaults_of_meta_gradient():
    params, batch = sine_problem(6)
    by_default = meta_gradient(params, batch)
    spelled = meta_gradient(
        params, batch, inner_lr=0.01, inner_steps=1, first_order=False, activation="relu", weighting=uniform_weights
    )
    assert same([*by_default.gradient, *by_default[1:]], [*spelled.gradient, *spelled[1:]])
