"""The study's pictures: numbers, stars and colours are those of the results; what diverged says so."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from gaml_utils.experiments.study import figures as study_plots
from gaml_utils.experiments.study import tables as study_tables
from gaml_utils.experiments.study.verdicts import headlines
from gaml_utils.plotting import charts as plotting
from tests.support.small_study import fields, results

# ---------------------------------------------------------------- the heat map


def test_each_field_of_the_map_holds_its_effect_or_a_dot(ax):
    made = results({("noise", "MAML", "agreement of updates"): 0.5})
    image = study_plots.plot_heat_map(ax, made, "MAML")
    found, names = fields(ax), study_tables.columns(made, "MAML")
    assert set(found) == {(i, j) for i in range(2) for j in range(4)}
    assert [t.get_text() for t in ax.get_yticklabels()] == ["sines", "noise"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["agreement", "cosine"] * 2
    column = names.index("agreement of updates")
    e = study_tables.effect(made, "noise", "MAML", "agreement of updates")
    assert found[1, column].get_text() == f"{e.change:+.0f}*"
    assert found[1, names.index("cosine of outer")].get_text() == "\u00b7"
    colours = image.get_array().filled(np.nan)
    assert colours[1, column] == pytest.approx(np.log2(1 + e.change / 100)) and np.isnan(
        colours[1, names.index("cosine of outer")]
    )


def test_what_is_found_is_bold_with_a_star_and_nothing_else_is(ax):
    made = results({("sines", "MAML", "cosine of outer"): 1.2})
    study_plots.plot_heat_map(ax, made, "MAML")
    marked = {place for place, t in fields(ax).items() if t.get_weight() == "bold"}
    assert marked == {place for place, t in fields(ax).items() if "*" in t.get_text()} == {(0, 1)}


def test_diverged_field_says_so_and_has_no_colour(ax):
    image = study_plots.plot_heat_map(ax, results(diverged=[("sines", "MAML", "agreement of outer", 0)]), "MAML")
    assert fields(ax)[0, 0].get_text() == "div." and np.isnan(image.get_array().filled(np.nan)[0, 0])


def test_lower_error_is_blue_and_higher_red_alike_on_both_sides(ax):
    image = study_plots.plot_heat_map(ax, results(), "MAML")
    low, high = image.get_clim()
    assert low == -high < 0
    blue, red = image.cmap(0.0), image.cmap(1.0)
    assert blue[2] > blue[0] and red[0] > red[2]


@pytest.mark.parametrize(
    ("learner", "parts"),
    [("MAML", ["outer gradients compared", "updates compared"]), ("Reptile", ["updates compared"])],
)
def test_it_is_written_below_what_is_compared(ax, learner, parts):
    study_plots.plot_heat_map(ax, results(), learner)
    assert [t.get_text() for t in ax.texts if "compared" in t.get_text()] == parts
    assert len(ax.lines) == len(parts) - 1  # a line between the two


def test_the_map_has_one_panel_a_learner_and_a_colour_bar():
    fig = study_plots.plot_map(results(), ["MAML", "Reptile"])
    assert [ax.get_title(loc="left") for ax in fig.axes[:-1]] == ["MAML", "Reptile"]
    assert "percent" in fig.axes[-1].get_xlabel()
    assert fig.get_figwidth() * 90 < 700  # pixels: the width at which numbers are to be read
    plt.close(fig)


# ---------------------------------------------------------------- the headlines


def headline_colours(ax):
    return {
        round(line.get_ydata()[0]): to_hex(line.get_color()).upper() for line in ax.lines if len(line.get_xdata()) == 1
    }


def test_headlines_stand_a_line_each_with_the_effect_and_its_interval(ax):
    made = results({("sines", "MAML", "agreement of outer"): 1.5})
    study_plots.plot_headlines(ax, made)
    names = [t.get_text() for t in ax.get_yticklabels()]
    assert [name.split()[0] for name in names] == ["H1", "H2", "H4", "H6"]
    assert names[1] == "H2  sines, MAML, agreement of outer"
    comparison = headlines(made)[1].comparison
    assert comparison.confidence == 1 - 0.05 / 4
    e = study_tables.in_percent(made, "sines", "MAML", comparison)
    spans = [tuple(line.get_xdata()) for line in ax.lines if set(line.get_ydata()) == {1}]
    assert (e.low, e.high) in spans and (e.change,) in [tuple(s) for s in spans]


def test_headlines_are_coloured_and_filled_by_their_verdict(ax):
    made = results({("sines", "MAML", "agreement of outer"): 1.5, ("noise", "MAML", "agreement of outer"): 0.5})
    study_plots.plot_headlines(ax, made)
    assert headline_colours(ax) == {
        0: study_plots.GREY.upper(),
        1: plotting.RED,
        2: study_plots.GREY.upper(),
        3: plotting.BLUE,
    }
    filled = {
        round(line.get_ydata()[0]): line.get_markerfacecolor() != "white"
        for line in ax.lines
        if len(line.get_xdata()) == 1
    }
    assert filled == {0: False, 1: True, 2: False, 3: True}


def test_a_diverged_headline_says_how_many_trainings(ax):
    study_plots.plot_headlines(ax, results(diverged=[("sines", "MAML", "agreement of updates", s) for s in (1, 2)]))
    assert "2 of 4 trainings diverged" in [t.get_text() for t in ax.texts]
