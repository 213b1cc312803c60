"""Chapter 11's reading of the study: percentages of the mean's error, what blew up, tables."""

import copy

import matplotlib

matplotlib.use("Agg")
import pytest

from gaml_utils.experiments.study import power_tables as power_results
from gaml_utils.experiments.study import tables as study_tables
from gaml_utils.experiments.study.verdicts import against_uniform
from tests.support.power_study import power_study, spoilt


@pytest.fixture(scope="module")
def results():
    return power_study()


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
