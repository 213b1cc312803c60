"""The study's tables: every rule of a file is shown, costs are computed one way, and unknown names are refused."""

import copy

import numpy as np
import pytest

from gaml_utils.experiments.files import load
from gaml_utils.experiments.records import SOURCES, Weighing
from gaml_utils.experiments.registry import experiment
from gaml_utils.experiments.study import grid, plan, tables
from gaml_utils.experiments.study import plan as study
from gaml_utils.experiments.study import tables as study_tables
from gaml_utils.experiments.study.grid import STUDY
from gaml_utils.experiments.study.measures import weighting_of
from gaml_utils.experiments.study.sine_training import sine_job
from gaml_utils.experiments.study.verdicts import cell
from tests.support.small_study import LEARNERS, SMALL, results

FILES = ("study", "study_ridge", "study_long", "study_lengths")


@pytest.mark.parametrize("name", FILES)
def test_every_rule_of_a_file_has_its_column(name):
    results = load(name)
    for learner in tables.learners_of(results):
        trained = {run["rule"] for run in results["runs"] if run["learner"] == learner} - {"uniform"}
        assert set(tables.columns(results, learner)) == trained
        assert len(tables.columns(results, learner)) == len(trained)


def test_a_rule_that_no_list_knows_comes_after_those_that_are_known():
    results = copy.deepcopy(load("study"))
    results["config"]["settings"]["sines"]["rules"].insert(0, "coin toss")
    found = tables.columns(results, "MAML")
    for source in SOURCES:
        of_source = [name for name in found if Weighing.named(name).source == source]
        assert of_source[0] == f"agreement of {source}" and of_source[-1] == f"coin toss of {source}"


def test_cost_is_that_of_trainings_at_the_rules_own_step_size():
    """Not of the tuning, and not of a training that diverged."""
    results = load("study")
    for part, learner, rule in (
        ("glyphs", "MAML", "agreement of updates"),
        ("sines", "Reptile", "power -1 of updates"),
    ):
        seconds = {}
        for name in (rule, "uniform"):
            size = plan.tuned(results["config"], results["runs"], part, learner, name)
            seeds = plan.seeds(results["config"], part)
            wanted = [r for r in results["runs"] if (r["part"], r["learner"], r["rule"]) == (part, learner, name)]
            wanted = [r for r in wanted if r["step_size"] == size and r["seed"] in seeds]
            seconds[name] = np.median([r["cpu_seconds"] for r in wanted])
        expected = seconds[rule] / seconds["uniform"]
        np.testing.assert_allclose(tables.cpu_ratio(results, part, learner, rule), expected, rtol=1e-12)
        assert f"{expected:.1f}" in tables.cpu_lines(results, part) or learner == "Reptile"


def test_a_training_that_diverged_does_not_count_in_a_cost():
    results = copy.deepcopy(load("study_long"))
    size = plan.tuned(results["config"], results["runs"], "sines", "MAML", "uniform")
    runs = [r for r in results["runs"] if (r["part"], r["rule"], r["step_size"]) == ("sines", "uniform", size)]
    before = tables.cpu_seconds(results, "sines", "MAML", "uniform")
    lost = next(run for run in runs if run["seed"] == 9)
    for field in ("test_error", "test_median", "test_worst"):
        lost.pop(field, None)
    lost["cpu_seconds"] = 1e6
    without = np.median([run["cpu_seconds"] for run in runs if run is not lost])
    assert tables.cpu_seconds(results, "sines", "MAML", "uniform") == without and abs(without - before) < 0.1 * before


def test_a_cost_too_short_to_be_measured_is_no_error():
    results = copy.deepcopy(load("study_long"))
    for run in results["runs"]:
        run["cpu_seconds"] = 0.0
    assert np.isnan(tables.cpu_ratio(results, "sines", "MAML", "power -1 of outer"))


@pytest.mark.parametrize(
    "name", ["uniform", "agreement of outer", "power -1, ridge 0.01 of updates", "coin of gold of outer"]
)
def test_a_weighing_and_its_name(name):
    assert str(Weighing.named(name)) == name


def test_names_that_are_not_known_are_refused_with_those_that_are():
    with pytest.raises(ValueError, match="rule should be one of 'uniform', 'agreement'.*got 'agreemint'"):
        weighting_of("agreemint of outer")
    with pytest.raises(ValueError, match="of outer, of updates, got 'agreement of inner'"):
        weighting_of("agreement of inner")
    with pytest.raises(ValueError, match="rule should say what it compares, of outer or of updates, got 'agreement'"):
        weighting_of("agreement")
    with pytest.raises(ValueError, match="part should be one of 'sines', 'noise'.*got 'sinus'"):
        plan.rules_of(STUDY, "sinus", "MAML")
    with pytest.raises(ValueError, match="learner should be one of 'MAML'.*got 'Meta-SGD'"):
        plan.step_sizes(STUDY, "sines", "Meta-SGD")
    with pytest.raises(ValueError, match="name should be one of 'sine_numpy'.*got 'stuty'"):
        experiment("stuty")
    with pytest.raises(ValueError, match="runs should hold some of sines, Meta-SGD, uniform"):
        cell(load("study_long"), "sines", "Meta-SGD", "uniform")


def test_a_learner_that_the_config_has_and_the_engine_has_not_is_refused():
    """It must not become another one."""
    learners = STUDY["learners"]["sines"]
    config = STUDY | {"learners": {"sines": learners | {"Meta-SGD": learners["MAML"]}}}
    with pytest.raises(
        ValueError, match="learner should be one of 'MAML', 'first-order MAML', 'Reptile', got 'Meta-SGD'"
    ):
        sine_job(config, plan.job("sines", "Meta-SGD", "uniform", 0.001, 0))


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
    assert "+2.50  negative 25%  error diverged" in study_tables.outlier_lines(with_records(results(diverged=gone)))
