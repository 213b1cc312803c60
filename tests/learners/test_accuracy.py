"""The convolutional model, accuracies of episodes, and the official error: against plain loops, one query at a time."""

import keras
import numpy as np
import pytest

from gaml_utils.experiments.omniglot import scoring
from gaml_utils.experiments.omniglot.scoring import official_error
from gaml_utils.intervals import mean_interval
from gaml_utils.learners import accuracy as image_evaluation
from gaml_utils.learners.accuracy import CHUNK, accuracy_interval, episode_accuracies
from gaml_utils.learners.data import as_dataset
from gaml_utils.learners.maml import MAML
from gaml_utils.networks.convolutional import conv4
from gaml_utils.networks.inspection import inexact_layers
from gaml_utils.networks.normalisation import BatchNormalization
from gaml_utils.records import TaskBatch
from tests.support.keras_models import everything, unlike_at_the_start

WAYS = 3


def loss_in(dtype):
    """A loss object of Keras computes in its own dtype, float32 unless told, whatever the model's."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=dtype)


def learner_of(model, inner_lr=0.3, inner_steps=1):
    learner = MAML(model, inner_lr=inner_lr, inner_steps=inner_steps)
    learner.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss_in(learner.variable_dtype))
    return learner


@pytest.fixture(scope="module")
def learner():
    """A small network far from its start, so that its answers differ from query to query; not trained."""
    keras.utils.set_random_seed(0)
    return learner_of(unlike_at_the_start(conv4(WAYS, filters=4, shape=(16, 16, 1), dtype="float64")))


class Blobs:
    """Three classes that a learner can tell apart, more or less: a noisy 4 x 4 pattern each, fresh in every episode."""

    def __init__(self, noise=1.0):
        self.noise = noise

    def sample(self, rng, tasks, shots, queries):
        means, arrays = np.kron(rng.normal(size=(tasks, WAYS, 1, 4, 4)), np.ones((4, 4))), []
        for points in (shots, queries):
            x = means + self.noise * rng.normal(size=(tasks, WAYS, points, 16, 16))
            arrays.append(x.reshape(tasks, -1, 16, 16, 1))
            arrays.append(np.tile(np.repeat(np.arange(WAYS, dtype=np.int32), points), (tasks, 1)))
        return TaskBatch(*arrays)


def blobs(seed=0, tasks=6, shots=2, queries=4, noise=1.0):
    return Blobs(noise).sample(np.random.default_rng(seed), tasks, shots, queries)


def plain_accuracies(learner, batch, steps=None, alone=True):
    """Each episode's accuracy: a plain Keras model adapted to it, asked about one query after the other."""
    found = []
    for sx, sy, qx, qy in zip(*batch, strict=True):
        model = learner.adapt(sx, sy, steps)
        if alone:
            scores = np.concatenate([model(x[None], training=False) for x in qx])
        else:
            scores = np.asarray(model(qx, training=True))
        found.append(np.mean(scores.argmax(axis=1) == qy))
    return np.array(found)


@pytest.mark.parametrize("downsample", ["stride", "pool"])
def test_conv4_has_four_named_blocks_and_one_dense_head(downsample):
    model = conv4(5, downsample=downsample)
    assert model.input_shape == (None, 28, 28, 1) and model.output_shape == (None, 5)
    kinds = ["conv", "norm", "relu"] + ["pool"] * (downsample == "pool")
    names = [f"{kind}{n}" for n in range(1, 5) for kind in kinds]
    assert [layer.name for layer in model.layers[1:]] == [*names, "mean", "head"]
    assert all(isinstance(model.get_layer(f"norm{n}"), BatchNormalization) for n in range(1, 5))
    assert inexact_layers(model) == []
    assert sum(v.numpy().size for v in model.trainable_variables) == 9 * 64 * (1 + 3 * 64) + 4 * 2 * 64 + 64 * 5 + 5
    halved_by = "conv" if downsample == "stride" else "pool"
    sides = [model.get_layer(f"{halved_by}{n}").output.shape[1] for n in range(1, 5)]
    assert sides == ([14, 7, 4, 2] if downsample == "stride" else [14, 7, 3, 1])
    assert model.get_layer("mean").output.shape == (None, 64)  # as Finn et al. 2017 have it


def test_conv4_computes_in_the_dtype_asked_for():
    model = conv4(2, filters=2, dtype="float64")
    assert {v.dtype for v in model.variables} == {"float64"}
    assert model(np.zeros((1, 28, 28, 1))).dtype == "float64"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ways": 0}, "ways should be"),
        ({"filters": 1.5}, "filters should be"),
        ({"downsample": "max"}, 'downsample should be "stride" or "pool", got \'max\''),
        ({"shape": (28, 28)}, "shape should be"),
        ({"shape": (15, 28, 1)}, "shape should be"),
    ],
)
def test_conv4_names_bad_arguments(change, message):
    with pytest.raises(ValueError, match=message):
        conv4(**{"ways": 5} | change)


@pytest.mark.parametrize("downsample", ["stride", "pool"])
def test_exact_maml_on_conv4_agrees_with_central_differences(downsample):
    keras.utils.set_random_seed(1)
    model = unlike_at_the_start(conv4(WAYS, 2, downsample, (16, 16, 1), "float64"))
    learner, batch = learner_of(model, inner_lr=0.1), blobs(tasks=1)
    gradient = learner.meta_gradient(batch).gradient
    theta = [v.numpy() for v in model.trainable_variables]
    along = [np.random.default_rng(2).normal(size=p.shape) for p in theta]
    losses, h = [], 1e-6
    for sign in (1, -1):
        for v, p, d in zip(model.trainable_variables, theta, along, strict=True):
            v.assign(p + sign * h * d)
        losses.append(float(learner.meta_gradient(batch).query_losses[0]))
    slope = sum(np.sum(np.asarray(g) * d) for g, d in zip(gradient, along, strict=True))
    assert abs((losses[0] - losses[1]) / (2 * h) / slope - 1) < 1e-6


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


def official_like(seed=9):
    """Four runs of three trials, each class once among the queries, in another order in each."""
    batch = blobs(seed, tasks=4, shots=1, queries=1, noise=0.7)
    order = np.array([np.random.default_rng(k).permutation(WAYS) for k in range(4)])
    rows = np.arange(4)[:, None]
    return batch._replace(query_x=batch.query_x[rows, order], query_y=batch.query_y[rows, order])


def test_the_official_error_is_the_percentage_of_trials_missed(learner):
    runs = official_like()
    found = official_error(learner, runs)
    missed = 100 * (1 - plain_accuracies(learner, runs))
    assert np.allclose(found.runs, missed, rtol=0, atol=1e-9) and np.isclose(found.percent, missed.mean())
    assert 0 < found.percent < 100
    backwards = runs._replace(query_x=runs.query_x[:, ::-1], query_y=runs.query_y[:, ::-1])
    assert np.array_equal(official_error(learner, backwards).runs, found.runs)
    by_hand = 100 * (1 - plain_accuracies(learner, runs, steps=2, alone=False))
    assert np.allclose(official_error(learner, runs, steps=2, transductive=True).runs, by_hand)


def test_the_official_runs_are_loaded_where_none_are_given(learner, monkeypatch):
    runs = official_like()
    monkeypatch.setattr(scoring, "omniglot_one_shot_runs", lambda: runs)
    assert official_error(learner).percent == official_error(learner, runs).percent


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
