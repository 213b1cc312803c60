"""Parameters in three forms: a list [W1, b1, ...], one flat vector, and one matrix a layer.

The flat vector lays them end to end, so b follows its W: read as (inputs + 1, outputs), that stretch is the
layer's matrix with the bias as its last row. All forms are views of the same numbers.
"""

import numpy as np


def flatten(arrays: list[np.ndarray], task_axes: int = 0) -> np.ndarray:
    """All entries end to end: (parameters,), or (tasks, parameters) with task_axes=1."""
    return np.concatenate([a.reshape(*a.shape[:task_axes], -1) for a in arrays], axis=task_axes)


def unflatten(flat: np.ndarray, params: list[np.ndarray]) -> list[np.ndarray]:
    """Views of `flat`, (..., parameters), shaped like `params`; its leading axes stay in front."""
    return _split(flat, [p.shape for p in params])


def as_layers(flat: np.ndarray, params: list[np.ndarray]) -> list[np.ndarray]:
    """Views of `flat`, (..., parameters), as one matrix (inputs + 1, outputs) a layer."""
    return _split(flat, [(W.shape[0] + 1, W.shape[1]) for W in params[::2]])


def join_layers(params: list[np.ndarray]) -> list[np.ndarray]:
    """[W1, b1, ...], with or without a task axis, as one matrix (inputs + 1, outputs) a layer."""
    pairs = zip(params[::2], params[1::2], strict=True)
    return [np.concatenate([W, b[..., None, :]], axis=-2) for W, b in pairs]


def _split(flat: np.ndarray, shapes: list[tuple]) -> list[np.ndarray]:
    views, start = [], 0
    for shape in shapes:
        size = shape[0] * shape[-1] if len(shape) == 2 else shape[0]
        views.append(flat[..., start : start + size].reshape(*flat.shape[:-1], *shape))
        start += size
    return views
