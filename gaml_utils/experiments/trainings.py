"""What tells one training from another, and how the step size of a rule is chosen."""

from typing import Any

import numpy as np


def best_step_size(runs: list[dict], learner: str, rule: str) -> float:
    """The step size whose validation loss, averaged over the seeds, is lowest. A diverged run counts as infinite."""
    losses: dict[float, list] = {}
    for run in runs:
        if (run["part"], run["learner"], run["rule"]) == ("comparison", learner, rule):
            loss = run["validation_mse"]
            losses.setdefault(run["step_size"], []).append(np.inf if loss is None else loss)
    return min(losses, key=lambda step_size: np.mean(losses[step_size]))


def select(runs: list[dict], part: str, learner: str, rule: str, step_size: float, field: str) -> np.ndarray:
    """One field of the runs of one setting, in the order of their seeds: (seeds, ...). NaN where a run diverged."""
    wanted = part, learner, rule, step_size
    rows = [run.get(field) for run in runs if key(run)[:4] == wanted]
    shape = next((np.shape(row) for row in rows if row is not None), ())
    return np.array([np.full(shape, np.nan) if row is None else row for row in rows], dtype=np.float64)


def key(job: dict) -> tuple:
    """What tells one run from another."""
    return job["part"], job["learner"], job["rule"], job["step_size"], job["seed"]


def rounded(values: Any) -> Any:
    """Floats to 6 significant digits, as JSON holds them; what is not finite becomes None."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim:
        return [rounded(v) for v in values]
    return float(f"{values:.6g}") if np.isfinite(values) else None
