"""Tables along the dial p (chapter 11)."""

from collections.abc import Mapping, Sequence

import numpy as np

from gaml_utils.experiments.records import Results, Weighing
from gaml_utils.experiments.study.plan import seeds, sources_of, step_sizes, validation_error
from gaml_utils.experiments.study.tables import diverged, effect
from gaml_utils.experiments.trainings import errors_by_step_size

POWERS = {"agreement": 1.0, "power 0.5": 0.5, "uniform": 0.0, "power -0.5": -0.5, "power -1": -1.0}
FIELDS = {"mean": "test_error", "median": "test_median", "worst tenth": "test_worst"}
BLEW_UP = 10  # times the best validation error of uniform weights


def of(rule: str, source: str) -> str:
    """The name of a rule in the study, with what it compares; uniform weights compare nothing."""
    return str(Weighing(rule, None if rule == "uniform" else source))


def tuning(results: Results, part: str, learner: str, rule: str) -> np.ndarray:
    """(sizes,): mean validation error over the tuning seeds at each step size; NaN where one of them diverged."""
    over = seeds(results["config"], part, tuning=True)
    errors = errors_by_step_size(results["runs"], learner, rule, part=part, seeds=over, error=validation_error)
    means = np.array([np.mean(errors[size]) for size in step_sizes(results["config"], part, learner)])
    return np.where(np.isfinite(means), means, np.nan)


def as_text(results: Results, part: str, learner: str, rule: str, field: str = "test_error") -> str:
    """ "-12% [-18, -6]", percent of uniform weights' mean with a 95% interval, or "3 of 10 blew up"."""
    found = effect(results, part, learner, rule, field)
    if found is None:
        return f"{diverged(results, part, learner, rule)} of {len(seeds(results['config'], part))} blew up"
    return f"{found.change:+.0f}% [{found.low:+.0f}, {found.high:+.0f}]"


def aligned(rows: Sequence[Sequence[str]], names: int = 1) -> str:
    """Rows of text as a table: the first columns, the names, to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = ["<" if k < names else ">" for k in range(len(widths))]
    return "\n".join(
        "  ".join(f"{text:{side}{w}}" for text, side, w in zip(row, sides, widths, strict=True)) for row in rows
    )


def tuning_table(results: Results, part: str, learner: str, rules: Mapping[str, str]) -> str:
    """Validation error less that of uniform weights, in percent: at each size, and each rule at its own best."""
    mean = tuning(results, part, learner, "uniform")
    sizes = [f"at {size:g}" for size in step_sizes(results["config"], part, learner)]
    rows = [[f"{part}, {learner}", *sizes, "own best"]]
    for label, rule in rules.items():
        errors = tuning(results, part, learner, rule)
        pairs = [*zip(errors, mean, strict=True), (np.nanmin(errors), np.nanmin(mean))]
        rows.append([label, *(_less(a, b, BLEW_UP * np.nanmin(mean)) for a, b in pairs)])
    return aligned(rows)


def _less(a: float, b: float, limit: float) -> str:
    """a less b in percent, if both are below the limit."""
    if not (a < limit or b < limit):
        return "both blew up"
    return "blew up" if not a < limit else "mean blew up" if not b < limit else f"{100 * (a / b - 1):+.0f}%"


def power_table(results: Results, learner: str, cells: Sequence[tuple[str, str]], columns: Sequence[str]) -> str:
    """Test error less that of uniform weights, in percent. cells: (setting, rule without its source), a row each.

    columns: of each row; a source, for the mean over tasks, or one of FIELDS, for outer gradients (Reptile: updates).
    """
    rows = [[learner, "", *columns]]
    for part, rule in cells:
        sources = [name if name in ("outer", "updates") else sources_of(learner)[0] for name in columns]
        rows.append(
            [
                part,
                rule,
                *(
                    as_text(results, part, learner, of(rule, source), FIELDS.get(name, "test_error"))
                    for name, source in zip(columns, sources, strict=True)
                ),
            ]
        )
    return aligned(rows, names=2)
