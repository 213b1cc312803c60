"""Every sentence with "better", "worse" or "no difference" about the study is tied to cells of its results.

tests/text/claims_10.py, claims_11.py and claims_readme.py each hold CLAIMS: (sentence, cells), a cell being (setting,
learner, rule, verdict) and, where it is not against uniform weights in study.json, a dict of what is different.
Headings, questions and the links to other chapters claim nothing.
"""

import functools
import importlib
import pathlib
import re

import nbformat
import pytest

from gaml_utils.experiments.files import load
from gaml_utils.experiments.learners.tables import verdict as learner_verdict
from gaml_utils.experiments.study.plan import rules_of
from gaml_utils.experiments.study.verdicts import against_uniform, cell, verdict
from tests.support.checkout import ROOT
from tests.text import claims_readme

WORDS = re.compile(r"\b(better|worse|no difference)\b", re.IGNORECASE)
VERDICTS = {"better", "worse", "no difference found", "diverged"}
stored = functools.cache(load)


def chapter(name: str) -> str:
    """Its prose, cell by cell."""
    notebook = nbformat.read(next((ROOT / "notebooks").glob(f"{name}_*.ipynb")), as_version=4)
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def results_section() -> str:
    """README's."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return readme.split("\n## What came out", 1)[1].split("\n## ", 1)[0]


CHAPTERS = sorted(p.stem.removeprefix("claims_") for p in pathlib.Path(__file__).parent.glob("claims_[0-9]*.py"))
TEXTS = {
    **{n: (functools.partial(chapter, n), importlib.import_module(f"tests.text.claims_{n}").CLAIMS) for n in CHAPTERS},
    "README": (results_section, claims_readme.CLAIMS),
}
NEW_BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*|]|\d+\.) ?)")  # a paragraph, a list's item, a table's row
NEW_SENTENCE = re.compile(r"(?<=[.!?])[*_)\"]*\s+(?=[^a-z])")


def folded(text: str) -> str:
    """With every stretch of white space as one blank, and links without their addresses."""
    return " ".join(re.sub(r"\]\([^)]*\)", "]", text).split())


def claiming(text: str) -> list[str]:
    """The sentences with one of the words; headings, questions and the links at a chapter's end left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("#", "[←"))]
    blocks = NEW_BLOCK.split("\n".join(lines))
    sentences = [sentence for block in blocks for sentence in NEW_SENTENCE.split(folded(block))]
    return [s for s in sentences if WORDS.search(s) and not s.rstrip("*_)").endswith("?")]


def test_sentences_that_claim_are_found():
    text = "# A better rule\n\nIs it better? It is worse. See [a](better.md).\n\n- One is better\n- two\n| a | worse |"
    assert claiming(text) == ["It is worse.", "- One is better", "| a | worse |"]
    assert claiming("On sines there is no\ndifference. Good.") == ["On sines there is no difference."]


@pytest.mark.parametrize("name", TEXTS)
def test_every_claim_is_listed_and_every_listed_claim_is_there(name):
    read, claims = TEXTS[name]
    listed = [folded(sentence) for sentence, _ in claims]
    assert [s for s in claiming(read()) if not any(s in claim for claim in listed)] == []  # none is untied
    assert [claim for claim in listed if claim not in folded(read())] == []  # none is out of date


CELLS = [(name, sentence, cell) for name, (_, claims) in TEXTS.items() for sentence, cells in claims for cell in cells]


@pytest.mark.parametrize(
    ("name", "sentence", "cell"), CELLS, ids=[f"{n}-{' '.join(map(str, c[:3]))}" for n, _, c in CELLS]
)
def test_claim_is_what_the_study_found(name, sentence, cell):
    if isinstance(cell[0], tuple):  # of the other learners: ((learner, rule), against (learner, rule), verdict, ...)
        a, b, expected, *different = cell
        options = {"results": "learners_sines"} | (different[0] if different else {})
        assert learner_verdict(stored(options.pop("results")), a, b, **options) == expected
        return
    part, learner, rule, expected, *different = cell
    options = {"results": "study"} | (different[0] if different else {})
    assert expected in VERDICTS
    assert verdict(stored(options.pop("results")), part, learner, rule, **options) == expected


def test_no_claim_is_without_a_cell():
    assert all(cells for _, claims in TEXTS.values() for _, cells in claims)


def test_the_paper_s_rule_is_better_nowhere_and_the_shares_readme_gives_are_the_study_s():
    study = stored("study")
    places = [
        (part, learner)
        for part, s in study["config"]["settings"].items()
        for learner in s["learners"]
        if claims_readme.PAPER in rules_of(study["config"], part, learner)
    ]
    assert "better" not in {verdict(study, *place, claims_readme.PAPER) for place in places} and len(places) == 26
    for part, low, high in (("noise", 0.55, 0.65), ("noise, 40%", 0.0, 0.55)):  # two fifths less, more
        power, mean = (cell(study, part, "MAML", rule).mean() for rule in (claims_readme.POWER, "uniform"))
        assert low < power / mean < high
    alone = against_uniform(stored("study_lengths"), "noise", "MAML", "diagonal -1 of outer")
    whole = against_uniform(study, "noise", "MAML", claims_readme.POWER)
    assert 0.9 < alone.difference / whole.difference < 1  # nearly all of it
    hours = study["wall_seconds"] / 2 / 3600
    assert f"repeats the {len(study['runs']):,} trainings (about {hours:.1f} hours on two cores)" in results_section()
