"""The numbers that chapters 10, 11 and README give of the three runs that were asked for after the study."""

import re

import pytest

from gaml_utils.experiments.files import load
from gaml_utils.experiments.study.plan import seeds
from gaml_utils.experiments.study.tables import effect
from gaml_utils.experiments.study.verdicts import cell
from tests.support.checkout import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
QUIET, H2, REPTILE = (load(f"study_{name}") for name in ("quiet", "h2", "reptile"))


def shown(results, part, learner, rule, ends=True):
    e = effect(results, part, learner, rule)
    return f"{e.change:+.0f}%" + (f" [{e.low:+.0f}, {e.high:+.0f}]" if ends else "")


@pytest.mark.parametrize(
    "text",
    [
        f"comes to {shown(QUIET, 'noise', 'MAML', 'clipped of outer', ends=False)} where `power_weights(-1)` comes to "
        f"{shown(QUIET, 'noise', 'MAML', 'power -1 of outer', ends=False)}",
        f"{shown(QUIET, 'quiet noise', 'MAML', 'power -1 of outer')} with a fifth of them, "
        f"{shown(QUIET, 'quiet noise, 40%', 'MAML', 'power -1 of outer')} with two fifths",
        f"({shown(QUIET, 'quiet noise', 'MAML', 'clipped of outer', ends=False)} and "
        f"{shown(QUIET, 'quiet noise, 40%', 'MAML', 'clipped of outer', ends=False)})",
        f"and {shown(H2, 'sines', 'MAML', 'agreement of outer')} at the next one (`study_h2`)",
    ],
)
def test_readme_has_the_numbers_of_the_files(text):
    assert text in README


def test_the_tuning_seeds_are_apart_from_the_test_seeds():
    for results in (QUIET, REPTILE):
        for part in results["config"]["settings"]:
            tuning = seeds(results["config"], part, tuning=True)
            assert len(tuning) == 5 and not set(tuning) & set(seeds(results["config"], part))


def test_power_minus_one_is_within_the_margin_of_neither_side_where_noise_is_quiet():
    for part in ("quiet noise", "quiet noise, 40%"):
        assert effect(QUIET, part, "MAML", "power -1 of outer").low > 5  # the margin of the plan, in percent


def test_the_worst_tenth_of_two_modes_is_as_readme_has_it():
    e = effect(load("study"), "two modes", "MAML", "power -1 of outer", "test_worst")
    assert f"it loses {e.change:.0f}% [{e.low:+.0f}, {e.high:+.0f}]" in README


def test_the_two_gaps_of_reptile_and_what_differs():
    text = re.search(r"Why is Reptile's gap here.*?measured\.", README).group()
    long, short = load("sine_numpy")["config"]["learners"]["Reptile"], load("study")["config"]
    of_study = short["learners"]["sines"]["Reptile"]
    for number in (long["iterations"], of_study["iterations"], long["meta_batch"], long["sizes"][1]):
        assert f"{number:,}" in text
    assert str(short["settings"]["sines"]["meta_batch"]) in text and str(of_study["sizes"][1]) in text
    assert shown(load("study"), "sines", "Reptile", "agreement of updates", ends=False).strip("+") in text


def test_chapters_name_the_memory_that_readme_does():
    for row in re.findall(r"(?m)^\| \[(\d\d)\. .*?\| \d+ \| \d+ s \| (\d+) MB", README):
        chapter = next((ROOT / "notebooks").glob(f"{row[0]}_*.ipynb")).read_text(encoding="utf-8")
        named = int(re.search(r"(\d+) MB of memory", chapter).group(1))
        assert abs(named - int(row[1])) <= 50, row  # a step of README's rounding


def test_quiet_outliers_are_heard_as_chapter_10_says():
    chapter = next((ROOT / "notebooks").glob("10_*.ipynb")).read_text(encoding="utf-8")
    weight = cell(QUIET, "quiet noise", "MAML", "power -1 of outer", "others_weight").mean()
    assert f"each has {weight:.2f} times the uniform weight" in chapter
