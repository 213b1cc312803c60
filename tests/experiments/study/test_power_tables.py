"""Chapter 11's reading of the study: percentages of the mean's error, what blew up, tables."""

import copy

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

from gaml_utils.experiments.study import power_figures
from gaml_utils.experiments.study import power_tables as power_results
from gaml_utils.experiments.study import tables as study_tables
from gaml_utils.experiments.study.grid import STUDY
from gaml_utils.experiments.study.plan import study_jobs
from gaml_utils.experiments.study.verdicts import against_uniform

FIELDS = ("validation_error", "test_error", "test_median", "test_worst")
ERRORS = {"uniform": 1.0, "agreement": 1.5, "power 0.5": 1.2, "power -0.5": 0.8, "power -1": 0.9}
POWERS = [rule for rule in ERRORS if rule != "uniform"]


@pytest.fixture(scope="module")
def results():
    """Errors as above at step size 0.01 and twice as high at 0.1; updates are 0.3 higher; seeds differ."""
    sines = STUDY["settings"]["sines"] | {"rules": POWERS, "learners": ["MAML", "Reptile"]}
    learners = {name: s | {"step_sizes": [0.01, 0.1]} for name, s in STUDY["learners"]["sines"].items()}
    config = STUDY | {"settings": {"sines": sines}, "learners": {"sines": learners}, "control_seeds": []}
    done: dict = {}
    while any(tuple(job.values()) not in done for job in study_jobs(config, done)):
        for job in study_jobs(config, done):
            rule, _, source = job["rule"].partition(" of ")
            error = (ERRORS[rule] + 0.3 * (source == "updates" and job["learner"] == "MAML")) * (1 + 0.02 * job["seed"])
            error *= 2 if job["step_size"] == 0.1 else 1
            done[tuple(job.values())] = job | dict.fromkeys(FIELDS, error) | {"cpu_seconds": 2.0 + (rule != "uniform")}
    return {"config": config, "runs": [done[tuple(job.values())] for job in study_jobs(config, done)]}


def spoilt(results, rule, seed, value):
    """The same, with another error in one training."""
    changed = copy.deepcopy(results)
    for run in changed["runs"]:
        if (run["learner"], run["rule"], run["step_size"], run["seed"]) == ("MAML", rule, 0.01, seed):
            run.update(dict.fromkeys(FIELDS[1:], value))
    return changed


def test_percent_is_the_difference_over_the_mean_of_uniform(results):
    cell = "sines", "MAML", "power -0.5 of outer"
    plain = against_uniform(results, *cell)
    low, high = (-20 * end / plain.difference for end in (plain.low, plain.high))
    assert power_results.as_text(results, *cell) == f"-20% [{low:.0f}, {high:.0f}]" and low < -20.5 and high > -19.5


@pytest.mark.parametrize("value", [1e30, None])
def test_a_training_that_blew_up_is_counted_and_not_averaged(results, value):
    bad = spoilt(results, "power -1 of updates", 3, value)
    assert power_results.as_text(bad, "sines", "MAML", "power -1 of updates") == "1 of 10 blew up"


def test_tuning_is_the_mean_over_the_tuning_seeds(results):
    assert power_results.tuning(results, "sines", "MAML", "uniform") == pytest.approx([1.01, 2.02])


def test_tuning_table_compares_at_each_size_and_at_each_ones_best(results):
    text = power_results.tuning_table(results, "sines", "MAML", {"half": "power -0.5 of outer"})
    assert text.splitlines()[0].split("  ")[-1] == "own best"
    assert text.splitlines()[1].split() == ["half", "-20%", "-20%", "-20%"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (("power -0.5 of outer",), "blew up"),
        (("uniform",), "mean blew up"),
        (("uniform", "power -0.5 of outer"), "both blew up"),
    ],
)
def test_tuning_table_says_who_blew_up(results, spoil, words):
    bad = copy.deepcopy(results)
    for run in bad["runs"]:
        if run["rule"] in spoil and run["learner"] == "MAML" and run["step_size"] == 0.1:
            run["validation_error"] = 1e9
    row = power_results.tuning_table(bad, "sines", "MAML", {"half": "power -0.5 of outer"}).splitlines()[1]
    assert row.split() == ["half", "-20%", *words.split(), "-20%"]


def test_table_has_a_row_a_cell_and_aligned_columns(results):
    cells = [("sines", "power -0.5"), ("sines", "agreement")]
    lines = power_results.power_table(results, "MAML", cells, ["outer", "updates", "median"]).splitlines()
    assert len(lines) == 3 and len(set(map(len, lines))) == 1
    assert "-20%" in lines[1] and "+10%" in lines[1] and "+50%" in lines[2] and "+80%" in lines[2]


def test_a_field_is_shown_for_the_learners_own_directions(results):
    line = power_results.power_table(results, "Reptile", [("sines", "power -0.5")], ["median"]).splitlines()[1]
    assert "-20%" in line


def test_cpu_ratio(results):
    assert study_tables.cpu_ratio(results, "sines", "MAML", "power -1 of outer") == 1.5


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
