"""Gradient agreement without the tasks' gradients side by side: memory for a few gradients, however many tasks.

Agreement's scores s_i = g_i . sum_j g_j need the sum of the updates, not the updates. So the tasks come one after the
other, three times: for the sum, for the scores, and for the weighted direction. A score is a derivative along the sum,
hence forward-mode differentiation gives it without a gradient: with g_i = inner_lr sum_k grad L_i(theta_k), theta_k
where inner step k starts, s_i is inner_lr times the sum of the Jacobian-vector products of L_i at theta_k.

    meta_gradient = task_by_task(learner)      # a compiled MAML or Reptile with agreement_weights
    result = meta_gradient(batch)              # the MetaResult of learner.meta_gradient(batch)

It takes longer: MAML pays two more inner loops a task, and no product serves all tasks at once.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gaml_utils.learners.base import MetaLearner
from gaml_utils.learners.engine.checks import check_tensors
from gaml_utils.learners.engine.functional import Functional, gradient_descent
from gaml_utils.records import MetaResult, TaskBatch
from gaml_utils.weighting.agreement import agreement_weights
from gaml_utils.weighting.arrays import normalised
from gaml_utils.weighting.powers import power_weights


def task_by_task(learner: MetaLearner) -> Callable[[TaskBatch], MetaResult]:
    """learner.meta_gradient for a learner with agreement_weights, one task after the other. It changes nothing.

    The result is that of learner.meta_gradient up to rounding: MAML exact or first-order, Reptile, any number of inner
    steps. With an inner_rule of one's own, or source="outer", a score is an inner product with the sum, of a vector
    computed anew. Make another one after `compile`.
    Raises ValueError for a learner that is not compiled or has another weighting.
    """
    if not isinstance(learner, MetaLearner) or not learner.compiled:
        raise ValueError("learner should be a compiled MAML or Reptile")
    if learner.weighting not in (agreement_weights, power_weights(1)):
        raise ValueError(f"learner should have agreement_weights, which need the sum alone, got {learner.weighting!r}")
    passes = Passes(learner)
    add, score, weigh = (tf.function(f, reduce_retracing=True) for f in (passes.add, passes.score, passes.weigh))

    def meta_gradient(batch: TaskBatch) -> MetaResult:
        batch = check_tensors(batch, learner.variable_dtype)
        order = learner.order(batch)
        tasks = [
            (TaskBatch(*(a[i] for a in batch)), None if isinstance(order, tuple) else order[i])
            for i in range(batch.support_x.shape[0])
        ]
        zeros = [tf.zeros_like(v) for v in learner.model.trainable_variables]
        total, largest, squares = zeros, [], []
        for task in tasks:
            total, *size = add(*task, total)
            largest.append(size[0])
            squares.append(size[1])
        unit = tf.reduce_max(tf.stack(largest))  # products of updates / unit neither overflow nor vanish
        unit = tf.where(unit > 0, unit, tf.ones_like(unit))
        total = [t / unit for t in total]
        scores = tf.stack([score(*task, total) / unit for task in tasks])
        squares = tf.reduce_sum(tf.stack(squares) * tf.square(tf.stack(largest) / unit))
        w = normalised(tf.experimental.numpy, scores, squares, np.finfo(scores.dtype.name))
        direction, losses = zeros, []
        del total
        for task, w_i in zip(tasks, tf.unstack(w), strict=True):
            direction, loss = weigh(*task, w_i, direction)
            losses.append(loss)
        return MetaResult(direction, w, tf.stack(losses))

    return meta_gradient


class Passes:
    """What each of the three passes does with a task. Vectors are lists like theta, order as in Functional.adapt."""

    def __init__(self, learner: MetaLearner) -> None:
        self.learner, self.functional = learner, learner.functional
        self.by_products = learner.functional.inner_rule is gradient_descent

    def start(self) -> tuple[list, list]:
        """theta, and the non-trainable state of this outer step."""
        theta = [tf.convert_to_tensor(v) for v in self.learner.model.trainable_variables]
        return theta, self.functional.state(self.learner.optimizer.iterations)

    def result(self, task: TaskBatch, order: Any) -> Any:
        """The task's TaskResult."""
        theta, state = self.start()
        return self.learner.task_result(theta, task, () if order is None else order, state)

    def compared(self, task: TaskBatch, order: Any) -> list:
        """The task's update, or its outer gradient."""
        if self.learner.source == "outer":
            return self.result(task, order).direction
        theta, state = self.start()
        settings = self.learner.inner_lr, self.learner.inner_steps
        adapted, _ = self.functional.adapt(theta, *task[:2], state, *settings, order)
        return [p - q for p, q in zip(theta, adapted, strict=True)]

    def add(self, task: TaskBatch, order: Any, total: list) -> tuple[list, tf.Tensor, tf.Tensor]:
        """total + g; the largest entry of |g|; and the squared length of g, in units of that entry."""
        g = self.compared(task, order)
        largest = tf.reduce_max(tf.stack([tf.reduce_max(tf.abs(a)) for a in g]))
        unit = tf.where(largest > 0, largest, tf.ones_like(largest))
        return [t + a for t, a in zip(total, g, strict=True)], largest, inner_product(*[[a / unit for a in g]] * 2)

    def score(self, task: TaskBatch, order: Any, total: list) -> tf.Tensor:
        """g . total."""
        if self.learner.source == "outer" or not self.by_products:
            return inner_product(self.compared(task, order), total)
        theta, state = self.start()
        settings = self.learner.inner_lr, self.learner.inner_steps
        return update_along(self.functional, theta, task, state, *settings, order, total)

    def weigh(self, task: TaskBatch, order: Any, w: tf.Tensor, total: list) -> tuple[list, tf.Tensor]:
        """total + w direction, and the query loss."""
        result = self.result(task, order)
        return [t + tf.cast(w, t.dtype) * d for t, d in zip(total, result.direction, strict=True)], result.query_loss


def update_along(
    functional: Functional,
    theta: list,
    task: TaskBatch,
    state: list,
    inner_lr: float,
    steps: int,
    order: Any,
    vector: list,
) -> tf.Tensor:
    """(theta - theta'_i) . vector, (), by Jacobian-vector products; for inner steps of plain gradient descent."""
    x, y = task[:2]
    product = tf.zeros((), vector[0].dtype)
    for k in range(steps):
        points = (x, y) if order is None else (tf.gather(x, order[k]), tf.gather(y, order[k]))
        with tf.autodiff.ForwardAccumulator(theta, vector) as along:
            loss, _, _ = functional.loss(theta, *points, state)
        product += inner_lr * along.jvp(loss, tf.UnconnectedGradients.ZERO)
        if k + 1 < steps:  # where the last step ends does not matter
            theta, state = functional.adapt(theta, *points, state, inner_lr, 1)
    return product


def inner_product(a: list, b: list) -> tf.Tensor:
    """Over all arrays, ()."""
    return tf.add_n([tf.reduce_sum(p * q) for p, q in zip(a, b, strict=True)])
