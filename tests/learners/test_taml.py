"""TAML: the inequality of losses before and after, the entropy, and nothing but MAML where the strength is 0."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners import MAML, TAML
from gaml_utils.learners.taml import mean_entropy
from gaml_utils.records import TaskBatch
from gaml_utils.weighting import agreement_weights, inequality, inequality_slopes, inequality_weights, uniform_weights
from gaml_utils.weighting.measures import MEASURES
from tests.support.keras_learners import arrays, compiled
from tests.support.keras_models import as_data, batch_for, float64, functional, make, tanh_net
from tests.support.plain_formulas import same
from tests.support.strangers import sines

CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64")
BATCH = sines(4)
each_measure = pytest.mark.parametrize("measure", MEASURES)


def classifier(outputs="linear"):
    keras.utils.set_random_seed(1)
    with float64():
        return functional(keras.layers.Dense(5, "tanh"), keras.layers.Dense(3, outputs), shape=(2,))


def classes(tasks=3):
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(tasks, n, 2)) for n in (6, 9)]
    y = [rng.integers(3, size=(tasks, n)) for n in (6, 9)]
    return TaskBatch(x[0], y[0], x[1], y[1])


def slope_along(learner, along, value):
    """The central difference of value() along a direction of all outer variables."""
    variables, ends = learner.outer_variables, []
    before = [v.numpy() for v in variables]
    for step in (1e-5, -1e-5):
        for variable, start, a in zip(variables, before, along, strict=True):
            variable.assign(start + step * a)
        ends.append(value())
    for variable, start in zip(variables, before, strict=True):
        variable.assign(start)
    return (ends[0] - ends[1]) / 2e-5


def directions(learner, number=5):
    rng = np.random.default_rng(0)
    return [[rng.normal(size=v.shape) for v in learner.outer_variables] for _ in range(number)]


def product(gradient, along):
    return sum(np.sum(np.array(g) * a) for g, a in zip(gradient, along, strict=True))


shared_net = functools.cache(tanh_net)  # one model, so that what is compiled around it serves all measures


@functools.cache
def plain_maml(inner_lr, **settings):
    return compiled(MAML(shared_net(), inner_lr, **settings))


@each_measure
@pytest.mark.parametrize("losses", ["before", "after"])
@pytest.mark.parametrize("steps", [1, 3])
def test_the_gradient_is_that_of_mean_loss_and_inequality(measure, losses, steps):
    learner = compiled(TAML(shared_net(), measure, 0.7, losses=losses, inner_lr=0.03, inner_steps=steps))
    plain, unadapted = plain_maml(0.03, inner_steps=steps), plain_maml(1e-30, first_order=True)
    gradient = learner.meta_gradient(BATCH).gradient

    def lowered():
        after = np.array(plain.meta_gradient(BATCH).query_losses)
        of = np.array(unadapted.meta_gradient(BATCH).query_losses) if losses == "before" else after
        return after.mean() + 0.7 * inequality(of, measure)

    for along in directions(learner):
        assert product(gradient, along) == pytest.approx(slope_along(learner, along, lowered), rel=1e-5, abs=1e-8)


@each_measure
@pytest.mark.parametrize("losses", ["before", "after"])
def test_no_strength_is_maml_to_the_last_bit(measure, losses):
    settings = {"inner_lr": 0.03, "weighting": agreement_weights, "inner_steps": 2}
    ours = compiled(TAML(shared_net(), measure, 0, losses=losses, **settings)).meta_gradient(BATCH)
    assert same(arrays(ours), arrays(plain_maml(**settings).meta_gradient(BATCH)))


def test_after_is_one_weight_per_task():
    ours = compiled(TAML(tanh_net(), "gini", 0.4, losses="after", inner_lr=0.03)).meta_gradient(BATCH)
    rule = inequality_weights("gini", 0.4)
    theirs = compiled(MAML(tanh_net(), 0.03, weighting=rule, source="losses")).meta_gradient(BATCH)
    assert all(np.allclose(a, b, rtol=1e-12, atol=1e-15) for a, b in zip(arrays(ours), arrays(theirs), strict=True))


@pytest.mark.parametrize("losses", ["before", "after"])
def test_a_rule_and_the_inequality_are_added(losses):
    settings = {"inner_lr": 0.03, "weighting": agreement_weights}
    plain = compiled(MAML(tanh_net(), **settings)).meta_gradient(BATCH)
    ours = compiled(TAML(tanh_net(), "theil", 0.4, losses=losses, **settings)).meta_gradient(BATCH)
    added = 0.4 * inequality_slopes(np.array(plain.query_losses)) if losses == "after" else 0
    np.testing.assert_allclose(ours.weights, plain.weights + added, rtol=1e-12)


@pytest.mark.parametrize("losses", ["before", "after"])
def test_evaluate_weighs_as_fit_does_though_it_judges_by_other_statistics(losses):
    """With batch normalisation the queries are judged by the support set's statistics, and weighed by their own."""
    settings = {"weighting": agreement_weights, "inner_lr": 0.1}
    learner = compiled(TAML(make("batch norm"), "theil", 0.5, losses=losses, **settings))
    batch = batch_for("batch norm")
    reported = learner.evaluate(as_data(batch), steps=1, verbose=0, return_dict=True)
    np.testing.assert_allclose(reported["smallest_weight"], np.min(learner.meta_gradient(batch).weights), rtol=1e-4)


def test_its_order_is_heard():
    found = []
    for order in (None, 2.0, 0.5):
        learner = compiled(TAML(tanh_net(), "generalised entropy", 1.0, order, losses="after", inner_lr=0.03))
        found.append(learner.meta_gradient(BATCH).weights.numpy())
    assert np.array_equal(found[0], found[1]) and not np.allclose(found[0], found[2])


def test_settings_are_heard_after_compile():
    learner = compiled(TAML(tanh_net(), "theil", 0.0, inner_lr=0.03))
    learner.meta_gradient(BATCH)
    learner.strength, learner.losses, learner.measure = 0.4, "after", "generalised entropy"
    learner.order = 0.5
    fresh = compiled(TAML(tanh_net(), "generalised entropy", 0.4, 0.5, "after", inner_lr=0.03))
    assert same(arrays(learner.meta_gradient(BATCH)), arrays(fresh.meta_gradient(BATCH)))


# Entropy


@pytest.mark.parametrize("kind", ["logits", "probabilities", "one-hot"])
@pytest.mark.parametrize("steps", [1, 3])
def test_the_gradient_is_that_of_loss_and_entropies(kind, steps):
    model = classifier("softmax" if kind == "probabilities" else "linear")
    loss = CROSS_ENTROPY
    batch = classes()
    if kind == "probabilities":
        loss = keras.losses.SparseCategoricalCrossentropy(dtype="float64")
    if kind == "one-hot":
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, dtype="float64")
        batch = batch._replace(support_y=np.eye(3)[batch.support_y], query_y=np.eye(3)[batch.query_y])
    learner = compiled(TAML(model, "entropy", 0.6, inner_lr=0.3, inner_steps=steps), loss=loss)
    plain = compiled(MAML(model, 0.3, inner_steps=steps), loss=loss)
    gradient = learner.meta_gradient(batch).gradient

    def entropy(outputs):
        p = np.array(outputs)
        p = p if kind == "probabilities" else np.exp(p) / np.exp(p).sum(-1, keepdims=True)
        return -np.mean(np.sum(p * np.log(p), -1))

    def lowered():
        total = np.mean(plain.meta_gradient(batch).query_losses)
        for sx, sy, qx, _ in zip(*batch, strict=True):
            total += 0.6 / 3 * (entropy(plain.answers(sx, sy, qx)) - entropy(model(qx)))
        return total

    for along in directions(learner):
        assert product(gradient, along) == pytest.approx(slope_along(learner, along, lowered), rel=1e-5, abs=1e-7)


def test_no_strength_of_the_entropy_is_maml_to_the_last_bit():
    ours = compiled(TAML(classifier(), "entropy", 0.0, inner_lr=0.3), loss=CROSS_ENTROPY).meta_gradient(classes())
    theirs = compiled(MAML(classifier(), 0.3), loss=CROSS_ENTROPY).meta_gradient(classes())
    assert same(arrays(ours), arrays(theirs))


def test_a_loss_of_another_precision_serves():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)  # float32
    single = compiled(TAML(classifier(), "entropy", 0.6, inner_lr=0.3), loss=loss).meta_gradient(classes())
    double = compiled(TAML(classifier(), "entropy", 0.6, inner_lr=0.3), loss=CROSS_ENTROPY).meta_gradient(classes())
    np.testing.assert_allclose(single.query_losses, double.query_losses, rtol=1e-5)


def test_entropy_of_the_outputs():
    certain, even = tf.constant([[100.0, 0.0, 0.0]]), tf.zeros((2, 3))
    assert float(mean_entropy(certain, True)) == pytest.approx(0, abs=1e-6)
    assert float(mean_entropy(even, True)) == pytest.approx(np.log(3), rel=1e-6)
    assert float(mean_entropy(tf.constant([[1.0, 0.0, 0.0]]), False)) == 0
    assert float(mean_entropy(tf.constant([[0.25, 0.75]]), False)) == pytest.approx(
        -0.25 * np.log(0.25) - 0.75 * np.log(0.75), rel=1e-6
    )


def test_it_is_the_mean_of_the_entropies_not_the_entropy_of_the_mean():
    opposite = tf.constant([[0.9, 0.1], [0.1, 0.9]])
    assert float(mean_entropy(opposite, False)) < 0.5 * np.log(2)


@pytest.mark.parametrize("loss", ["mse", keras.losses.BinaryCrossentropy(), lambda y, p: tf.reduce_mean(p)])
def test_entropy_of_what_are_no_classes_is_refused_with_the_remedy(loss):
    learner = TAML(tanh_net(), "entropy")
    with pytest.raises(ValueError, match="compile with keras.losses.SparseCategoricalCrossentropy"):
        learner.compile("sgd", loss)


# What is refused


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"measure": "Theil"}, "measure should be one of"),
        ({"strength": -1}, "strength should be"),
        ({"losses": "adapted"}, "losses should be one of 'before', 'after'"),
        ({"measure": "gini", "order": 2}, "order should be left out"),
        ({"measure": "entropy", "order": 2}, "order should be left out"),
        ({"measure": "atkinson", "order": 0}, "order should be"),
    ],
)
def test_settings_that_are_none_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        TAML(tanh_net(), **settings)


@pytest.mark.parametrize("losses", ["before", "after"])
def test_losses_below_zero_stop_the_training(losses):
    learner = compiled(TAML(tanh_net(), losses=losses), loss=lambda y, p: -tf.reduce_mean((y - p) ** 2, -1) - 1)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        learner.fit(BATCH, verbose=0)


@pytest.mark.parametrize("losses", ["before", "after"])
def test_it_is_the_same_when_saved_and_loaded(losses, tmp_path):
    learner = compiled(TAML(tanh_net(), "atkinson", 0.3, 0.5, losses, inner_lr=0.03), "adam")
    learner.fit(BATCH, epochs=2, verbose=0)
    learner.save(tmp_path / "learner.keras")
    again = keras.models.load_model(tmp_path / "learner.keras")
    assert (again.measure, again.strength, again.measure_order, again.compared) == ("atkinson", 0.3, 0.5, losses)
    assert same(arrays(again.meta_gradient(BATCH)), arrays(learner.meta_gradient(BATCH)))


def test_easy_tasks_are_unlearned():
    """At a large strength the task with the smallest loss has a negative weight."""
    learner = compiled(TAML(tanh_net(), "theil", 30.0, losses="after", inner_lr=0.03))
    result = learner.meta_gradient(BATCH)
    assert result.weights[np.argmin(result.query_losses)] < 0 < result.weights[np.argmax(result.query_losses)]
    assert uniform_weights(np.ones((4, 1))).min() > 0
