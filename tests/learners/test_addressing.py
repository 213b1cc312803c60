"""Weights over the rows of a memory: what each stage keeps, and its limits."""

import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners import addressing as at

ROWS, WIDTH, HEADS = 6, 4, 2


def memory(seed=0, rows=ROWS):
    return tf.constant(np.random.default_rng(seed).normal(size=(rows, WIDTH)))


def weights(seed=1, heads=HEADS):
    w = np.random.default_rng(seed).random((heads, ROWS))
    return tf.constant(w / w.sum(axis=1, keepdims=True))


def test_content_weights_are_a_softmax_of_cosines():
    m, key = memory(), tf.constant(np.random.default_rng(2).normal(size=(HEADS, WIDTH)))
    cosines = key.numpy() @ m.numpy().T
    cosines /= np.linalg.norm(key, axis=1)[:, None] * np.linalg.norm(m, axis=1)
    for strength in (1.0, 5.0):
        e = np.exp(strength * cosines)
        np.testing.assert_allclose(at.content_weights(key, m, strength), e / e.sum(axis=1, keepdims=True), rtol=1e-12)


def test_the_limits_of_the_strength_and_a_row_of_0():
    m = memory()
    key = 3 * m[2:3]
    np.testing.assert_allclose(at.content_weights(key, m, 0.0), 1 / ROWS)
    np.testing.assert_allclose(at.read(at.content_weights(key, m, 1e4), m)[0], m[2], rtol=1e-12)
    with_zero = tf.concat([m[:1] * 0, m[1:]], axis=0)
    found = at.content_weights(key, with_zero).numpy()
    assert np.isfinite(found).all() and np.isclose(found.sum(), 1)


def test_each_head_has_a_least_used_row_of_its_own_in_order_and_no_gradient():
    usage = tf.constant([0.5, 0.1, 0.9, 0.0, 0.7, 0.2], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(usage)
        found = at.least_used(usage, 3)
    np.testing.assert_array_equal(np.argmax(found, axis=1), [3, 1, 5])
    np.testing.assert_array_equal(tf.reduce_sum(found, axis=1), 1)
    assert tape.gradient(found, usage) is None


def test_a_gate_of_0_writes_to_exactly_the_least_used_rows_and_clears_them_first():
    m, least = memory(), at.least_used(tf.constant([3.0, 0, 1, 2, 5, 4], tf.float64), HEADS)
    key = tf.constant(np.random.default_rng(3).normal(size=(HEADS, WIDTH)))
    writing = at.write_weights(tf.zeros((HEADS, 1), tf.float64), weights(), least)
    np.testing.assert_array_equal(writing, least)
    by_hand = m.numpy()
    by_hand[[1, 2]] = key.numpy()
    np.testing.assert_allclose(at.write(m, writing, key, least), by_hand, rtol=1e-14)


def test_a_gate_of_1_writes_where_it_has_read():
    least = at.least_used(tf.constant(np.arange(6.0)), HEADS)
    np.testing.assert_array_equal(at.write_weights(tf.ones((HEADS, 1), tf.float64), weights(), least), weights())


def test_the_ntms_stages_keep_weights_and_have_their_identities():
    w, last = weights(4), weights(5)
    np.testing.assert_array_equal(at.interpolated(w, last, 0.0), last)
    np.testing.assert_array_equal(at.interpolated(w, last, 1.0), w)
    shift = tf.constant([[0.2, 0.5, 0.3]] * HEADS, tf.float64)
    stages = [at.interpolated(w, last, 0.3), at.shifted(w, shift), at.sharpened(w, 2.5)]
    for stage in stages:
        assert (stage.numpy() > 0).all()
        np.testing.assert_allclose(tf.reduce_sum(stage, axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(at.sharpened(w, 1.0), w, rtol=1e-14)


@pytest.mark.parametrize(("place", "by"), [(0, -1), (1, 0), (2, 1)])
def test_a_sure_shift_rolls_the_ring(place, by):
    shift = tf.one_hot([place] * HEADS, 3, dtype=tf.float64)
    np.testing.assert_array_equal(at.shifted(weights(), shift), np.roll(weights().numpy(), by, axis=1))


def test_erasing_all_and_adding_nothing_clears_one_row():
    m = memory()
    one_row, ones = tf.one_hot(2, ROWS, dtype=tf.float64), tf.ones(WIDTH, tf.float64)
    found = at.erased_and_added(m, one_row, ones, 0 * ones).numpy()
    np.testing.assert_array_equal(found[2], 0)
    np.testing.assert_array_equal(np.delete(found, 2, axis=0), np.delete(m.numpy(), 2, axis=0))
    np.testing.assert_allclose(at.erased_and_added(m, one_row, 0 * ones, ones)[2], m.numpy()[2] + 1, rtol=1e-14)
