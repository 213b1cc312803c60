"""Measures of inequality and their derivatives: by differences, by hand, by what economists ask of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.weighting import agreement_weights, inequality, inequality_slopes, inequality_weights
from gaml_utils.weighting.measures import MEASURES
from tests.support.plain_formulas import central_differences, relative_error

CASES = [
    ("theil", None),
    ("generalised entropy", None),
    ("generalised entropy", -1.0),
    ("generalised entropy", 0.0),
    ("generalised entropy", 0.5),
    ("generalised entropy", 1.0),
    ("generalised entropy", 2.0),
    ("generalised entropy", 3.0),
    ("atkinson", None),
    ("atkinson", 0.5),
    ("atkinson", 1.0),
    ("atkinson", 2.0),
    ("gini", None),
    ("variance of logs", None),
]
every_measure = pytest.mark.parametrize(("measure", "order"), CASES)
LOSSES = np.array([0.3, 2.0, 1.1, 0.7, 4.0])


def test_every_measure_is_tried():
    assert {measure for measure, _ in CASES} == set(MEASURES)


@every_measure
def test_the_slopes_are_central_differences(measure, order):
    found = central_differences(lambda p: inequality(p[0], measure, order), [LOSSES], 1e-6)
    assert relative_error([inequality_slopes(LOSSES, measure, order)], found) < 1e-7


@every_measure
def test_the_slopes_are_tensorflows(measure, order):
    losses = tf.constant(LOSSES)
    with tf.GradientTape() as tape:
        tape.watch(losses)
        value = inequality(losses, measure, order)
    assert relative_error([inequality_slopes(losses, measure, order)], [tape.gradient(value, losses)]) < 1e-12
    assert float(value) == pytest.approx(inequality(LOSSES, measure, order), rel=1e-12)


@every_measure
def test_eulers_identity_scale_and_equal_losses(measure, order):
    value, slopes = inequality(LOSSES, measure, order), inequality_slopes(LOSSES, measure, order)
    assert abs(LOSSES @ slopes) < 1e-14
    for scale in (1e-6, 3.0, 1e6):
        assert inequality(scale * LOSSES, measure, order) == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(inequality_slopes(scale * LOSSES, measure, order), slopes / scale, rtol=1e-10)
    assert inequality(np.full(4, 3.0), measure, order) == pytest.approx(0, abs=1e-15)
    np.testing.assert_allclose(inequality_slopes(np.full(4, 3.0), measure, order), 0, atol=1e-15)


@every_measure
def test_order_of_tasks_does_not_matter_and_the_largest_loss_has_the_largest_slope(measure, order):
    turned = np.roll(LOSSES, 2)
    assert inequality(turned, measure, order) == pytest.approx(inequality(LOSSES, measure, order), rel=1e-12)
    slopes = inequality_slopes(LOSSES, measure, order)
    assert slopes[np.argmax(LOSSES)] > 0 > slopes[np.argmin(LOSSES)]


@pytest.mark.parametrize(("measure", "order"), [c for c in CASES if c[0] != "variance of logs"])
def test_loss_taken_from_a_worse_and_given_to_a_better_task_lowers_inequality(measure, order):
    moved = LOSSES + 0.05 * np.array([1, 0, 0, 0, -1])
    assert inequality(moved, measure, order) < inequality(LOSSES, measure, order)


def test_the_variance_of_logs_is_known_to_break_that_rule():
    """Above e times the geometric mean."""
    losses = np.array([1.0] * 20 + [10.0, 12.0])
    moved = losses + np.array([0.0] * 20 + [0.5, -0.5])
    assert inequality(moved, "variance of logs") > inequality(losses, "variance of logs")
    assert inequality(moved, "theil") < inequality(losses, "theil")


def test_limits_and_relations():
    r = LOSSES / LOSSES.mean()
    for near in (1 - 1e-5, 1 + 1e-5):
        assert inequality(LOSSES, "generalised entropy", near) == pytest.approx(inequality(LOSSES, "theil"), rel=1e-4)
    assert inequality(LOSSES, "generalised entropy", 1.0) == inequality(LOSSES, "theil")
    assert inequality(LOSSES, "generalised entropy", 0.0) == pytest.approx(-np.mean(np.log(r)), rel=1e-14)
    mean_log_deviation = inequality(LOSSES, "generalised entropy", 0.0)
    assert inequality(LOSSES, "atkinson", 1.0) == pytest.approx(1 - np.exp(-mean_log_deviation), rel=1e-14)
    assert inequality(LOSSES, "atkinson", 1 + 1e-6) == pytest.approx(inequality(LOSSES, "atkinson", 1.0), rel=1e-5)
    assert inequality(LOSSES, "generalised entropy") == pytest.approx(np.var(r) / 2, rel=1e-14)


def test_by_hand_two_losses():
    losses = np.array([1.0, 3.0])  # mean 2: r = 1/2, 3/2
    theil = (0.5 * np.log(0.5) + 1.5 * np.log(1.5)) / 2
    assert inequality(losses, "theil") == pytest.approx(theil, rel=1e-14)
    assert inequality(losses, "gini") == pytest.approx(0.25, rel=1e-14)
    assert inequality(losses, "generalised entropy") == pytest.approx(0.125, rel=1e-14)
    assert inequality(losses, "atkinson") == pytest.approx(1 - np.sqrt(3) / 2, rel=1e-14)
    assert inequality(losses, "variance of logs") == pytest.approx(np.log(3) ** 2 / 4, rel=1e-14)
    np.testing.assert_allclose(inequality_slopes(losses, "gini"), np.array([-0.75, 0.25]) / 4, rtol=1e-14)


def test_equal_losses_among_others_share_ginis_slope():
    slopes = inequality_slopes(np.array([1.0, 2.0, 2.0, 5.0]), "gini")
    assert slopes[1] == slopes[2]


@every_measure
@pytest.mark.parametrize("losses", [[0.0, 1.0, 2.0], [0.0, 0.0, 3.0], [0.0, 0.0]])
def test_losses_of_zero_give_finite_numbers(measure, order, losses):
    if order is not None and order < 0:
        pytest.skip("a negative power of nothing is as large as it gets")
    assert np.isfinite(inequality(np.array(losses), measure, order))
    assert np.isfinite(inequality_slopes(np.array(losses), measure, order)).all()


@every_measure
def test_a_single_task_has_nothing_to_be_compared_with(measure, order):
    assert inequality(np.array([2.0]), measure, order) == pytest.approx(0, abs=1e-15)
    np.testing.assert_allclose(inequality_slopes(np.array([2.0]), measure, order), 0, atol=1e-15)


# The rule


@every_measure
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_weights_are_the_mean_and_the_slopes(measure, order, dtype):
    losses = LOSSES.astype(dtype)[:, None]
    rule = inequality_weights(measure, 0.3, order)
    expected = 1 / 5 + 0.3 * inequality_slopes(LOSSES, measure, order)
    close = 1e-12 if dtype == "float64" else 2e-5
    np.testing.assert_allclose(rule(losses), expected, rtol=close)
    found = tf.function(rule, jit_compile=True)(tf.constant(losses))
    np.testing.assert_allclose(found, expected, rtol=close)
    assert found.dtype == dtype and rule(losses).dtype == dtype


def test_no_strength_is_the_mean_to_the_last_bit_whatever_the_losses():
    for losses in (LOSSES, np.zeros(5)):
        assert (inequality_weights("theil", 0.0)(losses[:, None]) == 1 / 5).all()


def test_a_small_loss_has_a_negative_weight_from_a_strength_on_that_can_be_said():
    """Theil: w_i >= 0 just where strength (T - ln r_i) <= mu."""
    r, theil = LOSSES / LOSSES.mean(), inequality(LOSSES)
    bound = np.min(LOSSES.mean() / (theil - np.log(r))[np.log(r) < theil])
    assert inequality_weights("theil", 0.999 * bound)(LOSSES[:, None]).min() > 0
    assert inequality_weights("theil", 1.001 * bound)(LOSSES[:, None]).min() < 0


def test_equal_settings_are_equal_rules_and_it_can_be_saved():
    assert inequality_weights("gini", 0.5) == inequality_weights("gini", 0.5) != inequality_weights("gini", 0.6)
    rule = inequality_weights("atkinson", 0.5, 0.7)
    from gaml_utils.learners.engine import saving  # noqa: F401, it registers the rule

    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(rule))
    assert again == rule


# What is refused


@pytest.mark.parametrize("measure", ["Theil", "entropy", "", None, 3])
def test_another_measure_is_refused_with_the_known_ones(measure):
    for call in (lambda: inequality(LOSSES, measure), lambda: inequality_weights(measure)):
        with pytest.raises(ValueError, match="measure should be one of 'theil', 'generalised entropy'"):
            call()


@pytest.mark.parametrize(
    ("measure", "order"),
    [
        ("theil", 2.0),
        ("gini", 0),
        ("atkinson", 0.0),
        ("atkinson", -1),
        ("generalised entropy", "two"),
        ("atkinson", np.nan),
    ],
)
def test_another_order_is_refused(measure, order):
    with pytest.raises(ValueError, match="order should be"):
        inequality_weights(measure, 1.0, order)


@pytest.mark.parametrize("strength", [-1, np.inf, None, "1", True])
def test_another_strength_is_refused(strength):
    with pytest.raises(ValueError, match="strength should be a finite number of at least 0"):
        inequality_weights("theil", strength)


@pytest.mark.parametrize("losses", [[-1.0, 2.0], [np.nan, 1.0], [np.inf, 1.0]])
def test_losses_that_are_none_are_refused(losses):
    with pytest.raises(ValueError):
        inequality_weights()(np.array(losses)[:, None])


def test_negative_losses_in_a_graph_are_not_weighed_in_silence():
    assert np.isnan(tf.function(inequality_weights())(tf.constant([[-1.0], [2.0]]))).all()


def test_updates_in_place_of_losses_are_refused_with_the_remedy():
    with pytest.raises(ValueError, match='set source="losses"'):
        inequality_weights()(np.ones((4, 3)))
    assert agreement_weights(np.ones((4, 3))).shape == (4,)


@pytest.mark.parametrize("losses", [np.ones((2, 2)), np.ones(0), np.ones((2, 1, 1)), 3.0])
def test_another_shape_of_losses_is_refused(losses):
    with pytest.raises(ValueError, match="losses should be"):
        inequality(losses)
