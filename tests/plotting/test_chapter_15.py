"""The pictures of chapter 15 alone."""

import numpy as np
import pytest

from gaml_utils.plotting import chapter_15


def test_each_class_has_its_points_in_each_plane(two):
    points = np.arange(8.0).reshape(4, 2)
    chapter_15.plot_clouds(two, {"before": points, "after": -points}, np.array([7, 3, 7, 3]))
    for ax, sign, title in zip(two, (1, -1), ("before", "after"), strict=True):
        threes, sevens = (line.get_xydata() for line in ax.lines)
        np.testing.assert_array_equal(threes, sign * points[[1, 3]])
        np.testing.assert_array_equal(sevens, sign * points[[0, 2]])
        assert ax.get_title() == title


def test_a_showing_has_its_mean_over_tasks_and_its_interval(two):
    chapter_15.plot_showings(two[0], np.array([[0.2, 0.8], [0.4, 0.6]]), first=0.1, chance=0.2)
    line, _, (segments,) = two[0].containers[0].lines
    np.testing.assert_allclose(line.get_xydata(), [[1, 0.3], [2, 0.7]])
    low, high = (y for _, y in segments.get_segments()[0])
    assert high - low == pytest.approx(2 * 12.7062 * 0.1, rel=1e-3)  # t's 97.5% with one degree of freedom
    assert [1, 0.1] in [one.get_xydata()[0].tolist() for one in two[0].lines]
