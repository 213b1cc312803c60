"""The pictures of chapter 12 alone."""

import numpy as np
import pytest

from gaml_utils.plotting import chapter_12


def test_rates_have_their_median_and_two_bands(two):
    rates = np.linspace(-1, 1, 101) * np.array([[0.0], [1.0], [2.0]]) + 0.5
    chapter_12.plot_rates(two, [0, 50, 100], {"a": rates, "b": 2 * rates})
    for ax, factor in zip(two, (1, 2), strict=True):
        np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.5 * factor] * 3)
        outer, inner = (c.get_datalim(ax.transData) for c in ax.collections)
        assert outer.height == pytest.approx(3.6 * factor) and inner.height == pytest.approx(2.0 * factor)
    assert [ax.get_title() for ax in two] == ["a", "b"]


def test_the_same_task_has_one_colour_and_mark_in_every_plane(two):
    points = np.arange(12.0).reshape(6, 2)
    groups = np.array([0, 1, 0, 1, 1, 0])
    chapter_12.plot_planes(two, {"one": points, "other": -points}, groups, ["first", "second"])
    for ax, sign in zip(two, (1, -1), strict=True):
        for k, line in enumerate(ax.lines):
            np.testing.assert_array_equal(np.column_stack(line.get_data()), sign * points[groups == k])
    for a, b in zip(two[0].lines, two[1].lines, strict=True):
        assert (a.get_color(), a.get_marker()) == (b.get_color(), b.get_marker())
    assert len({line.get_marker() for line in two[0].lines}) == 2


def test_discs_are_as_large_as_the_weights_and_negative_ones_are_crosses(two):
    points = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]])
    weights = {"uniform": np.full(3, 1 / 3), "rule": np.array([0.5, -0.25, 0.25])}
    chapter_12.plot_weights_in_plane(two, points, weights)
    discs, crosses = two[1].collections
    np.testing.assert_array_equal(discs.get_offsets(), points[[0, 2]])
    np.testing.assert_array_equal(crosses.get_offsets(), points[[1]])
    assert discs.get_sizes()[0] == pytest.approx(2 * discs.get_sizes()[1]) == pytest.approx(2 * crosses.get_sizes()[0])
    assert len(two[0].collections[1].get_offsets()) == 0


def test_effects_stand_rule_by_rule_and_what_is_too_large_is_written(two):
    effects = {"A": {"r": (5.0, -1.0, 11.0), "s": (300.0, 200.0, 400.0)}, "B": {"r": (-3.0, -5.0, -1.0), "s": None}}
    chapter_12.plot_effects(two[0], effects, limit=100)
    assert [t.get_text() for t in two[0].get_yticklabels()] == ["r", "s"]
    assert [t.get_text() for t in two[0].texts] == ["+300%"]
    assert [t.get_text() for t in two[0].get_legend().get_texts()] == ["A", "B"]
    assert any(list(line.get_xdata()) == [-1.0, 11.0] for line in two[0].lines)
