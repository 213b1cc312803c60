"""The study's plan is declared and counted; tuning looks at validation alone."""

import pytest

from gaml_utils.experiments.study import grid
from gaml_utils.experiments.study import plan as study
from gaml_utils.experiments.study import sine_training as work
from gaml_utils.experiments.study.grid import HYPOTHESES, STUDY
from gaml_utils.experiments.trainings import key
from tests.support.checkout import ROOT
from tests.support.tiny_study import TINY

PLAN = (ROOT / "data" / "results" / "README.md").read_text(encoding="utf-8")


def finished(jobs, error=lambda job: 0.5):
    return {key(job): job | {"validation_error": error(job)} for job in jobs}


# ---------------------------------------------------------------- the plan


def test_the_grid_is_what_was_asked_for():
    settings = STUDY["settings"]
    assert len({(s["family"], s["share"]) for s in settings.values()}) <= 10
    for s in settings.values():
        assert {"MAML", "Reptile"} <= set(s["learners"]) <= set(grid.SINE_LEARNERS)
        assert {"agreement", "power -1", "cosine"} <= set(s["rules"]) and set(s["sources"]) == {"updates", "outer"}
    assert sum("first-order MAML" in s["learners"] for s in settings.values()) == 2
    assert sum(set(grid.RULES_IN_TWO_SETTINGS) <= set(s["rules"]) for s in settings.values()) == 2
    assert {s["meta_batch"] for s in settings.values() if s["family"] == "sines"} == {5, 10, 25, 50}
    assert {s["share"] for s in settings.values() if s["family"] == "noise"} == {0.2, 0.4}
    assert len(STUDY["seeds"]) >= 10 and len(STUDY["glyph_seeds"]) >= 5


def test_reptile_has_one_source_and_the_others_two():
    assert study.rules_of(STUDY, "sines", "MAML")[:3] == ["uniform", "agreement of updates", "agreement of outer"]
    assert all(rule.endswith(("uniform", "of updates")) for rule in study.rules_of(STUDY, "sines", "Reptile"))
    assert len(study.rules_of(STUDY, "noise", "MAML")) == 13


def test_at_most_twelve_hypotheses_each_about_a_cell_of_the_grid_and_each_in_the_written_plan():
    assert 1 <= len(HYPOTHESES) <= 12
    for name, (part, learner, rule, expected) in HYPOTHESES.items():
        assert rule in study.rules_of(STUDY, part, learner) and learner in STUDY["settings"][part]["learners"]
        assert f"| {name} | {part} | {learner} | {rule} | {expected} |" in PLAN
    assert len(set(HYPOTHESES.values())) == len(HYPOTHESES)


def test_settings_come_one_after_another_first_tuned_then_trained_over_all_seeds():
    first = study.study_jobs(TINY, {})
    assert {job["part"] for job in first} == {"sines"} and {job["seed"] for job in first} == {0}
    assert len(first) == (13 + 13 + 7) * 5
    done = finished(first, lambda job: 0.1 if job["step_size"] in (0.003, 0.3) else 0.5)
    jobs = study.study_jobs(TINY, done)
    second = [job for job in jobs if key(job) not in done]
    assert {job["seed"] for job in second} == {1, 2, 100} and {job["step_size"] for job in second} == {0.003, 0.3}
    assert {job["rule"] for job in second if job["seed"] == 100} == {"uniform"}
    assert len(second) == (13 + 13 + 7) * 2 + 3
    third = study.study_jobs(TINY, done | finished(second))
    assert {job["part"] for job in third} == {"sines", "noise"}


def test_all_of_it_is_planned_in_the_end_and_no_job_twice():
    done = {}
    while todo := [job for job in study.study_jobs(TINY, done) if key(job) not in done]:
        assert len({key(job) for job in todo}) == len(todo)
        done |= finished(todo)
    assert {part for part, *_ in done} == set(STUDY["settings"])
    for part, learner, rule, _ in HYPOTHESES.values():
        wanted = study.seeds(TINY, part)
        assert sorted({k[4] for k in done if k[:3] == (part, learner, rule)}) == wanted


def test_tuning_counts_a_diverged_run_as_the_worst_and_looks_at_tuning_seeds_alone():
    runs = [
        study.job("sines", "MAML", "uniform", size, 0) | {"validation_error": error}
        for size, error in ((0.001, 0.6), (0.003, None), (0.01, 0.7))
    ]
    runs.append(study.job("sines", "MAML", "uniform", 0.01, 5) | {"validation_error": 0.0})
    assert study.tuned(TINY, runs, "sines", "MAML", "uniform") == 0.001


def test_quick_has_the_first_eight_headlines_and_is_smaller_all_over():
    small = grid.quick(STUDY)
    cells = {
        (part, learner, rule)
        for part, s in small["settings"].items()
        for learner in s["learners"]
        for rule in study.rules_of(small, part, learner)
    }
    assert {name for name, (*where, _) in HYPOTHESES.items() if tuple(where) in cells} == {f"H{n}" for n in range(1, 9)}
    assert len(cells) <= 15
    for name, s in small["learners"]["sines"].items():
        whole = STUDY["learners"]["sines"][name]
        assert s["iterations"] == whole["iterations"] // 2 and set(s["step_sizes"]) < set(whole["step_sizes"])


@pytest.mark.parametrize(
    ("config", "iterations"), [(grid.STUDY_RIDGE, 1500), (grid.STUDY_LONG, 6000), (grid.STUDY_LENGTHS, 1500)]
)
def test_follow_ups_are_the_study_with_other_rules_or_a_longer_training(config, iterations):
    jobs = study.study_jobs(config, {})
    assert {j["rule"] for j in jobs} - {"uniform"} == {f"{r} of outer" for r in config["settings"]["sines"]["rules"]}
    assert all(callable(work.weighting_of(j["rule"])[0]) for j in jobs)
    assert config["learners"]["sines"]["MAML"]["iterations"] == iterations
    assert all(config[name] == STUDY[name] for name in ("seeds", "tuning_seeds", "test_tasks"))
