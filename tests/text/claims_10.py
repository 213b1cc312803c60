"""What chapter 10 says of the study, and the cells that say so (tests/text/test_study_claims.py)."""

from gaml_utils.experiments.files import load
from gaml_utils.experiments.study import tables as study_tables
from gaml_utils.experiments.study.verdicts import Headline, headlines


def row(h: Headline, results: dict) -> str:
    """A headline as a row of the chapter's table: the guess, the verdict, the change in percent, the corrected p."""
    e = study_tables.in_percent(results, *h.cell[:2], h.comparison)
    p = None if e is None else "< 0.001" if h.corrected < 0.001 else f"{h.corrected:.3f}"
    shown = "a training diverged | " if e is None else f"{e.change:+.0f}% [{e.low:+.0f}, {e.high:+.0f}] | {p}"
    return f"| {h.name} | {', '.join(h.cell)} | {h.expected} | {h.verdict} | {shown} |"


STUDY = load("study")
CLAIMS: list = [(row(h, STUDY), [(*h.cell, h.verdict)]) for h in headlines(STUDY)]
