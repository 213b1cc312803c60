"""Each learner that compares against its formula by hand, and the identities between them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners import (
    GaussianPrototypicalNetwork,
    MatchingNetwork,
    PrototypicalNetwork,
    RelationNetwork,
    SemiSupervisedPrototypicalNetwork,
    SiameseNetwork,
    pair_cross_entropy,
    pair_squared_error,
)
from tests.support.keras_models import float64, functional
from tests.support.points import WAYS, comparing, embedded, network, points, softmax


def task(seed=0, **sizes):
    return [part[0] for part in points(seed, **sizes)]


def prototypes(features, y):
    return np.stack([features[y == c].mean(axis=0) for c in range(WAYS)])


@pytest.mark.parametrize("temperature", [1.0, 7.0])
def test_prototypical_answers_are_a_linear_layer_of_the_features(temperature):
    """Snell et al. 2017: w_k = 2 c_k, b_k = -c_k . c_k; -f . f is the same for all classes."""
    learner = comparing(PrototypicalNetwork, temperature=temperature)
    sx, sy, qx, _ = task()
    c, f = prototypes(embedded(learner, sx), sy), embedded(learner, qx)
    linear = (2 * f @ c.T - (c * c).sum(axis=1)) / temperature
    ours = learner.answers(sx, sy, qx)
    np.testing.assert_allclose(ours, linear - (f * f).sum(axis=1, keepdims=True) / temperature, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(softmax(ours), softmax(linear), rtol=1e-11)


def test_prototypical_at_one_shot_is_the_nearest_neighbour():
    learner = comparing(PrototypicalNetwork)
    sx, sy, qx, _ = task(shots=1)
    apart = np.linalg.norm(embedded(learner, qx)[:, None] - embedded(learner, sx), axis=-1)
    np.testing.assert_array_equal(learner.answers(sx, sy, qx).argmax(axis=1), sy[apart.argmin(axis=1)])


def test_turning_the_space_of_features_changes_nothing():
    learner = comparing(PrototypicalNetwork)
    sx, sy, qx, _ = task()
    before = learner.answers(sx, sy, qx)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    kernel, bias = learner.model.layers[-1].weights
    kernel.assign(kernel.numpy() @ turn), bias.assign(bias.numpy() @ turn)
    np.testing.assert_allclose(learner.answers(sx, sy, qx), before, rtol=1e-10)


def test_semi_supervised_without_unlabelled_points_is_plain():
    sx, sy, qx, _ = task()
    plain, semi = comparing(PrototypicalNetwork), comparing(SemiSupervisedPrototypicalNetwork, refinements=3)
    np.testing.assert_allclose(semi.answers(sx, sy, qx), plain.answers(sx, sy, qx), rtol=1e-12)


@pytest.mark.parametrize("refinements", [0, 1, 3])
def test_unlabelled_points_pull_the_prototypes_as_far_as_they_seem_to_be_theirs(refinements):
    learner = comparing(SemiSupervisedPrototypicalNetwork, refinements=refinements, temperature=2.0)
    sx, sy, qx, _ = task(shots=4)
    sy = np.where(np.arange(len(sy)) % 4 < 2, sy, -1)
    f = embedded(learner, sx)
    known, free = f[sy >= 0], f[sy < 0]
    c = prototypes(known, sy[sy >= 0])
    for _ in range(refinements):
        seems = softmax(-((free[:, None] - c) ** 2).sum(-1) / 2.0)
        sums = np.stack([known[sy[sy >= 0] == k].sum(0) for k in range(WAYS)]) + seems.T @ free
        c = sums / (2 + seems.sum(axis=0))[:, None]
    by_hand = -((embedded(learner, qx)[:, None] - c) ** 2).sum(-1) / 2.0
    np.testing.assert_allclose(learner.answers(sx, sy, qx), by_hand, rtol=1e-11)


def test_only_the_semi_supervised_form_takes_points_without_a_label():
    sx, sy, qx, _ = task()
    sy = np.where(np.arange(len(sy)) == 0, -1, sy)
    with pytest.raises(ValueError, match="support_y should hold whole numbers from 0 to 2"):
        comparing(PrototypicalNetwork).answers(sx, sy, qx)
    assert comparing(SemiSupervisedPrototypicalNetwork).answers(sx, sy, qx).shape == (9, WAYS)


@pytest.mark.parametrize(("precision", "features"), [("radius", 6), ("diagonal", 10)])
def test_gaussian_prototypes_are_means_weighted_by_precisions(precision, features):
    learner = comparing(GaussianPrototypicalNetwork, features, precision=precision)
    sx, sy, qx, _ = task()

    def parts(x):
        found = embedded(learner, x)
        return found[:, :5], 1 + np.log1p(np.exp(found[:, 5:]))

    (f, s), (g, _) = parts(sx), parts(qx)
    by_hand = []
    for k in range(WAYS):
        total = s[sy == k].sum(axis=0)
        c = (s * f)[sy == k].sum(axis=0) / total
        by_hand.append(-(total * (g - c) ** 2).sum(axis=1))
    np.testing.assert_allclose(learner.answers(sx, sy, qx), np.stack(by_hand, axis=1), rtol=1e-11)


def test_gaussian_with_equal_precisions_is_plain_up_to_the_temperature():
    """Two shots of precision 1 + ln 2 each."""
    gaussian, plain = comparing(GaussianPrototypicalNetwork, 6), comparing(PrototypicalNetwork, 6)
    for learner in (gaussian, plain):  # the sixth feature says nothing
        for w in learner.model.layers[-1].weights:
            w.assign(w.numpy() * (np.arange(6) < 5))
    sx, sy, qx, _ = task()
    scale = 2 * (1 + np.log(2))
    np.testing.assert_allclose(gaussian.answers(sx, sy, qx), scale * plain.answers(sx, sy, qx), rtol=1e-11)


@pytest.mark.parametrize(("features", "precision"), [(1, "radius"), (5, "diagonal")])
def test_gaussian_needs_features_for_its_precisions(features, precision):
    sx, sy, qx, _ = task()
    with pytest.raises(ValueError, match="model should give .* features"):
        comparing(GaussianPrototypicalNetwork, features, precision=precision).answers(sx, sy, qx)
    with pytest.raises(ValueError, match="precision should be one of"):
        comparing(GaussianPrototypicalNetwork, precision="full")


def siamese(**settings):
    learner = comparing(SiameseNetwork, **settings)
    learner.a.assign(np.random.default_rng(0).normal(size=5))
    learner.b.assign(0.3)
    return learner


def test_siamese_logits_are_weighted_differences_and_their_mean_over_a_class():
    learner = siamese()
    sx, sy, qx, _ = task()
    pairs = np.abs(embedded(learner, qx)[:, None] - embedded(learner, sx)) @ learner.a.numpy() + 0.3
    by_hand = np.stack([pairs[:, sy == c].mean(axis=1) for c in range(WAYS)], axis=1)
    np.testing.assert_allclose(learner.answers(sx, sy, qx), by_hand, rtol=1e-11)


def test_siamese_pairs_are_symmetric_and_a_point_with_itself_is_b():
    learner = siamese()
    x = np.random.default_rng(1).normal(size=(WAYS, 4))
    scores = learner.answers(x, np.arange(WAYS), x)
    np.testing.assert_allclose(scores, scores.T, rtol=1e-12)
    np.testing.assert_allclose(np.diag(scores), 0.3, rtol=1e-12)


def test_siamese_with_a_of_minus_1_at_one_shot_is_prototypical_with_the_sum_of_differences():
    learner = siamese()
    learner.a.assign(-np.ones(5))
    sx, sy, qx, _ = task(shots=1)
    by_hand = 0.3 - np.abs(embedded(learner, qx)[:, None] - embedded(learner, sx)).sum(-1)
    np.testing.assert_allclose(learner.answers(sx, sy, qx), by_hand, rtol=1e-11)


def test_matching_is_the_mixture_of_the_votes():
    """ln of a sum over the class's votes, not a sum of ln."""
    learner = comparing(MatchingNetwork, temperature=0.2)
    sx, sy, qx, _ = task()
    f, g = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (embedded(learner, sx), embedded(learner, qx)))
    votes = softmax(g @ f.T / 0.2)
    by_hand = np.stack([votes[:, sy == c].sum(axis=1) for c in range(WAYS)], axis=1)
    np.testing.assert_allclose(np.exp(learner.answers(sx, sy, qx)), by_hand, rtol=1e-10)
    np.testing.assert_allclose(np.exp(learner.answers(sx, sy, qx)).sum(axis=1), 1, rtol=1e-10)


def test_matching_at_one_shot_is_the_softmax_of_the_cosines_with_a_floor():
    """Cosines of 1 and -1 are as far apart as they can be: p <= e / (e + 2 / e) for three classes."""
    learner = comparing(MatchingNetwork)
    sx, sy, qx, _ = task(shots=1)
    p = np.exp(learner.answers(sx, sy, qx))
    assert p.max() <= np.e / (np.e + 2 / np.e)


def test_a_relation_of_minus_squared_differences_is_prototypical():
    with float64():
        pair = keras.Input((10,), dtype="float64")
        apart = keras.layers.Lambda(lambda h: (h[:, :5] - h[:, 5:]) ** 2)(pair)
        minus_sum = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(-1.0))(apart)
        relation = keras.Model(pair, minus_sum)
    sx, sy, qx, _ = task()
    ours = comparing(RelationNetwork, relation=relation).answers(sx, sy, qx)
    np.testing.assert_allclose(ours, comparing(PrototypicalNetwork).answers(sx, sy, qx), rtol=1e-11)


def test_a_relation_sees_the_class_first_and_the_query_second():
    relation = network(1, inputs=10, seed=5)
    learner = comparing(RelationNetwork, relation=relation)
    sx, sy, qx, _ = task()
    c, g = prototypes(embedded(learner, sx), sy), embedded(learner, qx)
    by_hand = [[np.asarray(relation(np.concatenate([one, other])[None]))[0, 0] for one in c] for other in g]
    np.testing.assert_allclose(learner.answers(sx, sy, qx), by_hand, rtol=1e-11)


def test_a_relation_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"relation should take pairs of the model's features, \(10,\)"):
        comparing(RelationNetwork, relation=network(1, inputs=9))
    with pytest.raises(ValueError, match=r"and give \(1,\)"):
        comparing(RelationNetwork, relation=network(2, inputs=10))
    with float64():
        with_state = functional(keras.layers.BatchNormalization(), keras.layers.Dense(1), shape=(10,))
    with pytest.raises(ValueError, match="relation should have no state"):
        comparing(RelationNetwork, relation=with_state)
    learner = comparing(RelationNetwork, relation=network(1, inputs=10))
    with pytest.raises(ValueError, match="relation should stay as it is"):
        learner.relation = network(1, inputs=10)


@pytest.mark.parametrize("loss", [pair_cross_entropy, pair_squared_error])
def test_losses_of_pairs_by_hand(loss):
    scores = np.random.default_rng(0).normal(size=(6, WAYS))
    y = np.array([0, 1, 2, 2, 1, 0])
    r, same = 1 / (1 + np.exp(-scores)), np.eye(WAYS)[y]
    by_hand = {
        pair_cross_entropy: -(same * np.log(r) + (1 - same) * np.log(1 - r)),
        pair_squared_error: (r - same) ** 2,
    }[loss].mean(axis=1)
    np.testing.assert_allclose(loss(tf.constant(y), tf.constant(scores)), by_hand, rtol=1e-11)
    learner = siamese(loss=loss)
    assert np.isfinite(learner.fit(points(), verbose=0).history["loss"][0])
