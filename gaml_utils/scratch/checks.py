"""What Part I's engine can run, and clear errors for what it cannot.

Parameters are the list [W1, b1, ...], data are float64 (tasks, points, features).
"""

from typing import Any

import numpy as np

from gaml_utils.checks import as_numbers
from gaml_utils.records import TaskBatch, as_batch


def check_batch(batch: TaskBatch) -> TaskBatch:
    """The batch as float64 arrays, or a ValueError that names the argument at fault."""
    arrays = TaskBatch(*(check_points(name, a) for name, a in as_batch(batch)._asdict().items()))
    tasks = len(arrays.support_x)
    for name, a in zip(TaskBatch._fields, arrays, strict=True):
        if len(a) != tasks:
            raise ValueError(f"{name} holds {len(a)} tasks, but support_x holds {tasks}")
    for x_name, y_name in (("support_x", "support_y"), ("query_x", "query_y")):
        check_pair(x_name, getattr(arrays, x_name), y_name, getattr(arrays, y_name))
    return arrays


def check_points(name: str, array: Any) -> np.ndarray:
    """The array as float64 (tasks, points, features), all finite."""
    a = as_numbers(name, array, "an array (tasks, points, features)")
    if a.ndim != 3 or 0 in a.shape:
        raise ValueError(f"{name} should be (tasks, points, features), none of them 0, got shape {a.shape}")
    if not np.isfinite(a).all():
        raise ValueError(f"{name} should hold finite numbers only, got NaN or infinity")
    return a


def check_pair(x_name: str, x: np.ndarray, y_name: str, y: np.ndarray) -> None:
    """x and y hold the same tasks and points."""
    if x.shape[:2] != y.shape[:2]:
        raise ValueError(f"{y_name} should hold the tasks and points of {x_name}, {x.shape[:2]}, got {y.shape[:2]}")


def check_params(params: Any) -> list[np.ndarray]:
    """The parameters [W1, b1, ...] as float64 arrays whose layers chain, all finite."""
    if not isinstance(params, list | tuple) or len(params) == 0 or len(params) % 2:
        raise ValueError("params should be a list [W1, b1, W2, b2, ...]")
    params = [as_numbers("params", p, "a list [W1, b1, W2, b2, ...] of arrays") for p in params]
    width = params[0].shape[0] if params[0].ndim else 0
    for k, (W, b) in enumerate(zip(params[::2], params[1::2], strict=True), start=1):
        if W.ndim != 2 or W.shape[0] != width or b.shape != W.shape[1:]:
            raise ValueError(
                f"params should chain: W{k} (inputs, outputs) with {width} inputs and b{k} (outputs,), "
                f"got shapes {W.shape} and {b.shape}"
            )
        width = W.shape[1]
    if not all(np.isfinite(p).all() for p in params):
        raise ValueError("params should hold finite numbers only, got NaN or infinity")
    return params


def check_fit(params: list, support_x: np.ndarray, support_y: np.ndarray, *query: np.ndarray) -> None:
    """The parameters take the features of x to those of y; the query set has the features of the support set."""
    features, outputs = support_x.shape[-1], support_y.shape[-1]
    if (features, outputs) != (params[0].shape[0], params[-1].shape[0]):
        raise ValueError(
            f"params should take the {features} features of support_x to the {outputs} of support_y, "
            f"but take {params[0].shape[0]} to {params[-1].shape[0]}"
        )
    for name, array, expected in zip(("query_x", "query_y"), query, (features, outputs), strict=False):
        if array.shape[-1] != expected:
            like = name.replace("query", "support")
            raise ValueError(f"{name} should have the {expected} features of {like}, got {array.shape[-1]}")
