"""The inner loop in NumPy, for all tasks of a meta-batch at once. Derived in chapter 02.

The loss is each task's mean squared error.
"""

from collections.abc import Callable

import numpy as np

from gaml_utils.checks import check_count, check_positive, check_source
from gaml_utils.records import TaskBatch
from gaml_utils.scratch import mlp
from gaml_utils.scratch.checks import check_batch, check_fit, check_pair, check_params, check_points
from gaml_utils.scratch.parameters import as_layers, flatten, unflatten


def adapt(
    params: list,
    support_x: np.ndarray,
    support_y: np.ndarray,
    inner_lr: float = 0.01,
    steps: int = 1,
    activation: str = "relu",
) -> list[np.ndarray]:
    """The inner loop: theta'_i after `steps` gradient steps on each task's support set.

    support_x, support_y: (tasks, shots, features). Returns a list like params, every array with a leading
    task axis; params itself is unchanged. Finn et al. 2017, Algorithm 1, line 6.
    """
    params = check_params(params)
    support_x, support_y = check_points("support_x", support_x), check_points("support_y", support_y)
    check_pair("support_x", support_x, "support_y", support_y)
    check_fit(params, support_x, support_y)
    check_positive("inner_lr", inner_lr)
    check_count("steps", steps, at_least=0)
    mlp.check_activation(activation)
    theta = flatten(params)
    updates = _inner_loop(theta, params, support_x, support_y, inner_lr, steps, activation)
    return unflatten(theta - updates, params)


def _inner_loop(
    theta: np.ndarray,
    params: list,
    x: np.ndarray,
    y: np.ndarray,
    inner_lr: float,
    steps: int,
    activation: str,
    order: list | None = None,
    seen: Callable | None = None,
) -> np.ndarray:
    """Updates theta - theta'_i, (tasks, parameters). seen(layers, trace) is told where each step starts.

    Nothing of a step is kept here: after 32 steps of 300 tasks that would be most of the memory.
    """
    tasks, updates = np.arange(len(x))[:, None], np.zeros((len(x), theta.size))
    for k in range(steps):
        theta_k = as_layers(theta if k == 0 else theta - updates, params)  # the first step starts shared
        x_k, y_k = (x, y) if order is None else (x[tasks, order[k]], y[tasks, order[k]])
        step = np.empty_like(updates)
        trace = mlp.gradient(theta_k, x_k, y_k, activation, as_layers(step, params))
        if seen is not None:
            seen(theta_k, trace)
        step *= inner_lr
        updates = step if k == 0 else updates + step
    return updates


def _weights(weighting: Callable, updates: np.ndarray) -> np.ndarray:
    try:
        w = np.array(weighting(updates.copy()), dtype=np.float64)  # a rule may write into what it is shown
        if w.shape != updates.shape[:1]:
            raise ValueError(f"weighting should return one weight per task, shape {updates.shape[:1]}, got {w.shape}")
        if not np.isfinite(w).all():
            raise ValueError("weighting should return finite weights, got NaN or infinity")
    except ValueError:
        if not np.isfinite(updates).all():  # not the caller's fault: the inner loop ran away
            raise FloatingPointError("the inner loop diverged: try a smaller inner_lr") from None
        raise
    return w


def _checked(params: list, batch: TaskBatch, inner_lr: float, inner_steps: int, source: str) -> tuple[list, TaskBatch]:
    params, batch = check_params(params), check_batch(batch)
    check_fit(params, *batch)
    check_positive("inner_lr", inner_lr)
    check_count("inner_steps", inner_steps)
    check_source(source)
    return params, batch
