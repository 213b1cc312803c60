"""The study's tables: every rule of a file is shown, costs are computed one way, and unknown names are refused."""

import copy

import numpy as np
import pytest

from gaml_utils.experiments.files import load
from gaml_utils.experiments.records import SOURCES, Weighing
from gaml_utils.experiments.registry import experiment
from gaml_utils.experiments.study import plan, tables
from gaml_utils.experiments.study.grid import STUDY
from gaml_utils.experiments.study.measures import weighting_of
from gaml_utils.experiments.study.sine_training import sine_job
from gaml_utils.experiments.study.verdicts import cell

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
