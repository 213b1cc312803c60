"""What all learners keep that compare: no inner loop, symmetries of their answers, labels that are checked."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners import (
    MANN,
    MIL,
    GaussianPrototypicalNetwork,
    MatchingNetwork,
    MetricLearner,
    PrototypicalNetwork,
    RelationNetwork,
    SemiSupervisedPrototypicalNetwork,
    SiameseNetwork,
    attacked_accuracies,
    episode_accuracies,
    task_by_task,
)
from gaml_utils.networks import encoder
from gaml_utils.records import TaskBatch, Weighted
from gaml_utils.weighting import agreement_weights, power_weights
from tests.support.keras_learners import arrays, assert_gradient_is_of_differences
from tests.support.keras_models import Subclassed
from tests.support.plain_formulas import relative_error
from tests.support.points import WAYS, comparing, network, of_classes, points

KINDS = {
    "siamese": (SiameseNetwork, dict),
    "prototypical": (PrototypicalNetwork, dict),
    "semi-supervised": (SemiSupervisedPrototypicalNetwork, dict),
    "Gaussian": (GaussianPrototypicalNetwork, dict),
    "relation": (RelationNetwork, lambda: {"relation": network(1, inputs=10, seed=3)}),
    "matching": (MatchingNetwork, dict),
}
each_kind = pytest.mark.parametrize("name", KINDS)


def learner_of(name, **settings):
    kind, needed = KINDS[name]
    return comparing(kind, **needed() | settings)


def one(batch, i=0):
    return [part[i] for part in batch]


@each_kind
def test_the_order_of_the_support_set_does_not_matter(name):
    learner = learner_of(name)
    sx, sy, qx, _ = one(points())
    order = np.random.default_rng(1).permutation(len(sx))
    np.testing.assert_allclose(learner.answers(sx[order], sy[order], qx), learner.answers(sx, sy, qx), rtol=1e-10)


@each_kind
def test_classes_numbered_anew_are_answered_by_their_new_numbers(name):
    learner = learner_of(name)
    sx, sy, qx, _ = one(points())
    new = np.array([2, 0, 1])
    np.testing.assert_allclose(
        learner.answers(sx, new[sy], qx)[:, new], learner.answers(sx, sy, qx), rtol=1e-10, atol=1e-12
    )


@each_kind
def test_the_gradient_is_that_of_central_differences(name):
    learner = learner_of(name, weighting=lambda g: tf.ones(g.shape[0], g.dtype) / g.shape[0], temperature=2.0)
    assert_gradient_is_of_differences(learner, points())


@each_kind
def test_updates_and_outer_are_one_source(name):
    """There is no inner loop: what a rule compares is the outer gradient under either name."""
    found = [
        learner_of(name, weighting=agreement_weights, source=s).meta_gradient(points()) for s in ("updates", "outer")
    ]
    assert relative_error(arrays(found[0]), arrays(found[1])) < 1e-12
    weights = np.asarray(found[1].weights)
    assert np.ptp(weights) > 1e-3  # they are not uniform


def test_the_weights_are_those_of_the_tasks_own_gradients():
    batch = points()
    g = []
    for i in range(4):
        alone = learner_of("prototypical").meta_gradient(TaskBatch(*(a[i : i + 1] for a in batch))).gradient
        g.append(np.concatenate([np.ravel(part) for part in alone]))
    scores = np.array(g) @ np.sum(g, axis=0)
    found = learner_of("prototypical", weighting=agreement_weights).meta_gradient(batch).weights
    np.testing.assert_allclose(found, scores / np.abs(scores).sum(), rtol=1e-9)


def test_task_by_task_serves_agreement_of_outer_gradients():
    learner = learner_of("prototypical", weighting=agreement_weights)
    assert relative_error(arrays(task_by_task(learner)(points())), arrays(learner.meta_gradient(points()))) < 1e-9


@each_kind
@pytest.mark.parametrize("setting", ["inner_lr", "inner_steps", "inner_rule", "fast"])
def test_settings_of_an_inner_loop_are_refused_and_never_ignored(name, setting):
    kind, needed = KINDS[name]
    said = f"{setting} should be left out: {kind.__name__} has no inner loop"
    with pytest.raises(ValueError, match=said):
        comparing(kind, **needed(), **{setting: 1})
    learner = learner_of(name)
    with pytest.raises(ValueError, match=said):
        setattr(learner, setting, 1)
    assert setting not in learner.get_config()


@each_kind
def test_inner_steps_cannot_be_asked_for_at_the_test(name):
    learner = learner_of(name)
    sx, sy, qx, _ = one(points())
    for ask in (
        lambda: learner.answers(sx, sy, qx, steps=5),
        lambda: episode_accuracies(learner, points(), 5),
        lambda: episode_accuracies(learner, points(), 0),
    ):
        with pytest.raises(ValueError, match="steps should be left out"):
            ask()
    assert episode_accuracies(learner, points()).shape == (4,)
    with pytest.raises(ValueError, match="adapts no parameters: call answers"):
        learner.adapt(sx, sy)
    with pytest.raises(ValueError, match=f"learner should adapt a model.*{type(learner).__name__} compares"):
        attacked_accuracies(learner, points(), 0.1)


BAD_LABELS = {
    "too high": lambda y: np.where(np.arange(y.shape[-1]) == 5, 3, y),  # one of the two points of class 2
    "below 0": lambda y: np.where(np.arange(y.shape[-1]) == 5, -2, y),
    "a class is missing": lambda y: np.where(y == 2, 1, y),
    "not whole": lambda y: y + 0.0,
}


@each_kind
def test_support_labels_out_of_the_ways_are_refused_wherever_they_come_in(name):
    learner = learner_of(name)
    before = [v.numpy() for v in learner.outer_variables]
    for fault in BAD_LABELS.values():
        refused(learner, points()._replace(support_y=fault(points().support_y)))
    for v, value in zip(learner.outer_variables, before, strict=True):
        np.testing.assert_array_equal(v.numpy(), value)


def refused(learner, bad):
    """Whatever is asked with bad labels."""
    sx, sy, qx, _ = one(bad)
    for ask in (
        lambda: learner.answers(sx, sy, qx),
        lambda: learner.meta_gradient(bad),
        lambda: episode_accuracies(learner, bad),
    ):
        with pytest.raises(ValueError, match="support_y should (hold|be)"):
            ask()
    for ask in (
        lambda: learner.fit(tf.data.Dataset.from_tensors(bad), verbose=0),
        lambda: learner.evaluate(tf.data.Dataset.from_tensors(bad), verbose=0),
    ):
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="support_y should"):
            ask()


def test_xla_which_raises_nothing_stops_at_bad_labels_too():
    learner = learner_of("prototypical")
    learner.compile(keras.optimizers.SGD(0.05), of_classes, jit_compile=True)
    bad = points()._replace(support_y=np.zeros((4, 6), int))
    before = [v.numpy() for v in learner.outer_variables]
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        learner.fit(tf.data.Dataset.from_tensors(bad), verbose=0)
    for v, value in zip(learner.outer_variables, before, strict=True):
        np.testing.assert_array_equal(v.numpy(), value)


@pytest.mark.parametrize("ways", [0, 1, 2.0, "5", None])
def test_ways_are_checked(ways):
    with pytest.raises(ValueError, match="ways should be a whole number of at least 2"):
        PrototypicalNetwork(network(), ways)


@pytest.mark.parametrize("temperature", [0, -1.0, np.nan, np.inf, "1", True])
def test_a_temperature_is_a_number_above_0(temperature):
    with pytest.raises(ValueError, match="temperature should be a finite number above 0"):
        PrototypicalNetwork(network(), WAYS, temperature=temperature)


def test_another_number_of_ways_and_another_temperature_are_heard_after_compile():
    learner = learner_of("prototypical")
    five = points(ways=5)
    with pytest.raises(ValueError, match="support_y should hold whole numbers from 0 to 2"):
        episode_accuracies(learner, five)
    learner.ways = 5
    assert episode_accuracies(learner, five).shape == (4,)
    sx, sy, qx, _ = one(five)
    hot = learner.answers(sx, sy, qx)
    learner.temperature = 4.0
    np.testing.assert_allclose(4 * learner.answers(sx, sy, qx), hot, rtol=1e-12)


def test_queries_are_normalised_by_the_support_set_alone():
    """With batch normalisation inside: what one query is answered does not depend on the others."""
    keras.utils.set_random_seed(0)
    learner = PrototypicalNetwork(encoder(4), 2)
    learner.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    rng = np.random.default_rng(0)
    x, y, q = rng.random((4, 28, 28, 1), np.float32), np.array([0, 0, 1, 1]), rng.random((3, 28, 28, 1), np.float32)
    together = learner.answers(x, y, q)
    alone = np.concatenate([learner.answers(x, y, q[k : k + 1]) for k in range(3)])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)
    ours = learner.answers(x, y, x)  # as queries, the support set has its own statistics too
    features = np.asarray(learner.model(x, training=True))
    prototypes = np.stack([features[y == k].mean(axis=0) for k in range(2)])
    by_hand = -((features[:, None] - prototypes) ** 2).sum(axis=-1)
    np.testing.assert_allclose(ours, by_hand, rtol=1e-4, atol=1e-4)
    batch = TaskBatch(x[None], y[None], np.concatenate([q, q[:1]])[None], y[None])
    apart = learner.evaluate(batch, verbose=0, return_dict=True)["loss"]
    learner.transductive = True
    assert abs(learner.evaluate(batch, verbose=0, return_dict=True)["loss"] - apart) > 1e-4


def test_one_step_of_fit_reports_the_loss_before_as_the_loss():
    """There is no learning to be before."""
    learner = learner_of("prototypical", weighting=power_weights(-0.5))
    logs = learner.fit(points(), verbose=0).history
    assert logs["loss"] == logs[next(name for name in logs if "before" in name)]


def test_a_learner_of_your_own_says_what_it_keeps_and_how_it_compares():
    class Nearest(MetricLearner):
        """Minus the distance to the nearest support point of the class."""

        def compare(self, outer, memory, features):
            support, mine = memory
            apart = tf.reduce_sum(tf.abs(features[:, None] - support), axis=-1)
            return -tf.reduce_min(apart[..., None] + 1e9 * (1 - mine), axis=1)

    learner = comparing(Nearest)
    assert np.isfinite(learner.fit(points(), verbose=0).history["loss"][0])
    sx, sy, qx, _ = one(points())
    f, g = np.asarray(learner.model(sx)), np.asarray(learner.model(qx))
    apart = np.abs(g[:, None] - f).sum(-1)
    by_hand = np.stack([-apart[:, sy == c].min(axis=1) for c in range(WAYS)], axis=1)
    np.testing.assert_allclose(learner.answers(sx, sy, qx), by_hand, rtol=1e-10)
    with pytest.raises(NotImplementedError):
        comparing(MetricLearner).answers(sx, sy, qx)


@each_kind
def test_a_weight_of_0_leaves_a_support_point_out_and_2_counts_it_twice(name):
    learner = learner_of(name)
    sx, sy, qx, qy = (part[:1] for part in points(shots=3))
    weights = np.array([[1.0, 1, 0] * WAYS])
    weighted = TaskBatch(sx, Weighted(sy, weights), qx, qy)
    if name == "semi-supervised":
        with pytest.raises(ValueError, match="support_y should have no weights: SemiSupervised"):
            learner.meta_gradient(weighted)
        return
    kept = TaskBatch(sx[:, weights[0] > 0], sy[:, weights[0] > 0], qx, qy)
    assert relative_error(arrays(learner.meta_gradient(weighted)), arrays(learner.meta_gradient(kept))) < 1e-11
    doubled = np.repeat(np.arange(9), np.array([2, 1, 1] * WAYS))
    twice = TaskBatch(sx[:, doubled], sy[:, doubled], qx, qy)
    weighted = TaskBatch(sx, Weighted(sy, np.array([[2.0, 1, 1] * WAYS])), qx, qy)
    assert relative_error(arrays(learner.meta_gradient(weighted)), arrays(learner.meta_gradient(twice))) < 1e-11


def test_a_class_whose_points_all_have_weight_0_is_missing():
    sx, sy, qx, qy = (part[:1] for part in points())
    weighted = TaskBatch(sx, Weighted(sy, np.array([[1.0, 1, 1, 1, 0, 0]])), qx, qy)
    for ask in (lambda: learner_of("prototypical").meta_gradient(weighted), lambda: fitted(weighted)):
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="support_y should hold each of"):
            ask()


def fitted(batch):
    return learner_of("prototypical").fit(tf.data.Dataset.from_tensors(batch), verbose=0)


@each_kind
def test_labels_may_have_an_axis_of_1_and_none_of_classes(name):
    learner, batch = learner_of(name), points()
    column = batch._replace(support_y=batch.support_y[..., None])
    assert relative_error(arrays(learner.meta_gradient(column)), arrays(learner.meta_gradient(batch))) < 1e-12
    one_hot = batch._replace(support_y=np.eye(WAYS, dtype=int)[batch.support_y])
    with pytest.raises(ValueError, match="support_y should"):
        learner.meta_gradient(one_hot)


def test_names_of_errors_are_names_of_arguments():
    with pytest.raises(ValueError, match=re.escape("relation should be a built keras.Model, got NoneType")):
        RelationNetwork(network(), WAYS, None)


@pytest.mark.parametrize("make", [SiameseNetwork, MANN, MIL, RelationNetwork])
def test_a_model_that_does_not_say_the_shape_of_its_output_is_refused_with_the_remedy(make):
    model = Subclassed()
    model(np.zeros((1, 4), np.float32))
    needed = {"relation": network(1, inputs=10)} if make is RelationNetwork else {}
    with pytest.raises(ValueError, match=r"model should say the shape of its output.*keras\.Input"):
        make(model, 2, **needed)
    wrapped = keras.Sequential([keras.Input((4,)), Subclassed(width=3)])
    assert SiameseNetwork(wrapped, 2).a.shape == (1,)


def test_penalties_of_the_relation_and_of_a_stream_count():
    """An L2 penalty on one kernel, by hand: the same learner without it has so much less loss."""
    relations = [network(1, inputs=10, seed=3) for _ in range(2)]
    relations[0].layers[1].kernel.regularizer = keras.regularizers.L2(0.5)
    with_penalty, without = (comparing(RelationNetwork, relation=r).meta_gradient(points()) for r in relations)
    penalty = 0.5 * np.sum(relations[0].layers[1].kernel.numpy() ** 2)
    np.testing.assert_allclose(with_penalty.query_losses - without.query_losses, penalty, rtol=1e-10)

    losses = []
    for strength in (0.5, 0.0):
        keras.utils.set_random_seed(1)
        learner = comparing(MANN, units=4, slots=6, width=3, late=True)
        learner.model.layers[1].kernel.regularizer = keras.regularizers.L2(strength)
        losses.append(learner.meta_gradient(points(shots=1, queries=1)).query_losses)
    penalty = 0.5 * np.sum(learner.model.layers[1].kernel.numpy() ** 2)
    np.testing.assert_allclose(losses[0] - losses[1], penalty, rtol=1e-6)


def test_a_stream_has_no_weights():
    learner, batch = comparing(MANN, units=4, slots=6, width=3, late=True), points(shots=1, queries=1)
    weighted = batch._replace(query_y=Weighted(batch.query_y, np.ones(batch.query_y.shape)))
    with pytest.raises(ValueError, match="query_y should have no weights where late=True"):
        learner.meta_gradient(weighted)
