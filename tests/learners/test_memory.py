"""A memory-augmented network: what its memory keeps, labels that come one step late, and queries that stand alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners import MANN, PrototypicalNetwork, accuracies_by_showing
from gaml_utils.records import TaskBatch
from tests.support.keras_learners import assert_gradient_is_of_differences
from tests.support.keras_models import unlike_at_the_start
from tests.support.points import WAYS, comparing, network, of_classes, points

SMALL = {"units": 6, "slots": 8, "width": 4}


def learner_of(**settings):
    learner = MANN(network(), WAYS, **SMALL | settings)
    rng = np.random.default_rng(0)
    for v in learner.own.values():
        v.assign(v.numpy() + rng.normal(0, 0.3, v.shape))
    learner.compile(keras.optimizers.Adam(0.01), of_classes)
    return learner


def states(learner, steps=12, seed=0):
    """The state after each of so many steps, of random features and labels."""
    rng, own = np.random.default_rng(seed), learner.weights_of(learner.outer())
    state, found = learner.at_first(), []
    for _ in range(steps):
        label = tf.one_hot([rng.integers(WAYS)], WAYS, dtype=tf.float64)
        scores, state = learner.step(own, state, tf.constant(rng.normal(size=(1, 5))), label)
        found.append((scores, state))
    return found


@pytest.mark.parametrize("heads", [1, 2])
def test_usage_sums_follow_their_own_law(heads):
    """Each step keeps `decay` of it, and each head adds 1 by reading and 1 by writing; at first one row counts as 1."""
    learner = learner_of(heads=heads, decay=0.8)
    limit = 2 * heads / (1 - 0.8)
    for t, (_, state) in enumerate(states(learner), start=1):
        np.testing.assert_allclose(tf.reduce_sum(state.usage), limit - (limit - 1) * 0.8**t, rtol=1e-12)
        np.testing.assert_allclose(tf.reduce_sum(state.reading, axis=-1), 1, rtol=1e-12)


def test_a_row_just_written_is_not_the_least_used():
    learner = learner_of(heads=1)
    learner.own["gate_bias"].assign([-50.0])  # always to the least used row
    learner.own["gate"].assign(0 * learner.own["gate"].numpy())
    written = []
    usage = learner.at_first().usage.numpy()[0]
    for _, state in states(learner, steps=7):
        written.append(int(usage.argmin()))
        usage = state.usage.numpy()[0]
    assert all(a != b for a, b in zip(written, written[1:], strict=False))


def test_each_step_adds_at_most_one_rank_a_head():
    learner = learner_of(heads=2)
    before = learner.at_first().rows.numpy()[0]
    for _, state in states(learner, steps=4):
        now = state.rows.numpy()[0]
        assert np.linalg.matrix_rank(now, tol=1e-5) <= np.linalg.matrix_rank(before, tol=1e-5) + 2
        before = now


def test_a_permuted_memory_gives_the_same_answers():
    learner = learner_of()
    own, state = learner.weights_of(learner.outer()), states(learner)[-1][1]
    order = np.random.default_rng(1).permutation(SMALL["slots"])
    other = state._replace(
        rows=tf.gather(state.rows, order, axis=1),
        reading=tf.gather(state.reading, order, axis=2),
        usage=tf.gather(state.usage, order, axis=1),
    )
    x, none = tf.constant(np.random.default_rng(2).normal(size=(1, 5))), tf.zeros((1, WAYS), tf.float64)
    (ours, after), (theirs, after_other) = learner.step(own, state, x, none), learner.step(own, other, x, none)
    np.testing.assert_allclose(ours, theirs, rtol=1e-11)
    np.testing.assert_allclose(tf.gather(after.rows, order, axis=1), after_other.rows, rtol=1e-11)


def test_the_gradient_is_that_of_central_differences():
    assert_gradient_is_of_differences(learner_of(), points(tasks=2, shots=1), rtol=1e-5)


def test_each_query_is_one_step_from_where_the_support_set_has_led():
    learner = learner_of()
    sx, sy, qx, _ = (part[0] for part in points())
    together = learner.answers(sx, sy, qx)
    np.testing.assert_allclose(together[::-1], learner.answers(sx, sy, qx[::-1]), rtol=1e-11)
    np.testing.assert_allclose(together[:1], learner.answers(sx, sy, qx[:1]), rtol=1e-11)
    assert np.abs(together - learner.answers(sx[::-1], sy[::-1], qx)).max() > 1e-6  # the order of the support counts


def stream(learner, y, x=None):
    """Scores of one stream, in the order of the points."""
    x = np.random.default_rng(3).normal(size=(len(y), 4)) if x is None else x
    half = len(y) // 2
    task = TaskBatch(*map(tf.constant, (x[:half], y[:half], x[half:], y[half:])))
    return learner.stream(learner.outer(), task, learner.functional.state(0), tf.range(len(y)))[0].numpy()


def test_a_label_comes_one_step_late_and_the_last_one_never():
    """Another label at place k changes what is answered after k, and nothing up to k."""
    learner = learner_of(late=True)
    y = np.array([0, 1, 2, 1, 2, 0])
    before = stream(learner, y)
    for k in (0, 3, 5):
        other = y.copy()
        other[k] = (y[k] + 1) % WAYS if (y == y[k]).sum() > 1 else y[k]
        changed = np.abs(stream(learner, other) - before).max(axis=1) > 1e-9
        assert not changed[: k + 1].any() and changed[k + 1 :].all()


def test_late_queries_hear_the_last_label_of_the_support_set():
    learner = learner_of(late=True)
    sx, sy, qx, _ = (part[0] for part in points(shots=1))
    x, y = tf.constant(sx), tf.constant(sy)
    memory, to_come, _ = learner.learn(learner.outer(), x, y).memory
    assert to_come.shape == (1, WAYS) and float(tf.reduce_sum(to_come)) == 1
    early = learner_of()
    assert float(tf.reduce_sum(early.learn(early.outer(), x, y).memory[1])) == 0
    assert learner.answers(sx, sy, qx).shape == (9, WAYS)


def test_the_first_image_of_a_stream_is_chance_and_learning_does_not_change_that():
    """The test of the offset: with the label beside its own image it would be right at once."""
    learner = learner_of(late=True)
    data = tf.data.Dataset.from_generator(
        lambda: (points(seed, 8, 1, 2) for seed in range(60)),
        output_signature=TaskBatch(
            *(tf.TensorSpec(a.shape, a.dtype) for a in points(0, 8, 1, 2)),
        ),
    )
    learner.fit(data, verbose=0)
    accuracy, first = accuracies_by_showing(
        learner, points(99, tasks=300, shots=1, queries=2), np.random.default_rng(0)
    )
    assert accuracy.shape == (300, 3) and first.shape == (300,)
    assert set(np.unique(first)) <= {0.0, 1.0}
    assert abs(first.mean() - 1 / WAYS) < 4 * np.sqrt(2 / 9 / 300)


def test_with_its_label_beside_it_the_first_image_is_right(monkeypatch):
    """The same test on a learner with the fault: it must fail there."""
    monkeypatch.setattr("gaml_utils.learners.memory.one_late", lambda labels: labels)
    learner = learner_of(late=True)
    learner.optimizer.learning_rate = 0.05
    for seed in range(60):
        learner.fit(points(seed, 8, 1, 2), verbose=0)
    _, first = accuracies_by_showing(learner, points(99, tasks=100, shots=1, queries=2), np.random.default_rng(0))
    assert first.mean() > 0.8


def test_showings_are_those_of_a_plain_loop():
    learner, batch = learner_of(late=True), points(tasks=3, shots=1, queries=2)
    found, first = accuracies_by_showing(learner, batch, np.random.default_rng(7))
    orders = np.random.default_rng(7).permuted(np.tile(np.arange(9), (3, 1)), axis=1)
    for i, order in enumerate(orders):
        x = np.concatenate([batch.support_x[i], batch.query_x[i]])[order]
        y = np.concatenate([batch.support_y[i], batch.query_y[i]])[order]
        right = stream(learner, y, x).argmax(axis=1) == y
        seen, by_showing = np.zeros(WAYS, int), [[] for _ in range(3)]
        for label, good in zip(y, right, strict=True):
            by_showing[seen[label]].append(good)
            seen[label] += 1
        np.testing.assert_allclose(found[i], [np.mean(group) for group in by_showing])
        assert first[i] == right[0]


def test_who_has_no_stream_is_not_asked_for_showings():
    for learner in (learner_of(), comparing(PrototypicalNetwork)):
        with pytest.raises(ValueError, match="learner should be a MANN with late=True"):
            accuracies_by_showing(learner, points(), np.random.default_rng(0))


@pytest.mark.parametrize("name", ["ways", "units", "slots", "width", "heads"])
def test_sizes_stay_as_they_are(name):
    learner = learner_of()
    with pytest.raises(ValueError, match=f"{name} should stay as it is"):
        setattr(learner, name, getattr(learner, name) + 1)
    with pytest.raises(ValueError, match=f"{name} should be a whole number"):
        MANN(network(), **{"ways": WAYS} | SMALL | {name: 0})


@pytest.mark.parametrize(
    ("name", "value"), [("heads", 9), ("decay", 1.0), ("decay", 0.0), ("strength", 0), ("strength", "x"), ("late", 1)]
)
def test_settings_of_the_memory_are_checked(name, value):
    with pytest.raises(ValueError, match=f"{name} should be"):
        learner_of(**{name: value})


def test_it_learns_to_bind_an_image_to_its_label():
    keras.utils.set_random_seed(0)
    learner = MANN(unlike_at_the_start(network(8)), WAYS, units=20, slots=12, width=8, heads=1)
    learner.compile(keras.optimizers.Adam(0.01), of_classes, jit_compile=False)
    step = tf.function(learner.outer_step, autograph=False)
    test = points(10_000, tasks=100, shots=1, queries=2)

    for seed in range(300):
        step(TaskBatch(*map(tf.constant, points(seed, 8, 1, 2))))
    losses = learner.meta_gradient(test).query_losses
    assert np.mean(losses) < np.log(WAYS) - 0.1  # who binds nothing cannot get below ln 3
