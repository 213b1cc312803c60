"""A training that has diverged stops, and says where: at which outer step, on which task, and what to try."""

from collections.abc import Callable

import tensorflow as tf

from gaml_utils.learners.engine.meta_batch import TaskResult, finite_tasks

ADVICE = "training diverged: try a smaller inner_lr or learning rate. Outer step"
BLAME = "weighting should return finite weights, got NaN or infinity for updates that are finite. Outer step"
NOTHING = (-1, -1)  # outer step, task
RULE = -2  # in place of the task: the rule is at fault


class DivergenceGuard:
    """Takes an outer step if it is finite; otherwise the parameters stay as they are, and the training stops."""

    def __init__(self) -> None:
        self.found = tf.Variable(NOTHING, dtype=tf.int64, trainable=False)  # outer step, task

    def step(
        self, take: Callable, direction: list, w: tf.Tensor, result: TaskResult, number: tf.Variable, xla: bool
    ) -> None:
        """take(direction), or an InvalidArgumentError when the graph runs.

        A task that is not finite makes the weighted sum so, whatever its weight: the sums are looked at first.
        XLA leaves assertions out: there the step is skipped, and `check` is to be called after it.
        """
        total = tf.add_n([tf.reduce_sum(d) for d in direction])
        finite = tf.math.is_finite(total + tf.cast(tf.reduce_sum(result.query_loss), total.dtype))

        def go_on() -> tf.Operation:
            take(direction)
            return tf.no_op()

        def stop() -> tf.Operation:
            tasks = finite_tasks(result) if isinstance(result.finite, tuple) else result.finite
            task = tf.argmin(tf.cast(tasks, tf.int32))
            by_rule = tf.reduce_all(tasks) & ~tf.reduce_all(tf.math.is_finite(w))
            self.found.assign([tf.cast(number, tf.int64), tf.where(by_rule, tf.cast(RULE, task.dtype), task)])
            return self.check()

        if xla:
            tf.cond(finite, go_on, stop)
        else:
            with tf.control_dependencies([tf.cond(finite, tf.no_op, stop)]):
                take([tf.identity(d) for d in direction])

    def reset(self) -> None:
        """Forget what was found: before the steps that XLA compiles, which cannot raise by themselves."""
        self.found.assign(NOTHING)

    def check(self) -> tf.Operation:
        """Raise if something has been found."""
        fine, by_rule = self.found[0] < 0, self.found[1] == RULE
        blamed = tf.debugging.Assert(fine | ~by_rule, [BLAME, self.found[0]])
        with tf.control_dependencies([op for op in [blamed] if op is not None]):
            return tf.debugging.Assert(fine | by_rule, [ADVICE, self.found[0], "task", self.found[1]])
