"""What every rule keeps, over the one list of their names; a rule that is added to RULES is tested here as it is."""

import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.weighting import RULES, tensor_rule, weights_of_gram

every_rule = pytest.mark.parametrize("name", RULES)


def updates(seed=0, tasks=18, parameters=40):
    return np.random.default_rng(seed).normal(size=(tasks, parameters)) + 0.2


@every_rule
def test_one_finite_weight_per_task(name):
    g = updates()
    w = RULES[name](g)
    assert w.shape == (len(g),) and w.dtype == np.float64 and np.isfinite(w).all()


@every_rule
def test_absolute_weights_sum_to_one(name):
    total = np.abs(RULES[name](updates())).sum()
    assert 0.5 < total < 1 if name == "clipped" else abs(total - 1) < 1e-12  # clipping leaves less than the mean


@every_rule
def test_updates_are_left_as_they_are(name):
    g = updates()
    before = g.copy()
    g.flags.writeable = False
    RULES[name](g)
    assert np.array_equal(g, before)


@every_rule
@pytest.mark.parametrize("factor", [1e-3, 7.0])
def test_the_scale_of_all_updates_does_not_matter(name, factor):
    g = updates()
    np.testing.assert_allclose(RULES[name](factor * g), RULES[name](g), rtol=0, atol=1e-9)


@every_rule
def test_the_parameters_may_stand_in_any_order(name):
    g = updates()
    np.testing.assert_allclose(RULES[name](g[:, ::-1]), RULES[name](g), rtol=0, atol=1e-10)


@every_rule
def test_tensors_get_the_weights_of_arrays(name):
    """Compiled and not: the rule itself, or as tensor_rule makes it serve tensors."""
    g = updates()
    expected, rule = RULES[name](g), tensor_rule(RULES[name])
    for weigh in (rule, tf.function(rule)):
        found = weigh(tf.constant(g))
        assert found.dtype == tf.float64
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


@every_rule
def test_equal_tasks_are_weighed_alike(name):
    w = RULES[name](np.tile(updates(tasks=1), (15, 1)))
    np.testing.assert_allclose(w, 1 / 15, rtol=1e-9)


# A rule that is written as a function of the Gram matrix


def test_a_rule_of_the_gram_matrix_is_that_function_of_it():
    shown = []

    def scores(xp, K):
        shown.append(np.array(K))
        return 1 / xp.diagonal(K)

    g = updates()
    w, expected = weights_of_gram(scores)(g), 1 / np.sum(g**2, axis=1)
    np.testing.assert_allclose(shown[0], g @ g.T, rtol=1e-12)
    np.testing.assert_allclose(w, expected / expected.sum(), rtol=1e-12)


def test_agreement_is_the_row_sums_of_the_gram_matrix():
    by_gram = weights_of_gram(lambda xp, K: xp.sum(K, axis=1))
    for g in (updates(), updates().astype(np.float32), tf.constant(updates())):
        np.testing.assert_allclose(by_gram(g), RULES["agreement"](g), rtol=1e-4 if g.dtype == np.float32 else 1e-10)


def test_it_serves_compiled_tensors_and_xla():
    rule, g = weights_of_gram(lambda xp, K: 1 / xp.diagonal(K)), updates()
    for compiled in (tf.function(rule), tf.function(rule, jit_compile=True)):
        np.testing.assert_allclose(compiled(tf.constant(g)), rule(g), rtol=1e-10)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_ends_of_the_scale(scale):
    rule = weights_of_gram(lambda xp, K: 1 / xp.diagonal(K))
    np.testing.assert_allclose(rule(scale * updates()), rule(updates()), rtol=1e-9)


def test_scores_that_are_all_zero_leave_uniform_weights():
    assert np.array_equal(weights_of_gram(lambda xp, K: xp.zeros(len(K)))(updates(tasks=4)), np.full(4, 0.25))


@pytest.mark.parametrize("wrong", [lambda xp, K: K, lambda xp, K: K[0, :1], lambda xp, K: K[0, 0]])
def test_scores_of_another_shape_are_refused(wrong):
    with pytest.raises(ValueError, match=r"scores should return one score per task, shape \(18,\), got"):
        weights_of_gram(wrong)(updates())


def test_bad_updates_are_refused_as_by_every_rule():
    rule = weights_of_gram(lambda xp, K: 1 / xp.diagonal(K))
    with pytest.raises(ValueError, match="updates should be"):
        rule(np.ones(3))
    with pytest.raises(ValueError, match="updates should hold finite"):
        rule(np.full((2, 2), np.nan))


def test_a_rule_touches_no_list_but_the_one(monkeypatch):
    """A new name in RULES is known to experiments at once, and so to the files that name it."""
    from gaml_utils.experiments.study.measures import weighting_of

    rule = weights_of_gram(lambda xp, K: 1 / xp.diagonal(K))
    monkeypatch.setitem(RULES, "one over length", rule)
    assert weighting_of("one over length of outer") == (rule, "outer")


@pytest.mark.parametrize("dtype", ["int32", "complex64", "bool"])
def test_tensors_of_other_numbers_are_refused(dtype):
    with pytest.raises(ValueError, match="updates should be floats"):
        RULES["agreement"](tf.cast(tf.ones((3, 2)), dtype))
