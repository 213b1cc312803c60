"""The pictures of chapter 13 alone."""

import numpy as np
import pytest

from gaml_utils.plotting import chapter_13


def test_lorenz_curve_adds_up_the_smallest_losses_first(two):
    chapter_13.plot_lorenz(two[0], {"unequal": np.array([6.0, 1.0, 3.0]), "equal": np.full(4, 2.0)})
    unequal, equal, diagonal = two[0].lines
    np.testing.assert_allclose(unequal.get_data(), [[0, 1 / 3, 2 / 3, 1], [0, 0.1, 0.4, 1]])
    np.testing.assert_allclose(equal.get_ydata(), equal.get_xdata())
    np.testing.assert_allclose(diagonal.get_data(), [[0, 1], [0, 1]])


def test_weights_stand_over_their_losses_beside_the_uniform_one(two):
    losses, w = np.array([0.5, 1.0, 3.0]), np.array([-0.2, 0.3, 0.9])
    chapter_13.plot_weights_of_losses(two[0], losses, {"rule": w})
    points, zero, uniform, mean = two[0].lines
    np.testing.assert_array_equal(points.get_data(), [losses, w])
    assert set(zero.get_ydata()) == {0} and set(uniform.get_ydata()) == {1 / 3} and set(mean.get_xdata()) == {1.5}


def test_sorted_losses_rise(two):
    chapter_13.plot_sorted(two[0], {"a": np.array([3.0, 1.0, 2.0])})
    np.testing.assert_allclose(two[0].lines[0].get_data(), [[0, 50, 100], [1, 2, 3]])
    assert two[0].get_yscale() == "log"


def test_attacks_have_a_panel_a_side_and_a_mean_with_its_interval_a_learner(two):
    of = np.array([[0.9, 0.6, 0.1], [0.7, 0.4, 0.3]])
    panels = {"support": {"A": of, "B": of / 2}, "queries": {"A": of, "B": of}}
    chapter_13.plot_attacks(two, [0, 0.1, 0.2], panels)
    assert [ax.get_title() for ax in two] == ["support attacked", "queries attacked"]
    a, b = (container.lines[0] for container in two[0].containers)
    np.testing.assert_allclose(a.get_ydata(), [0.8, 0.5, 0.2])
    np.testing.assert_allclose(b.get_ydata(), [0.4, 0.25, 0.1])
    (low, high), *_ = two[0].containers[0].lines[2][0].get_segments()  # 12.706 is t's 97.5% with one degree of freedom
    assert high[1] - low[1] == pytest.approx(2 * 12.7062 * 0.1, rel=1e-3)
    assert len({line.get_marker() for line in (a, b)}) == 2
