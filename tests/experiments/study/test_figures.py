"""The study's pictures: numbers, stars and colours are those of the results; diverged and missing fields say so."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from gaml_utils.experiments.study import figures as study_plots
from gaml_utils.experiments.study import grid
from gaml_utils.experiments.study import plan as study
from gaml_utils.experiments.study import tables as study_tables
from gaml_utils.plotting import chapter_10
from gaml_utils.plotting import charts as plotting

SMALL = grid.STUDY | {
    "seeds": [0, 1, 2, 3],
    "tuning_seeds": [0],
    "settings": {
        "sines": grid.setting("sines", rules=["agreement", "cosine"]),
        "noise": grid.setting("noise", rules=["agreement"], learners=["MAML"], share=0.2),
    },
}
LEARNERS = ("MAML", "Reptile")


def results(factors=None, diverged=(), best=0.003):
    """Uniform's error is 2 + seed / 10; a rule's is `factor` times that, a hundredth of it up or down."""
    factors, runs = factors or {}, []
    for part, setting in SMALL["settings"].items():
        for learner in setting["learners"]:
            for rule in study.rules_of(SMALL, part, learner):
                for seed in SMALL["seeds"]:
                    job = study.job(part, learner, rule, best if learner == "MAML" else 0.3, seed)
                    if (part, learner, rule, seed) in diverged:
                        runs.append(job | {"validation_error": None})
                        continue
                    error = factors.get((part, learner, rule), 1.0) * (2 + seed / 10) + 0.02 * (-1) ** seed
                    error = error if rule != "uniform" else 2 + seed / 10
                    summary = {
                        "test_error": error,
                        "test_median": 1.0 + 0.1 * (rule != "uniform"),
                        "test_worst": 3 * error,
                    }
                    runs.append(job | {"validation_error": error} | summary)
    return {"config": SMALL, "runs": runs}


@pytest.fixture
def ax():
    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


def fields(ax):
    """What stands where: {(row, column): text object}."""
    return {
        (round(t.get_position()[1]), round(t.get_position()[0])): t
        for t in ax.texts
        if t.get_transform() == ax.transData
    }


# ---------------------------------------------------------------- numbers


def test_effect_is_in_percent_of_uniform_with_its_interval():
    made = results({("sines", "MAML", "agreement of outer"): 1.5})
    e = study_tables.effect(made, "sines", "MAML", "agreement of outer")
    uniform = np.array([2, 2.1, 2.2, 2.3])
    differences = 0.5 * uniform + 0.02 * np.array([1, -1, 1, -1])
    half = 3.182446 * differences.std(ddof=1) / 2
    expected = np.array([differences.mean(), differences.mean() - half, differences.mean() + half])
    assert list(e) == pytest.approx(list(100 * expected / uniform.mean()), rel=1e-5)
    assert e.found and str(e) == "  +50% [ +46,  +54]*"


def test_effect_without_a_difference_has_no_star():
    e = study_tables.effect(results(), "sines", "MAML", "agreement of outer")
    assert not e.found and "*" not in str(e)


def test_effect_of_another_field():
    e = study_tables.effect(results(), "sines", "MAML", "agreement of outer", "test_median")
    assert e.change == pytest.approx(10)


def test_effect_is_none_where_a_training_diverged_of_either_side():
    for rule in ("agreement of outer", "uniform"):
        made = results(diverged=[("sines", "MAML", rule, 2), ("sines", "MAML", rule, 3)])
        assert study_tables.effect(made, "sines", "MAML", "agreement of outer") is None
        assert study_tables.diverged(made, "sines", "MAML", rule) == 2


def test_columns_are_the_rules_that_were_run_outer_gradients_first():
    made = results()
    assert study_tables.columns(made, "MAML") == [
        f"{r} of {s}" for s in ("outer", "updates") for r in ("agreement", "cosine")
    ]
    assert study_tables.columns(made, "Reptile") == ["agreement of updates", "cosine of updates"]
    assert study_tables.settings(made, "MAML") == ["sines", "noise"] and study_tables.settings(made, "Reptile") == [
        "sines"
    ]


def test_every_rule_of_the_study_has_its_column():
    rules = {rule for s in grid.STUDY["settings"].values() for rule in s["rules"]}
    assert rules == set(study_tables.FIRST)


def test_lines_hold_each_rule_and_each_field_and_say_what_diverged():
    made = results({("sines", "MAML", "cosine of outer"): 0.5}, diverged=[("sines", "MAML", "agreement of outer", 1)])
    lines = study_tables.effect_lines(made, "sines", "MAML", ("test_error", "test_worst")).splitlines()
    assert [line[:24].strip() for line in lines] == study.rules_of(SMALL, "sines", "MAML")[1:]
    by_rule = dict(zip((line[:24].strip() for line in lines), lines, strict=True))
    assert by_rule["agreement of outer"].endswith("1 diverged") and "%" not in by_rule["agreement of outer"]
    assert by_rule["cosine of outer"].count("%") == 2 and "-50%" in by_rule["cosine of outer"]


def test_tally_counts_settings_by_what_was_found():
    rule = "agreement of outer"
    made = results({("sines", "MAML", rule): 0.5, ("noise", "MAML", rule): 1.5})
    assert study_tables.tally(made, "MAML", rule) == (1, 0, 1, 0)
    assert study_tables.tally(results(), "MAML", rule) == (0, 2, 0, 0)
    assert study_tables.tally(results(diverged=[("noise", "MAML", rule, 0)]), "MAML", rule) == (0, 1, 0, 1)
    assert study_tables.tally(results(), "MAML", "cosine of outer") == (0, 1, 0, 0)  # run in one setting only


def test_best_step_sizes_at_an_end_are_told_with_the_end():
    assert study_tables.at_an_end(results()) == []
    for size, end in ((0.001, "low"), (grid.SINE_MAML["step_sizes"][-1], "high")):
        found = study_tables.at_an_end(results(best=size))
        assert len(found) == 5 + 3 and {(f[1], f[3]) for f in found} == {("MAML", end)}


def test_settings_are_listed_with_tasks_seeds_others_and_learners_then_the_budgets():
    lines = study_tables.settings_lines(results()).splitlines()
    assert lines[0].split() == ["sines", "25", "tasks,", "4", "seeds", "MAML,", "Reptile"]
    assert "20% others" in lines[1] and lines[1].endswith("MAML")
    budgets = lines[lines.index("") + 1 :]
    assert [line.partition(":")[0] for line in budgets] == ["sines, MAML", "sines, Reptile"]
    assert f"{grid.SINE_MAML['iterations']} outer steps, sizes {grid.SINE_MAML['step_sizes']}" in budgets[0]


def test_lists_of_tallies_and_of_ends_hold_every_learner_and_rule():
    made = results({("sines", "MAML", "cosine of outer"): 1.5}, best=0.001)
    tallies = study_tables.tally_lines(made).splitlines()
    assert [line.split()[0] for line in tallies if not line.startswith(" ")] == list(LEARNERS)
    row = next(line for line in tallies if "cosine of outer" in line)
    assert row.split()[-4:] == ["0", "0", "1", "0"]
    ends = study_tables.end_lines(made).splitlines()
    assert (
        ends[0].split(maxsplit=1)[1] == "8 fields: 8 at the low end, 0 at the high end; of these 2 with uniform weights"
    )
    assert "0 at the low end, 0 at the high end" in ends[1]


def with_records(made):
    """Negative weights, outliers' weights and CPU seconds, which a study has as well."""
    for run in made["runs"]:
        twice = 2.0 if run["rule"].startswith("agreement") else 1.0
        run |= {"negative_share": 0.125 * twice, "others_weight": 1.25 * twice, "cpu_seconds": 3.0 * twice}
    return made


def test_cpu_seconds_are_times_those_of_uniform_weights():
    lines = study_tables.cpu_lines(with_records(results()), "sines").splitlines()
    assert lines[0] == "sines, MAML: 3.0 seconds; of outer 1.0 to 2.0 times; of updates 1.0 to 2.0 times"
    assert lines[1] == "sines, Reptile: 3.0 seconds; of updates 1.0 to 2.0 times"


def test_negative_weights_are_listed_for_every_setting_and_left_blank_where_nothing_was_run():
    lines = study_tables.sign_lines(with_records(results())).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["sines", "noise"]
    assert lines[1].split()[1:] == ["25%"] * 3 and lines[2].split()[1:] == ["25%"] * 2


def test_outliers_weights_stand_beside_the_effect_and_diverged_seeds_are_left_out():
    gone = [("noise", "MAML", "agreement of outer", 1)]
    made = results({("noise", "MAML", "agreement of outer"): 1.5})
    (line,) = study_tables.outlier_lines(with_records(made)).splitlines()
    assert line.startswith("noise") and "weight  +2.50" in line and "+50%" in line
    assert "+2.50   negative 25%   error diverged" in study_tables.outlier_lines(with_records(results(diverged=gone)))


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
    assert found[1, column].get_text() == f"{e.change:+.0f}*\n{e.low:.0f}, {e.high:.0f}"
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
    fig = study_plots.plot_map(results())
    assert [ax.get_title(loc="left") for ax in fig.axes[:-1]] == ["MAML", "Reptile"]
    assert "percent" in fig.axes[-1].get_ylabel()
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
    e = study_tables.effect(made, "sines", "MAML", "agreement of outer")
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
