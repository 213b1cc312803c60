"""Reading the study: a rule against uniform weights in one cell, and the headlines, corrected together."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from gaml_utils.experiments.records import Results, key
from gaml_utils.experiments.study.grid import HYPOTHESES
from gaml_utils.experiments.study.plan import seeds, tuned
from gaml_utils.experiments.trainings import select
from gaml_utils.intervals import Comparison, holm, paired_comparison

DIVERGED = 100.0  # a test error above it; always 0 has about 4 on sines


class Headline(NamedTuple):
    """One hypothesis of the plan and what came out. comparison, p, corrected: None where a training diverged.

    The comparison's interval is corrected for the number of headlines as well (Bonferroni), so that verdict and
    interval are of one kind.
    """

    name: str
    cell: tuple[str, str, str]
    expected: str
    comparison: Comparison | None
    p: float | None
    corrected: float | None

    @property
    def verdict(self) -> str:
        """In the words of the plan, after Holm's correction at 0.05."""
        if self.comparison is None or self.corrected is None:
            return "diverged"
        if self.corrected >= 0.05:
            return "no difference found"
        return "worse" if self.comparison.difference > 0 else "better"


def cell(results: Results, part: str, learner: str, rule: str, field: str = "test_error") -> np.ndarray:
    """(seeds,): one field at the rule's own step size; NaN where a training diverged, or ended above DIVERGED."""
    config, runs = results["config"], results["runs"]
    size = tuned(config, runs, part, learner, rule)
    wanted = seeds(config, part)
    of_the_study = [run for run in runs if run["seed"] in wanted]
    found, error = (select(of_the_study, part, learner, rule, size, name) for name in (field, "test_error"))
    return np.where(error <= DIVERGED, found, np.nan)  # a training that diverged has no error, but has its seconds


def against_uniform(
    results: Results,
    part: str,
    learner: str,
    rule: str,
    field: str = "test_error",
    other: str = "uniform",
    confidence: float = 0.95,
) -> Comparison | None:
    """The rule less uniform weights (or another rule), over paired seeds; None where one of them diverged."""
    a, b = (cell(results, part, learner, r, field) for r in (rule, other))
    return paired_comparison(a, b, confidence) if np.isfinite(a).all() and np.isfinite(b).all() else None


def verdict(
    results: Results, part: str, learner: str, rule: str, against: str = "uniform", field: str = "test_error"
) -> str:
    """ "better", "worse", "no difference found" or "diverged", of the rule less `against`, over paired seeds.

    A headline of the plan by its corrected p, every other cell by whether its 95% interval leaves out 0.
    """
    if (against, field) == ("uniform", "test_error"):
        for h in headlines(results):
            if h.cell == (part, learner, rule):
                return h.verdict
    comparison = against_uniform(results, part, learner, rule, field, against)
    if comparison is None:
        return "diverged"
    if not comparison.found:
        return "no difference found"
    return "worse" if comparison.difference > 0 else "better"


def headlines(results: Results) -> list[Headline]:
    """Those hypotheses whose cells are among the results, tested together."""
    cells = {key(run)[:3] for run in results["runs"]}
    there = {name: h for name, h in HYPOTHESES.items() if h[:3] in cells}
    found: dict[str, tuple[Comparison, float]] = {}
    for name, (part, learner, rule, _) in there.items():
        comparison = against_uniform(results, part, learner, rule, confidence=1 - 0.05 / len(there))
        if comparison is not None:
            a, b = (cell(results, part, learner, r) for r in (rule, "uniform"))
            found[name] = comparison, float(stats.ttest_rel(a, b).pvalue)
    corrected = dict(zip(found, holm([p for _, p in found.values()]), strict=True))
    told = []
    for name, (part, learner, rule, expected) in there.items():
        comparison, p = found.get(name, (None, None))
        told.append(Headline(name, (part, learner, rule), expected, comparison, p, corrected.get(name)))
    return told


def headline_table(results: Results) -> str:
    """The headlines, two lines each."""
    lines = []
    for h in headlines(results):
        what = "a training diverged" if h.comparison is None else f"{h.comparison}, corrected p {h.corrected:.3f}"
        lines += [f"{h.name:4s}{', '.join(h.cell)}: expected {h.expected}", f"    {what}"]
    return "\n".join(lines)


def sign(h: Headline) -> float:
    """1 where the rule had the larger error, -1 where the smaller; 0 where there is no comparison."""
    return 0.0 if h.comparison is None else float(np.sign(h.comparison.difference))


def same_signs(small: Results, whole: Results) -> str:
    """How many headlines of a small run point the same way, of those the whole study found to differ; in a line."""
    found = {h.name: h for h in headlines(whole)}
    there = [h for h in headlines(small) if h.name in found and None not in (h.comparison, found[h.name].comparison)]
    decided = [h for h in there if found[h.name].verdict in ("better", "worse")]
    other = [h.name for h in decided if sign(h) != sign(found[h.name])]
    line = f"same sign as in the whole study: {len(decided) - len(other)} of {len(decided)}"
    line += "".join(f"; {name} differs" for name in other)
    undecided = ", ".join(h.name for h in there if h not in decided)
    return f"{line}; no difference was found there for {undecided}" if undecided else line
