"""The golden batch: one meta-batch and the results that every engine of the series must give (chapter 02)."""

import pathlib

import numpy as np

from gaml_utils.paths import DATA, existing
from gaml_utils.records import MetaResult, TaskBatch

PATH = DATA / "golden_batch" / "golden_batch.npz"


def load_golden_batch(
    path: pathlib.Path = PATH,
) -> tuple[list[np.ndarray], TaskBatch, float, dict[tuple[str, int], MetaResult]]:
    """params, batch, inner_lr and expected[(rule, inner_steps)], float64, of exact MAML with ReLU units.

    params: [W1, b1, ...] of a 1-40-40-1 network. batch: 5 sine tasks, 10 support and 10 query points each.
    rule is "uniform" or "agreement", inner_steps 1 or 3; expected holds MetaResults.
    """
    with np.load(existing(path), allow_pickle=False) as stored:
        arrays = dict(stored)
    count = sum(name.startswith("param_") for name in arrays)
    expected = {}
    for rule in ("uniform", "agreement"):
        for steps in (1, 3):
            prefix = f"{rule}_{steps}"
            gradient = [arrays[f"{prefix}_gradient_{k}"] for k in range(count)]
            expected[rule, steps] = MetaResult(gradient, arrays[f"{prefix}_weights"], arrays[f"{prefix}_query_losses"])
    batch = TaskBatch(*(arrays[name] for name in TaskBatch._fields))
    return [arrays[f"param_{k}"] for k in range(count)], batch, float(arrays["inner_lr"]), expected
