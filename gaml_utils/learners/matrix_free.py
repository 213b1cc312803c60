"""Gradient agreement without the tasks' gradients side by side: memory for a few gradients, however many tasks.

Agreement's scores s_i = g_i . sum_j g_j need the sum of the updates, not the updates. So the tasks come one after the
other, three times: for the sum, for the scores, and for the weighted direction. A score is a derivative along the sum,
hence forward-mode differentiation gives it without a gradient: with g_i = inner_lr sum_k grad L_i(theta_k), theta_k
where inner step k starts, s_i is inner_lr times the sum of the Jacobian-vector products of L_i at theta_k.

    meta_gradient = task_by_task(learner)      # a compiled learner with agreement_weights
    result = meta_gradient(batch)              # the MetaResult of learner.meta_gradient(batch)

It takes longer: MAML pays two more inner loops per task, and no product serves all tasks at once.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gaml_utils.learners.base import MetaLearner
from gaml_utils.learners.engine.checks import check_tensors
from gaml_utils.learners.engine.functional import Functional, chosen, gradient_descent
from gaml_utils.learners.engine.meta_batch import TaskResult, gradient_before, numbered, task_result
from gaml_utils.records import MetaResult, TaskBatch
from gaml_utils.weighting.agreement import agreement_weights
from gaml_utils.weighting.arrays import normalised
from gaml_utils.weighting.powers import power_weights


def task_by_task(learner: MetaLearner) -> Callable[[TaskBatch], MetaResult]:
    """learner.meta_gradient for a learner with agreement_weights, one task after the other. It changes nothing.

    The result is that of learner.meta_gradient up to rounding, for any learner and number of inner steps. With an
    inner_rule or a `learn` of one's own, or source="outer", a score is an inner product with the sum, of a vector
    computed anew.
    Raises ValueError for a learner that is not compiled, has another weighting, or compares losses.
    """
    check_learner(learner)
    passes: dict = {}  # of the learner as it is compiled now

    def meta_gradient(batch: TaskBatch) -> MetaResult:
        check_learner(learner)
        if learner.functional not in passes:
            passes.clear()
            of_task = Passes(learner)
            passes[learner.functional] = {name: tf.function(getattr(of_task, name)) for name in PASSES}
        compare, score, weigh, loss, before = (passes[learner.functional][name] for name in PASSES)
        batch = check_tensors(batch, learner.variable_dtype)
        learner.before_steps(batch)
        order = learner.order(batch)
        tasks = [
            (tf.nest.map_structure(lambda a, i=i: a[i], batch), () if isinstance(order, tuple) else order[i], number)
            for i, number in enumerate(tf.unstack(numbered(batch)))
        ]
        total: list = []
        largest, squares = [], []
        for task in tasks:
            g, *size = compare(*task)
            total = [t + a for t, a in zip(total, g, strict=True)] if total else g
            largest.append(size[0])
            squares.append(size[1])
        unit = _or_one(tf.reduce_max(tf.stack(largest)))  # products of updates / unit neither overflow nor vanish
        total = [t / unit for t in total]
        scores = tf.stack([score(*task[:2], total, task[2]) / unit for task in tasks])
        squares = tf.reduce_sum(tf.stack(squares) * tf.square(tf.stack(largest) / unit))
        w = normalised(tf.experimental.numpy, scores, squares, np.finfo(scores.dtype.name))
        del total  # its memory is wanted for the direction
        if type(learner).adjusted is not MetaLearner.adjusted:
            w = learner.adjusted(w, tf.stack([loss(*task) for task in tasks]))
        direction, losses = [tf.zeros_like(v) for v in learner.outer_variables], []
        if type(learner).second_weights is not MetaLearner.second_weights:
            nothing = tf.zeros((), w.dtype)
            c = learner.second_weights(tf.stack([before(*task, nothing, direction)[1] for task in tasks]))
            for task, c_i in zip(tasks if c is not None else [], tf.unstack(c) if c is not None else [], strict=True):
                direction = before(*task, c_i, direction)[0]
        for task, w_i in zip(tasks, tf.unstack(w), strict=True):
            direction, query_loss = weigh(*task[:2], w_i, direction, task[2])
            losses.append(query_loss)
        return MetaResult(direction, w, tf.stack(losses))

    return meta_gradient


def check_learner(learner: MetaLearner) -> None:
    """Raise ValueError for a learner that is not compiled, has another weighting, or compares losses."""
    if not isinstance(learner, MetaLearner) or not learner.compiled:
        raise ValueError("learner should be a compiled MetaLearner, such as MAML or Reptile")
    learner.require_compiled("task_by_task")
    if learner.weighting not in (agreement_weights, power_weights(1)):
        raise ValueError(f"learner should have agreement_weights, which need the sum alone, got {learner.weighting!r}")
    if not learner.workers.alone:
        raise ValueError("learner should be compiled without workers: task_by_task is for one process")
    if learner.source == "losses":
        raise ValueError('learner should compare "updates" or "outer" directions: its losses take no memory to compare')


PASSES = ("compare", "score", "weigh", "loss", "before")


class Passes:
    """What each of the passes does with a task. Vectors are lists of tensors; order as in MetaLearner.learn."""

    def __init__(self, learner: MetaLearner) -> None:
        self.learner = learner
        steps_of_its_own = type(learner).learn is not MetaLearner.learn
        descends = learner.functional.inner_rule is gradient_descent
        self.by_products = learner.source == "updates" and descends and not steps_of_its_own

    def start(self, number: Any) -> tuple[list, list]:
        """The outer variables, and the non-trainable state of the task of that number in this outer step."""
        return self.learner.outer(), self.learner.functional.state(self.learner.optimizer.iterations, number)

    def result(self, task: TaskBatch, order: Any, number: Any = 0) -> TaskResult:
        """The task's TaskResult."""
        outer, state = self.start(number)
        return task_result(self.learner, outer, task, order, state)

    def compared(self, task: TaskBatch, order: Any, number: Any = 0) -> list:
        """g, the task's update; or its outer direction, where that is compared or nothing is updated."""
        outer, state = self.start(number)
        update = self.learner.learn(outer, *task[:2], state, order).update if self.learner.source == "updates" else []
        return update or self.result(task, order, number).direction

    def compare(self, task: TaskBatch, order: Any, number: Any = 0) -> tuple[list, tf.Tensor, tf.Tensor]:
        """g; the largest entry of |g|; and the squared length of g, in units of that entry."""
        g = self.compared(task, order, number)
        largest = tf.reduce_max(tf.stack([tf.reduce_max(tf.abs(a)) for a in g]))
        in_units = [a / _or_one(largest) for a in g]
        return g, largest, inner_product(in_units, in_units)

    def score(self, task: TaskBatch, order: Any, total: list, number: Any = 0) -> tf.Tensor:
        """g . total."""
        if not self.by_products:
            return inner_product(self.compared(task, order, number), total)
        outer, state = self.start(number)
        rates, steps = self.learner.inner_rates(outer), self.learner.inner_steps
        theta = self.learner.theta(outer)
        return update_along(self.learner.inner_functional, theta, task, state, rates, steps, order, total)

    def weigh(self, task: TaskBatch, order: Any, w: tf.Tensor, total: list, number: Any = 0) -> tuple[list, tf.Tensor]:
        """total + w direction, and the query loss."""
        result = self.result(task, order, number)
        return [t + tf.cast(w, t.dtype) * d for t, d in zip(total, result.direction, strict=True)], result.query_loss

    def loss(self, task: TaskBatch, order: Any, number: Any) -> tf.Tensor:
        """The query loss after learning, ()."""
        return self.result(task, order, number).query_loss

    def before(self, task: TaskBatch, order: Any, number: Any, c: tf.Tensor, total: list) -> tuple[list, tf.Tensor]:
        """total + c times the gradient of the query loss before learning, and that loss: TAML's second sum."""
        loss, gradient = gradient_before(self.learner, self.start(number)[0], task, self.start(number)[1])
        return [t + tf.cast(c, t.dtype) * g for t, g in zip(total, gradient, strict=True)], loss


def update_along(
    functional: Functional,
    theta: list,
    task: TaskBatch,
    state: list,
    inner_lr: Any,
    steps: int,
    order: Any,
    vector: list,
) -> tf.Tensor:
    """(theta - theta'_i) . vector, (), by Jacobian-vector products; for inner steps of plain gradient descent.

    vector: like what the inner loop moves, and so is inner_lr if it is a list.
    """
    x, y = task[:2]
    rate = 1.0 if isinstance(inner_lr, list) else inner_lr
    along = [r * v for r, v in zip(inner_lr, vector, strict=True)] if isinstance(inner_lr, list) else vector
    product = tf.zeros((), vector[0].dtype)
    for k in range(steps):
        seen, labels = (x, y) if isinstance(order, tuple) else chosen((x, y), order[k])
        moved = functional.moved(theta)
        with tf.autodiff.ForwardAccumulator(moved, along) as tangents:
            loss, _, _ = functional.loss(functional.with_moved(theta, moved), seen, labels, state)
        product += rate * tangents.jvp(loss, tf.UnconnectedGradients.ZERO)
        if k + 1 < steps:  # where the last step ends does not matter
            theta, state = functional.adapt(theta, seen, labels, state, inner_lr, 1)
    return product


def inner_product(a: list, b: list) -> tf.Tensor:
    """The sum of the products of all entries, ()."""
    return tf.add_n([tf.reduce_sum(p * q) for p, q in zip(a, b, strict=True)])


def _or_one(value: tf.Tensor) -> tf.Tensor:
    """The value, or 1 where it is 0: a divisor."""
    return tf.where(value > 0, value, tf.ones_like(value))
