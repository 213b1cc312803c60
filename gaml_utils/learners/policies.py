"""A learner that has watched demonstrations, as a policy that moves an arm. Chapter 16."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from gaml_utils.checks import as_numbers
from gaml_utils.learners.base import MetaLearner
from gaml_utils.learners.engine.checks import check_tensors
from gaml_utils.learners.engine.meta_batch import Learned, over_tasks
from gaml_utils.records import TaskBatch


def policy_of(
    learner: MetaLearner, support_x: Any, support_y: Any, steps: int | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """What the learner does in each task after it has learned from its demonstrations: a policy for ReachTasks.rollout.

    learner: compiled; it learns from the demonstrations once, as it is now, and what is done to it afterwards does not
    change the policy. support_x, support_y: the demonstrations, (tasks, points, ...), one array each, as `sample` gives
    them. steps: inner steps, inner_steps if not given. The policy takes one observation per task, (tasks, ...), and
    returns one action each, (tasks, actions). Nothing is changed.
    Raises ValueError as `answers` does, and for observations of another shape, or not finite.
    """
    learner.require_compiled("policy_of")
    steps = learner.checked_steps(steps)
    batch = check_tensors(TaskBatch(support_x, support_y, support_x, support_y), learner.variable_dtype)
    x, y = batch.support_x, batch.support_y
    if not isinstance(x, tf.Tensor):
        raise ValueError(f"support_x should be one array, (tasks, points, ...), got {type(support_x).__name__}")
    outer = [tf.identity(v) for v in learner.outer()]

    def learn(outer: list, x: Any, y: Any) -> Learned:
        state = learner.functional.state(0)
        return over_tasks(
            lambda one: learner.learn(outer, one[0], one[1], state, steps=steps), (x, y), learner.unrolled
        )

    def act(outer: list, learned: Learned, observations: tf.Tensor) -> tf.Tensor:
        return over_tasks(
            lambda one: learner.answer(outer, one[0], one[1][None])[0], (learned, observations), learner.unrolled
        )

    learned = kept(learner, learn, (outer, x, y), steps)(outer, x, y)

    def policy(observations: np.ndarray) -> np.ndarray:
        seen = as_numbers("observations", observations, "an array (tasks, ...)")
        wanted = x.shape[0], *x.shape[2:]
        if seen.shape != wanted or not np.isfinite(seen).all():
            raise ValueError(f"observations should be finite, one per task, {wanted}, got shape {seen.shape}")
        seen = tf.convert_to_tensor(seen, learner.variable_dtype)
        return kept(learner, act, (outer, learned, seen), steps)(outer, learned, seen).numpy()

    return policy


def kept(learner: MetaLearner, function: Callable, inputs: tuple, steps: int) -> Callable:
    """The function compiled for such inputs: traced once, and kept with the learner until its own are made anew."""
    like = tf.nest.map_structure(lambda a: tf.TensorSpec(a.shape, a.dtype), inputs)
    key = "policy", function.__name__, steps, repr(like)
    if key not in learner.kept_answers:
        learner.kept_answers[key] = tf.function(function, autograph=False).get_concrete_function(*like)
    return learner.kept_answers[key]
