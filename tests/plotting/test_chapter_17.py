"""The pictures of chapter 17 alone."""

import numpy as np

from gaml_utils.plotting import chapter_17


def test_each_worker_has_its_band_of_rows(ax):
    shares = [np.full((3, 4), 1.0), np.full((1, 4), -2.0)]
    chapter_17.plot_shares(ax, shares)
    np.testing.assert_array_equal(ax.images[0].get_array(), np.concatenate(shares))
    assert {label.get_text(): at for label, at in zip(ax.get_yticklabels(), ax.get_yticks(), strict=True)} == {
        "worker 0": 1.0,
        "worker 1": 3.0,
    }
    assert [line.get_ydata()[0] for line in ax.lines] == [2.5]


def test_each_rule_has_its_efficiency_over_the_workers(ax):
    chapter_17.plot_efficiency(ax, [1, 2, 4], {"mean": [1, 0.9, 0.8], "all pairs": [1, 0.5, 0.2]}, "here")
    assert {line.get_label(): line.get_ydata().tolist() for line in ax.lines} == {
        "mean": [1, 0.9, 0.8],
        "all pairs": [1, 0.5, 0.2],
    }
    assert ax.get_xscale() == "log" and ax.get_title() == "here"
