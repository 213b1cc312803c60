"""Accuracies of episodes: against plain loops, one query at a time."""

import keras
import numpy as np
import pytest

from gaml_utils.intervals import mean_interval
from gaml_utils.learners import accuracy as image_evaluation
from gaml_utils.learners.accuracy import CHUNK, accuracy_interval, episode_accuracies, task_losses
from gaml_utils.learners.data import as_dataset
from gaml_utils.learners.maml import MAML
from gaml_utils.networks.convolutional import conv4
from gaml_utils.records import TaskBatch
from tests.support.episodes import WAYS, Blobs, blobs, learner_of, loss_in, plain_accuracies, small_learner
from tests.support.keras_models import everything, unlike_at_the_start
from tests.support.strangers import made, net, sines


@pytest.fixture(scope="module")
def learner():
    return small_learner()


@pytest.mark.parametrize("steps", [None, 0, 1, 3])
def test_accuracies_are_those_of_the_adapted_model_asked_one_query_at_a_time(learner, steps):
    batch = blobs(1)
    found = episode_accuracies(learner, batch, steps)
    assert found.shape == (6,) and found.dtype == np.float64
    assert np.array_equal(found, plain_accuracies(learner, batch, steps))
    assert len(set(found)) > 1


def one_by_one(learner, batch, transductive):
    """The mean over each episode's queries, every query in a batch of its own."""
    single = []
    for k in range(batch.query_y.shape[1]):
        one = batch._replace(query_x=batch.query_x[:, [k]], query_y=batch.query_y[:, [k]])
        single.append(episode_accuracies(learner, one, 1, transductive))
    return np.mean(single, axis=0)


def test_without_transduction_an_answer_does_not_depend_on_the_other_queries(learner):
    batch = blobs(2)
    assert np.allclose(one_by_one(learner, batch, False), episode_accuracies(learner, batch, 1), rtol=0, atol=1e-12)


def test_with_transduction_it_does(learner):
    batch = blobs(2)
    together = episode_accuracies(learner, batch, 1, transductive=True)
    assert np.array_equal(together, plain_accuracies(learner, batch, 1, alone=False))
    assert abs(one_by_one(learner, batch, True) - together).max() > 0.1
    assert abs(episode_accuracies(learner, batch, 1) - together).max() > 0.05


def test_default_steps_are_those_of_the_inner_loop():
    keras.utils.set_random_seed(3)
    two = learner_of(unlike_at_the_start(conv4(WAYS, 4, shape=(16, 16, 1), dtype="float64")), inner_steps=2)
    batch = blobs(3, tasks=10)
    by_steps = [episode_accuracies(two, batch, steps) for steps in (None, 2, 1)]
    assert np.array_equal(by_steps[0], by_steps[1]) and not np.array_equal(by_steps[0], by_steps[2])


def test_nothing_is_learned_and_new_weights_are_seen(learner):
    keras.utils.set_random_seed(4)
    other = learner_of(keras.models.clone_model(learner.model))
    other.model.set_weights(learner.model.get_weights())
    batch = blobs(4)
    before, first = everything(other), episode_accuracies(other, batch)
    assert all(np.array_equal(a, b) for a, b in zip(before, everything(other), strict=True))
    for v in other.model.trainable_variables:
        v.assign(v.numpy()[..., ::-1])
    again = episode_accuracies(other, batch)
    assert np.array_equal(again, plain_accuracies(other, batch)) and not np.array_equal(first, again)
    other.inner_lr = 3.0
    assert np.array_equal(episode_accuracies(other, batch), plain_accuracies(other, batch))


def test_a_shape_is_compiled_once_and_large_batches_go_in_chunks(monkeypatch):
    keras.utils.set_random_seed(5)
    learner = learner_of(unlike_at_the_start(conv4(WAYS, 2, shape=(16, 16, 1))))
    traced, adapt = [], learner.functional.adapt
    monkeypatch.setattr(learner.functional, "adapt", lambda *a: traced.append(1) or adapt(*a))
    sizes, check = [], image_evaluation.check_tensors
    monkeypatch.setattr(image_evaluation, "check_tensors", lambda b, d: sizes.append(len(b[0])) or check(b, d))
    batch = blobs(6, tasks=2 * CHUNK + 7, shots=1, queries=1)
    found = episode_accuracies(learner, batch)
    assert found.shape == (2 * CHUNK + 7,) and sizes == [CHUNK, CHUNK, 7]
    some = [0, CHUNK - 1, CHUNK, 2 * CHUNK + 6]
    assert np.array_equal(episode_accuracies(learner, TaskBatch(*(a[some] for a in batch))), found[some])
    assert len(traced) == 1
    episode_accuracies(learner, blobs(6, tasks=2, shots=1, queries=2))
    assert len(traced) == 2


def test_the_interval_is_that_of_fresh_episodes(learner):
    found = accuracy_interval(learner, Blobs(), np.random.default_rng(7), CHUNK + 10, shots=1, queries=2, steps=2)
    rng, values = np.random.default_rng(7), []
    for tasks in (CHUNK, 10):
        values.append(episode_accuracies(learner, Blobs().sample(rng, tasks, 1, 2), 2))
    assert found == mean_interval(np.concatenate(values)) and found.low < found.mean < found.high


def test_with_nothing_to_learn_it_is_at_chance_over_600_episodes(learner, monkeypatch):
    counted = []
    monkeypatch.setattr(image_evaluation, "mean_interval", lambda v: counted.append(len(v)) or mean_interval(v))
    found = accuracy_interval(learner, Blobs(noise=1e6), np.random.default_rng(8), queries=1)
    assert counted == [600] and abs(found.mean - 1 / WAYS) < 4 * (found.high - found.mean)


def test_maml_learns_the_episodes():
    """From chance to clearly above it, on fresh episodes, in float32."""
    keras.utils.set_random_seed(6)
    learner = MAML(conv4(WAYS, filters=8, shape=(16, 16, 1)), inner_lr=0.4)
    learner.compile(optimizer=keras.optimizers.Adam(1e-2), loss=loss_in("float32"))
    before = accuracy_interval(learner, Blobs(0.3), np.random.default_rng(0), 60, 1, 5)
    learner.fit(as_dataset(Blobs(0.3), 4, 1, 3, seed=0), steps_per_epoch=120, epochs=1, verbose=0)
    after = accuracy_interval(learner, Blobs(0.3), np.random.default_rng(0), 60, 1, 5)
    assert after.low > before.high and after.mean > 0.6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"support_y": np.zeros((6, 6))}, "support_y should be whole numbers"),
        ({"query_y": np.zeros((6, 12, 1), int)}, "query_y should be whole numbers"),
        ({"query_y": np.zeros((6, 11), int)}, "query_y should hold the 12 points of query_x"),
        ({"query_x": np.full((6, 12, 16, 16, 1), np.nan)}, "query_x should hold finite numbers only"),
    ],
)
def test_bad_batches_are_named(learner, change, message):
    with pytest.raises(ValueError, match=message):
        episode_accuracies(learner, blobs()._replace(**change))


def test_bad_arguments_are_named(learner):
    with pytest.raises(ValueError, match="steps should be"):
        episode_accuracies(learner, blobs(), steps=-1)
    with pytest.raises(ValueError, match="batch should be a TaskBatch"):
        episode_accuracies(learner, blobs().support_x)
    with pytest.raises(ValueError, match="episodes should be"):
        accuracy_interval(learner, Blobs(), np.random.default_rng(0), episodes=1)
    with pytest.raises(ValueError, match="rng should be"):
        accuracy_interval(learner, Blobs(), 0)
    with pytest.raises(ValueError, match="compile"):
        episode_accuracies(MAML(learner.model), blobs())


def test_losses_of_single_tasks_are_those_of_evaluate():
    learner, batch = made(net()), sines(60)
    losses = task_losses(learner, batch)
    assert losses.shape == (60,)
    for k in (0, 59):
        one = TaskBatch(*(a[k : k + 1] for a in batch))
        assert losses[k] == pytest.approx(learner.evaluate(one, verbose=0)[0], rel=1e-5)
    assert np.mean(task_losses(learner, batch, steps=0)) == pytest.approx(
        learner.evaluate(batch, verbose=0, return_dict=True)["loss_before"], rel=1e-5
    )
