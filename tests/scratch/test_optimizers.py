"""The outer optimisers, against their formulas written out."""

import numpy as np
import pytest

from gaml_utils.scratch.optimizers import SGD, Adam
from tests.support.plain_formulas import copies, relative_error, same

SHAPES = [(2, 3), (3,), (3, 1), (1,)]


def draw(seed, count=1):
    rng = np.random.default_rng(seed)
    return [[rng.normal(size=s) for s in SHAPES] for _ in range(count)]


def adam_by_formula(theta, gradients, learning_rate, beta_1, beta_2, epsilon):
    """Kingma and Ba 2015, Algorithm 1, for one array; where it is after each gradient."""
    m, v, path = np.zeros_like(theta), np.zeros_like(theta), []
    for t, g in enumerate(gradients, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
        theta = theta - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon)
        path.append(theta)
    return path


def test_sgd_descends_the_gradient():
    (params,), (gradient,) = draw(0), draw(1)
    new = SGD(0.1).step(params, gradient)
    assert same(new, [p - 0.1 * g for p, g in zip(params, gradient, strict=True)])


def test_sgd_has_no_memory():
    (params,), (gradient, other) = draw(0), draw(1, 2)
    sgd = SGD(0.1)
    sgd.step(params, other)
    assert same(sgd.step(params, gradient), SGD(0.1).step(params, gradient))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"learning_rate": 0.1},
        {"beta_1": 0.5},
        {"beta_2": 0.7},
        {"epsilon": 0.3},
        {"learning_rate": 0.02, "beta_1": 0.0, "beta_2": 0.0, "epsilon": 1e-3},
    ],
    ids=["defaults", "learning_rate", "beta_1", "beta_2", "epsilon", "all"],
)
def test_adam_is_the_algorithm_of_kingma_and_ba(options):
    (params,), gradients = draw(0), draw(1, 5)
    used = {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8} | options
    expected = [adam_by_formula(p, [g[k] for g in gradients], **used) for k, p in enumerate(params)]
    adam, theta = Adam(**options), params
    for t, gradient in enumerate(gradients):
        theta = adam.step(theta, gradient)
        moved = [a - p for a, p in zip(theta, params, strict=True)]
        assert relative_error(moved, [e[t] - p for e, p in zip(expected, params, strict=True)]) < 1e-11


def test_the_first_step_of_adam_is_the_learning_rate_against_the_sign_of_the_gradient():
    (params,), (gradient,) = draw(0), draw(1)
    for scale in (1.0, 1e3, 1e6):
        new = Adam(0.01).step(params, [scale * g for g in gradient])
        signs = [p - 0.01 * np.sign(g) for p, g in zip(params, gradient, strict=True)]
        assert relative_error(new, signs) < 1e-6


def test_adam_remembers_its_moments():
    (params,), (gradient, other) = draw(0), draw(1, 2)
    adam = Adam()
    adam.step(params, other)
    assert not same(adam.step(params, gradient), Adam().step(params, gradient))


def test_two_instances_of_adam_share_nothing():
    (params,), (gradient, other) = draw(0), draw(1, 2)
    busy, fresh = Adam(), Adam()
    busy.step(params, other)
    assert same(fresh.step(params, gradient), Adam().step(params, gradient))


@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.1)], ids=["SGD", "Adam"])
def test_a_step_changes_neither_parameters_nor_gradient(optimizer):
    (params,), (gradient,) = draw(0), draw(1)
    before = copies([*params, *gradient])
    for _ in range(3):
        new = optimizer.step(params, gradient)
        for array in new:
            array += 1.0
    assert same([*params, *gradient], before)


@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.1)], ids=["SGD", "Adam"])
def test_new_parameters_are_shaped_like_the_old(optimizer):
    (params,), (gradient,) = draw(0), draw(1)
    assert [p.shape for p in optimizer.step(params, gradient)] == SHAPES


@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.05)], ids=["SGD", "Adam"])
def test_many_steps_find_the_bottom_of_a_bowl(optimizer):
    (params,) = draw(0)
    for _ in range(1000):
        params = optimizer.step(params, [2 * (p - 1.0) for p in params])
    assert max(np.abs(p - 1.0).max() for p in params) < 1e-3


def test_adam_refuses_a_gradient_whose_square_overflows_instead_of_standing_still_ever_after():
    with np.errstate(over="ignore"), pytest.raises(FloatingPointError, match="smaller step size"):
        Adam(0.1).step([np.ones(2)], [np.array([1.0, 1e200])])
