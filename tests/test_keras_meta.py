"""MAML and Reptile around Keras models: the numbers, the training loop, what changes and what does not."""

import functools
import importlib
import json
import subprocess
import sys
import warnings

import gaml_utils  # noqa: F401, before TensorFlow

# isort: split
import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.datasets.golden_batch import load_golden_batch
from gaml_utils.learners.data import as_dataset
from gaml_utils.learners.maml import MAML
from gaml_utils.learners.reptile import Reptile
from gaml_utils.networks.normalisation import BatchNormalization
from gaml_utils.records import MetaResult, TaskBatch
from gaml_utils.scratch import inner_loop as numpy_meta
from gaml_utils.tasks.regression import SineTasks
from gaml_utils.weighting.agreement import agreement_weights, cosine_weights, leave_one_out_weights, uniform_weights
from gaml_utils.weighting.numpy_adapter import tensor_rule
from gaml_utils.weighting.powers import power_weights
from tests.helpers import central_differences, plain_gradient, relative_error, same
from tests.keras_helpers import (
    Noise,
    as_data,
    batch_for,
    everything,
    float64,
    functional,
    make,
    mse,
    naive_adapt,
    naive_meta_gradient,
    naive_task,
    outer_objective,
    values,
)

RULES = {"uniform": uniform_weights, "agreement": agreement_weights}
PARAMS, GOLDEN, INNER_LR, EXPECTED = load_golden_batch()
NORMALISED = ["batch norm", "layer norm", "conv, batch norm", "subclassed, batch norm"]
STOCK = ["stock batch norm", "stock layer norm", "stock group norm"]


def arrays(result):
    """The numbers of a MetaResult, end to end."""
    return [np.array(a) for a in (*result.gradient, result.weights, result.query_losses)]


def compiled(learner, optimizer="sgd", **kwargs):
    learner.compile(optimizer, **kwargs)
    return learner


def build(kind="batch norm", learner=MAML, optimizer="sgd", metrics=None, **kwargs):
    """A compiled learner around one of the models."""
    settings = {"inner_lr": 0.1, "inner_steps": 2, "weighting": agreement_weights} | kwargs
    return compiled(learner(make(kind), **settings), optimizer, metrics=metrics)


@functools.cache
def shared(kind="batch norm", learner=MAML, **kwargs):
    """A compiled learner for tests that change nothing."""
    return build(kind, learner, **kwargs)


def fit(learner, data, steps=1, **kwargs):
    return learner.fit(data, steps_per_epoch=steps, verbose=0, **kwargs).history


@functools.cache
def golden_model():
    with float64():
        hidden = [keras.layers.Dense(40, "relu") for _ in range(2)]
        model = functional(*hidden, keras.layers.Dense(1), shape=(1,))
    model.set_weights(PARAMS)
    return model


# The golden batch: NumPy = TensorFlow


@pytest.mark.parametrize("unrolled", [False, True])
@pytest.mark.parametrize(("rule", "steps"), EXPECTED)
def test_golden_batch_gives_the_stored_result(rule, steps, unrolled):
    learner = compiled(MAML(golden_model(), INNER_LR, steps, weighting=RULES[rule], unrolled=unrolled))
    for found, stored in zip(learner.meta_gradient(GOLDEN), EXPECTED[rule, steps], strict=True):
        found = [np.array(a) for a in found] if isinstance(found, list) else [found.numpy()]
        stored = stored if isinstance(stored, list) else [stored]
        assert {a.dtype for a in found} == {np.dtype("float64")}
        assert relative_error(found, stored) < 1e-10


def test_golden_batch_in_a_model_whose_layers_are_float64():
    """The model's own dtype policy is float32 here, but no variable is."""
    layers = [keras.layers.Dense(n, a, dtype="float64") for n, a in ((40, "relu"), (40, "relu"), (1, None))]
    model = functional(*layers, shape=(1,))
    model.set_weights(PARAMS)
    result = compiled(MAML(model, INNER_LR, 1, weighting=agreement_weights)).meta_gradient(GOLDEN)
    assert relative_error(result.gradient, EXPECTED["agreement", 1].gradient) < 1e-10


@pytest.mark.parametrize("steps", [1, 3])
def test_first_order_equals_numpy(steps):
    learner = compiled(MAML(golden_model(), INNER_LR, steps, first_order=True, weighting=agreement_weights))
    expected = numpy_meta.meta_gradient(PARAMS, GOLDEN, INNER_LR, steps, first_order=True, weighting=agreement_weights)
    assert relative_error(arrays(learner.meta_gradient(GOLDEN)), arrays(expected)) < 1e-10


@pytest.mark.parametrize("rule", RULES)
def test_reptile_equals_numpy(rule):
    learner = compiled(Reptile(golden_model(), 0.02, 3, weighting=RULES[rule]))
    expected = numpy_meta.reptile_direction(PARAMS, GOLDEN, 0.02, 3, "relu", RULES[rule])
    assert relative_error(arrays(learner.meta_gradient(GOLDEN)), arrays(expected)) < 1e-10


def test_defaults_are_those_of_numpy():
    for kind, defaults in ((MAML, (0.01, 1)), (Reptile, (0.02, 5))):
        learner = kind(golden_model())
        assert (learner.inner_lr, learner.inner_steps) == defaults and learner.weighting is uniform_weights


# Reptile on minibatches


def minibatches(steps=4, batch_size=4, seed=0):
    return compiled(Reptile(golden_model(), 0.02, steps, batch_size=batch_size, seed=seed))


def test_each_pass_sees_each_point_once():
    """Ten points, in steps of four: the first ten draws are one pass, the next ten another."""
    order = minibatches(steps=5).order(GOLDEN).numpy()
    assert order.shape == (5, 5, 4)
    passes = order.reshape(5, 2, 10)
    assert np.array_equal(np.sort(passes, -1), np.broadcast_to(np.arange(10), passes.shape))
    assert len({tuple(p) for p in passes.reshape(10, 10)}) == 10


def test_same_outer_step_draws_the_same_points_and_another_step_or_seed_others():
    learner = minibatches()
    order = learner.order(GOLDEN).numpy()
    assert np.array_equal(order, learner.order(GOLDEN)) and np.array_equal(order, minibatches().order(GOLDEN))
    assert not np.array_equal(order, minibatches(seed=1).order(GOLDEN))
    learner.optimizer.iterations.assign(1)
    assert not np.array_equal(order, learner.order(GOLDEN))


def test_minibatch_reptile_is_sgd_on_those_points():
    learner = minibatches()
    result, order = learner.meta_gradient(GOLDEN), learner.order(GOLDEN).numpy()
    total = [np.zeros_like(p) for p in PARAMS]
    for x, y, steps in zip(*GOLDEN[:2], order, strict=True):
        theta = PARAMS
        for points in steps:
            gradient = plain_gradient(theta, x[points], y[points], "relu")
            theta = [p - 0.02 * g for p, g in zip(theta, gradient, strict=True)]
        total = [t + (p - q) / 5 for t, p, q in zip(total, PARAMS, theta, strict=True)]
    assert relative_error(result.gradient, total) < 1e-10


def test_inner_rule_is_used():
    def half(theta, gradient, inner_lr):
        return [p - 0.5 * inner_lr * g for p, g in zip(theta, gradient, strict=True)]

    batch = batch_for("dense")
    for learner in (MAML, Reptile):
        found = build("dense", learner, inner_lr=0.2, inner_rule=half).meta_gradient(batch)
        assert relative_error(arrays(found), arrays(shared("dense", learner).meta_gradient(batch))) < 1e-12


# What the weighting compares


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("first_order", [False, True])
def test_outer_gradients_compared_equal_numpy(steps, first_order):
    rule = power_weights(-1)
    learner = MAML(golden_model(), INNER_LR, steps, rule, first_order=first_order, source="outer")
    found = compiled(learner).meta_gradient(GOLDEN)
    expected = numpy_meta.meta_gradient(PARAMS, GOLDEN, INNER_LR, steps, first_order, weighting=rule, source="outer")
    assert relative_error(arrays(found), arrays(expected)) < 1e-10


@pytest.mark.parametrize("kind", ["conv", "batch norm"])
@pytest.mark.parametrize("first_order", [False, True])
def test_outer_gradients_compared_are_those_of_a_plain_loop(kind, first_order):
    batch, learner = batch_for(kind), build(kind, source="outer", first_order=first_order)
    each = [naive_task(learner.model, task, 0.1, 2, first_order)[0] for task in zip(*batch, strict=True)]
    d = np.array([np.concatenate([np.ravel(a) for a in gradient]) for gradient in each])
    result, w = learner.meta_gradient(batch), agreement_weights(d)
    assert relative_error([result.weights], [w]) < 1e-10
    assert relative_error(result.gradient, [w @ d]) < 1e-10
    assert np.abs(result.weights - shared(kind).meta_gradient(batch).weights).max() > 1e-3


def test_updates_are_compared_by_default():
    batch = batch_for("dense")
    assert same(*(arrays(build("dense", **chosen).meta_gradient(batch)) for chosen in ({}, {"source": "updates"})))


def test_reptiles_outer_directions_are_its_updates():
    batch = batch_for("dense")
    assert same(*(arrays(build("dense", Reptile, source=s).meta_gradient(batch)) for s in ("updates", "outer")))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_training_with_outer_gradients_and_powers_takes_the_step_of_meta_gradient(jit_compile):
    learner = build("dense", source="outer", weighting=power_weights(-1))
    learner.compile(keras.optimizers.SGD(0.1), jit_compile=jit_compile)
    before, batch = values(learner.model.trainable_variables), batch_for("dense")
    gradient = learner.meta_gradient(batch).gradient
    fit(learner, as_data(batch))
    expected = [v - 0.1 * g.numpy() for v, g in zip(before, gradient, strict=True)]
    assert relative_error(values(learner.model.trainable_variables), expected) < 1e-8


# Any model: a plain loop with two tapes, and central differences


@functools.cache
def naive_result(kind):
    return arrays(MetaResult(*naive_meta_gradient(make(kind), batch_for(kind), 0.1, 2, "agreement")))


EXACT = ["dense", "conv", "embedding", "dropout 0", "dropout", *NORMALISED]


@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.parametrize("unrolled", [False, True])
def test_a_plain_loop_over_tasks_agrees(kind, unrolled):
    result = shared(kind, unrolled=unrolled).meta_gradient(batch_for(kind))
    assert relative_error(arrays(result), naive_result(kind)) < 1e-10


@pytest.mark.parametrize("kind", ["embedding", "batch norm"])
def test_a_plain_loop_over_tasks_agrees_to_first_order(kind):
    batch, learner = batch_for(kind), build(kind, first_order=True)
    expected = naive_meta_gradient(learner.model, batch, 0.1, 2, "agreement", first_order=True)
    assert relative_error(arrays(learner.meta_gradient(batch)), arrays(MetaResult(*expected))) < 1e-10


def against_central_differences(kind):
    batch = batch_for(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        learner = shared(kind, unrolled=False)
    result = learner.meta_gradient(batch)
    objective = outer_objective(learner.model, batch, 0.1, 2, result.weights.numpy())
    theta = values(learner.model.trainable_variables)
    return relative_error(result.gradient, central_differences(objective, theta, 1e-5))


@pytest.mark.parametrize("kind", NORMALISED)
def test_gradient_is_that_of_the_outer_objective(kind):
    assert against_central_differences(kind) < 1e-6


@pytest.mark.parametrize("kind", STOCK)
def test_stock_normalisation_fails_that_check(kind):
    assert against_central_differences(kind) > 1e-3


@pytest.mark.parametrize("kind", STOCK)
def test_exact_maml_on_stock_normalisation_warns_once_and_names_the_layer(kind):
    model = make(kind)
    with pytest.warns(UserWarning, match=model.layers[2].name) as caught:
        learner = compiled(MAML(model))
        learner.meta_gradient(batch_for(kind))
    ours = [w for w in caught if "second derivative" in str(w.message)]
    assert len(ours) == 1 and "gaml_utils.layers" in str(ours[0].message) and "first_order" in str(ours[0].message)
    assert ours[0].filename == __file__


@pytest.mark.parametrize("make_learner", [lambda m: MAML(m, first_order=True), Reptile])
def test_first_order_learners_do_not_warn(make_learner):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_learner(make("stock batch norm"))


def test_exact_layers_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MAML(make("batch norm"))


# Dropout


def test_dropout_of_rate_0_drops_nothing():
    dense = naive_meta_gradient(make("dropout 0"), batch_for("dense"), 0.1, 2)
    dropped = naive_meta_gradient(make("dropout"), batch_for("dense"), 0.1, 2)
    assert relative_error(dense[0], dropped[0]) > 1e-3  # else the test above would show nothing


def test_dropout_draws_the_same_at_the_same_step_and_others_at_the_next():
    learner, batch = build("dropout"), batch_for("dropout")
    before = arrays(learner.meta_gradient(batch))
    assert same(before, arrays(learner.meta_gradient(batch)))
    learner.optimizer.iterations.assign(1)
    after = arrays(learner.meta_gradient(batch))
    assert relative_error(after, before) > 1e-3
    learner.optimizer.iterations.assign(0)
    assert same(before, arrays(learner.meta_gradient(batch)))


def test_dropout_trains_the_same_twice():
    one, two = ((build("dropout")) for _ in range(2))
    for learner in (one, two):
        fit(learner, as_data(batch_for("dropout")), 3)
    assert same(everything(one), everything(two))


def test_dropout_is_off_when_a_model_is_judged():
    """No layer of this model looks at the batch, so how the query set is batched cannot matter."""
    one, whole = build("dropout"), build("dropout", transductive=True)
    losses = [evaluate(learner, batch_for("dropout"))["loss"] for learner in (one, whole)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


# adapt and evaluate


def task(batch, i):
    return [np.array(a[i]) for a in batch]


def evaluate(learner, batch):
    return learner.evaluate(as_data(batch), steps=1, return_dict=True, verbose=0)


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

    def task_result(self, *args):
        self.traces += 1
        return super().task_result(*args)


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


# Weights


def softmax_weights(g):
    return tf.nn.softmax(1e3 * tf.reduce_sum(g * g, axis=1))


def test_no_gradient_flows_through_the_weights():
    batch = batch_for("dense")
    open_, stopped = (
        build("dense", weighting=rule).meta_gradient(batch)
        for rule in (softmax_weights, lambda g: softmax_weights(tf.stop_gradient(g)))
    )
    assert same(arrays(open_), arrays(stopped))


def test_gradient_with_uneven_weights_is_the_weighted_sum():
    """Weights through which a gradient would flow: the outer objective holds them constant."""
    batch, learner = batch_for("dense"), build("dense", weighting=softmax_weights)
    result = learner.meta_gradient(batch)
    objective = outer_objective(learner.model, batch, 0.1, 2, result.weights.numpy())
    theta = values(learner.model.trainable_variables)
    assert np.ptp(result.weights) > 1e-3
    assert relative_error(result.gradient, central_differences(objective, theta, 1e-5)) < 1e-6


def numpy_agreement(g):
    assert isinstance(g, np.ndarray)
    scores = g @ g.sum(0)
    return scores / np.abs(scores).sum()


def test_from_numpy_gives_what_the_tensor_rule_gives():
    batch = batch_for("dense")
    ours, theirs = (build("dense", weighting=rule) for rule in (agreement_weights, tensor_rule(numpy_agreement)))
    assert relative_error(arrays(theirs.meta_gradient(batch)), arrays(ours.meta_gradient(batch))) < 1e-12
    for learner in (ours, theirs):
        fit(learner, as_data(batch), 3)
    assert relative_error(values(theirs.model.variables), values(ours.model.variables)) < 1e-12


def test_from_numpy_leaves_arrays_to_the_rule():
    g = np.random.default_rng(0).normal(size=(4, 3))
    assert np.array_equal(tensor_rule(numpy_agreement)(g), numpy_agreement(g))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_from_numpy_gives_tensors_of_the_dtype_of_the_updates(dtype):
    updates = tf.cast(np.random.default_rng(0).normal(size=(4, 3)), dtype)
    w = tensor_rule(lambda g: [0, 1, 2, 3])(updates)
    assert w.dtype == dtype and np.array_equal(w, [0, 1, 2, 3])


def test_from_numpy_takes_the_package_rules():
    updates = tf.constant(np.random.default_rng(0).normal(size=(4, 3)))
    for rule in RULES.values():
        np.testing.assert_allclose(tensor_rule(rule)(updates), rule(updates), rtol=1e-12)


# Faults


def broken(**changed):
    """Task 1 of three is at fault."""
    batch = batch_for("batch norm")
    for name, value in changed.items():
        array = np.array(getattr(batch, name))
        array[1] = value
        batch = batch._replace(**{name: array})
    return batch


@pytest.mark.parametrize(
    ("learner", "settings", "fault"),
    [
        (MAML, {}, {"support_y": np.nan}),
        (MAML, {}, {"support_y": 1e200}),
        (Reptile, {}, {"query_y": np.nan}),
        (MAML, {"source": "outer", "weighting": power_weights(-1)}, {"query_y": np.nan}),
    ],
)
def test_a_task_that_is_not_finite_stops_training_and_changes_nothing(learner, settings, fault):
    learner = build("dense", learner, keras.optimizers.Adam(0.01), **settings)
    fit(learner, as_data(batch_for("dense")), 2)
    before = everything(learner)
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        fit(learner, as_data(broken(**fault)), 3)
    message = str(error.value)
    assert "smaller inner_lr" in message
    assert "Outer step] [2] [task] [1]" in message
    assert same(everything(learner), before)


def test_exploding_inner_steps_stop_training_at_the_first_step():
    learner = build("dense", inner_lr=1e150, inner_steps=3)
    before = values(learner.model.variables)
    with pytest.raises(tf.errors.InvalidArgumentError, match="smaller inner_lr"):
        fit(learner, as_data(batch_for("dense")), 3)
    assert same(values(learner.model.variables), before)


def test_the_task_named_is_the_one_at_fault_even_if_its_loss_is_finite():
    """The root of a zero error has an infinite slope."""
    learner, batch = build("dense", first_order=True), batch_for("dense")
    learner.compile("sgd", lambda y, p: tf.sqrt(tf.abs(y - p)))
    for v in learner.model.trainable_variables:
        v.assign(np.zeros(v.shape))
    batch.support_y[:] = 1.0
    batch.query_y[:] = 1.0
    learner.inner_lr = 1e-3
    sx, sy, qx, _ = task(batch, 2)
    batch.query_y[2] = learner.adapt(sx, sy).predict(qx, verbose=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Outer step\] \[0\] \[task\] \[2\]"):
        fit(learner, as_data(batch))


class Stop(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


def test_training_taken_up_again_is_bit_for_bit_the_same(tmp_path):
    """On minibatches, whose drawing depends on the step as well."""

    def start():
        one = build("batch norm", Reptile, keras.optimizers.Adam(0.01), batch_size=2)
        return one, as_dataset(Noise(), 3, 5, 4, seed=7, dtype="float64", learner=one)

    whole, data = start()
    expected = fit(whole, data, 3, epochs=4)
    half, data = start()
    with pytest.raises(KeyboardInterrupt):
        fit(half, data, 3, epochs=4, callbacks=[keras.callbacks.BackupAndRestore(tmp_path), Stop()])
    again, data = start()
    again.model.trainable_variables[0].assign_add(np.ones((2, 4)))
    history = fit(again, data, 3, epochs=4, callbacks=[keras.callbacks.BackupAndRestore(tmp_path)])
    assert history == {name: found[2:] for name, found in expected.items()}
    assert same(everything(again), everything(whole))


# Saving

MODULE = """
import gaml_utils
import keras
import tensorflow as tf

@keras.saving.register_keras_serializable("student")
def first_counts_double(updates):
    w = tf.concat([[2.0], tf.ones(updates.shape[0] - 1)], 0)
    return tf.cast(w, updates.dtype) / (updates.shape[0] + 1)

@keras.saving.register_keras_serializable("student")
def signs(theta, gradient, inner_lr):
    return [p - inner_lr * tf.sign(g) for p, g in zip(theta, gradient)]
"""
SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import gaml_utils, gaml_utils.keras_meta, student
import json, keras, numpy as np
found = {}
with np.load(sys.argv[1] + "/batch.npz") as stored:
    batch = gaml_utils.TaskBatch(*(stored[name] for name in gaml_utils.TaskBatch._fields))
for name in sys.argv[2:]:
    learner = keras.models.load_model(f"{sys.argv[1]}/{name}.keras")
    result = learner.meta_gradient(batch)
    found[name] = [np.array(a).ravel().tolist() for a in (*result.gradient, result.weights, result.query_losses)]
    found[name] += [learner.predict(batch.query_x[0], verbose=0).ravel().tolist()]
    found[name] += [np.array(v).ravel().tolist() for v in learner.optimizer.variables]
    adapted = learner.adapt(batch.support_x[0], batch.support_y[0])
    found[name] += [adapted.predict(batch.query_x[0], verbose=0).ravel().tolist()]
print(json.dumps(found))
"""


def single(learner=MAML, optimizer="sgd", metrics=None, **kwargs):
    """A compiled learner around a float32 model."""
    keras.utils.set_random_seed(0)
    layers = keras.layers.Dense(4), BatchNormalization(), keras.layers.Activation("tanh"), keras.layers.Dense(1)
    settings = {"inner_lr": 0.1, "inner_steps": 2, "weighting": agreement_weights} | kwargs
    return compiled(learner(functional(*layers, dtype="float32"), **settings), optimizer, metrics=metrics)


def test_saved_learners_are_the_same_in_a_fresh_process(tmp_path, monkeypatch):
    (tmp_path / "student.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    student = importlib.import_module("student")
    batch, expected = batch_for("batch norm"), {}
    learners = {
        "maml": single(
            optimizer=keras.optimizers.Adam(0.01), weighting=student.first_counts_double, inner_rule=student.signs
        ),
        "reptile": single(Reptile, batch_size=2, seed=3),
    }
    for name, learner in learners.items():
        fit(learner, as_data(batch), 2)
        learner.save(tmp_path / f"{name}.keras")
        expected[name] = [np.array(a).ravel().tolist() for a in arrays(learner.meta_gradient(batch))]
        expected[name] += [learner.predict(batch.query_x[0], verbose=0).ravel().tolist()]
        expected[name] += [v.ravel().tolist() for v in values(learner.optimizer.variables)]
        adapted = learner.adapt(batch.support_x[0], batch.support_y[0])
        expected[name] += [adapted.predict(batch.query_x[0], verbose=0).ravel().tolist()]
    np.savez(tmp_path / "batch.npz", **batch._asdict())
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path), *learners]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    for name in learners:
        assert found[name] == expected[name], name


def test_loaded_learner_has_every_setting(tmp_path):
    learner = single(Reptile, keras.optimizers.Adam(0.02), ["mae"], batch_size=2, seed=5, transductive=True)
    learner.save(tmp_path / "learner.keras")
    loaded = keras.models.load_model(tmp_path / "learner.keras")
    for name in ("inner_lr", "inner_steps", "unrolled", "transductive", "batch_size", "seed", "weighting"):
        assert getattr(loaded, name) == getattr(learner, name), name
    assert loaded.model.count_params() == learner.model.count_params()
    assert type(loaded.optimizer) is keras.optimizers.Adam
    assert loaded.optimizer.learning_rate == learner.optimizer.learning_rate
    assert evaluate(loaded, batch_for("dense")) == evaluate(learner, batch_for("dense"))


@pytest.mark.parametrize("rule", [power_weights(-1), power_weights(0.5, 0.3), cosine_weights, leave_one_out_weights])
def test_loaded_learner_has_its_weighting_and_what_it_compares(rule, tmp_path):
    learner = single(weighting=rule, source="outer")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        learner.save(tmp_path / "learner.keras")
    loaded = keras.models.load_model(tmp_path / "learner.keras")
    assert loaded.weighting == rule and loaded.source == "outer"
    batch = batch_for("dense")
    assert same(arrays(loaded.meta_gradient(batch)), arrays(learner.meta_gradient(batch)))


def test_a_learner_saved_before_there_was_a_source_compares_updates():
    config = single().get_config()
    del config["source"]
    assert MAML.from_config(config).source == "updates"


def test_saving_a_weighting_with_settings_that_keras_does_not_know_warns(tmp_path):
    class Rule:
        def __call__(self, updates):
            return uniform_weights(updates)

        def get_config(self):
            return {}

    with pytest.warns(UserWarning, match="weighting 'Rule' is not registered"):
        single(weighting=Rule()).get_config()


def test_saved_learner_of_a_float64_model_can_be_loaded(tmp_path):
    learner = build("dense")
    learner.save(tmp_path / "learner.keras")
    loaded = keras.models.load_model(tmp_path / "learner.keras")
    assert same(values(loaded.model.variables), values(learner.model.variables))


# Bad input


def two_inputs():
    x = [keras.Input((2,)), keras.Input((2,))]
    return keras.Model(x, keras.layers.Dense(1)(keras.layers.Add()(x)))


def mixed(inner=False):
    policy = keras.layers.Dense(1, dtype="mixed_float16")
    return keras.Sequential([keras.Input((2,)), keras.Sequential([policy]) if inner else policy])


def without_variables():
    return keras.Sequential([keras.Input((2,)), keras.layers.Flatten()])


def float32_input():
    with float64():
        return functional(keras.layers.Dense(1), dtype="float32")


@functools.cache
def plain():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


BAD = {
    "not a model": (lambda: MAML(3), "model should be a keras.Model"),
    "a layer": (lambda: MAML(keras.layers.Dense(1)), "model should be a keras.Model"),
    "unbuilt": (lambda: MAML(keras.Sequential([keras.layers.Dense(1)])), "model should be built"),
    "no variables": (lambda: MAML(without_variables()), "model should be built and have trainable variables"),
    "mixed precision": (lambda: MAML(mixed()), "model should compute in the dtype"),
    "mixed precision inside": (lambda: MAML(mixed(True)), "model should compute in the dtype"),
    "several inputs": (lambda: MAML(two_inputs()), "model should have one input, got 2"),
    "float32 Input": (lambda: MAML(float32_input()), "model should have an Input of dtype float64"),
    **{
        f"inner_lr {v!r}": (lambda v=v: MAML(plain(), v), "inner_lr should be a finite number above 0")
        for v in (0, -0.1, np.nan, np.inf, "0.1", None)
    },
    **{
        f"inner_steps {v!r}": (lambda v=v: Reptile(plain(), 0.1, v), "inner_steps should be a whole number")
        for v in (0, -1, 1.0, True, None)
    },
    "weighting": (lambda: MAML(plain(), weighting="agreement"), "weighting should be a function"),
    "source": (lambda: MAML(plain(), source="inner"), "source should be 'updates' or 'outer', got 'inner'"),
    "source, Reptile": (lambda: Reptile(plain(), source=None), "source should be 'updates' or 'outer', got None"),
    "inner_rule": (lambda: MAML(plain(), inner_rule=3), "inner_rule should be a function"),
    **{
        f"batch_size {v!r}": (lambda v=v: Reptile(plain(), batch_size=v), "batch_size should be a whole number")
        for v in (0, 1.5, True)
    },
    "batch_size above the shots": (
        lambda: build("dense", Reptile, batch_size=6).meta_gradient(batch_for("dense")),
        "batch_size should be a whole number from 1 to 5 .the shots.",
    ),
    "meta_gradient before compile": (lambda: MAML(plain()).meta_gradient(batch_for("dense")), "compile"),
    "adapt before compile": (lambda: MAML(plain()).adapt(np.ones((2, 2)), np.ones((2, 1))), "compile"),
    "fit before compile": (lambda: MAML(plain()).fit(as_data(batch_for("dense")), steps_per_epoch=1), "compile"),
    "adapt: steps": (lambda: shared("dense").adapt(np.ones((2, 2)), np.ones((2, 1)), -1), "steps should be a whole"),
    "adapt: half a step": (lambda: shared("dense").adapt(np.ones((2, 2)), np.ones((2, 1)), 0.5), "steps should be"),
    "adapt: points": (lambda: shared("dense").adapt(np.ones((2, 2)), np.ones((3, 1))), "support_y should hold"),
    "adapt: no points": (lambda: shared("dense").adapt(np.ones((0, 2)), np.ones((0, 1))), "support_x should be"),
    "adapt: a number": (lambda: shared("dense").adapt(3.0, 3.0), "support_x should be"),
    "adapt: NaN": (lambda: shared("dense").adapt(np.full((2, 2), np.nan), np.ones((2, 1))), "support_x should hold"),
    "not a batch": (lambda: shared("dense").meta_gradient(3), "batch should be a TaskBatch"),
    "NaN": (lambda: shared("dense").meta_gradient(broken(query_x=np.nan)), "query_x should hold finite"),
    "tasks": (
        lambda: shared("dense").meta_gradient(batch_for("dense")._replace(query_x=np.ones((2, 4, 2)))),
        "query_x holds 2 tasks",
    ),
    "points in fit": (
        lambda: fit(build("dense"), as_data(batch_for("dense")._replace(query_y=np.ones((3, 5, 1))))),
        "query_y should hold the 4 points",
    ),
    "no TaskBatch in fit": (lambda: fit(build("dense"), as_data(batch_for("dense")).map(lambda *b: b[:2])), "batch"),
    "unknown sizes in fit": (
        lambda: fit(build("dense"), as_data(batch_for("dense")).unbatch().batch(2)),
        "support_x should be .*known",
    ),
    "weights of a wrong shape": (
        lambda: build("dense", weighting=lambda g: g).meta_gradient(batch_for("dense")),
        "weighting",
    ),
    "features of x": (
        lambda: shared("dense").meta_gradient(batch_for("dense")._replace(support_x=np.ones((3, 5, 7)))),
        "expected .*shape",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    call, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        call()
