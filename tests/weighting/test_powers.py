"""The relatives of agreement: what holds for all updates (hypothesis), cases worked out by hand, and tensors."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gaml_utils.weighting.agreement import agreement_weights, cosine_weights, leave_one_out_weights, uniform_weights
from gaml_utils.weighting.numpy_adapter import tensor_rule
from gaml_utils.weighting.powers import PowerWeights, diagonal_weights, power_weights
from tests.support.updates import ANY_FINITE, CLEAR, ORDINARY, SHAPES

POWERS = [-2, -1, -0.5, 0.1, 2, 9]
RULES = [*map(power_weights, POWERS), cosine_weights, leave_one_out_weights]
rules = pytest.mark.parametrize("rule", RULES, ids=lambda rule: getattr(rule, "__name__", str(rule)))
powers = pytest.mark.parametrize("p", POWERS)
USUAL = np.random.default_rng(0).normal(size=(6, 40)) + 0.2


def always(test):
    return settings(derandomize=True, deadline=None, max_examples=50)(test)


def direction(vector):
    """Of length 1."""
    return vector / np.linalg.norm(vector)


def plain_power(G, p, ridge):
    """K^p 1 by a loop over eigenvectors."""
    K = np.array([[a @ b for b in G] for a in G])
    values, vectors = np.linalg.eigh(K * len(K) / np.trace(K))
    scores = np.zeros(len(K))
    for value, v in zip(values, vectors.T, strict=True):
        scores += (value + ridge if p < 0 else value) ** p * v.sum() * v
    return scores / np.abs(scores).sum()


def plain_cosine(G):
    """Cosine by cosine."""
    scores = np.array([sum(a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in G) for a in G])
    return scores / np.abs(scores).sum()


def plain_leave_one_out(G):
    """Pair by pair, without i = j."""
    scores = np.array([sum(G[i] @ G[j] for j in range(len(G)) if j != i) for i in range(len(G))])
    return scores / np.abs(scores).sum()


# all rules


@rules
@always
@given(updates=ANY_FINITE)
def test_never_nan_and_the_absolute_weights_sum_to_one(rule, updates):
    w = rule(updates)
    assert w.shape == updates.shape[:1]
    assert abs(np.sum(np.abs(w)) - 1) < 1e-12


@rules
@pytest.mark.parametrize("power", [-300, -160, -20, 20, 160, 300])
def test_the_scale_of_all_updates_does_not_matter(rule, power):
    np.testing.assert_allclose(rule(USUAL * 10.0**power), rule(USUAL), rtol=0, atol=1e-12)


@rules
def test_weights_follow_the_tasks_when_they_change_places(rule):
    order = [3, 0, 5, 1, 4, 2]
    np.testing.assert_allclose(rule(USUAL[order]), rule(USUAL)[order], rtol=0, atol=1e-12)
    assert np.ptp(rule(USUAL)) > 1e-3  # so that their places could be told


@rules
def test_a_rotation_of_all_updates_changes_nothing(rule):
    rotation, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(40, 40)))
    np.testing.assert_allclose(rule(USUAL @ rotation), rule(USUAL), rtol=0, atol=1e-12)


@rules
def test_the_same_task_twice_gets_the_same_weight_twice(rule):
    w = rule(USUAL[[0, 1, 2, 0, 1]])
    np.testing.assert_allclose(w[3:], w[:2], rtol=0, atol=1e-12)


@rules
@always
@given(update=arrays(np.float64, st.integers(1, 6), elements=ORDINARY).filter(np.any), tasks=st.integers(1, 9))
def test_equal_updates_get_equal_weights(rule, update, tasks):
    np.testing.assert_allclose(rule(np.tile(update, (tasks, 1))), np.full(tasks, 1 / tasks), rtol=1e-10)


@rules
def test_updates_of_one_length_at_right_angles_get_uniform_weights(rule):
    rotation, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(9, 9)))
    np.testing.assert_allclose(rule(3.0 * rotation[:5]), np.full(5, 0.2), rtol=0, atol=1e-12)


@rules
@pytest.mark.parametrize(
    "updates",
    [np.zeros((4, 3)), np.array([[1.0, 2.0], [-1.0, -2.0]]), USUAL - USUAL.mean(0), np.zeros((1, 2)), USUAL[:1]],
    ids=["all zero", "opposed pair", "cancelling up to rounding", "one zero", "one"],
)
def test_weights_are_uniform_where_no_task_agrees_with_another(rule, updates):
    if rule is leave_one_out_weights and len(updates) > 1 and updates.any():
        np.testing.assert_array_less(rule(updates), 0)  # the others point the other way
    elif rule is not cosine_weights or len(updates) < 6:  # of length 1 the updates do not cancel any more
        np.testing.assert_allclose(rule(updates), np.full(len(updates), 1 / len(updates)), rtol=1e-14)


@rules
def test_a_rule_leaves_the_updates_alone_and_keeps_their_precision(rule):
    single = USUAL.astype(np.float32)
    before = single.copy()
    assert rule(single).dtype == np.float32 and np.array_equal(single, before)
    np.testing.assert_allclose(rule(single), rule(USUAL), rtol=0, atol=1e-5)


@rules
def test_whole_numbers_are_updates_too(rule):
    np.testing.assert_allclose(rule([[2, 0], [1, 1]]), rule(np.array([[2.0, 0.0], [1.0, 1.0]])), rtol=1e-14)


# powers


@always
@given(ANY_FINITE)
def test_power_0_is_uniform_and_power_1_agreement_to_the_last_bit(updates):
    for p in (0, 0.0, -0.0):
        assert np.array_equal(power_weights(p)(updates), uniform_weights(updates))
    for p in (1, 1.0):
        assert np.array_equal(power_weights(p, ridge=3.0)(updates), agreement_weights(updates))


def test_power_0_is_uniform_where_the_matrix_is_singular():
    assert np.array_equal(power_weights(0)(USUAL[[0, 0, 1]]), uniform_weights(USUAL[:3]))


@powers
@pytest.mark.parametrize("ridge", [0.01, 0.1, 2.0])
def test_a_power_is_the_plain_formula(p, ridge):
    np.testing.assert_allclose(power_weights(p, ridge)(USUAL), plain_power(USUAL, p, ridge), rtol=0, atol=1e-12)


@always
@given(CLEAR)
def test_powers_close_to_0_and_1_are_close_to_those_rules_where_the_matrix_is_regular(updates):
    updates = np.concatenate([updates, 5 * np.eye(len(updates))], axis=1)
    for p, rule in ((1e-9, uniform_weights), (1 + 1e-9, agreement_weights), (1 - 1e-9, agreement_weights)):
        np.testing.assert_allclose(power_weights(p)(updates), rule(updates), rtol=0, atol=1e-6)


@always
@given(arrays(np.float64, SHAPES, elements=ORDINARY).filter(np.any), st.sampled_from([0.01, 0.1, 1.0]))
def test_power_minus_1_is_the_mean_preconditioned_by_the_damped_second_moment(updates, ridge):
    """(G^T G + r I)^-1 G^T 1, in the space of the parameters, r in units of the mean eigenvalue of G G^T."""
    tasks, parameters = updates.shape
    damping = ridge * np.sum(updates**2) / tasks * np.eye(parameters)
    expected = np.linalg.solve(updates.T @ updates + damping, updates.sum(0))
    if np.linalg.norm(expected) * np.linalg.norm(updates) > 1e-3 * tasks:  # else only rounding has a direction
        found = power_weights(-1, ridge)(updates) @ updates
        np.testing.assert_allclose(direction(found), direction(expected), rtol=0, atol=1e-10)


def test_the_ridge_counts_for_negative_powers_only():
    for p in POWERS:
        same = np.array_equal(power_weights(p, 0.1)(USUAL), power_weights(p, 1.0)(USUAL))
        assert same == (p > 0)


@powers
def test_a_task_given_twice_against_one_at_a_right_angle(p):
    """K has the eigenvalues 2 (the pair), 0 and 1, and their mean is 1: the pair's scores are to the third 2^p to 1."""
    twice, once = ((n + 0.1 if p < 0 else n) ** p for n in (2.0, 1.0))
    expected = np.array([twice, twice, once]) / (2 * twice + once)
    np.testing.assert_allclose(power_weights(p)(np.eye(2)[[0, 0, 1]]), expected, rtol=1e-12)


def test_power_minus_1_needs_no_eigenvalues_and_is_close_to_powers_that_do():
    for p in (-1 - 1e-9, -1 + 1e-9):
        np.testing.assert_allclose(power_weights(p)(USUAL), power_weights(-1)(USUAL), rtol=0, atol=1e-7)


def test_without_a_ridge_to_speak_of_a_pair_of_equal_tasks_counts_as_one():
    np.testing.assert_allclose(power_weights(-1, 1e-9)(np.eye(2)[[0, 0, 1]]), [0.25, 0.25, 0.5], rtol=1e-6)


@powers
def test_negative_powers_favour_the_short_update_and_positive_ones_the_long(p):
    short, long = power_weights(p)(np.array([[1.0, 0.0], [0.0, 2.0]]))
    assert (short > long) == (p < 0)


def test_eigenvalues_that_are_rounding_count_as_zero():
    """More tasks than parameters: K has rank 2, and a small power would make much of 1e-17."""
    G = np.random.default_rng(3).normal(size=(7, 2)) + 1.0
    K = G @ G.T
    values, vectors = np.linalg.eigh(K)
    scores = vectors[:, -2:] @ (values[-2:] ** 0.05 * vectors[:, -2:].sum(0))
    np.testing.assert_allclose(power_weights(0.05)(G), scores / np.abs(scores).sum(), rtol=1e-10)
    assert values[0] < 0 or values[:5].max() ** 0.05 > 0.1


def test_a_ridge_too_small_for_the_precision_gives_no_nan():
    for dtype in (np.float32, np.float64):
        assert np.isfinite(power_weights(-3, 1e-300)(np.eye(3, 2, dtype=dtype))).all()


def test_rules_are_told_apart_by_power_and_ridge():
    assert power_weights(-1) == power_weights(-1, 0.1) != power_weights(-1, 0.2) != power_weights(-2, 0.2)
    assert repr(power_weights(-1)) == "PowerWeights(p=-1, ridge=0.1)"
    assert PowerWeights.from_config(power_weights(2, 0.3).get_config()) == power_weights(2, 0.3)


# cosines, and without the self term


@always
@given(CLEAR.filter(lambda g: np.all(np.linalg.norm(g, axis=1) > 1e-2)))
def test_cosine_weights_are_the_plain_formula(updates):
    unit = updates / np.linalg.norm(updates, axis=1, keepdims=True)
    if np.abs(unit @ unit.sum(0)).sum() > 1e-3:
        np.testing.assert_allclose(cosine_weights(updates), plain_cosine(updates), rtol=0, atol=1e-11)


def test_cosine_weights_do_not_hear_how_long_an_update_is():
    lengths = 10.0 ** np.array([-200, -20, 0, 1, 30, 300])[:, None]
    np.testing.assert_allclose(cosine_weights(USUAL * lengths), cosine_weights(USUAL), rtol=0, atol=1e-12)
    np.testing.assert_allclose(cosine_weights(np.array([[3.0, 0.0], [0.0, 1.0]])), [0.5, 0.5], rtol=1e-14)


def test_a_zero_update_has_no_cosine_and_no_weight():
    np.testing.assert_allclose(cosine_weights(np.array([[1.0, 0.0], [0.0, 0.0], [5.0, 0.0]])), [0.5, 0, 0.5])


@always
@given(CLEAR)
def test_leave_one_out_weights_are_the_plain_formula(updates):
    K = updates @ updates.T
    if np.abs((K - np.diag(np.diag(K))).sum(1)).sum() > 1e-3 * np.trace(K):
        np.testing.assert_allclose(leave_one_out_weights(updates), plain_leave_one_out(updates), rtol=0, atol=1e-11)


def test_without_the_self_term_a_long_update_alone_earns_nothing():
    np.testing.assert_allclose(leave_one_out_weights(np.array([[9.0, 0.0], [0.0, 1.0]])), [0.5, 0.5], rtol=1e-14)
    updates = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 9.0]])
    np.testing.assert_allclose(leave_one_out_weights(updates), [0.5, 0.5, 0.0], atol=1e-14)


# tensors


@rules
@pytest.mark.parametrize("xla", [None, False, True], ids=["eager", "compiled", "XLA"])
def test_a_tensor_gets_the_weights_of_an_array(rule, xla):
    import tensorflow as tf

    function = rule if xla is None else tf.function(rule, jit_compile=xla)
    for dtype, tolerance in (("float64", 1e-8 if xla else 1e-12), ("float32", 3e-6)):
        for updates in (USUAL[:, :4],) if xla else (USUAL, USUAL[:, :4], USUAL[[0, 1, 1]], 0 * USUAL, USUAL[:1]):
            w = function(tf.constant(updates, dtype))
            assert w.dtype == dtype
            np.testing.assert_allclose(w, rule(updates), rtol=0, atol=tolerance)


def test_powers_0_and_1_of_a_tensor_are_uniform_and_agreement_to_the_last_bit():
    import tensorflow as tf

    for dtype in ("float32", "float64"):
        updates = tf.constant(USUAL, dtype)
        assert np.array_equal(power_weights(0)(updates), uniform_weights(updates))
        assert np.array_equal(power_weights(1)(updates), agreement_weights(updates))


@powers
def test_a_tensor_that_is_not_finite_raises_nothing(p):
    """It is found, and named, after the outer step has been computed: see keras_faults."""
    import tensorflow as tf

    for bad in (np.nan, np.inf):
        assert power_weights(p)(tf.constant([[1.0, bad], [1.0, 2.0]])).shape == (2,)


def test_a_power_may_be_taken_in_numpy_for_a_tensor():
    import tensorflow as tf

    rule = power_weights(-1)
    np.testing.assert_allclose(tensor_rule(rule)(tf.constant(USUAL)), rule(USUAL), rtol=1e-14)


@pytest.mark.parametrize("p", [-1, -0.5])
def test_the_diagonal_alone_is_the_power_where_updates_stand_at_right_angles(p):
    lengths = np.array([0.5, 1.0, 2.0, 4.0])
    right_angles = np.diag(lengths)
    assert diagonal_weights(right_angles, p) == pytest.approx(power_weights(p)(right_angles), rel=1e-12)
    shared = right_angles + 0.5
    assert diagonal_weights(shared, p) != pytest.approx(power_weights(p)(shared), rel=0.05)
    assert diagonal_weights(shared[:, ::-1], p) == pytest.approx(diagonal_weights(shared, p))
    assert diagonal_weights(np.zeros((3, 2)), p) == pytest.approx([1 / 3] * 3)


LONG = [[30, 40], [-14, -48], [-16, 8]]
SHORT = np.array([[0.1, 0.2], [0.2, 0.1]])


@pytest.mark.parametrize("p", [2, 3, 4])
@pytest.mark.parametrize("kind", ["float32", "float64", "tensor"])
@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_long_updates_that_cancel_leave_the_weight_to_short_ones(p, kind, scale):
    g = np.zeros((5, 4))
    g[:3, :2], g[3:, 2:] = LONG, scale * SHORT
    given = tf.constant(g, tf.float32) if kind == "tensor" else g.astype(kind)
    np.testing.assert_allclose(power_weights(p)(given), [0, 0, 0, 0.5, 0.5], atol=1e-6)


@pytest.mark.parametrize("p", [2, 3, 8])
def test_products_give_what_eigenvalues_give(p):
    g = np.random.default_rng(0).normal(size=(6, 9))
    values, vectors = np.linalg.eigh(g @ g.T)
    s = vectors @ (values**p * vectors.sum(axis=0))
    np.testing.assert_allclose(power_weights(p)(g), s / np.abs(s).sum(), rtol=1e-9)
    np.testing.assert_allclose(power_weights(p)(1e-200 * g), s / np.abs(s).sum(), rtol=1e-9)
    np.testing.assert_allclose(power_weights(p)(1e150 * g), s / np.abs(s).sum(), rtol=1e-9)
    assert power_weights(p)(g.astype("float32")).dtype == np.float32


@pytest.mark.parametrize("p", [1.5, 2, 3])
def test_updates_that_cancel_have_uniform_weights_under_high_powers(p):
    g = np.random.default_rng(0).normal(size=(4, 6))
    for cancelling in (g - g.mean(axis=0), 0 * g):
        np.testing.assert_allclose(power_weights(p)(cancelling), 0.25)
