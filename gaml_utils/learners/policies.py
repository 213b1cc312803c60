"""A learner that has watched demonstrations, as a policy that moves an arm. Chapter 16."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gaml_utils.learners.base import MetaLearner
from gaml_utils.learners.engine.checks import check_tensors
from gaml_utils.learners.engine.meta_batch import over_tasks
from gaml_utils.records import TaskBatch


def policy_of(
    learner: MetaLearner, support_x: Any, support_y: Any, steps: int | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """What the learner does in each task after it has learned from its demonstrations: a policy for ReachTasks.rollout.

    learner: compiled. support_x, support_y: the demonstrations, (tasks, points, ...), as `sample` gives them. steps:
    inner steps, inner_steps if not given. The policy takes one observation per task, (tasks, ...), and returns one
    action each, (tasks, actions). Nothing is changed.
    Raises ValueError as `answers` does, and for observations of another number of tasks.
    """
    learner.require_compiled("policy_of")
    steps = learner.checked_steps(steps)
    batch = check_tensors(TaskBatch(support_x, support_y, support_x, support_y), learner.variable_dtype)
    tasks = tf.nest.flatten(batch)[0].shape[0]

    def of_one(inputs: tuple) -> tf.Tensor:
        x, y, observation = inputs
        outer, state = learner.outer(), learner.functional.state(0)
        return learner.answer(outer, learner.learn(outer, x, y, state, steps=steps), observation[None])[0]

    @tf.function(autograph=False)
    def actions(observations: tf.Tensor) -> tf.Tensor:
        return over_tasks(of_one, (batch.support_x, batch.support_y, observations), learner.unrolled)

    def policy(observations: np.ndarray) -> np.ndarray:
        if len(observations) != tasks:
            raise ValueError(f"observations should be one per task, {tasks}, got {len(observations)}")
        return actions(tf.convert_to_tensor(observations, learner.variable_dtype)).numpy()

    return policy
