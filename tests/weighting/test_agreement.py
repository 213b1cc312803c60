"""The weights: what holds for all updates (hypothesis), and cases worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from gaml_utils.weighting.numpy_adapter import tensor_rule
from tests.support.updates import ANY_FINITE, CLEAR, ORDINARY, always

RULES = [agreement_weights, uniform_weights]


def plain_formula(updates):
    """s_i / sum |s|, with s_i = sum_j g_i . g_j."""
    scores = np.array([sum(g_i @ g_j for g_j in updates) for g_i in updates])
    return scores / np.sum(np.abs(scores))


@always
@given(ANY_FINITE)
def test_agreement_is_never_nan_and_its_absolute_weights_sum_to_one(updates):
    w = agreement_weights(updates)
    assert w.shape == updates.shape[:1]
    assert abs(np.sum(np.abs(w)) - 1) < 1e-12


@always
@given(CLEAR)
def test_agreement_is_the_plain_formula(updates):
    np.testing.assert_allclose(agreement_weights(updates), plain_formula(updates), rtol=0, atol=1e-11)


@always
@given(CLEAR, st.randoms(use_true_random=False))
def test_agreement_follows_the_tasks_when_they_change_places(updates, random):
    order = random.sample(range(len(updates)), len(updates))
    np.testing.assert_allclose(agreement_weights(updates[order]), agreement_weights(updates)[order], rtol=0, atol=1e-11)


@always
@given(CLEAR, st.floats(-150, 150))
def test_agreement_does_not_change_with_the_scale_of_all_updates(updates, power):
    scaled = agreement_weights(updates * 10.0**power)
    np.testing.assert_allclose(scaled, agreement_weights(updates), rtol=0, atol=1e-11)


@always
@given(CLEAR)
def test_agreement_does_not_change_when_all_updates_are_reversed(updates):
    np.testing.assert_allclose(agreement_weights(-updates), agreement_weights(updates), rtol=0, atol=1e-14)


@always
@given(CLEAR)
def test_the_sign_of_a_weight_is_whether_the_task_agrees_with_the_mean(updates):
    agreement = updates @ updates.mean(0)
    decided = np.abs(agreement) > 1e-9
    assert np.array_equal(np.sign(agreement_weights(updates))[decided], np.sign(agreement)[decided])


@always
@given(arrays(np.float64, st.integers(1, 6), elements=ORDINARY).filter(np.any), st.integers(1, 9))
def test_equal_updates_get_equal_weights(update, tasks):
    np.testing.assert_allclose(agreement_weights(np.tile(update, (tasks, 1))), np.full(tasks, 1 / tasks), rtol=1e-12)


@always
@given(arrays(np.float64, st.integers(1, 6), elements=ORDINARY))
def test_opposed_updates_get_uniform_weights(update):
    assert np.array_equal(agreement_weights(np.array([update, -update])), [0.5, 0.5])


@always
@given(arrays(np.float64, st.tuples(st.just(1), st.integers(1, 9)), elements=st.floats(-1e300, 1e300)))
def test_one_task_has_weight_one(updates):
    np.testing.assert_allclose(agreement_weights(updates), [1.0], rtol=1e-14)


@pytest.mark.parametrize("power", [-150, -20, 20, 150])
def test_agreement_at_the_ends_of_the_scale(power):
    updates = np.random.default_rng(0).normal(size=(5, 30))
    np.testing.assert_allclose(agreement_weights(updates * 10.0**power), plain_formula(updates), rtol=1e-12)


def test_one_against_two():
    np.testing.assert_allclose(agreement_weights(np.array([[1.0], [1.0], [-1.0]])), [1 / 3, 1 / 3, -1 / 3], rtol=1e-14)


def test_a_task_counts_its_own_update():
    np.testing.assert_allclose(agreement_weights(np.array([[3.0, 0.0], [0.0, 1.0]])), [0.9, 0.1], rtol=1e-14)


def test_a_task_that_disagrees_gets_a_negative_weight():
    w = agreement_weights(np.array([[1.0, 0.2], [1.0, -0.1], [-0.5, 0.1]]))
    assert w[0] > 0 and w[1] > 0 and w[2] < 0


@pytest.mark.parametrize(
    "updates",
    [np.zeros((4, 3)), np.array([[1.0, 2.0], [-1.0, -2.0]]), np.array([[1.0], [2.0], [-3.0]]), np.zeros((1, 2))],
    ids=["all zero", "opposed pair", "cancelling", "one zero"],
)
def test_agreement_is_uniform_where_the_scores_vanish(updates):
    assert np.array_equal(agreement_weights(updates), np.full(len(updates), 1 / len(updates)))


def test_updates_that_cancel_up_to_rounding_get_uniform_weights():
    g = np.random.default_rng(1).normal(size=(6, 40))
    g -= g.mean(0)
    assert np.any(g.sum(0) != 0)
    assert np.array_equal(agreement_weights(g), np.full(6, 1 / 6))


def test_a_small_common_part_is_not_taken_for_rounding():
    g = np.array([[1.0, 1e-6], [-1.0, 1e-6]])
    np.testing.assert_allclose(agreement_weights(g), [0.5, 0.5], rtol=1e-9)
    g = np.array([[1.0, 1e-3], [-1.0, 1e-3], [0.0, 1e-3]])
    np.testing.assert_allclose(agreement_weights(g), plain_formula(g), rtol=1e-9)
    assert agreement_weights(np.array([[1.0 + 1e-9], [-1.0]]))[1] < 0


def test_whole_numbers_are_updates_too():
    np.testing.assert_allclose(agreement_weights(np.array([[2, 0], [1, 1]])), [0.6, 0.4], rtol=1e-14)


def test_float32_updates_give_float32_weights():
    updates = np.random.default_rng(2).normal(size=(5, 30)).astype(np.float32)
    w = agreement_weights(updates)
    assert w.dtype == uniform_weights(updates).dtype == np.float32
    np.testing.assert_allclose(w, plain_formula(updates.astype(np.float64)), rtol=1e-4)


def test_what_counts_as_rounding_goes_with_the_precision():
    updates = np.array([[1.0, 1e-4], [-1.0, 1e-4], [0.0, -1e-4]])
    assert np.array_equal(agreement_weights(updates.astype(np.float32)), np.full(3, np.float32(1 / 3)))
    np.testing.assert_allclose(agreement_weights(updates), [1 / 3, 1 / 3, -1 / 3], rtol=1e-7)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_leaves_the_updates_alone(rule):
    updates = np.random.default_rng(3).normal(size=(4, 5))
    before = updates.copy()
    rule(updates)
    assert np.array_equal(updates, before)


@pytest.mark.parametrize("tasks", [1, 2, 7])
def test_uniform_weights_are_one_over_the_number_of_tasks(tasks):
    updates = np.random.default_rng(4).normal(size=(tasks, 3))
    assert np.array_equal(uniform_weights(updates), np.full(tasks, 1 / tasks))


def test_a_tensor_gets_the_weights_of_an_array():
    import tensorflow as tf

    rng = np.random.default_rng(5)
    ordinary = rng.normal(size=(6, 50))
    degenerate = np.array([[1.0, 2.0], [-1.0, -2.0]])
    for updates in (ordinary, ordinary * 1e150, ordinary * 1e-150, degenerate, np.zeros((3, 2)), ordinary[:1]):
        for rule in RULES:
            for given_as in (tf.constant(updates), tf.Variable(updates)):
                w = rule(given_as)
                assert isinstance(w, tf.Tensor) and w.dtype == tf.float64
                np.testing.assert_allclose(w.numpy(), rule(updates), rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="updates"):
        agreement_weights(tf.ones(3))


def lengths(updates):
    """A rule in plain NumPy, which a tensor would not survive."""
    assert type(updates) is np.ndarray
    return np.linalg.norm(updates, axis=1).tolist()


def test_a_rule_from_numpy_is_the_rule_itself_for_an_array():
    assert tensor_rule(lengths)(np.array([[3.0, 4.0], [0.0, 1.0]])) == [5.0, 1.0]


def test_a_rule_from_numpy_serves_tensors_compiled_or_not():
    import tensorflow as tf

    updates = np.random.default_rng(6).normal(size=(4, 9))
    weighting = tensor_rule(lengths)

    @tf.function
    def compiled(tensor):
        assert weighting(tensor).shape == (4,)  # known when tracing already
        return weighting(tensor)

    for dtype, tolerance in ((tf.float64, 1e-14), (tf.float32, 1e-6)):
        tensor = tf.constant(updates, dtype)
        for w in (weighting(tensor), weighting(tf.Variable(tensor)), compiled(tensor)):
            assert w.shape == (4,) and w.dtype == dtype
            np.testing.assert_allclose(w.numpy(), lengths(updates), rtol=tolerance)
