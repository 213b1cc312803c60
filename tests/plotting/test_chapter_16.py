"""The pictures of chapter 16 alone."""

import numpy as np
import pytest

from gaml_utils.plotting import chapter_16


def drawn(ax):
    return {line.get_label(): line.get_xydata().tolist() for line in ax.lines}


def test_an_arm_has_two_links_from_shoulder_over_elbow_to_tip(two):
    joints = np.array([[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]])
    chapter_16.plot_arm(two[0], joints)
    links, ends = two[0].lines
    np.testing.assert_array_equal(links.get_xydata(), joints)
    np.testing.assert_array_equal(ends.get_xydata(), joints[:2])


def test_demonstration_goal_and_imitation_are_where_they_are(two):
    shown, path, goal = np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([[0.5, 0.6], [0.7, 0.8]]), np.array([0.9, 0.9])
    chapter_16.plot_reach(two[0], shown, goal, path)
    lines = drawn(two[0])
    assert lines["demonstration"] == shown.tolist() and lines["imitation"] == path.tolist()
    assert lines["goal"] == [goal.tolist()]
    chapter_16.plot_reach(two[1], shown, goal)
    assert "imitation" not in drawn(two[1])


def test_success_has_its_bounds_as_lines(two):
    chapter_16.plot_success(two[0], [0, 100], [0.1, 0.6], {"told": 1.0, "ignores": 0.05})
    lines = drawn(two[0])
    assert lines["MIL, after one demonstration"] == [[0, 0.1], [100, 0.6]]
    assert {y for _, y in lines["told"]} == {1.0} and {y for _, y in lines["ignores"]} == {0.05}


def test_each_policy_has_its_row_with_its_mean_and_interval(two):
    success = {"within 0.1": {"MIL": np.array([0.8, 0.9]), "told": np.array([1.0, 1.0])}, "0.05": {"told": np.ones(2)}}
    chapter_16.plot_reached(two[0], success)
    bars = two[0].containers
    assert [bar.lines[0].get_xdata()[0] for bar in bars] == pytest.approx([0.85, 1.0, 1.0])
    low, high = (x for x, _ in bars[0].lines[2][0].get_segments()[0])
    assert high - low == pytest.approx(2 * 12.7062 * 0.05, rel=1e-3)  # t's 97.5% with one degree of freedom
    rows = [label.get_text() for label in two[0].get_yticklabels()]
    assert rows == ["MIL", "told"]
    assert [round(float(bar.lines[0].get_ydata()[0])) for bar in bars] == [0, 1, 1]
