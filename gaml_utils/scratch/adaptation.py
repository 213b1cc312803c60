"""How good is an initialisation? Losses after 0, 1, 2, ... inner steps (chapter 02)."""

import numpy as np

from gaml_utils.checks import check_count, check_positive
from gaml_utils.records import TaskBatch
from gaml_utils.scratch import mlp
from gaml_utils.scratch.checks import check_batch, check_fit, check_params
from gaml_utils.scratch.inner_loop import _inner_loop
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
    theta = flatten(params)
    updates, path = _inner_loop(theta, params, *batch[:2], inner_lr, steps, activation)
    adapted = [layers for layers, _ in path] + [as_layers(theta - updates, params)]  # after 0, 1, ..., steps
    errors = [mlp.forward(layers, batch.query_x, activation)[-1] - batch.query_y for layers in adapted]
    return np.stack([np.mean(error**2, axis=(1, 2)) for error in errors], axis=1)
