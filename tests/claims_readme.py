"""What README says of the study, and the cells that say so (tests/test_study_claims.py)."""

from gaml_utils.experiments import load
from gaml_utils.study_results import Headline, cell, headlines


def row(h: Headline, results: dict) -> str:
    """A headline as a row of README's table: the guess, the verdict, and what both rules came to."""
    part, learner, rule = h.cell
    uniform, mine = (cell(results, part, learner, r).mean() for r in ("uniform", rule))
    c = h.comparison
    found = "diverged" if c is None else f"{c.difference:+.3f} [{c.low:+.3f}, {c.high:+.3f}]"
    return f"| {part} | {learner} | {rule} | {h.expected} | {h.verdict} | {uniform:.3f} | {mine:.3f} | {found} |"


STUDY = load("study")
CLAIMS: list = [(row(h, STUDY), [(*h.cell, h.verdict)]) for h in headlines(STUDY)]
