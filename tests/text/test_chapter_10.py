"""What chapter 10 says of the study, in numbers and in words, is in its results (verdicts: test_study_claims.py)."""

import nbformat
import numpy as np
import pytest

from gaml_utils.experiments.files import load
from gaml_utils.experiments.study import tables as study_tables
from gaml_utils.experiments.study.verdicts import cell
from tests.support.checkout import ROOT

PROSE = "\n\n".join(
    cell.source
    for cell in nbformat.read(ROOT / "notebooks" / "10_when_does_agreement_help.ipynb", as_version=4).cells
    if cell.cell_type == "markdown"
)
STUDY = load("study")
FIELDS = ("test_error", "test_median", "test_worst")


def changes(part: str, learner: str, rule: str) -> list:
    """The effects on mean, median and worst tenth."""
    return [study_tables.effect(STUDY, part, learner, rule, field) for field in FIELDS]


def mean(part: str, rule: str, field: str = "test_error", learner: str = "MAML") -> float:
    """Over the seeds whose training did not diverge."""
    return float(np.nanmean(cell(STUDY, part, learner, rule, field)))


def test_no_gap_is_left():
    assert "TODO" not in PROSE


def test_power_minus_1_serves_the_many_on_sines_and_everyone_with_noise():
    total, median, worst = changes("sines", "MAML", "power -1 of outer")
    assert not total.found and median.found and median.change < 0 and worst.high > 0
    assert all(e.found and e.change < 0 for e in changes("noise", "MAML", "power -1 of outer"))


@pytest.mark.parametrize("source", ["outer", "updates"])
@pytest.mark.parametrize("part", ["sines", "noise"])
def test_agreement_harms_the_median_task_most_and_the_worst_tenth_least(part, source):
    total, median, worst = changes(part, "MAML", f"agreement of {source}")
    assert median.change > total.change > worst.change > 0 and worst.found


def test_what_is_said_of_outliers_and_signs_with_noise():
    weights, negative = (
        {rule: mean("noise", f"{rule} of outer", field) for rule in study_tables.FIRST}
        for field in ("others_weight", "negative_share")
    )
    assert 0.4 < weights["cosine"] < 0.6 and study_tables.effect(STUDY, "noise", "MAML", "cosine of outer").change > 0
    assert 1 / 8 < weights["power -1"] < 1 / 6  # "a seventh of a uniform weight"
    assert weights["leave one out"] < 0 and 0.4 < negative["leave one out"] < 0.5
    errors = {rule: mean("noise", f"{rule} of outer") for rule in study_tables.FIRST}
    assert max(errors, key=errors.get) == "leave one out"
    gaining = {r for r in errors if errors[r] < mean("noise", "uniform")}
    assert gaining == {r for r in errors if weights[r] < 0.9 and negative[r] < 0.15} == {"power -1", "power -0.5"}
    assert mean("noise", "power -1 of outer") < 1.1 * mean("sines", "uniform")
    assert mean("noise", "uniform") > 1.5 * mean("sines", "uniform")


BY_T = ("sines, 5 tasks", "sines, 10 tasks", "sines", "sines, 50 tasks")


def test_what_is_said_of_the_number_of_tasks():
    for learner, rule in (("MAML", "agreement of outer"), ("Reptile", "agreement of updates")):
        means = [mean(part, "uniform", learner=learner) for part in BY_T]
        own = [mean(part, rule, learner=learner) for part in BY_T]
        assert means == sorted(means, reverse=True)
        change = [study_tables.effect(STUDY, part, learner, rule).change for part in BY_T]
        if learner == "MAML":
            assert 30 < change[0] < 36 and 46 < change[1] < 54 and min(change[2:]) > change[1]
            assert own[0] / own[-1] < means[0] / means[-1]  # "agreement gains less"
        else:
            assert [f"{change[0]:.0f}", f"{change[-1]:.0f}"] == ["74", "245"] and change == sorted(change)
            assert [f"{own[0]:.2f}", f"{own[-1]:.2f}"] == ["1.15", "1.78"] and own == sorted(own)
    reptile = [study_tables.effect(STUDY, part, "Reptile", "power -1 of updates") for part in BY_T]
    assert reptile[0].low > 0 and reptile[-1].change < -40
    assert not any(study_tables.effect(STUDY, part, "MAML", "power -1 of outer").found for part in BY_T)


def test_the_share_of_negative_weights_grows_with_the_number_of_tasks():
    shares = [mean(part, "agreement of outer", "negative_share") for part in BY_T]
    assert shares == sorted(shares) and [f"{shares[0]:.0%}", f"{shares[-1]:.0%}"] == ["13%", "29%"]


def test_the_only_gains_of_the_map_are_negative_powers_and_one_where_nothing_is_learnt():
    gains = {
        (part, learner, rule)
        for learner in study_tables.learners_of(STUDY)
        for part in study_tables.settings(STUDY, learner)
        for rule in study_tables.rules_of(STUDY["config"], part, learner)[1:]
        if (e := study_tables.effect(STUDY, part, learner, rule)) is not None and e.found and e.change < 0
    }
    others = {g for g in gains if not g[2].startswith("power -")}
    assert others == {("nothing to learn", "Reptile", "cosine of updates")}
    assert all(rule.endswith("outer") for _, learner, rule in gains if learner == "MAML")
    reptile = {part for part, learner, rule in gains if (learner, rule) == ("Reptile", "power -1 of updates")}
    numbers = {part for part in STUDY["config"]["settings"] if not part.startswith("glyphs")}
    assert numbers - reptile == {"nothing to learn", "sines, 5 tasks"}
    assert study_tables.tally(STUDY, "MAML", "power -1 of updates") == (0, 2, 3, 6)  # "in half of the settings"


def test_the_winners_at_the_end_of_their_list():
    ends = {
        part
        for part, learner, rule, end in study_tables.at_an_end(STUDY)
        if (learner, rule, end) == ("Reptile", "power -1 of updates", "high")
    }
    assert ends == {"shifted phase", "shifted phase, 40%", "two modes", "sines, 50 tasks"}


def test_no_best_step_size_of_uniform_weights_on_numbers_is_at_an_end():
    ends = study_tables.at_an_end(STUDY)
    assert not [end for end in ends if end[2] == "uniform" and "glyphs" not in end[0] and end[0] != "nothing to learn"]
