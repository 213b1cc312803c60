"""MAML around Keras models: the numbers of NumPy, of a plain loop over tasks, and of central differences."""

import functools
import warnings

import keras
import numpy as np
import pytest

from gaml_utils.learners.maml import MAML
from gaml_utils.learners.reptile import Reptile
from gaml_utils.records import MetaResult
from gaml_utils.scratch import maml as numpy_maml
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from gaml_utils.weighting.powers import power_weights
from tests.support.keras_learners import (
    EXPECTED,
    GOLDEN,
    INNER_LR,
    NORMALISED,
    PARAMS,
    RULES,
    STOCK_NORMALISATION,
    arrays,
    build,
    compiled,
    evaluate,
    fit,
    golden_model,
    shared,
)
from tests.support.keras_models import (
    as_data,
    batch_for,
    everything,
    functional,
    make,
    naive_meta_gradient,
    naive_task,
    outer_objective,
    values,
)
from tests.support.plain_formulas import central_differences, relative_error, same

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
    expected = numpy_maml.meta_gradient(PARAMS, GOLDEN, INNER_LR, steps, first_order=True, weighting=agreement_weights)
    assert relative_error(arrays(learner.meta_gradient(GOLDEN)), arrays(expected)) < 1e-10


def test_defaults_are_those_of_numpy():
    for kind, defaults in ((MAML, (0.01, 1)), (Reptile, (0.02, 5))):
        learner = kind(golden_model())
        assert (learner.inner_lr, learner.inner_steps) == defaults and learner.weighting is uniform_weights


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
    expected = numpy_maml.meta_gradient(PARAMS, GOLDEN, INNER_LR, steps, first_order, weighting=rule, source="outer")
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


@pytest.mark.parametrize("kind", STOCK_NORMALISATION)
def test_stock_normalisation_fails_that_check(kind):
    assert against_central_differences(kind) > 1e-3


@pytest.mark.parametrize("kind", STOCK_NORMALISATION)
def test_exact_maml_on_stock_normalisation_warns_once_and_names_the_layer(kind):
    model = make(kind)
    with pytest.warns(UserWarning, match=model.layers[2].name) as caught:
        learner = compiled(MAML(model))
        learner.meta_gradient(batch_for(kind))
    ours = [w for w in caught if "second derivative" in str(w.message)]
    assert len(ours) == 1 and "gaml_utils.networks" in str(ours[0].message) and "first_order" in str(ours[0].message)
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
