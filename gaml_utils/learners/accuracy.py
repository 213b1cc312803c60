"""How well does a learner classify after a few images? Accuracies of episodes (chapter 08).

All figures are non-transductive unless asked otherwise: the adapted model carries its support set's batch statistics
and judges each query alone. A transductive figure lets the queries of an episode share their statistics (chapter 08).
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from gaml_utils.checks import check_count, check_rng
from gaml_utils.intervals import Interval, mean_interval
from gaml_utils.learners.base import MetaLearner
from gaml_utils.learners.engine.checks import check_tensors
from gaml_utils.records import TaskBatch, as_batch

CHUNK = 50  # episodes in TensorFlow's memory at a time
PARALLEL = 2  # episodes worked on at a time


def episode_answers(
    learner: MetaLearner, batch: TaskBatch, steps: int | None = None, transductive: bool = False
) -> np.ndarray:
    """The class each query is given after `steps` inner steps, learner.inner_steps if not given: (tasks, queries).

    learner: compiled; it answers with one score per class. batch: TaskBatch with labels (tasks, points), any number
    of tasks; one graph serves all of one shape. Nothing is learned.
    Raises ValueError for a malformed batch, or steps that are not a whole number of at least 0.
    """
    learner.require_compiled("episode_answers")
    steps = learner.checked_steps(steps)
    batch = check_labels(batch)
    answers = []
    for part in chunks(learner, batch):
        answers.append(_compiled(learner, part, steps, bool(transductive), "answers")(part).numpy())
    return np.concatenate(answers)


def episode_accuracies(
    learner: MetaLearner, batch: TaskBatch, steps: int | None = None, transductive: bool = False
) -> np.ndarray:
    """Each episode's share of queries classified right, float64 (tasks,): see episode_answers."""
    answers = episode_answers(learner, batch, steps, transductive)
    return np.mean(answers == np.asarray(as_batch(batch).query_y), axis=1)


def task_losses(
    learner: MetaLearner, batch: TaskBatch, steps: int | None = None, transductive: bool = False
) -> np.ndarray:
    """Each task's query loss after learning, (tasks,), as `evaluate` has it, which returns their mean.

    learner: compiled. batch: TaskBatch of any kind, any number of tasks. steps as in episode_answers. Nothing is
    learned.
    """
    learner.require_compiled("task_losses")
    steps = learner.checked_steps(steps)
    losses = []
    for part in chunks(learner, as_batch(batch)):
        losses.append(_compiled(learner, part, steps, bool(transductive), "losses")(part).numpy())
    return np.concatenate(losses)


def accuracy_interval(
    learner: MetaLearner,
    tasks: Any,
    rng: np.random.Generator,
    episodes: int = 600,
    shots: int = 1,
    queries: int = 10,
    steps: int | None = None,
    transductive: bool = False,
) -> Interval:
    """Mean accuracy over fresh episodes of `tasks` with its 95% interval (Student t over the episodes)."""
    check_rng(rng)
    check_count("episodes", episodes, at_least=2)
    found = []
    for k in range(0, episodes, CHUNK):
        batch = tasks.sample(rng, min(CHUNK, episodes - k), shots, queries)
        found.append(episode_accuracies(learner, batch, steps, transductive))
    return mean_interval(np.concatenate(found))


def check_labels(batch: TaskBatch) -> TaskBatch:
    """The batch, or a ValueError where its labels are not whole numbers."""
    batch = as_batch(batch)
    for name in ("support_y", "query_y"):
        labels = np.asarray(getattr(batch, name))
        if labels.ndim != 2 or labels.dtype.kind not in "iu":
            raise ValueError(f"{name} should be whole numbers (tasks, points), got {labels.dtype} {labels.shape}")
    return batch


def chunks(learner: MetaLearner, batch: TaskBatch) -> Iterator[TaskBatch]:
    """The batch as tensors, so many tasks at a time as go into memory."""
    learner.check_tasks(batch)
    for start in range(0, len(tf.nest.flatten(batch.query_y)[0]), CHUNK):
        part = tf.nest.map_structure(lambda a, start=start: a[start : start + CHUNK], batch)
        yield check_tensors(part, learner.variable_dtype)


def _compiled(learner: MetaLearner, batch: TaskBatch, steps: int, transductive: bool, wanted: str) -> Callable:
    """A compiled function, batch -> "answers" or "losses" of each task, for batches like this one."""

    def of_task(outer: list, state: list, task: TaskBatch) -> tf.Tensor:
        learned = learner.learn(outer, task.support_x, task.support_y, state, steps=steps)
        loss, scores = learner.judge(outer, learned, task, transductive)
        return tf.argmax(scores, axis=-1, output_type=tf.int32) if wanted == "answers" else loss

    of_one = tf.TensorSpec((), learner.variable_dtype)
    if wanted == "answers":
        of_one = tf.TensorSpec(batch.query_y.shape[1:], tf.int32)
    return over_batches(learner, batch, (steps, transductive, wanted), of_task, of_one)


def over_batches(learner: MetaLearner, batch: Any, key: tuple, of_task: Callable, of_one: Any) -> Callable:
    """A compiled function, batch -> of_task(outer, state, task) of each task, for batches like this one of any size.

    of_one: the TensorSpec of what of_task returns. One task's graph serves all, in a loop. It is kept with the learner,
    under `key`, until the learner's functions are made anew.
    """
    like = tf.nest.map_structure(lambda a: tf.TensorSpec((None, *a.shape[1:]), a.dtype), batch)

    def of_batch(batch: TaskBatch) -> tf.Tensor:
        outer, state = learner.outer(), learner.functional.state(0)
        one = partial(of_task, outer, state)
        return tf.map_fn(one, batch, parallel_iterations=PARALLEL, fn_output_signature=of_one)

    key = *key, repr(like)
    if key not in learner.kept_answers:
        learner.kept_answers[key] = tf.function(of_batch, autograph=False).get_concrete_function(like)
    return learner.kept_answers[key]
