"""Training in NumPy: sample, direction, step; the same again with the same seed; divergence."""

import itertools
from functools import partial

import numpy as np
import pytest

from gaml_utils.scratch.inner_loop import adapt
from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.scratch.mlp import init_mlp, loss
from gaml_utils.scratch.optimizers import SGD, Adam
from gaml_utils.scratch.reptile import reptile_direction
from gaml_utils.scratch.training import train
from gaml_utils.tasks.regression import NoiseTasks, SineTasks
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from tests.support.directions import directions
from tests.support.plain_formulas import (
    copies,
    same,
)

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
