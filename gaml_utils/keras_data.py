"""Meta-batches for Keras: tasks as a tf.data.Dataset, and the check of a batch."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from gaml_utils.checks import as_numbers, check_count
from gaml_utils.tasks import TaskBatch


def as_dataset(
    tasks: Any, meta_batch: int = 25, shots: int = 10, queries: int = 10, *, seed: int = 0, dtype: str = "float32",
    learner: Any = None,
) -> tf.data.Dataset:
    """An endless dataset of TaskBatch; batch number n is a pure function of seed and n.

    tasks: anything with sample(rng, tasks, shots, queries) -> TaskBatch. learner: a compiled learner whose number of
    outer steps says which batch comes first, so that a training taken up again goes on with the batches it would
    have had. Raises ValueError if a count is not a whole number of at least 1.
    """
    for name, value in (("meta_batch", meta_batch), ("shots", shots), ("queries", queries)):
        check_count(name, value)

    def batch(step: int) -> TaskBatch:
        sampled = tasks.sample(np.random.default_rng([seed, step]), meta_batch, shots, queries)
        return TaskBatch(*(a.astype(dtype) if a.dtype.kind == "f" else a for a in map(np.asarray, sampled)))

    def batches() -> Iterator[TaskBatch]:
        step = 0 if learner is None else int(learner.optimizer.iterations.numpy())
        while True:
            yield batch(step)
            step += 1

    signature = TaskBatch(*(tf.TensorSpec(a.shape, a.dtype) for a in batch(0)))
    return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(2)


def check_tensors(batch: TaskBatch, dtype: str) -> TaskBatch:
    """The meta-batch as tensors, floats in `dtype`, or a ValueError that names the part at fault.

    In a compiled step shapes are checked when tracing; NaN is found in arrays only, not in tensors to come.
    """
    if not isinstance(batch, tuple | list) or len(batch) != 4:
        raise ValueError(f"batch should be a TaskBatch of four arrays, got {type(batch).__name__}")
    tensors = TaskBatch(*(_tensor(name, a, dtype) for name, a in zip(TaskBatch._fields, batch, strict=True)))
    tasks = tensors.support_x.shape[:1]
    for name, a in tensors._asdict().items():
        if a.shape.rank is None or a.shape.rank < 2 or None in a.shape[:2] or 0 in a.shape[:2]:
            raise ValueError(f"{name} should be (tasks, points, ...), both known and above 0, got {a.shape}")
        if a.shape[:1] != tasks:
            raise ValueError(f"{name} holds {a.shape[0]} tasks, but support_x holds {tasks[0]}")
    for x, y in (("support_x", "support_y"), ("query_x", "query_y")):
        points, found = getattr(tensors, x).shape[1], getattr(tensors, y).shape[1]
        if points != found:
            raise ValueError(f"{y} should hold the {points} points of {x}, got {found}")
    return tensors


def _tensor(name: str, array: Any, dtype: str) -> tf.Tensor:
    if not tf.is_tensor(array):
        array = as_numbers(name, array, "an array (tasks, points, ...)") if _is_float(array) else np.asarray(array)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{name} should be an array of numbers, got dtype {array.dtype}")
    tensor = tf.convert_to_tensor(array)
    if tensor.dtype.is_floating and hasattr(tensor, "numpy") and not np.isfinite(tensor.numpy()).all():
        raise ValueError(f"{name} should hold finite numbers only, got NaN or infinity")
    return tf.cast(tensor, dtype) if tensor.dtype.is_floating else tensor


def _is_float(array: Any) -> bool:
    return getattr(array, "dtype", None) is None or np.asarray(array).dtype.kind == "f"
