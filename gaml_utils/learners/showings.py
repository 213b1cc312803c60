"""How well does a MANN know a class at its first, second, ... showing? Chapter 15."""

import numpy as np
import tensorflow as tf

from gaml_utils.checks import check_rng
from gaml_utils.learners.accuracy import check_labels, chunks, over_batches
from gaml_utils.learners.memory import MANN
from gaml_utils.records import TaskBatch


def accuracies_by_showing(learner: MANN, batch: TaskBatch, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Of each task's stream in random order: accuracies (tasks, showings), and was the first image right, (tasks,).

    learner: compiled, late=True. batch: TaskBatch of images and labels, as many of each class; support and query points
    make one stream, normalised by its own statistics. As in Santoro et al. 2016 (arXiv:1605.06065): no class can be
    known at its first showing, but which it is not can; and nothing at all can be known of the first image.
    Raises ValueError for a learner without late=True, and as episode_accuracies does.
    """
    if not isinstance(learner, MANN) or not learner.late:
        raise ValueError("learner should be a MANN with late=True: it is the one that answers a stream")
    learner.require_compiled("accuracies_by_showing")
    batch, ways = check_labels(batch), learner.ways
    points = batch.support_y.shape[1] + batch.query_y.shape[1]
    orders = check_rng(rng).permuted(np.tile(np.arange(points), (len(batch.support_y), 1)), axis=1)

    def of_task(outer: list, state: list, inputs: tuple[TaskBatch, tf.Tensor]) -> tf.Tensor:
        scores, y = learner.stream(outer, inputs[0], state, inputs[1])
        right = tf.cast(tf.equal(tf.argmax(scores, axis=-1), tf.cast(y, tf.int64)), tf.float64)
        mine = tf.one_hot(y, ways, dtype=tf.int32)
        showing = tf.reduce_sum(tf.cumsum(mine) * mine, axis=1) - 1
        return tf.concat([right[:1], tf.math.unsorted_segment_mean(right, showing, points // ways)], axis=0)

    found: list[np.ndarray] = []
    for part in chunks(learner, batch):
        done = sum(map(len, found))
        inputs = part, tf.constant(orders[done : done + len(part.support_y)])
        of_one = tf.TensorSpec((1 + points // ways,), tf.float64)
        found.append(over_batches(learner, inputs, ("showings",), of_task, of_one)(inputs).numpy())
    together = np.concatenate(found)
    return together[:, 1:], together[:, 0]
