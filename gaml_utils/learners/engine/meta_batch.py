"""From one task to all tasks of a meta-batch: results side by side, one weight per task, their sum."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from gaml_utils.learners.engine.functional import dense
from gaml_utils.records import TaskBatch


class Learned(NamedTuple):
    """What one support set leaves behind.

    memory: what answers queries: adapted parameters, prototypes, a memory. update: start minus end of what the inner
    loop moved, a list of tensors; empty where nothing moves. state: the model's non-trainable state, its moving
    statistics being those of the support set.
    """

    memory: Any
    update: list
    state: list


class TaskResult(NamedTuple):
    """What one task gives back; over a meta-batch, each with a leading task axis.

    direction: like the outer variables, what the outer step should descend for this task alone. update: what the inner
    loop moved, theta - theta'_i; the direction where it moves nothing. query_loss: the loss on the query set after
    learning, (). prediction: the answers to the query set. lasting: the model's state that lives on, see variables.
    finite: (), or whether the task is finite, where that is known beforehand.
    """

    direction: list
    update: list
    query_loss: Any
    prediction: Any
    lasting: Any = ()
    finite: Any = ()


def task_result(learner: Any, outer: list, task: TaskBatch, order: Any, state: list) -> TaskResult:
    """One task: learn from its support set, answer its queries, and which way that asks the outer variables to go.

    learner: a MetaLearner. Two tapes: this one, and within it that of the inner steps (Functional.adapt). Finn et al.
    2017 (arXiv:1703.03400), Algorithm 1, line 8; a learner that descends its update takes that instead: Nichol et al.
    2018 (arXiv:1803.02999), Algorithm 2.
    """
    with tf.GradientTape() as tape:
        tape.watch(outer)
        learned = learner.learn(outer, *task[:2], state, order)
        query_loss, prediction = learner.outer_loss(outer, learned, task)
    if learner.descends_update:
        direction = learner.like_outer(learned.update)
    else:
        direction = [dense(g) for g in tape.gradient(query_loss, outer, unconnected_gradients="zero")]
    lasting = learner.functional.variables.lasting_state(learned.state)
    return TaskResult(direction, learned.update or direction, query_loss, prediction, lasting)


def over_tasks(function: Callable, inputs: Any, unrolled: bool) -> Any:
    """function on each task of `inputs` (a nest of tensors with a leading task axis), results stacked likewise.

    Vectorised, one product serves all tasks: best for dense layers. Unrolled, each task has its own nodes: best for
    convolutions, whose gradients do not vectorise, and taken where a layer cannot be vectorised at all, such as a loop
    over time. One graph, traced and optimised once, serves every task.
    """
    if not unrolled:
        log = tf.get_logger()
        level = log.level
        try:
            log.setLevel("CRITICAL")  # it would print the graph that does not vectorise
            return tf.vectorized_map(function, inputs)
        except (ValueError, TypeError, NotImplementedError, tf.errors.OpError):
            pass  # a fault of the function itself is raised again below
        finally:
            log.setLevel(level)
    tasks = tf.nest.flatten(inputs)[0].shape[0]
    # "_noinline": TensorFlow would copy the graph into each call otherwise, and optimise every copy
    one_task = tf.function(function, autograph=False, experimental_attributes={"_noinline": True})
    results = [one_task(tf.nest.map_structure(lambda a, i=i: a[i], inputs)) for i in range(tasks)]
    return tf.nest.map_structure(lambda *parts: tf.stack(parts), *results)


def finite_tasks(result: TaskResult) -> tf.Tensor:
    """Of which tasks everything that enters the outer step is finite, (tasks,)."""
    rows = tf.concat([flat(result.direction), flat(result.update)], axis=1)
    return tf.reduce_all(tf.math.is_finite(rows), axis=1) & tf.math.is_finite(result.query_loss)


def compared(result: TaskResult, source: str) -> tf.Tensor:
    """What a weighting is shown, one row per task: "updates", "outer" directions, or query "losses" as (tasks, 1)."""
    if source == "losses":
        return result.query_loss[:, None]
    return flat(result.direction if source == "outer" else result.update)


def task_weights(rows: tf.Tensor, weighting: Callable, tasks: int, dtype: Any) -> tf.Tensor:
    """One weight per task, (tasks,). No gradient flows through it. ValueError for another shape, or a NumPy rule.

    rows: see `compared`.
    """
    try:
        w = tf.convert_to_tensor(weighting(rows))
    except (NotImplementedError, TypeError, AttributeError) as error:
        if not any(word in str(error) for word in ("ymbolic", "numpy", "NumPy", "Tensor' object")):
            raise
        raise ValueError(
            "weighting should be written for tensors; one written in NumPy serves as weighting=tensor_rule(rule) "
            f"(gaml_utils.weighting). It raised: {str(error).splitlines()[0]}"
        ) from error
    if not w.shape.is_compatible_with((tasks,)):
        raise ValueError(f"weighting should return one weight per task, shape ({tasks},), got {tuple(w.shape)}")
    return tf.stop_gradient(tf.cast(tf.ensure_shape(w, (tasks,)), dtype))


def weighted_direction(result: TaskResult, w: tf.Tensor) -> list:
    """sum_i w_i direction_i, like the outer variables."""
    return [tf.tensordot(tf.cast(w, d.dtype), d, 1) for d in result.direction]


def loss_before(learner: Any, outer: list, task: TaskBatch, state: list) -> tf.Tensor:
    """The outer loss of one task where nothing has been learned, ()."""
    return learner.outer_loss(outer, learner.learn(outer, *task[:2], state, steps=0), task)[0]


def losses_before(learner: Any, batch: TaskBatch) -> tf.Tensor:
    """That loss of each task, (tasks,)."""
    outer = learner.outer()

    def of_one(inputs: tuple) -> tf.Tensor:
        task, number = inputs
        return loss_before(learner, outer, task, learner.functional.state(0, number))

    return over_tasks(of_one, (batch, numbered(batch, learner.workers)), learner.unrolled)


def gradient_before(learner: Any, outer: list, task: TaskBatch, state: list) -> tuple[tf.Tensor, list]:
    """That loss and its gradient, like the outer variables."""
    with tf.GradientTape() as tape:
        tape.watch(outer)
        loss = loss_before(learner, outer, task, state)
    return loss, [dense(g) for g in tape.gradient(loss, outer, unconnected_gradients="zero")]


def with_second_sum(learner: Any, batch: TaskBatch, direction: list) -> list:
    """The direction, and sum_i c_i gradient_before_i where the learner has such second weights c, (tasks,)."""
    tasks, workers = numbered(batch).shape[0], learner.workers
    if learner.second_weights(tf.ones(tasks, learner.variable_dtype)) is None:
        return direction
    outer, step = learner.outer(), learner.optimizer.iterations

    def of_one(inputs: tuple) -> tuple[tf.Tensor, list]:
        task, number = inputs
        return gradient_before(learner, outer, task, learner.functional.state(step, number))

    losses, gradients = over_tasks(of_one, (batch, numbered(batch, workers)), learner.unrolled)
    c = workers.share(learner.second_weights(workers.join(losses)))
    return [d + tf.tensordot(tf.cast(c, g.dtype), g, 1) for d, g in zip(direction, gradients, strict=True)]


def numbered(batch: TaskBatch, workers: Any = None) -> tf.Tensor:
    """0, 1, ..., one number per task; with workers, as the tasks of all of them are numbered."""
    tasks = tf.nest.flatten(batch)[0].shape[0]
    return tf.range(tasks) + (0 if workers is None else workers.index * tasks)


def order_of_all(learner: Any, batch: TaskBatch) -> Any:
    """learner.order of the meta-batch that all workers have together: this worker's share of it."""
    workers = learner.workers
    if workers.alone:
        return learner.order(batch)
    specs = tf.nest.map_structure(lambda a: tf.TensorSpec((workers.count * a.shape[0], *a.shape[1:]), a.dtype), batch)
    return workers.share(learner.order(specs))


def flat(stacked: list) -> tf.Tensor:
    """(tasks, parameters) of tensors with a leading task axis."""
    return tf.concat([tf.reshape(a, (a.shape[0], -1)) for a in stacked], axis=1)
