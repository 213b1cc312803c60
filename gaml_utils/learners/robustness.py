"""How well does a learner classify when its images are attacked? Chapter 13.

The attack knows all: the support set is attacked at theta, which is what meets it, and the queries at the parameters
that the support set, attacked or not, has left behind. (Queries attacked at theta would make every learner look good.)
"""

from typing import Any

import numpy as np
import tensorflow as tf

from gaml_utils.learners.accuracy import check_labels, chunks, over_batches
from gaml_utils.learners.attacks import check_epsilon, check_input_range, fgsm
from gaml_utils.learners.base import MetaLearner
from gaml_utils.records import TaskBatch


def attacked_accuracies(
    learner: MetaLearner,
    batch: TaskBatch,
    support_epsilon: float = 0.0,
    query_epsilon: float = 0.0,
    input_range: tuple | None = (0.0, 1.0),
    steps: int | None = None,
) -> np.ndarray:
    """Each episode's share of queries classified right, float64 (tasks,), after attacks by learners.attacks.fgsm.

    learner: any that is compiled and adapts a model; it need not be trained against attacks. batch: TaskBatch of
    images and labels, as in episode_accuracies, to which this is equal where both epsilons are 0. Each query is judged
    alone, and attacked alone. support_epsilon, query_epsilon: how far, in units of the images; input_range: what a
    pixel can be. steps: inner steps. Nothing is learned.
    Raises ValueError for images out of their range, and as episode_accuracies does.
    """
    learner.require_compiled("attacked_accuracies")
    if not learner.has_inner_loop:
        raise ValueError(f"learner should adapt a model, whose loss is attacked: {type(learner).__name__} compares")
    steps = learner.checked_steps(steps)
    epsilons = check_epsilon("support_epsilon", support_epsilon), check_epsilon("query_epsilon", query_epsilon)
    input_range, batch = check_input_range(input_range), check_labels(batch)

    def of_task(outer: list, state: list, task: TaskBatch) -> tf.Tensor:
        def of_support(x: Any) -> tf.Tensor:
            return learner.functional.loss(learner.theta(outer), x, task.support_y, state)[0]

        def of_queries(x: Any) -> tf.Tensor:
            return learner.functional.mean_loss(task.query_y, learner.answer(outer, learned, x))

        support_x = fgsm(of_support, task.support_x, epsilons[0], input_range)
        learned = learner.learn(outer, support_x, task.support_y, state, steps=steps)
        scores = learner.answer(outer, learned, fgsm(of_queries, task.query_x, epsilons[1], input_range))
        right = tf.equal(tf.argmax(scores, axis=-1), tf.cast(task.query_y, tf.int64))
        return tf.reduce_mean(tf.cast(right, tf.float64))

    found, of_one = [], tf.TensorSpec((), tf.float64)
    for part in chunks(learner, batch):
        found.append(over_batches(learner, part, (steps, *epsilons, input_range), of_task, of_one)(part).numpy())
    return np.concatenate(found)
