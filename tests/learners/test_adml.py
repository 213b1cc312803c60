"""ADML, and the attacks it is trained against: how far, which way, and who judges whom."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.experiments.learners.training_controls import controls
from gaml_utils.learners import ADML, MAML, MetaSGD, as_dataset, attacked_accuracies, episode_accuracies
from gaml_utils.learners.attacks import fgsm
from gaml_utils.records import TaskBatch
from gaml_utils.tasks import SineTasks
from gaml_utils.weighting import agreement_weights
from tests.support.keras_learners import arrays, compiled
from tests.support.keras_models import as_data, float64, functional, tanh_net
from tests.support.plain_formulas import relative_error, same
from tests.support.strangers import sines

CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64")
RANGE = (-5.0, 5.0)
BATCH = sines(4)


def classifier():
    keras.utils.set_random_seed(1)
    with float64():
        return functional(keras.layers.Dense(8, "tanh"), keras.layers.Dense(3), shape=(4,))


def classes(tasks=6, points=(6, 9), seed=0):
    """Points in [0, 1] around a corner for each class."""
    rng = np.random.default_rng(seed)
    y = [np.tile(np.arange(n) % 3, (tasks, 1)) for n in points]
    corners = rng.uniform(0.2, 0.8, (tasks, 3, 4))
    x = [np.clip(corners[np.arange(tasks)[:, None], k] + 0.1 * rng.normal(size=(*k.shape, 4)), 0, 1) for k in y]
    return TaskBatch(x[0], y[0], x[1], y[1])


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("weighting", [agreement_weights])
def test_without_an_attack_it_is_twice_maml(steps, weighting):
    settings = {"inner_lr": 0.05, "inner_steps": steps, "weighting": weighting}
    ours = compiled(ADML(tanh_net(), 0.0, RANGE, **settings)).meta_gradient(BATCH)
    theirs = compiled(MAML(tanh_net(), **settings)).meta_gradient(BATCH)
    assert relative_error([np.array(g) for g in ours.gradient], [2 * np.array(g) for g in theirs.gradient]) < 1e-12
    np.testing.assert_allclose(ours.weights, theirs.weights, rtol=1e-12)
    np.testing.assert_allclose(ours.query_losses, 2 * theirs.query_losses, rtol=1e-12)


def test_updates_are_both_displacements():
    shown = []

    def rule(g):
        shown.append(g)
        return agreement_weights(g)

    model = tanh_net()
    learner = compiled(ADML(model, 0.0, RANGE, weighting=rule))
    learner.run_eagerly = True
    learner.outer_direction(TaskBatch(*map(tf.constant, BATCH)))
    size = sum(np.prod(v.shape) for v in model.trainable_variables)
    assert shown[0].shape == (4, 2 * size)
    np.testing.assert_allclose(shown[0][:, :size], shown[0][:, size:], rtol=1e-12)


def crossed_by_hand(learner, batch, attacked):
    """The loss of each task, with the attacked inputs given, by two plain MAMLs."""
    maml = compiled(MAML(learner.model, learner.inner_lr))
    found = []
    for i in range(len(batch.support_x)):
        sx, sy, qx, qy = (part[i] for part in batch)
        ax, bx = attacked.support_x[i], attacked.query_x[i]
        first = np.mean((maml.answers(ax, sy, qx) - qy) ** 2)  # adapted on attacked, judged on clean
        second = np.mean((maml.answers(sx, sy, bx) - qy) ** 2)  # and the other way round
        found.append(first + second)
    return np.array(found)


def attacked_by_hand(model, batch, epsilon):
    """x + epsilon sign(dL/dx) at theta, within the range, by differences of the loss."""

    def of(x, y):
        out = np.array(x)
        for place in np.ndindex(x.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = np.array(x)
                moved[place] += step
                ends.append(np.mean((np.array(model(moved)) - y) ** 2))
            out[place] += epsilon * np.sign(ends[0] - ends[1])
        return np.clip(out, *RANGE)

    pairs = zip(batch[::2], batch[1::2], strict=True)
    support, query = (np.array([of(x, y) for x, y in zip(xs, ys, strict=True)]) for xs, ys in pairs)
    return batch._replace(support_x=support, query_x=query)


def test_pairs_are_crossed_and_attacks_are_at_theta():
    learner = compiled(ADML(tanh_net(), 0.3, RANGE, inner_lr=0.05))
    attacked = attacked_by_hand(learner.model, BATCH, 0.3)
    assert np.abs(attacked.support_x - BATCH.support_x).max() > 0.29
    result = learner.meta_gradient(BATCH)
    np.testing.assert_allclose(result.query_losses, crossed_by_hand(learner, BATCH, attacked), rtol=1e-10)


def test_the_gradient_takes_the_attacked_inputs_for_constants():
    """By central differences of the crossed loss, the attacked inputs being held."""
    learner = compiled(ADML(tanh_net(), 0.3, RANGE, inner_lr=0.05))
    attacked = attacked_by_hand(learner.model, BATCH, 0.3)
    gradient, rng = learner.meta_gradient(BATCH).gradient, np.random.default_rng(0)
    before = [v.numpy() for v in learner.outer_variables]
    for _ in range(4):
        along, ends = [rng.normal(size=v.shape) for v in before], []
        for step in (1e-5, -1e-5):
            for v, start, a in zip(learner.outer_variables, before, along, strict=True):
                v.assign(start + step * a)
            ends.append(crossed_by_hand(learner, BATCH, attacked).mean())
        for v, start in zip(learner.outer_variables, before, strict=True):
            v.assign(start)
        expected = sum(np.sum(np.array(g) * a) for g, a in zip(gradient, along, strict=True))
        assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(expected, rel=1e-5, abs=1e-8)


def test_the_controls_pair_what_they_say():
    """Uncrossed: attacked after attacked, clean after clean. Only queries: both after clean."""
    model = tanh_net()
    attacked = attacked_by_hand(model, BATCH, 0.3)
    maml = compiled(MAML(model, 0.05))

    def after(support, query, i):
        return np.mean((maml.answers(support[i], BATCH.support_y[i], query[i]) - BATCH.query_y[i]) ** 2)

    clean_s, clean_q, bad_s, bad_q = BATCH.support_x, BATCH.query_x, attacked.support_x, attacked.query_x
    expected = {
        "ADML, uncrossed": [after(bad_s, bad_q, i) + after(clean_s, clean_q, i) for i in range(4)],
        "ADML, only queries": [after(clean_s, bad_q, i) + after(clean_s, clean_q, i) for i in range(4)],
    }
    for kind, losses in expected.items():
        found = compiled(controls()[kind](model, 0.3, RANGE, inner_lr=0.05)).meta_gradient(BATCH).query_losses
        np.testing.assert_allclose(found, losses, rtol=1e-10)


# The attack


def test_an_attack_stays_within_epsilon_and_the_range():
    rng = np.random.default_rng(0)
    x, a = tf.constant(rng.uniform(size=(7, 5))), tf.constant(rng.normal(size=(7, 5)))
    moved = fgsm(lambda x: tf.reduce_sum(a * x), x, 0.1)
    assert np.abs(moved - x).max() <= 0.1 + 1e-15 and moved.numpy().min() >= 0 and moved.numpy().max() <= 1
    inner = (x.numpy() > 0.1) & (x.numpy() < 0.9)
    np.testing.assert_allclose((moved - x)[inner], 0.1 * np.sign(a)[inner], atol=1e-15)


def test_a_linear_model_in_closed_form():
    """Squared loss of w x: the sign of 2 (w x - y) w, for each point."""
    rng = np.random.default_rng(0)
    w, x, y = rng.normal(size=3), rng.uniform(0.3, 0.7, (6, 3)), rng.normal(size=6)

    def loss(x):
        return tf.reduce_mean((tf.linalg.matvec(x, tf.constant(w)) - y) ** 2)

    moved = fgsm(loss, tf.constant(x), 0.05)
    np.testing.assert_allclose(moved - x, 0.05 * np.sign(2 * (x @ w - y)[:, None] * w), atol=1e-15)


def test_a_small_attack_raises_the_loss_by_epsilon_times_the_gradients_sum():
    model, (x, y) = classifier(), (classes().query_x[0], classes().query_y[0])

    def loss(x):
        return tf.reduce_mean(CROSS_ENTROPY(y, model(x)))

    with tf.GradientTape() as tape:
        inputs = tf.constant(x)
        tape.watch(inputs)
        value = loss(inputs)
    size = np.abs(tape.gradient(value, inputs)).sum()
    rise = float(loss(fgsm(loss, inputs, 1e-6, None)) - value)
    assert rise == pytest.approx(1e-6 * size, rel=1e-3)


def test_parts_that_are_no_floats_are_left_alone_and_none_but_such_is_refused():
    x = {"image": tf.constant([[0.5, 0.5]]), "which": tf.constant([[3]])}
    moved = fgsm(lambda x: tf.reduce_sum(x["image"]), x, 0.1)
    np.testing.assert_allclose(moved["image"], [[0.6, 0.6]], rtol=1e-6)
    assert moved["which"] is x["which"]
    with pytest.raises(ValueError, match="inputs should be floats"):
        fgsm(lambda x: 0.0, tf.constant([[3]]), 0.1)


def test_what_the_loss_does_not_depend_on_is_left_alone():
    x = tf.constant([[0.5, 0.5]])
    np.testing.assert_array_equal(fgsm(lambda x: tf.constant(1.0), x, 0.1), x)


def outside(run, **settings):
    learner = compiled(ADML(tanh_net(), 0.1, **settings), jit_compile=run == "fit, XLA", run_eagerly=run == "eager")
    if run == "meta_gradient":
        learner.meta_gradient(BATCH)
    elif run == "adapt":
        learner.adapt(BATCH.support_x[0], BATCH.support_y[0])
    elif run == "fit from a dataset":
        learner.fit(as_dataset(SineTasks(), 4, 5, 6, dtype="float64"), steps_per_epoch=1, verbose=0)
    else:
        learner.fit(as_data(BATCH), steps_per_epoch=1, verbose=0)


@pytest.mark.parametrize("run", ["meta_gradient", "adapt", "fit", "fit from a dataset", "fit, XLA", "eager"])
def test_inputs_out_of_their_range_are_never_attacked_in_silence(run):
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="input_range|diverged"):
        outside(run)


@pytest.mark.parametrize("run", ["meta_gradient", "adapt"])
def test_where_the_inputs_are_at_hand_the_message_says_their_range(run):
    with pytest.raises(ValueError, match=r"within input_range.*Found -\d.* got \(0.0, 1.0\)"):
        outside(run)


def test_no_range_is_a_range():
    outside("fit", input_range=None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epsilon": -0.1}, "epsilon should be"),
        ({"epsilon": None}, "epsilon should be"),
        ({"input_range": (1.0, 0.0)}, "input_range should be"),
        ({"input_range": 3}, "input_range should be"),
        ({"input_range": "0, 1"}, "input_range should be"),
    ],
)
def test_settings_that_are_none_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        ADML(tanh_net(), **settings)


def test_adapt_and_answers_are_those_of_the_clean_inner_loop():
    learner, maml = compiled(ADML(tanh_net(), 0.3, RANGE, inner_lr=0.05)), compiled(MAML(tanh_net(), 0.05))
    one = BATCH.support_x[0], BATCH.support_y[0], BATCH.query_x[0]
    np.testing.assert_array_equal(learner.answers(*one), maml.answers(*one))
    np.testing.assert_array_equal(learner.adapt(*one[:2])(one[2]), maml.adapt(*one[:2])(one[2]))


def test_it_is_the_same_when_saved_and_loaded(tmp_path):
    learner = compiled(ADML(tanh_net(), 0.3, RANGE, inner_lr=0.05), "adam")
    learner.fit(BATCH, epochs=2, verbose=0)
    learner.save(tmp_path / "learner.keras")
    again = keras.models.load_model(tmp_path / "learner.keras")
    assert (again.epsilon, again.input_range) == (0.3, RANGE)
    assert same(arrays(again.meta_gradient(BATCH)), arrays(learner.meta_gradient(BATCH)))


def test_settings_are_heard_after_compile():
    learner = compiled(ADML(tanh_net(), 0.0, RANGE, inner_lr=0.05))
    learner.meta_gradient(BATCH)
    learner.epsilon = 0.3
    fresh = compiled(ADML(tanh_net(), 0.3, RANGE, inner_lr=0.05))
    assert same(arrays(learner.meta_gradient(BATCH)), arrays(fresh.meta_gradient(BATCH)))


# How it is judged


@pytest.mark.parametrize("make", [MAML, MetaSGD, ADML])
def test_without_an_attack_accuracies_are_those_of_the_episodes(make):
    learner = compiled(make(classifier(), inner_lr=0.3), loss=CROSS_ENTROPY)
    batch = classes()
    np.testing.assert_array_equal(attacked_accuracies(learner, batch), episode_accuracies(learner, batch))


def test_attacks_are_white_box_support_at_theta_queries_at_the_adapted_parameters():
    """By hand, with the adapted model that `adapt` gives."""
    learner, batch = compiled(MAML(classifier(), 0.3, inner_steps=2), loss=CROSS_ENTROPY), classes()
    expected = []
    for sx, sy, qx, qy in zip(*batch, strict=True):
        sx = fgsm(lambda x, y=sy: tf.reduce_mean(CROSS_ENTROPY(y, learner.model(x))), tf.constant(sx), 0.05)
        adapted = learner.adapt(sx, sy)
        qx = fgsm(lambda x, y=qy, m=adapted: tf.reduce_mean(CROSS_ENTROPY(y, m(x))), tf.constant(qx), 0.1)
        expected.append(np.mean(np.argmax(adapted(qx), -1) == qy))
    found = attacked_accuracies(learner, batch, 0.05, 0.1)
    np.testing.assert_array_equal(found, expected)
    assert found.mean() < episode_accuracies(learner, batch).mean()


def test_training_against_attacks_holds_better_against_them():
    keras.utils.set_random_seed(0)
    found, test = {}, classes(200, seed=9)
    for make in (MAML, ADML):
        learner = compiled(make(classifier(), inner_lr=0.5), keras.optimizers.Adam(0.02), loss=CROSS_ENTROPY)
        for seed in range(40):
            learner.fit(classes(20, seed=100 + seed), verbose=0)
        found[make] = attacked_accuracies(learner, test, query_epsilon=0.1).mean()
    assert found[ADML] > found[MAML] + 0.02


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"support_epsilon": -1}, "support_epsilon should be"),
        ({"query_epsilon": "a"}, "query_epsilon should be"),
        ({"input_range": (0.4, 0.6)}, "within input_range"),
        ({"steps": -1}, "steps should be"),
    ],
)
def test_judging_refuses_what_it_cannot_do(settings, message):
    learner = compiled(MAML(classifier()), loss=CROSS_ENTROPY)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=message):
        attacked_accuracies(learner, classes(), **settings)
