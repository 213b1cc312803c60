"""What is recorded of a training of the study: errors of its test tasks, and what the weights did."""

from collections.abc import Callable

import numpy as np

from gaml_utils.checks import known
from gaml_utils.experiments.records import SOURCES, Weighing
from gaml_utils.experiments.trainings import rounded
from gaml_utils.weighting.names import RULES


def weighting_of(name: str) -> tuple[Callable, str]:
    """ "agreement of outer" -> (agreement_weights, "outer"); of uniform weights "updates", which they do not look at.

    Raises ValueError, with the known rules, for another name, and for a rule that does not say what it compares.
    """
    weighing = Weighing.named(name)
    rule = known("rule", weighing.rule, RULES)
    if weighing.source is None and weighing.rule != "uniform":
        raise ValueError(f"rule should say what it compares, {' or '.join(f'of {s}' for s in SOURCES)}, got {name!r}")
    return rule, weighing.source or "updates"


def error_summary(errors: np.ndarray) -> dict:
    """errors: (tasks,). Its mean and median, and the mean over the worst tenth: who is left behind."""
    worst = np.sort(errors)[-max(1, len(errors) // 10) :]
    return {
        "test_error": rounded(errors.mean()),
        "test_median": rounded(np.median(errors)),
        "test_worst": rounded(worst.mean()),
    }


def weight_record(weights: np.ndarray, others: int) -> dict:
    """weights: (outer steps, tasks). Of the second half of a training: negative share, effective tasks, the others.

    others: how many of the last tasks are not of the family; their mean weight is given times T, so 1 is uniform.
    """
    late = weights[len(weights) // 2 :]
    outliers = late[:, late.shape[1] - others :].mean() * late.shape[1] if others else None
    return {
        "negative_share": rounded((late < 0).mean()),
        "effective_tasks": rounded((1 / (late**2).sum(1)).mean()),
        "others_weight": None if outliers is None else rounded(outliers),
    }
