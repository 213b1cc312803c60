"""What the Keras engine can run, and clear errors for what it cannot."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.checks import as_numbers, check_positive
from gaml_utils.networks.inspection import leaves
from gaml_utils.records import TaskBatch, as_batch


def check_model(model: keras.Model) -> None:
    """Raise ValueError unless the engine can run the model."""
    if not isinstance(model, keras.Model):
        raise ValueError(f"model should be a keras.Model, got {type(model).__name__}")
    if not model.built or not model.trainable_variables:
        raise ValueError("model should be built and have trainable variables: give it an Input, or call it once")
    for layer in [model, *leaves(model)]:
        if layer.compute_dtype != layer.variable_dtype:
            raise ValueError(f"model should compute in the dtype of its variables, but {layer.name} mixes precision")
    dtypes = sorted({v.dtype for v in model.trainable_variables})
    if len(dtypes) > 1:
        raise ValueError(f"model should have trainable variables of one dtype, got {dtypes}")
    inputs = getattr(model, "inputs", None) or []
    if len(inputs) > 1:
        raise ValueError(f"model should have one input, got {len(inputs)}")
    if inputs and "float" in inputs[0].dtype and inputs[0].dtype != dtypes[0]:
        raise ValueError(f"model should have an Input of dtype {dtypes[0]}, as its variables, got {inputs[0].dtype}")


def check_rates(inner_lr: Any, variables: list) -> Any:
    """The inner step size: a number above 0, given back; or a list, one for each variable, as a tuple.

    Each entry of the list is a number, or an array of the variable's shape.
    """
    if not isinstance(inner_lr, list | tuple):
        return check_positive("inner_lr", inner_lr)
    if len(inner_lr) != len(variables):
        paths = ", ".join(v.path for v in variables)
        raise ValueError(f"inner_lr should be a number or a list of {len(variables)}, for {paths}, got {len(inner_lr)}")
    rates = tuple(as_numbers("inner_lr", rate, "a number, or a list of numbers and arrays") for rate in inner_lr)
    for rate, v in zip(rates, variables, strict=True):
        if rate.shape not in ((), tuple(v.shape)) or not (np.isfinite(rate) & (rate > 0)).all():
            raise ValueError(f"inner_lr for {v.path} should be finite and above 0, () or {tuple(v.shape)}, got {rate}")
    return tuple(float(rate) if rate.ndim == 0 else rate for rate in rates)


def check_outer_variables(learner: keras.Model) -> None:
    """Raise ValueError if a trainable variable of the learner is not among its outer_variables."""
    moved = {id(v) for v in learner.outer_variables}
    still = [v.path for v in learner.trainable_variables if id(v) not in moved]
    if still:
        raise ValueError(
            f"outer_variables should hold every trainable variable of the learner, but {', '.join(still)} would never "
            "be trained: add it there, or make it trainable=False"
        )


def check_tensors(batch: TaskBatch, dtype: str) -> TaskBatch:
    """The meta-batch as tensors, floats in `dtype`, or a ValueError that names the part at fault.

    In a compiled step shapes are checked when tracing; NaN is found in arrays only, not in tensors to come.
    """
    tensors = TaskBatch(*(_tensor(name, a, dtype) for name, a in as_batch(batch)._asdict().items()))
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
