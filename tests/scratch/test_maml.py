"""Inner loop, outer directions and training: against one task at a time, and against central differences."""

import itertools
from functools import partial

import numpy as np
import pytest

from gaml_utils.records import TaskBatch
from gaml_utils.scratch.inner_loop import adapt
from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.scratch.mlp import init_mlp, loss
from gaml_utils.scratch.optimizers import SGD, Adam
from gaml_utils.scratch.reptile import reptile_direction
from gaml_utils.scratch.training import train
from gaml_utils.tasks.regression import NoiseTasks, SineTasks
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from gaml_utils.weighting.powers import power_weights
from tests.support.plain_formulas import (
    central_differences,
    copies,
    flat,
    of_task,
    outer_objective,
    plain_adapt,
    plain_gradient,
    plain_meta_gradient,
    plain_updates,
    relative_error,
    same,
    shaped,
    sine_problem,
    wide_problem,
)

activations = pytest.mark.parametrize("activation", ["relu", "tanh"])
problems = pytest.mark.parametrize(
    "problem",
    [sine_problem, wide_problem, partial(wide_problem, sizes=(1, 4, 5, 4, 2)), partial(sine_problem, tasks=1)],
    ids=["sines", "several outputs", "three hidden", "one task"],
)
directions = pytest.mark.parametrize("direction", [meta_gradient, reptile_direction])
GIVEN = np.array([0.5, -0.2, 1.5])


def given_weights(updates):
    """Weights that are neither equal nor all positive, whatever the updates."""
    return GIVEN


class Recorder:
    """A weighting that keeps the updates it was shown."""

    def __call__(self, updates):
        self.updates = updates.copy()
        return uniform_weights(updates)


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


def test_reptiles_outer_directions_are_its_updates():
    params, batch = sine_problem(6)
    results = [reptile_direction(params, batch, weighting=agreement_weights, source=s) for s in ("updates", "outer")]
    assert same(*([*r.gradient, *r[1:]] for r in results))


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


# training

SMALL = dict(meta_batch=3, shots=5, queries=4, progress=False)


def small_params(seed=0, sizes=(1, 6, 1)):
    return init_mlp(np.random.default_rng(seed), sizes)


class Keeping:
    """Sines that remember the batches they gave."""

    def __init__(self):
        self.batches = []

    def sample(self, rng, tasks, shots, queries):
        self.batches.append(SineTasks().sample(rng, tasks, shots, queries))
        return self.batches[-1]


def test_training_is_sample_direction_step():
    params = small_params()
    trained, history = train(params, SineTasks(), meta_gradient, Adam(0.01), 4, seed=5, **SMALL)
    rng, adam, losses = np.random.default_rng(5), Adam(0.01), []
    for _ in range(4):
        result = meta_gradient(params, SineTasks().sample(rng, 3, 5, 4))
        params = adam.step(params, result.gradient)
        losses.append(result.query_losses)
    assert same(trained, params)
    assert np.array_equal(history.query_losses, losses)


def test_training_again_with_the_same_seed_gives_the_same_numbers():
    runs = [train(small_params(), SineTasks(), meta_gradient, Adam(0.01), 5, seed=seed, **SMALL) for seed in (1, 1, 2)]
    (first, history), (again, history_again), (other, _) = runs
    assert same(first, again) and same(history, history_again)
    assert not np.any(first[0] == other[0])


@pytest.mark.parametrize("optimizer", [SGD(0.01), Adam(0.01)], ids=["SGD", "Adam"])
def test_training_leaves_the_initial_parameters_alone(optimizer):
    params = small_params()
    before = copies(params)
    trained, _ = train(params, SineTasks(), meta_gradient, optimizer, 3, **SMALL)
    assert same(params, before)
    assert not any(np.any(a == b) for a, b in zip(trained[::2], params[::2], strict=True))


def test_training_samples_batches_of_the_sizes_it_was_told():
    tasks = Keeping()
    train(small_params(), tasks, meta_gradient, SGD(0.01), 2, meta_batch=2, shots=3, queries=4, progress=False)
    assert [a.shape for a in tasks.batches[1]] == [(2, 3, 1), (2, 3, 1), (2, 4, 1), (2, 4, 1)]
    assert not np.any(tasks.batches[0].support_x == tasks.batches[1].support_x)


def test_training_defaults_to_25_tasks_of_10_shots_and_10_queries():
    tasks = Keeping()
    train(small_params(), tasks, meta_gradient, SGD(0.01), 1, progress=False)
    assert [a.shape for a in tasks.batches[0]] == [(25, 10, 1)] * 4
    seed_0 = SineTasks().sample(np.random.default_rng(0), 25, 10, 10)
    assert same(tasks.batches[0], seed_0)


def test_history_has_one_row_a_step_and_one_column_a_task():
    _, history = train(small_params(), SineTasks(), meta_gradient, SGD(0.01), 4, **SMALL)
    assert history.query_losses.shape == history.weights.shape == (4, 3)
    np.testing.assert_allclose(history.weights, 1 / 3)


@pytest.mark.parametrize(
    "direction, inner_steps, inner, optimizer",
    [
        (meta_gradient, 1, dict(inner_lr=0.01, activation="tanh"), Adam(0.01)),
        (
            partial(meta_gradient, first_order=True, weighting=agreement_weights),
            1,
            dict(inner_lr=0.01, activation="relu"),
            Adam(0.01),
        ),
        (reptile_direction, 5, dict(inner_lr=0.02, activation="tanh"), SGD(1.0)),
    ],
    ids=["exact", "first order with agreement", "reptile"],
)
def test_the_loss_on_sines_falls(direction, inner_steps, inner, optimizer):
    start = init_mlp(np.random.default_rng(0), (1, 20, 20, 1))
    learn = partial(direction, inner_steps=inner_steps, **inner)
    trained, _ = train(start, SineTasks(), learn, optimizer, 300, meta_batch=10, progress=False)
    sx, sy, qx, qy = SineTasks().sample(np.random.default_rng(99), 200, 10, 10)
    before, after = (
        loss(adapt(p, sx, sy, steps=inner_steps, **inner), qx, qy, inner["activation"]).mean() for p in (start, trained)
    )
    assert after < 0.7 * before


def test_there_is_nothing_to_learn_from_noise():
    start = init_mlp(np.random.default_rng(0), (1, 10, 1))
    trained, _ = train(start, NoiseTasks(), meta_gradient, Adam(0.01), 100, meta_batch=10, progress=False)
    sx, sy, qx, qy = NoiseTasks().sample(np.random.default_rng(99), 400, 10, 10)
    assert loss(adapt(trained, sx, sy), qx, qy).mean() > np.mean(qy**2)


def test_the_callback_sees_each_step_after_it_was_taken():
    calls = []
    params = small_params()
    trained, history = train(
        params, SineTasks(), meta_gradient, SGD(0.1), 3, callback=lambda *call: calls.append(call), **SMALL
    )
    assert [i for i, _, _ in calls] == [0, 1, 2]
    first, result = calls[0][1], calls[0][2]
    assert same(first, [p - 0.1 * g for p, g in zip(params, result.gradient, strict=True)])
    assert same(calls[-1][1], trained)
    assert np.array_equal([r.query_losses for _, _, r in calls], history.query_losses)


def test_a_true_answer_of_the_callback_ends_training():
    stopped, history = train(
        small_params(), SineTasks(), meta_gradient, SGD(0.1), 9, callback=lambda i, params, result: i == 3, **SMALL
    )
    whole, _ = train(small_params(), SineTasks(), meta_gradient, SGD(0.1), 4, **SMALL)
    assert len(history.query_losses) == len(history.weights) == 4
    assert same(stopped, whole)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["losses", "gradient"])
def test_divergence_is_reported_with_its_iteration(bad, where):
    count = itertools.count()

    def direction(params, batch):
        result = meta_gradient(params, batch)
        if next(count) == 2:
            array = result.query_losses if where == "losses" else result.gradient[0]
            array[..., -1] = bad
        return result

    with pytest.raises(FloatingPointError, match=r"diverged at iteration 2\b.*smaller step size"):
        train(small_params(), SineTasks(), direction, SGD(0.01), 9, **SMALL)


def test_new_parameters_that_overflow_are_divergence_too():
    def direction(params, batch):
        return meta_gradient(params, batch)._replace(gradient=[np.full(p.shape, 1e200) for p in params])

    with pytest.raises(FloatingPointError, match="diverged at iteration 0"):
        train(small_params(), SineTasks(), direction, SGD(1e200), 9, **SMALL)


@directions
@pytest.mark.parametrize("weighting", [uniform_weights, agreement_weights, lambda updates: np.full(len(updates), 0.5)])
@pytest.mark.parametrize("inner_lr, inner_steps", [(1e3, 5), (1e200, 1)], ids=["inner loop", "query loss"])
def test_an_inner_step_that_is_too_large_is_reported_as_divergence(direction, weighting, inner_lr, inner_steps):
    diverging = partial(direction, inner_lr=inner_lr, inner_steps=inner_steps, activation="relu", weighting=weighting)
    params = small_params()
    before = copies(params)
    with pytest.raises(FloatingPointError, match="diverged at iteration 0"):
        train(params, SineTasks(), diverging, SGD(0.1), 50, **SMALL)
    assert same(params, before)


@pytest.mark.parametrize("learning_rate", [1e3, 1e10, 1e100, 1e300])
def test_an_outer_step_that_is_too_large_is_reported_as_divergence(learning_rate):
    with pytest.raises(FloatingPointError, match="diverged at iteration [1-9]"):
        train(small_params(), SineTasks(), meta_gradient, SGD(learning_rate), 50, **SMALL)
