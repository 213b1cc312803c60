"""How good is an initialisation? Losses after 0, 1, 2, ... inner steps (chapter 02)."""

import numpy as np

from gaml_utils.checks import check_count, check_positive
from gaml_utils.records import TaskBatch
from gaml_utils.scratch import mlp
from gaml_utils.scratch.checks import check_batch, check_fit, check_params
from gaml_utils.scratch.parameters import as_layers, flatten


def adaptation_curve(
    params: list, batch: TaskBatch, inner_lr: float = 0.01, steps: int = 10, activation: str = "relu"
) -> np.ndarray:
    """Each task's query loss after 0, 1, ..., `steps` gradient steps on its support set.

    params: [W1, b1, ...]. batch: TaskBatch of (tasks, points, features), fresh tasks.
    Returns (tasks, steps + 1). Raises ValueError as scratch.adapt does.
    """
    params, batch = check_params(params), check_batch(batch)
    check_fit(params, *batch)
    check_positive("inner_lr", inner_lr)
    check_count("steps", steps, at_least=0)
    fast = np.tile(flatten(params), (len(batch.support_x), 1))
    step = np.empty_like(fast)
    curve = []
    for k in range(steps + 1):
        layers = as_layers(fast, params)
        error = mlp.forward(layers, batch.query_x, activation)[-1] - batch.query_y
        curve.append(np.mean(error**2, axis=(1, 2)))
        if k < steps:
            mlp.gradient(layers, batch.support_x, batch.support_y, activation, as_layers(step, params))
            fast -= inner_lr * step
    return np.stack(curve, axis=1)
