"""Chapter 11's figures: a curve over p, errors by step size; what blew up is crossed out or left away."""

import copy

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

from gaml_utils.experiments.study import power_figures
from tests.support.power_study import power_study, spoilt


@pytest.fixture(scope="module")
def results():
    return power_study()


def test_the_curve_over_p_shows_each_power_and_crosses_out_what_blew_up(results):
    bad = spoilt(results, "agreement of outer", 0, 1e9)
    fig = power_figures.powers_figure(bad, "MAML", ["sines"])
    lines = fig.axes[0].get_lines()
    middle = next(line for line in lines if line.get_label() == "of outer")
    assert middle.get_xdata() == pytest.approx([1, 0.5, 0, -0.5, -1])
    assert np.array(middle.get_ydata()) == pytest.approx([np.nan, 1.2, 1, 0.8, 0.9], nan_ok=True)
    crosses = [line for line in lines if line.get_marker() == "x"]
    assert [list(line.get_xdata()) for line in crosses] == [[1.0], []]
    plt.close(fig)


def test_the_tuning_figure_leaves_out_what_blew_up(results):
    bad = copy.deepcopy(results)
    for run in bad["runs"]:
        if run["rule"] == "power -1 of outer" and run["step_size"] == 0.1:
            run["validation_error"] = 1e9
    fig, axes = plt.subplots(1, 1, squeeze=False)
    power_figures.plot_tuning(axes[0], bad, [("sines", "MAML", "outer")])
    drawn = {line.get_label(): line.get_ydata() for line in axes[0, 0].get_lines()}
    assert np.isnan(drawn["p = -1"][1]) and drawn["p = 0"] == pytest.approx([1.01, 2.02])
    plt.close(fig)
