"""The inner loop: against one task at a time."""

import numpy as np
import pytest

from gaml_utils.scratch.inner_loop import adapt
from tests.support.directions import activations, problems
from tests.support.plain_formulas import (
    copies,
    of_task,
    plain_adapt,
    relative_error,
    same,
    sine_problem,
)

# the inner loop


@problems
@activations
@pytest.mark.parametrize("steps", [1, 4])
def test_adapt_is_gradient_descent_on_each_support_set(problem, activation, steps):
    params, batch = problem(0)
    adapted = adapt(params, *batch[:2], inner_lr=0.03, steps=steps, activation=activation)
    for i, (x, y) in enumerate(zip(*batch[:2], strict=True)):
        _, end = plain_adapt(params, x, y, 0.03, steps, activation)
        assert relative_error(of_task(adapted, i), end) < 1e-12


def test_adapt_gives_every_array_a_task_axis():
    params, batch = sine_problem(0, tasks=4)
    assert [a.shape for a in adapt(params, *batch[:2])] == [(4, *p.shape) for p in params]


def test_no_steps_leave_every_task_at_the_parameters():
    params, batch = sine_problem(0, tasks=4)
    adapted = adapt(params, *batch[:2], steps=0)
    assert same(adapted, [np.tile(p, (4,) + (1,) * p.ndim) for p in params])


def test_adapted_parameters_are_no_views_of_the_initial_ones():
    params, batch = sine_problem(0)
    before = copies(params)
    for steps in (0, 1):
        for a in adapt(params, *batch[:2], steps=steps):
            a += 1.0
    assert same(params, before)


def test_the_defaults_of_adapt():
    params, batch = sine_problem(0)
    by_default = adapt(params, *batch[:2])
    assert same(by_default, adapt(params, *batch[:2], inner_lr=0.01, steps=1, activation="relu"))
