"""One task's inner loop and outer direction, for any Keras model, and the same for all tasks of a meta-batch.

Parameters are explicit lists of tensors: theta goes in, the adapted theta'_i comes out, and the model's own variables
are never written to. Both tapes of exact MAML live inside the function of one task. Derived in chapter 06.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from gaml_utils.kept_memory import keep_freed_memory
from gaml_utils.layers import leaves
from gaml_utils.tasks import TaskBatch

keep_freed_memory()


class TaskResult(NamedTuple):
    """What one task gives back; over a meta-batch, each with a leading task axis.

    direction: like theta, what the outer step should descend for this task alone. update: theta - theta'_i, like
    theta. query_loss: the loss of theta'_i on the query set, (). prediction: theta'_i on the query set.
    """

    direction: list
    update: list
    query_loss: Any
    prediction: Any


def gradient_descent(theta: list, gradient: list, inner_lr: float) -> list:
    """The inner rule of MAML and Reptile: theta - inner_lr * gradient."""
    return [p - inner_lr * g for p, g in zip(theta, gradient, strict=True)]


class Functional:
    """A Keras model and a loss as functions of (parameters, x): nothing in it is changed by a call.

    In training a layer sees the batch it is given: batch normalisation uses the statistics of that batch.
    """

    def __init__(self, model: keras.Model, loss: Callable, inner_rule: Callable = gradient_descent) -> None:
        self.model, self.loss_function, self.inner_rule = model, loss, inner_rule
        moving = {}
        for layer in leaves(model):
            if isinstance(layer, keras.layers.BatchNormalization):
                moving |= {id(v): layer.momentum for v in (layer.moving_mean, layer.moving_variance)}
        self.momentum = [moving.get(id(v)) for v in model.non_trainable_variables]

    def state(self, step: Any) -> list:
        """The non-trainable state a step starts from; random layers draw anew at each step."""
        values = []
        for v in self.model.non_trainable_variables:
            value = tf.convert_to_tensor(v)
            is_seed = v.path.endswith("seed_generator_state")
            if is_seed:
                step = tf.cast(tf.convert_to_tensor(step), value.dtype)
                value = value + tf.stack([step, tf.zeros_like(step)])   # the second counts draws within a step
            values.append(value)
        return values

    def predict(self, theta: list, x: tf.Tensor, state: list, training: bool = True) -> tuple[tf.Tensor, list]:
        """The outputs and the new non-trainable state (moving statistics, seeds)."""
        return self.model.stateless_call(theta, state, x, training=training)

    def loss(self, theta: list, x: tf.Tensor, y: tf.Tensor, state: list) -> tuple[tf.Tensor, tf.Tensor, list]:
        """The mean loss over the points of one task, the outputs, and the new state."""
        prediction, state = self.predict(theta, x, state)
        return tf.reduce_mean(self.loss_function(y, prediction)), prediction, state

    def adapt(
        self, theta: list, x: tf.Tensor, y: tf.Tensor, state: list, inner_lr: float, steps: int,
        order: tf.Tensor | None = None,
    ) -> tuple[list, list]:
        """theta' after gradient steps on the support set, and the state; order: (steps, points), minibatches."""
        for k in range(steps):
            points = (x, y) if order is None else (tf.gather(x, order[k]), tf.gather(y, order[k]))
            with tf.GradientTape() as tape:
                tape.watch(theta)
                loss, _, state = self.loss(theta, *points, state)
            gradient = tape.gradient(loss, theta, unconnected_gradients="zero")
            theta = self.inner_rule(theta, [dense(g) for g in gradient], inner_lr)
        return theta, state

    def statistics(self, theta: list, x: tf.Tensor, state: list) -> list:
        """The state whose moving statistics are those of the batch x itself."""
        _, after = self.predict(theta, x, state)
        return [old if m is None else (new - m * old) / (1 - m)
                for m, old, new in zip(self.momentum, state, after, strict=True)]  # fmt: skip

    def judge(self, theta: list, task: TaskBatch, state: list, transductive: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Query loss and outputs of adapted parameters, normalised by the support set (or by the query set)."""
        state = self.statistics(theta, task[2] if transductive else task[0], state)
        prediction, _ = self.predict(theta, task[2], state, training=False)
        return tf.reduce_mean(self.loss_function(task[3], prediction)), prediction

    def copy_with(self, theta: list, support_x: tf.Tensor) -> keras.Model:
        """A copy of the model with these parameters and the statistics of this support set."""
        copy = keras.models.clone_model(self.model)
        if not copy.built:
            copy(support_x)
        copy.set_weights(self.model.get_weights())
        for variable, value in zip(copy.trainable_variables, theta, strict=True):
            variable.assign(value)
        state = self.statistics(theta, support_x, self.state(0)) if any(m is not None for m in self.momentum) else []
        for variable, momentum, value in zip(copy.non_trainable_variables, self.momentum, state, strict=False):
            if momentum is not None:
                variable.assign(value)
        return copy


def maml_task(
    functional: Functional, theta: list, task: TaskBatch, state: list, inner_lr: float, steps: int,
    first_order: bool = False,
) -> TaskResult:
    """MAML on one task. Finn et al. 2017 (arXiv:1703.03400), Algorithm 1; exact, or first-order."""
    with tf.GradientTape() as outer:
        outer.watch(theta)
        adapted, state = functional.adapt(theta, *task[:2], state, inner_lr, steps)
        if first_order:
            adapted = [tf.stop_gradient(p) for p in adapted]
            outer.watch(adapted)
        query_loss, prediction, _ = functional.loss(adapted, *task[2:], state)
    direction = outer.gradient(query_loss, adapted if first_order else theta, unconnected_gradients="zero")
    update = [p - q for p, q in zip(theta, adapted, strict=True)]
    return TaskResult([dense(g) for g in direction], update, query_loss, prediction)


def reptile_task(
    functional: Functional, theta: list, task: TaskBatch, state: list, inner_lr: float, steps: int,
    order: tf.Tensor | None = None,
) -> TaskResult:
    """Reptile on one task: its direction is its update. Nichol et al. 2018 (arXiv:1803.02999), Algorithm 2."""
    adapted, state = functional.adapt(theta, *task[:2], state, inner_lr, steps, order)
    update = [p - q for p, q in zip(theta, adapted, strict=True)]
    query_loss, prediction, _ = functional.loss(adapted, *task[2:], state)
    return TaskResult(update, update, query_loss, prediction)


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


def dense(gradient: Any) -> tf.Tensor:
    """An embedding's sparse gradient as a tensor; any other as it is."""
    return tf.convert_to_tensor(gradient)


def convolves(model: keras.Model) -> bool:
    """Is there a layer whose gradient does not vectorise well?"""
    kinds = [type(layer).__name__.lower() for layer in leaves(model)]
    return any("conv" in kind or "pool" in kind for kind in kinds)
