"""Reading runs: one field of those of a cell, and how the step size of a rule is chosen."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from gaml_utils.experiments.records import Run, key


def errors_by_step_size(
    runs: Sequence[Run],
    learner: str,
    rule: str,
    part: str = "comparison",
    seeds: Collection[int] | None = None,
    error: Callable[[Run], float | None] = lambda run: run["validation_mse"],
) -> dict[float, list[float]]:
    """step size -> the validation errors of its runs, over these seeds (all if None); a diverged run is infinite."""
    found: dict[float, list[float]] = {}
    for run in runs:
        if key(run)[:3] == (part, learner, rule) and (seeds is None or run["seed"] in seeds):
            value = error(run)
            found.setdefault(run["step_size"], []).append(np.inf if value is None else value)
    if not found:
        there = sorted({", ".join(key(run)[:3]) for run in runs})
        raise ValueError(f"runs should hold some of {part}, {learner}, {rule}, but are of {'; '.join(there) or 'none'}")
    return found


def best_step_size(runs: Sequence[Run], learner: str, rule: str, **which: Any) -> float:
    """The step size whose validation error, averaged over the seeds, is lowest: see errors_by_step_size."""
    errors = errors_by_step_size(runs, learner, rule, **which)
    return min(errors, key=lambda step_size: np.mean(errors[step_size]))


def select(runs: Sequence[Run], part: str, learner: str, rule: str, step_size: float, field: str) -> np.ndarray:
    """One field of the runs of one setting, in the order of their seeds: (seeds, ...). NaN where a run diverged."""
    wanted = part, learner, rule, step_size
    rows = [run.get(field) for run in runs if key(run)[:4] == wanted]
    shape = next((np.shape(row) for row in rows if row is not None), ())
    return np.array([np.full(shape, np.nan) if row is None else row for row in rows], dtype=np.float64)


def all_done(jobs: Sequence[Mapping], done: Mapping[tuple, Run]) -> bool:
    """Every job is among the finished runs, by their keys."""
    return all(key(job) in done for job in jobs)


def rounded(values: Any) -> Any:
    """Floats to 6 significant digits, as JSON holds them; what is not finite becomes None."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim:
        return [rounded(v) for v in values]
    return float(f"{values:.6g}") if np.isfinite(values) else None
