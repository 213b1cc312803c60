"""The pictures of chapter 10 alone."""

import numpy as np
import pytest

from gaml_utils.plotting import chapter_10

# ---------------------------------------------------------------- curves and predictions


def test_stops_are_evenly_spaced_with_their_numbers_and_a_legend_for_several(ax):
    chapter_10.plot_stops(ax, [0, 10, 1000], {"a": [1, 2, 3]}, "error")
    assert list(ax.lines[0].get_xdata()) == [0, 1, 2] and ax.get_legend() is None
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0", "10", "1000"] and ax.get_ylabel() == "error"
    chapter_10.plot_stops(ax, [0, 10, 1000], {"a": [1, 2, 3], "b": [3, 2, 1]}, "error")
    assert [t.get_text() for t in ax.get_legend().get_texts()][-2:] == ["a", "b"]
    assert len({line.get_marker() for line in ax.lines}) == 2


def test_predicted_weights_are_times_the_tasks_with_the_outliers_apart(ax):
    predicted, got = np.array([[0.5, 0.3, 0.2]]), np.array([[0.6, 0.5, -0.1]])
    chapter_10.plot_predicted(ax, predicted, got, family=2, title="noise")
    family, outliers = ax.lines[:2]
    assert list(family.get_xdata()) == pytest.approx([1.5, 0.9]) and list(family.get_ydata()) == pytest.approx(
        [1.8, 1.5]
    )
    assert list(outliers.get_xdata()) == pytest.approx([0.6]) and list(outliers.get_ydata()) == pytest.approx([-0.3])
    assert family.get_marker() != outliers.get_marker()


def test_without_outliers_there_is_one_cloud(ax):
    chapter_10.plot_predicted(ax, np.ones((2, 3)), np.ones((2, 3)), family=3, title="sines")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["of the family"]


def test_each_place_has_its_bar_and_a_dot_a_seed(ax):
    chapter_10.plot_seeds(ax, {5: 0.1, 25: 0.2}, {5: [0.1, 0.12], 25: [0.2, 0.21, 0.3]}, width=2)
    bars, dots = ax.lines[::2], ax.lines[1::2]
    assert [(tuple(b.get_xdata()), b.get_ydata()[0]) for b in bars] == [((3, 7), 0.1), ((23, 27), 0.2)]
    assert [list(d.get_ydata()) for d in dots] == [[0.1, 0.12], [0.2, 0.21, 0.3]]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["predicted", "study, each seed"]
