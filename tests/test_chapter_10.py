"""What chapter 10 says of the study, in numbers and in words, is in its results (verdicts: test_study_claims.py)."""

import pathlib

import nbformat
import numpy as np
import pytest

from gaml_utils import study_tables
from gaml_utils.experiments import load
from gaml_utils.study_results import cell

ROOT = pathlib.Path(__file__).resolve().parent.parent
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
        {rule: mean("noise", f"{rule} of outer", field) for rule in study_tables.ORDER}
        for field in ("others_weight", "negative_share")
    )
    assert 0.4 < weights["cosine"] < 0.6 and study_tables.effect(STUDY, "noise", "MAML", "cosine of outer").change > 0
    assert 1 / 8 < weights["power -1"] < 1 / 6                       # "a seventh of a uniform weight"
    assert weights["leave one out"] < 0 and 0.4 < negative["leave one out"] < 0.5
    errors = {rule: mean("noise", f"{rule} of outer") for rule in study_tables.ORDER}
    assert max(errors, key=errors.get) == "leave one out"
    gaining = {r for r in errors if errors[r] < mean("noise", "uniform")}
    assert gaining == {r for r in errors if weights[r] < 0.9 and negative[r] < 0.15} == {"power -1", "power -0.5"}
    assert mean("noise", "power -1 of outer") < 1.1 * mean("sines", "uniform")
    assert mean("noise", "uniform") > 1.5 * mean("sines", "uniform")


def test_no_best_step_size_of_uniform_weights_on_numbers_is_at_an_end():
    ends = study_tables.at_an_end(STUDY)
    assert not [end for end in ends if end[2] == "uniform" and "glyphs" not in end[0] and end[0] != "nothing to learn"]
