"""What the Keras engine can run, and clear errors for what it cannot."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.checks import as_numbers, check_no_mask, check_positive
from gaml_utils.networks.inspection import leaves
from gaml_utils.records import TaskBatch, Weighted, as_batch

DTYPES = ("float32", "float64")  # of a model; half precision leaves no digits for agreement's scores
REFUSED = {  # what Keras would take and a learner would have to ignore -> what to do instead
    "loss_weights": "there is one loss",
    "weighted_metrics": "metrics take no weights here: use metrics",
    "class_weight": "give each point its weight: gaml_utils.records.Weighted(y, sample_weight) in place of support_y "
    "or query_y",
    "sample_weight": "give it with the labels: gaml_utils.records.Weighted(y, sample_weight) in place of support_y "
    "or query_y",
    "y": "labels stand in the TaskBatch, as support_y and query_y",
    "validation_split": "draw validation tasks of their own: validation_data=as_dataset(..., seed=1), validation_steps",
}


def check_model(model: keras.Model) -> None:
    """Raise ValueError unless the engine can run the model."""
    if not isinstance(model, keras.Model):
        raise ValueError(f"model should be a keras.Model, got {type(model).__name__}")
    if not model.built or not model.trainable_variables:
        raise ValueError("model should be built and have trainable variables: give it an Input, or call it once")
    dtypes = sorted({v.dtype for v in model.trainable_variables})
    for layer in [model, *leaves(model)]:
        if layer.compute_dtype != layer.variable_dtype:
            raise ValueError(
                f"model should compute in the dtype of its variables, but {layer.name} mixes precision: "
                'make it with dtype="float32"'
            )
    if len(dtypes) > 1 or dtypes[0] not in DTYPES:
        raise ValueError(f"model should have trainable variables of one dtype, float32 or float64, got {dtypes}")
    if len(getattr(model, "outputs", None) or [1]) > 1:
        raise ValueError(
            f"model should have one output, got {len(model.outputs)}: join them by keras.layers.Concatenate"
        )
    for x in getattr(model, "inputs", None) or []:
        if "float" in x.dtype and x.dtype != dtypes[0]:
            raise ValueError(f"model should have an Input of dtype {dtypes[0]}, as its variables, got {x.dtype}")


def one_device(method: str, model: keras.Model) -> None:
    """Raise ValueError where tf.distribute would have several replicas take a step; method: who asks.

    Each would draw tasks and weigh them by itself, and nothing would weigh all of them together.
    """
    strategy = tf.distribute.get_strategy() if tf.distribute.has_strategy() else None
    for variable in model.variables:
        strategy = strategy or getattr(variable.value, "distribute_strategy", None)
    if strategy is not None:
        raise ValueError(
            f"{method} should be called outside of {type(strategy).__name__}, with a model made outside of its "
            "scope: a learner weighs the tasks of a meta-batch together, on one device of one process. For several "
            "devices, one process each, see gaml_utils.learners.join_workers"
        )


def output_shape(model: keras.Model) -> tuple:
    """The shape of one point's output; ValueError for a model that does not say it, as one written as a class."""
    shape = getattr(model, "output_shape", None)
    if not isinstance(shape, tuple) or None in shape[1:]:
        raise ValueError(
            f"model should say the shape of its output, but {type(model).__name__} does not: wrap it, "
            "keras.Sequential([keras.Input(shape), model]) or keras.Model(x, model(x))"
        )
    return tuple(shape[1:])


def refuse(method: str, **given: Any) -> None:
    """Raise ValueError for an argument of Keras that is not None and would be ignored."""
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"{method} should be called without {name}: {REFUSED[name]}")


def check_compile(optimizer: Any, loss: Any, metrics: Any) -> list:
    """The metrics as a list; ValueError for what the outer step cannot serve."""
    if getattr(optimizer, "gradient_accumulation_steps", None):
        raise ValueError(
            "optimizer should have no gradient_accumulation_steps: a larger meta_batch adds up more tasks per outer "
            "step, and gaml_utils.learners.task_by_task takes little memory for it"
        )
    if loss is None or isinstance(loss, dict | list | tuple):
        raise ValueError(f"loss should be one loss, a name, a keras.losses.Loss or a function, got {loss!r}")
    if isinstance(metrics, str | keras.metrics.Metric) or callable(metrics):
        return [metrics]
    if isinstance(metrics, dict) or any(isinstance(m, list | tuple | dict) for m in metrics or []):
        raise ValueError("metrics should be a flat list: a learner has one output")
    return list(metrics or [])


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
    moved = {id(v) for v in [*learner.outer_variables, *learner.started_anew]}
    still = [v.path for v in learner.trainable_variables if id(v) not in moved]
    if still:
        raise ValueError(
            f"outer_variables should hold every trainable variable of the learner, but {', '.join(still)} would never "
            "be trained: add it there, or make it trainable=False"
        )


def unpacked(data: Any) -> Any:
    """The meta-batch in what Keras hands over: itself, or (batch,), or (batch, None, None)."""
    if isinstance(data, tuple) and not hasattr(data, "_fields") and all(part is None for part in data[1:]):
        return data[0]
    return data


def check_tensors(batch: TaskBatch, dtype: str) -> TaskBatch:
    """The meta-batch as tensors, floats in `dtype`, or a ValueError that names the part at fault.

    A part is an array; of x also a tuple or dict of arrays, of y also Weighted. In a compiled step shapes are checked
    when tracing; NaN is found in arrays only, not in tensors to come.
    """
    parts = as_batch(unpacked(batch))._asdict()
    tensors = TaskBatch(*(_tensors(name, part, dtype) for name, part in parts.items()))
    first = tf.nest.flatten(tensors)[0]
    for x_name, y_name in (("support_x", "support_y"), ("query_x", "query_y")):
        points = tf.nest.flatten(getattr(tensors, x_name))[0].shape[1:2]
        for name in (x_name, y_name):
            for a in tf.nest.flatten(getattr(tensors, name)):
                if a.shape.rank is None or a.shape.rank < 2 or None in a.shape[:2] or 0 in a.shape[:2]:
                    raise ValueError(f"{name} should be (tasks, points, ...), both known and above 0, got {a.shape}")
                if a.shape[0] != first.shape[0]:
                    raise ValueError(f"{name} holds {a.shape[0]} tasks, but support_x holds {first.shape[0]}")
                if a.shape[1:2] != points:
                    raise ValueError(f"{name} should hold the {points[0]} points of {x_name}, got {a.shape[1]}")
        y = getattr(tensors, y_name)
        if isinstance(y, Weighted) and y.sample_weight.shape.rank != 2:
            raise ValueError(f"sample_weight of {y_name} should be (tasks, points), got {y.sample_weight.shape}")
    return tensors


def one_set(name: str, part: Any, dtype: str) -> Any:
    """The points of one task, (points, ...), as tensors; a tuple or dict of arrays where there are several inputs."""
    tensors = _tensors(name, part, dtype)
    sizes = [a.shape[0] if a.shape.rank else 0 for a in tf.nest.flatten(tensors)]
    if len(set(sizes)) > 1 or 0 in sizes:
        raise ValueError(f"{name} should be (points, ...), without a task axis, at least one point, got {sizes} points")
    return tensors


def one_task(support_x: Any, support_y: Any, dtype: str) -> tuple[Any, Any]:
    """The support set of one task as tensors, no task axis, or a ValueError that names the part at fault."""
    x, y = one_set("support_x", support_x, dtype), one_set("support_y", support_y, dtype)
    batch = tf.nest.map_structure(lambda a: a[None], (x, y))
    return tf.nest.map_structure(lambda a: a[0], tuple(check_tensors(TaskBatch(*batch, *batch), dtype)[:2]))


def _tensors(name: str, part: Any, dtype: str) -> Any:
    """One part of a batch: a tensor, or a structure of them."""
    if name.endswith("y"):
        if isinstance(part, Weighted):
            weight = tf.cast(_tensor(f"sample_weight of {name}", part.sample_weight, dtype), dtype)
            return Weighted(_tensor(name, part.y, dtype), weight)
        return _tensor(name, part, dtype)
    if isinstance(part, dict):
        return {key: _tensor(f"{name}[{key!r}]", a, dtype) for key, a in part.items()}
    if isinstance(part, tuple) and part and all(hasattr(a, "shape") for a in part):
        return tuple(_tensor(f"{name}[{k}]", a, dtype) for k, a in enumerate(part))
    return _tensor(name, part, dtype)


def _tensor(name: str, array: Any, dtype: str) -> tf.Tensor:
    if isinstance(array, tf.RaggedTensor | tf.SparseTensor):
        raise ValueError(
            f"{name} should be a dense array: let every task of a meta-batch have as many points, or pad them and give "
            "the padding weight 0 (gaml_utils.records.Weighted)"
        )
    if not tf.is_tensor(array):
        check_no_mask(name, array)
        array = as_numbers(name, array, "an array (tasks, points, ...)") if _is_float(array) else np.asarray(array)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{name} should be an array of numbers, got dtype {array.dtype}")
    tensor = tf.convert_to_tensor(array)
    if not (tensor.dtype.is_floating or tensor.dtype.is_integer or tensor.dtype.is_bool):
        raise ValueError(f"{name} should be an array of numbers, got dtype {tensor.dtype.name}")
    if tensor.dtype.is_floating and hasattr(tensor, "numpy") and not np.isfinite(tensor.numpy()).all():
        raise ValueError(f"{name} should hold finite numbers only, got NaN or infinity")
    return tf.cast(tensor, dtype) if tensor.dtype.is_floating else tensor


def _is_float(array: Any) -> bool:
    return getattr(array, "dtype", None) is None or np.asarray(array).dtype.kind == "f"
