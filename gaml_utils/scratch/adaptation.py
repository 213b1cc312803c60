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
    theta, losses = flatten(params), []

    def judge(layers: list, _: mlp.Trace | None) -> None:
        error = mlp.forward(layers, batch.query_x, activation)[-1] - batch.query_y
        losses.append(np.mean(error**2, axis=(1, 2)))

    updates = _inner_loop(theta, params, *batch[:2], inner_lr, steps, activation, seen=judge)  # after 0, 1, ...
    judge(as_layers(theta - updates, params), None)  # and after the last
    return np.stack(losses, axis=1)
