"""The training loop: what a step is, what it reports, what changes and what does not."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners.data import as_dataset
from gaml_utils.learners.maml import MAML
from gaml_utils.learners.reptile import Reptile
from gaml_utils.records import TaskBatch
from gaml_utils.tasks.regression import SineTasks
from tests.support.keras_learners import build, compiled, evaluate, fit, shared
from tests.support.keras_models import (
    Noise,
    as_data,
    batch_for,
    everything,
    mse,
    naive_adapt,
    values,
)
from tests.support.plain_formulas import relative_error, same


@pytest.mark.parametrize("learner", [MAML, Reptile])
def test_meta_gradient_and_evaluate_change_no_variable(learner):
    learner, batch = build("batch norm", learner, keras.optimizers.Adam(0.1)), batch_for("dense")
    learner.optimizer.build(learner.model.trainable_variables)
    before = everything(learner)
    learner.meta_gradient(batch)
    evaluate(learner, batch)
    assert same(everything(learner), before)


def test_learner_of_x_is_the_model_before_adaptation():
    learner, x = shared(), batch_for("dense").query_x[0]
    assert np.array_equal(learner(x), learner.model(x, training=False))
    assert np.array_equal(learner.predict(x, verbose=0), learner.model.predict(x, verbose=0))


# fit


@pytest.fixture(scope="module")
def trained():
    """A learner after one step of SGD, with what was before and what Keras reported."""
    learner, batch = build(optimizer=keras.optimizers.SGD(0.25), metrics=["mae"]), batch_for("batch norm")
    before, result = values(learner.model.variables), learner.meta_gradient(batch)
    model = keras.models.clone_model(learner.model)
    model.set_weights(learner.model.get_weights())
    return (
        learner,
        batch,
        before,
        result,
        model,
        fit(learner, as_data(batch), validation_data=as_data(batch), validation_steps=1),
    )


def test_one_step_of_sgd_is_theta_minus_lr_times_meta_gradient(trained):
    learner, _, before, result, _, _ = trained
    theta = {v.path: old for v, old in zip(learner.model.variables, before, strict=True)}
    for v, g in zip(learner.model.trainable_variables, result.gradient, strict=True):
        np.testing.assert_allclose(v, theta[v.path] - 0.25 * g, rtol=1e-12, atol=1e-14)
    assert learner.optimizer.iterations == 1


def test_fit_leaves_the_moving_statistics_alone(trained):
    learner, _, before, _, _, _ = trained
    found = values(learner.model.variables)
    still = [k for k, v in enumerate(learner.model.variables) if "moving" in v.path]
    assert len(still) == 2 and all(np.array_equal(found[k], before[k]) for k in still)


def test_reported_metrics_are_what_they_say(trained):
    _, batch, _, result, model, history = trained
    theta = [tf.constant(v.numpy()) for v in model.trainable_variables]
    state = [tf.constant(v.numpy()) for v in model.non_trainable_variables]
    before, updates, errors = [], [], []
    for sx, sy, qx, qy in zip(*map(tf.constant, batch), strict=True):
        before.append(float(mse(model.stateless_call(theta, state, qx, training=True)[0], qy)))
        adapted, _ = naive_adapt(model, theta, state, sx, sy, 0.1, 2)
        updates.append(np.concatenate([np.ravel(p - q) for p, q in zip(theta, adapted, strict=True)]))
        errors.append(np.abs(model.stateless_call(adapted, state, qx, training=True)[0] - qy).mean())
    g, mean = np.array(updates), np.mean(updates, axis=0)
    cosines = g @ mean / (np.linalg.norm(g, axis=1) * np.linalg.norm(mean))
    expected = {
        "loss_before": np.mean(before),
        "loss": np.mean(result.query_losses),
        "mean_absolute_error": np.mean(errors),
        "smallest_weight": np.min(result.weights),
        "negative_weights": np.mean(np.array(result.weights) < 0),
        "cosine_to_mean": np.mean(cosines),
    }
    found = {name: values[0] for name, values in history.items() if not name.startswith("val_")}
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_validation_is_evaluate_after_the_epoch(trained):
    learner, batch, _, _, _, history = trained
    found = {name.removeprefix("val_"): v[0] for name, v in history.items() if name.startswith("val_")}
    assert found == pytest.approx(evaluate(learner, batch)) and len(found) == 6


def test_accuracy_is_the_share_of_right_answers():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "softmax")])
    learner, rng = MAML(model, 0.1), np.random.default_rng(0)
    learner.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"])
    x, y = rng.normal(size=(3, 7, 2)), rng.integers(0, 3, (3, 7))
    right = [learner.adapt(x[i], y[i]).predict(x[i], verbose=0).argmax(1) == y[i] for i in range(3)]
    report = evaluate(learner, TaskBatch(x, y, x, y))
    assert report[[name for name in report if "accuracy" in name][0]] == pytest.approx(np.mean(right))


def test_a_metric_may_be_a_function():
    def largest_error(y, prediction):
        return tf.reduce_max(tf.abs(y - prediction))

    learner, batch = build("dense", metrics=[largest_error]), batch_for("dense")
    assert "largest_error" in evaluate(learner, batch)


class Counting(MAML):
    """MAML that counts how often its task is traced."""

    traces = 0

    def outer_loss(self, *args):
        self.traces += 1
        return super().outer_loss(*args)


def test_steps_trace_once():
    learner = build(learner=Counting)
    data = as_dataset(Noise(), 3, 5, 4, dtype="float64")
    seen = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda step, logs: seen.append(learner.traces))
    fit(learner, data, 3, epochs=2, callbacks=[count])
    fit(learner, data, 2, callbacks=[count])
    assert len(seen) == 8 and seen[0] >= 1 and set(seen) == {seen[0]}


def test_meta_gradient_traces_once():
    learner = build("dense", Counting)
    learner.meta_gradient(batch_for("dense"))
    once = learner.traces
    for seed in range(3):
        learner.optimizer.iterations.assign_add(1)
        learner.meta_gradient(batch_for("dense", seed))
    learner.meta_gradient(TaskBatch(*map(tf.constant, batch_for("dense", 4))))
    assert learner.traces == once


def test_several_steps_in_one_call_train_the_same():
    learners = [build("dense"), build("dense")]
    learners[1].compile("sgd", steps_per_execution=2)
    for learner in learners:
        fit(learner, as_dataset(Noise(), 3, 5, 4, dtype="float64"), 4)
    assert relative_error(*(values(learner.model.variables) for learner in learners)) < 1e-12


def test_eager_training_is_the_same():
    learners = [build("dense"), build("dense")]
    learners[1].compile("sgd", run_eagerly=True)
    for learner in learners:
        fit(learner, as_data(batch_for("dense")), 2)
    assert relative_error(*(values(learner.model.variables) for learner in learners)) < 1e-12


def test_callbacks_work():
    learner = build("dense")
    stop = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=1e9)
    rate = keras.callbacks.LearningRateScheduler(lambda epoch: 0.5**epoch)
    history = fit(learner, as_data(batch_for("dense")), epochs=5, callbacks=[stop, rate])
    assert len(history["loss"]) == 2 and history["learning_rate"] == [1.0, 0.5]


def test_training_on_sines_learns():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(20, "relu"), keras.layers.Dense(1)])
    learner = compiled(MAML(model), keras.optimizers.Adam(0.01))
    test = as_dataset(SineTasks(), 100, 10, 10, seed=1)
    before = learner.evaluate(test, steps=1, return_dict=True, verbose=0)["loss"]
    fit(learner, as_dataset(SineTasks(), 10, 10, 10), 200)
    assert learner.evaluate(test, steps=1, return_dict=True, verbose=0)["loss"] < 0.9 * before
