"""The pictures of chapter 14 alone."""

import numpy as np
import pytest

from gaml_utils.plotting import chapter_14


def test_each_source_has_its_row_for_every_learner_that_was_tried_with_it(two):
    of = {"A": {"labels": np.array([0.8, 0.6]), "pixels": np.array([0.5, 0.5])}, "B": {"pixels": np.array([0.4, 0.2])}}
    chapter_14.plot_sources(two[0], of, chance=0.2)
    a, b = (container.lines[0] for container in two[0].containers)
    np.testing.assert_allclose(a.get_xdata(), [0.7, 0.5])
    np.testing.assert_allclose(b.get_xdata(), [0.3])
    assert [round(float(y)) for y in a.get_ydata()] == [0, 1] and round(float(b.get_ydata()[0])) == 1
    assert [t.get_text() for t in two[0].get_yticklabels()] == ["labels", "pixels"]
    (segment, *_) = two[0].containers[0].lines[2][0].get_segments()  # t's 97.5% is 12.706 with one degree of freedom
    assert segment[1][0] - segment[0][0] == pytest.approx(2 * 12.7062 * 0.1, rel=1e-3)
    assert two[0].yaxis_inverted()


def test_purity_and_accuracy_are_a_labelled_point_each(two):
    chapter_14.plot_purity(two[0], {"pixels": 0.01, "labels": 1.0}, {"pixels": 0.5, "labels": 0.8})
    assert [line.get_xydata().tolist() for line in two[0].lines] == [[[0.01, 0.5]], [[1.0, 0.8]]]
    assert [t.get_text() for t in two[0].texts] == ["pixels", "labels"] and two[0].get_xscale() == "log"


def test_a_name_stands_where_no_other_point_is(two):
    at = {"alone": 0.001, "left": 0.017, "right": 0.020, "at the edge": 1.0}
    chapter_14.plot_purity(two[0], at, dict.fromkeys(at, 0.5))
    sides = {t.get_text(): t.get_ha() for t in two[0].texts}  # of the point, at which the text ends or begins
    assert sides == {"alone": "left", "left": "right", "right": "left", "at the edge": "right"}
