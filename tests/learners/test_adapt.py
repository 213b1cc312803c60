"""One task's own model, and judging by it: NumPy's numbers, each query alone, nothing changed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners.maml import MAML
from gaml_utils.networks.normalisation import BatchNormalization
from gaml_utils.records import TaskBatch
from gaml_utils.scratch import inner_loop as numpy_meta
from tests.support.keras_learners import (
    GOLDEN,
    INNER_LR,
    NORMALISED,
    PARAMS,
    build,
    compiled,
    evaluate,
    golden_model,
    shared,
    task,
)
from tests.support.keras_models import (
    batch_for,
    everything,
    float64,
    functional,
    naive_adapt,
    values,
)
from tests.support.plain_formulas import relative_error, same


@pytest.mark.parametrize("steps", [None, 0, 1, 4])
def test_adapt_equals_numpy(steps):
    learner = compiled(MAML(golden_model(), INNER_LR, 3))
    adapted = learner.adapt(GOLDEN.support_x[1], GOLDEN.support_y[1], steps)
    expected = numpy_meta.adapt(PARAMS, *GOLDEN[:2], INNER_LR, 3 if steps is None else steps)
    assert relative_error(values(adapted.trainable_variables), [p[1] for p in expected]) < 1e-10


@pytest.mark.parametrize("kind", ["dense", "conv", "embedding", "dropout", *NORMALISED])
def test_adapt_gives_a_plain_model_and_changes_nothing(kind):
    learner, batch = shared(kind, unrolled=False), batch_for(kind)
    before = everything(learner)
    sx, sy, qx, _ = task(batch, 0)
    adapted = learner.adapt(sx, sy)
    assert isinstance(adapted, keras.Model) and type(adapted) is type(learner.model) and adapted is not learner.model
    theta, state = [
        [tf.constant(v.numpy()) for v in group]
        for group in (learner.model.trainable_variables, learner.model.non_trainable_variables)
    ]
    expected, _ = naive_adapt(learner.model, theta, state, tf.constant(sx), tf.constant(sy), 0.1, 2)
    assert relative_error(values(adapted.trainable_variables), expected) < 1e-10
    adapted.predict(qx, verbose=0)
    assert same(everything(learner), before)


def test_adapted_model_predicts_in_float64():
    learner = shared("dense")
    sx, sy, qx, _ = task(batch_for("dense"), 0)
    assert learner.adapt(sx, sy).predict(qx, verbose=0).dtype == np.float64


def test_adapted_model_can_be_compiled_saved_and_loaded(tmp_path):
    sx, sy, qx, qy = task(batch_for("dense"), 0)
    adapted = shared().adapt(sx, sy)
    adapted.save(tmp_path / "adapted.keras")
    loaded = keras.models.load_model(tmp_path / "adapted.keras")
    assert np.array_equal(loaded.predict(qx, verbose=0), adapted.predict(qx, verbose=0))
    adapted.compile("sgd", "mse")
    adapted.fit(qx, qy, verbose=0)


@pytest.mark.parametrize("kind", [k for k in NORMALISED if "batch" in k])
def test_adapted_model_carries_the_statistics_of_the_support_set(kind):
    learner = shared(kind, unrolled=False)
    sx, sy, _, _ = task(batch_for(kind), 0)
    adapted = learner.adapt(sx, sy)
    norm = [layer for layer in adapted.layers if isinstance(layer, BatchNormalization)][0]
    before = (adapted.first if kind.startswith("sub") else adapted.layers[adapted.layers.index(norm) - 1])(sx).numpy()
    axes = tuple(range(before.ndim - 1))
    np.testing.assert_allclose(norm.moving_mean, before.mean(axes), rtol=1e-9)
    np.testing.assert_allclose(norm.moving_variance, before.var(axes), rtol=1e-9)
    assert norm.momentum == 0.99


@pytest.mark.parametrize("kind", NORMALISED)
def test_adapted_model_judges_each_query_alone(kind):
    sx, sy, qx, _ = task(batch_for(kind), 0)
    adapted = shared(kind, unrolled=False).adapt(sx, sy)
    whole = adapted.predict(qx, verbose=0)
    np.testing.assert_allclose(np.concatenate([adapted.predict(q[None], verbose=0) for q in qx]), whole, rtol=1e-12)


@pytest.mark.parametrize("kind", ["dense", "embedding", "dropout", "conv, batch norm", "subclassed, batch norm"])
def test_evaluate_is_adapt_and_predict_for_each_task(kind):
    learner, batch = shared(kind, unrolled=False), batch_for(kind)
    losses = []
    for i in range(3):
        sx, sy, qx, qy = task(batch, i)
        losses.append(np.mean((learner.adapt(sx, sy).predict(qx, verbose=0) - qy) ** 2))
    assert evaluate(learner, batch)["loss"] == pytest.approx(np.mean(losses), rel=1e-6)


def test_evaluate_is_adapt_and_predict_after_training_with_dropout():
    learner, batch = build("dropout"), batch_for("dropout")
    learner.optimizer.iterations.assign(3)
    sx, sy, qx, qy = task(batch, 0)
    loss = np.mean((learner.adapt(sx, sy).predict(qx, verbose=0) - qy) ** 2)
    one = TaskBatch(*(a[:1] for a in batch))
    assert evaluate(learner, one)["loss"] == pytest.approx(loss, rel=1e-6)


def test_adapt_gives_the_same_model_twice_with_dropout_before_normalisation():
    with float64():
        keras.utils.set_random_seed(0)
        model = functional(keras.layers.Dropout(0.4), BatchNormalization(), keras.layers.Dense(1))
    learner = compiled(MAML(model, 0.1, 2))
    sx, sy, _, _ = task(batch_for("dense"), 0)
    one, two = (values(learner.adapt(sx, sy).weights) for _ in range(2))
    assert same(one, two)


def test_transductive_evaluate_takes_the_whole_query_set_as_one_batch():
    learner, batch = build(transductive=True), batch_for("batch norm")
    losses = []
    for i in range(3):
        sx, sy, qx, qy = task(batch, i)
        losses.append(np.mean((learner.adapt(sx, sy)(qx, training=True) - qy) ** 2))
    found = evaluate(learner, batch)["loss"]
    assert found == pytest.approx(np.mean(losses), rel=1e-6)
    assert found != pytest.approx(evaluate(shared(), batch)["loss"], rel=1e-3)


def test_frozen_normalisation_stays_as_it_is():
    with float64():
        norm = BatchNormalization(trainable=False)
        model = functional(keras.layers.Dense(4), norm, keras.layers.Dense(1))
    norm.moving_mean.assign(np.full(4, 0.5))
    learner, batch = compiled(MAML(model, 0.1, 2)), batch_for("dense")
    sx, sy, qx, qy = task(batch, 0)
    adapted = learner.adapt(sx, sy)
    assert np.array_equal(adapted.layers[2].moving_mean, np.full(4, 0.5))
    loss = np.mean((adapted.predict(qx, verbose=0) - qy) ** 2)
    assert evaluate(learner, TaskBatch(*(a[:1] for a in batch)))["loss"] == pytest.approx(loss, rel=1e-6)
