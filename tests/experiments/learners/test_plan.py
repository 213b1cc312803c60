"""The other learners' plan: counted, equal for all rules of a learner, and chosen by validation alone."""

import math

import pytest

from gaml_utils.experiments.learners import (
    CACTUS,
    HEADLINES,
    IMITATION,
    LEARNERS_GLYPHS,
    LEARNERS_SINES,
    METRIC,
    MUJOCO,
    SEMI_SUPERVISED,
    learner_jobs,
    plan,
)
from gaml_utils.experiments.learners.plan import TOGETHER
from gaml_utils.experiments.trainings import key
from tests.support.checkout import ROOT

PLAN = (ROOT / "data" / "results" / "README.md").read_text(encoding="utf-8")
CONFIGS = {"learners_sines": LEARNERS_SINES, "learners_glyphs": LEARNERS_GLYPHS}
ALL = CONFIGS | {
    "cactus": CACTUS,
    "metric": METRIC,
    "semi_supervised": SEMI_SUPERVISED,
    "imitation": IMITATION,
    "imitation_mujoco": MUJOCO,
}
each_config = pytest.mark.parametrize("name", CONFIGS)


def error(job, best=0.003, inner=0.3):
    """A validation error that is least at these two step sizes."""
    return 1 + abs(math.log(job["step_size"] / best)) + abs(math.log(float(job["part"].split()[1]) / inner))


def whole(config, error):
    """All runs, worked through stage by stage, and how many each stage had."""
    done, counts = {}, []
    while todo := [j for j in learner_jobs(config, done) if key(j) not in done]:
        counts.append(len(todo))
        done |= {key(j): j | {"validation_error": error(j)} for j in todo}
    return done, counts


@pytest.mark.parametrize("name", ALL)
def test_tuning_seeds_are_no_test_seeds(name):
    config = ALL[name]
    groups = [config[f"{which}seeds"] for which in ("", "tuning_", "control_", "headline_")]
    assert len({seed for group in groups for seed in group}) == sum(map(len, groups))
    assert (len(config["tuning_seeds"]), len(config["seeds"])) == ((5, 10) if name == "learners_sines" else (3, 5))


def test_at_most_eight_headlines_each_of_cells_there_are_and_in_the_written_plan():
    assert sorted(name for group in TOGETHER for name in group) == sorted(HEADLINES)
    for group in TOGETHER:
        assert sum(len(HEADLINES[name]) for name in group) <= 8
    for file, headlines in HEADLINES.items():
        for name, (cell, against, _, expected) in headlines.items():
            for learner, rule in (cell, against):
                assert rule in ALL[file]["learners"][learner]["rules"]
            row = next(line for line in PLAN.splitlines() if line.startswith(f"| {name} |"))
            said = [part.strip() for part in row.split("|")[-4:-1]]
            assert said == [", ".join(cell).replace("1, uniform", "1"), ", ".join(against), expected]


@each_config
def test_every_rule_of_a_learner_has_the_same_sizes_and_seeds(name):
    config = CONFIGS[name]
    done, _ = whole(config, error)
    tried = {}
    for run in done.values():
        if run["seed"] in config["tuning_seeds"] and run["part"] in ("inner 0.3", "inner 0.03"):
            tried.setdefault((run["learner"], run["rule"]), set()).add((run["step_size"], run["seed"]))
    for learner, s in config["learners"].items():
        of_rules = [tried[learner, rule] for rule in s["rules"]]
        assert all(sizes == of_rules[0] for sizes in of_rules)


@each_config
def test_the_best_sizes_are_tested_over_all_seeds(name):
    config = CONFIGS[name]
    done, _ = whole(config, error)
    tested = [run for run in done.values() if run["seed"] in config["seeds"]]
    assert {run["step_size"] for run in tested} == {0.003} and {run["part"] for run in tested} == {"inner 0.3"}
    cells = sum(len(s["rules"]) for s in config["learners"].values())
    assert len(tested) == cells * len(config["seeds"])
    more = {(run["learner"], run["rule"]) for run in done.values() if run["seed"] in config["headline_seeds"]}
    assert more == ({("ADML", "uniform"), ("MAML", "uniform")} if name == "learners_glyphs" else set())


def test_a_list_whose_end_wins_is_extended_for_all_cells_of_its_kind():
    assert plan.extended([0.001, 0.003, 0.01], [0.003], plan.OUTER_SIZES) == [0.001, 0.003, 0.01]
    assert plan.extended([0.001, 0.003, 0.01], [0.003, 0.01], plan.OUTER_SIZES) == [0.001, 0.003, 0.01, 0.03]
    assert plan.extended([0.001, 0.003, 0.01], [0.001, 0.01], plan.OUTER_SIZES) == [0.0003, 0.001, 0.003, 0.01, 0.03]
    assert plan.extended([0.0001, 0.0003], [0.0001], plan.OUTER_SIZES) == [0.0001, 0.0003]
    assert plan.extended([0.03, 0.1], [0.1], plan.OUTER_SIZES) == [0.03, 0.1]
    done, _ = whole(LEARNERS_SINES, lambda j: error(j, best=0.0003 if "agreement" in j["rule"] else 0.003))
    sizes = {}
    for run in done.values():
        if run["part"] == "inner 0.3" and run["seed"] in LEARNERS_SINES["tuning_seeds"]:
            sizes.setdefault(run["learner"], set()).add(run["step_size"])
    assert sizes["Meta-SGD"] == {0.0001, 0.0003, 0.001, 0.003, 0.01}
    assert sizes["TAML, Gini, after, 1"] == {0.001, 0.003, 0.01}


def test_taml_and_adml_take_mamls_inner_size_and_wait_for_it():
    first = learner_jobs(LEARNERS_GLYPHS, {})
    assert {job["learner"] for job in first} == {"MAML", "Meta-SGD", "CAML"} and {job["rule"] for job in first} == {
        "uniform"
    }
    done, _ = whole(LEARNERS_GLYPHS, lambda j: error(j, inner=1.0 if j["learner"] == "MAML" else 0.3))
    parts = {name: {r["part"] for r in done.values() if r["learner"] == name} for name in LEARNERS_GLYPHS["learners"]}
    assert parts["ADML"] == parts["TAML, entropy"] == {"inner 1"} and "inner 3" in parts["MAML"]


def test_a_diverged_training_is_no_winner():
    done, _ = whole(LEARNERS_GLYPHS, lambda j: None if j["step_size"] > 0.004 else error(j, best=0.02))
    tested = {run["step_size"] for run in done.values() if run["seed"] in LEARNERS_GLYPHS["seeds"]}
    assert tested == {0.003}


@each_config
def test_controls_are_uniform_weights_on_other_seeds(name):
    done, _ = whole(CONFIGS[name], error)
    control = [run for run in done.values() if run["seed"] in CONFIGS[name]["control_seeds"]]
    assert {run["learner"] for run in control} == {"MAML", "Meta-SGD", "CAML"}
    assert {run["rule"] for run in control} == {"uniform"}


INNER = {"MAML": 1.0, "Reptile": 0.3, "prototypical": 10.0, "Gaussian prototypical": 10.0, "matching": 0.1}


@pytest.mark.parametrize("name", ["cactus", "metric"])
def test_a_temperature_is_chosen_as_an_inner_size_is_and_what_is_given_stays(name):
    config = ALL[name]

    def of_kind(j):
        return error(j, inner=INNER.get(config["learners"][j["learner"]]["kind"], 10.0))

    done, _ = whole(config, of_kind)
    tuned = [run for run in done.values() if run["seed"] in config["tuning_seeds"]]
    for learner, s in config["learners"].items():
        parts = {run["part"] for run in tuned if run["learner"] == learner}
        begins = {"inner_lr": "inner", "temperature": "temperature", "strength": "strength"}[s.get("tuned", "inner_lr")]
        assert {part.split()[0] for part in parts} == {begins}
        assert len(parts) == (len(s["inner"]) if isinstance(s["inner"], list) else 1)
        tested = [run for run in done.values() if run["learner"] == learner and run["seed"] in config["seeds"]]
        assert len(tested) == len(s["rules"]) * len(config["seeds"])
        assert {run["step_size"] for run in tested} == {0.003}
        if isinstance(s["inner"], list):
            assert {float(run["part"].split()[1]) for run in tested} == {INNER[s["kind"]]}


def test_on_clusters_every_cell_has_the_same_three_step_sizes():
    done, _ = whole(CACTUS, lambda j: error(j, inner=1.0 if j["learner"].startswith("MAML") else 10.0))
    tried = {}
    for run in done.values():
        if run["seed"] in CACTUS["tuning_seeds"]:
            tried.setdefault((run["learner"], run["rule"]), set()).add((run["step_size"], run["seed"]))
    assert {len(sizes) for sizes in tried.values()} == {9}
