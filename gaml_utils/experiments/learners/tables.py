"""Reading the other learners' results: cells, comparisons, the headlines, and tables made to be printed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from gaml_utils.checks import known
from gaml_utils.experiments.learners.plan import ATTACKED, HEADLINES, TOGETHER, UNIFORM
from gaml_utils.experiments.learners.settings import Cell
from gaml_utils.experiments.records import Results
from gaml_utils.experiments.study.tables import Effect
from gaml_utils.experiments.study.verdicts import DIVERGED
from gaml_utils.intervals import Comparison, holm, mean_interval, paired_comparison

MARGIN = 0.05  # of the other side's mean error: within it there is "no difference"
POINTS = 0.02  # the same on images, in accuracy


def cell(
    results: Results, learner: str, rule: str = UNIFORM, field: str = "test_error", more: bool = False
) -> np.ndarray:
    """(seeds,): one field of a cell's test runs, at its own step sizes; NaN where a training diverged.

    Of several values, an attack's at each epsilon, the first. more: with the seeds that headlines have besides.
    Raises ValueError, with what there is, for a cell or a field that is not there.
    """
    config: Any = results["config"]
    of_learner = known("learner", learner, config["learners"])
    known("rule", rule, dict.fromkeys(of_learner["rules"]))
    seeds = config["seeds"] + (config["headline_seeds"] if more else [])
    runs = {r["seed"]: r for r in results["runs"] if (r["learner"], r["rule"]) == (learner, rule)}
    found = [np.ravel(np.nan if runs[s].get(field) is None else runs[s][field])[0] for s in seeds]
    ended = [runs[s] for s in seeds if "test_error" in runs[s]]
    if ended and field not in ended[0]:
        raise ValueError(f"field should be one of {', '.join(map(repr, ended[0]))}, got {field!r}")
    blown = [runs[s].get("test_error") is None or runs[s]["test_error"] > DIVERGED for s in seeds]
    return np.where(blown, np.nan, np.array(found, dtype=np.float64))


def accuracies_under_attack(results: Results, learner: str, side: str) -> np.ndarray:
    """(seeds, 1 + epsilons): accuracy of a learner with uniform weights, clean and at each epsilon of the plan.

    side: what is attacked, "support" or "query". Raises ValueError for a learner that was not tested under attack.
    """
    known("side", side, dict.fromkeys(["support", "query"]))
    known("learner", learner, dict.fromkeys(ATTACKED))
    seeds = results["config"]["seeds"]
    runs = {r["seed"]: r for r in results["runs"] if (r["learner"], r["rule"]) == (learner, UNIFORM)}
    return np.array([[1 - runs[s]["test_error"], *(1 - e for e in runs[s][f"{side}_attacked"])] for s in seeds])


def step_sizes(results: Results, learner: str, rule: str = UNIFORM) -> tuple[float, float]:
    """(inner, outer) step size that a cell was tested at."""
    tested = results["config"]["seeds"][0]
    run = next(r for r in results["runs"] if (r["learner"], r["rule"], r["seed"]) == (learner, rule, tested))
    return float(run["part"].split()[1]), run["step_size"]


def against(
    results: Results, a: Cell, b: Cell, field: str = "test_error", confidence: float = 0.95, more: bool = False
) -> Comparison | None:
    """Cell a less cell b over paired seeds; None where a training diverged."""
    first, second = cell(results, *a, field, more), cell(results, *b, field, more)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return None
    return paired_comparison(first, second, confidence)


def change(results: Results, a: Cell, b: Cell, field: str = "test_error") -> Effect | None:
    """The same in percent of b's mean, with a 95% interval."""
    found = against(results, a, b, field)
    if found is None:
        return None
    percent = 100 / cell(results, *b, field).mean()
    return Effect(*(percent * value for value in (found.difference, found.low, found.high)))


def verdict(results: Results, a: Cell, b: Cell, field: str = "test_error") -> str:
    """ "better", "worse", "no difference found" or "diverged", of a less b, by the 95% interval: exploratory.

    Of a headline what the plan's test says, "no difference" and "undecided" among it.
    """
    for name, (*sides, of, _) in HEADLINES[results["experiment"]].items():
        if (tuple(sides), of) == ((a, b), field):
            return next(h.verdict for h in headlines(results) if h.name == name)
    found = against(results, a, b, field)
    if found is None:
        return "diverged"
    if not found.found:
        return "no difference found"
    return "worse" if found.difference > 0 else "better"


class Headline(NamedTuple):
    """A hypothesis of the plan and what came out. The interval is corrected for the number of headlines too."""

    name: str
    cells: tuple[Cell, Cell]
    expected: str
    comparison: Comparison | None
    corrected: float | None  # p, by Holm's method
    within: bool  # the 90% interval lies within the margin

    @property
    def verdict(self) -> str:
        """In the words of the plan."""
        if self.comparison is None or self.corrected is None:
            return "diverged"
        if self.corrected < 0.05:
            return "worse" if self.comparison.difference > 0 else "better"
        return "no difference" if self.within else "undecided"


def headlines(*files: Results) -> list[Headline]:
    """The headlines of these files, corrected for the number of all that are planned together with them."""
    names = next(group for group in TOGETHER if files[0]["experiment"] in group)
    planned = sum(len(HEADLINES[name]) for name in names)
    found, p_values = [], []
    for results in files:
        for name, (a, b, field, expected) in HEADLINES[results["experiment"]].items():
            sides = cell(results, *a, field, True), cell(results, *b, field, True)
            comparison = against(results, a, b, field, 1 - 0.05 / planned, True)
            narrow = against(results, a, b, field, 0.9, True)
            on_numbers = "sines" in results["experiment"]
            margin = MARGIN * sides[1].mean() if on_numbers else POINTS
            within = narrow is not None and -margin < narrow.low and narrow.high < margin
            found.append(Headline(name, (a, b), expected, comparison, None, within))
            p_values.append(1.0 if comparison is None else float(stats.ttest_rel(*sides).pvalue))
    corrected = holm([*p_values, *[1.0] * (planned - len(p_values))])
    return [h._replace(corrected=c) for h, c in zip(found, corrected, strict=False)]


def headline_table(*files: Results) -> str:
    """The headlines, three lines each."""
    lines = []
    for h in headlines(*files):
        a, b = (", ".join(side) for side in h.cells)
        lines.append(f"{h.name}  {a} against {b}")
        lines.append(f"    expected {h.expected}, found {h.verdict}")
        lines.append(f"    {h.comparison}; corrected p {h.corrected:.3f}")
    return "\n".join(lines)


def learner_table(results: Results, learners: Sequence[str], field: str = "test_error") -> str:
    """Learner x rule, a column a learner: the error of uniform weights, then each rule in percent of it.

    With 95% intervals, not corrected; a star where 0 is left out. Empty where a learner was not tried with a rule.
    """
    tried = {name: results["config"]["learners"][name]["rules"] for name in learners}
    rows = [["", *learners]]
    for rule in dict.fromkeys(rule for rules in tried.values() for rule in rules):
        row = [rule]
        for name in learners:
            if rule not in tried[name]:
                row.append("")
            elif rule == UNIFORM:
                mean, low, high = (float(v) for v in mean_interval(cell(results, name, field=field)))
                row.append(f"{mean:.3f} [{low:.3f}, {high:.3f}]")
            else:
                row.append(str(change(results, (name, rule), (name, UNIFORM), field) or "diverged").strip())
        rows.append(row)
    return aligned(rows)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text as columns: the first to the left, the others to the right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = [[row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))] for row in rows]
    return "\n".join("  ".join(line).rstrip() for line in lines)
