"""From one task to all tasks of a meta-batch: results side by side, one weight per task, their sum."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf


class TaskResult(NamedTuple):
    """What one task gives back; over a meta-batch, each with a leading task axis.

    direction: like theta, what the outer step should descend for this task alone. update: theta - theta'_i, like
    theta. query_loss: the loss of theta'_i on the query set, (). prediction: theta'_i on the query set.
    """

    direction: list
    update: list
    query_loss: Any
    prediction: Any


def over_tasks(function: Callable, inputs: Any, unrolled: bool) -> Any:
    """function on each task of `inputs` (a nest of tensors with a leading task axis), results stacked likewise.

    Vectorised, one product serves all tasks: best for dense layers. Unrolled, each task has its own nodes: best for
    convolutions, whose gradients do not vectorise. One graph, traced and optimised once, serves every task.
    """
    if not unrolled:
        return tf.vectorized_map(function, inputs)
    tasks = tf.nest.flatten(inputs)[0].shape[0]
    one_task = tf.function(function, autograph=False, experimental_attributes={"_noinline": True})
    results = [one_task(tf.nest.map_structure(lambda a, i=i: a[i], inputs)) for i in range(tasks)]
    return tf.nest.map_structure(lambda *parts: tf.stack(parts), *results)


def task_weights(result: TaskResult, weighting: Callable, source: str = "updates") -> tf.Tensor:
    """One weight a task, (tasks,), from the updates, or from the directions if source is "outer".

    No gradient flows through it. ValueError for another shape.
    """
    w = tf.convert_to_tensor(weighting(flat(result.direction if source == "outer" else result.update)))
    tasks = result.query_loss.shape
    if not w.shape.is_compatible_with(tasks):
        raise ValueError(f"weighting should return one weight a task, shape {tuple(tasks)}, got {tuple(w.shape)}")
    return tf.stop_gradient(tf.cast(tf.ensure_shape(w, tasks), result.query_loss.dtype))


def weighted_direction(result: TaskResult, w: tf.Tensor) -> list:
    """sum_i w_i direction_i, like theta."""
    return [tf.tensordot(tf.cast(w, d.dtype), d, 1) for d in result.direction]


def flat(stacked: list) -> tf.Tensor:
    """(tasks, parameters) of tensors with a leading task axis."""
    return tf.concat([tf.reshape(a, (a.shape[0], -1)) for a in stacked], axis=1)
