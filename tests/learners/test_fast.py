"""What the inner loop moves, and how far: patterns of paths, and a step size for each variable."""

import keras
import numpy as np
import pytest

from gaml_utils.learners.maml import MAML
from gaml_utils.learners.reptile import Reptile
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from tests.support.keras_learners import arrays, compiled
from tests.support.keras_models import batch_for, float64, functional
from tests.support.plain_formulas import relative_error, same


def two_layers():
    with float64():
        keras.utils.set_random_seed(3)
        return functional(keras.layers.Dense(4, "tanh", name="body"), keras.layers.Dense(1, name="head"))


def build(learner=MAML, **settings):
    return compiled(learner(two_layers(), **{"inner_lr": 0.1, "inner_steps": 2} | settings))


def update(learner):
    """How far each variable goes on the first task of the batch."""
    batch = batch_for("dense")
    adapted = learner.adapt(batch.support_x[0], batch.support_y[0])
    return [a - b for a, b in zip(adapted.get_weights(), learner.model.get_weights(), strict=True)]


def test_only_what_is_named_moves():
    assert [np.abs(u).max() > 0 for u in update(build(fast="head/*"))] == [False, False, True, True]


@pytest.mark.parametrize("fast", [None, "*", ["body/*", "head/*"], ["head/*", "*/kernel", "body/bias"]])
def test_all_by_whatever_patterns_is_all(fast):
    batch = batch_for("dense")
    assert same(arrays(build(fast=fast).meta_gradient(batch)), arrays(build().meta_gradient(batch)))


@pytest.mark.parametrize("learner", [MAML, Reptile])
def test_a_rule_is_shown_what_moves_and_the_direction_is_like_theta(learner):
    shown = []

    def rule(g):
        shown.append(g.shape[1])
        return uniform_weights(g)

    result = build(learner, fast="head/*", weighting=rule).meta_gradient(batch_for("dense"))
    assert set(shown) == {4 + 1}  # kernel and bias of the head
    assert [g.shape for g in result.gradient] == [(2, 4), (4,), (4, 1), (1,)]
    still = [np.abs(g).max() == 0 for g in result.gradient[:2]]
    assert still == ([True, True] if learner is Reptile else [False, False])  # MAML still trains the body


def test_moving_the_head_alone_is_a_rule_that_leaves_the_rest():
    def head_only(theta, gradient, inner_lr):
        return [*theta[:-2], *(p - inner_lr * g for p, g in zip(theta[-2:], gradient[-2:], strict=True))]

    batch = batch_for("dense")
    by_rule = build(inner_rule=head_only, weighting=agreement_weights).meta_gradient(batch)
    by_name = build(fast="head/*", weighting=agreement_weights).meta_gradient(batch)
    assert relative_error(arrays(by_name), arrays(by_rule)) < 1e-12


def test_a_list_of_equal_step_sizes_is_the_number():
    batch = batch_for("dense")
    for learner in (MAML, Reptile):
        by_number = arrays(build(learner).meta_gradient(batch))
        for rates in ([0.1] * 4, [0.1, np.full(4, 0.1), 0.1, [0.1]]):
            assert relative_error(arrays(build(learner, inner_lr=rates).meta_gradient(batch)), by_number) < 1e-13


def test_step_sizes_are_those_of_their_variables():
    rates = [0.3, 0.1, 0.2, 0.05]
    steps, whole = (update(build(inner_lr=lr, inner_steps=1)) for lr in (rates, 1.0))
    for rate, step, full in zip(rates, steps, whole, strict=True):
        np.testing.assert_allclose(step, rate * full, rtol=1e-10)


def test_they_are_saved_and_loaded(tmp_path):
    learner = build(fast=["head/*"], inner_lr=[np.full((4, 1), 0.2), 0.1], weighting=agreement_weights)
    learner.save(tmp_path / "learner.keras")
    again = keras.models.load_model(tmp_path / "learner.keras")
    batch = batch_for("dense")
    assert again.fast == ("head/*",)
    assert same(arrays(again.meta_gradient(batch)), arrays(learner.meta_gradient(batch)))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"fast": "had/*"}, "fast should match trainable variables: 'had/.*' matches none of body/kernel, body/bias"),
        ({"fast": ["head/*", "tail"]}, "'tail' matches none of"),
        ({"fast": []}, "fast should be a pattern or a list of patterns"),
        ({"fast": 3}, "fast should be a pattern or a list of patterns"),
        ({"fast": [3]}, "fast should be a pattern or a list of patterns"),
        ({"inner_lr": [0.1, 0.1]}, "inner_lr should be a number or a list of 4, for body/kernel"),
        (
            {"inner_lr": [0.1], "fast": "head/*"},
            "a list of 2, for head/kernel, head/bias",
        ),
        ({"inner_lr": [0.1, 0.1, 0.1, -0.1]}, "inner_lr for head/bias should be finite and above 0"),
        ({"inner_lr": [0.1, 0.1, np.ones(3), 0.1]}, r"inner_lr for head/kernel should be .* \(4, 1\)"),
        ({"inner_lr": [0.1, "a", 0.1, 0.1]}, "inner_lr should be a number, or a list"),
        ({"inner_lr": [0.1, np.nan, 0.1, 0.1]}, "inner_lr for body/bias should be finite"),
        ({"inner_lr": "fast"}, "inner_lr should be a finite number above 0"),
    ],
)
def test_bad_ones_are_refused_by_name(settings, said):
    with pytest.raises(ValueError, match=said):
        build(**settings)
