"""Meta-batches for Keras: tasks as a tf.data.Dataset."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from gaml_utils.checks import check_count
from gaml_utils.learners.engine.batches import untuned
from gaml_utils.learners.engine.together import check_workers
from gaml_utils.learners.engine.workers import ALONE, Workers, digest
from gaml_utils.records import TaskBatch, as_batch

CHUNK_BYTES = 2**20  # batches go from Python to TensorFlow in chunks: each crossing has its price


def as_dataset(
    tasks: Any,
    meta_batch: int = 25,
    shots: int = 10,
    queries: int = 10,
    *,
    seed: int = 0,
    dtype: str = "float32",
    learner: Any = None,
    workers: Workers = ALONE,
) -> tf.data.Dataset:
    """An endless dataset of TaskBatch; batch number n is a pure function of seed and n.

    tasks: anything with sample(rng, tasks, shots, queries) -> TaskBatch. learner: a compiled learner whose number of
    outer steps says which batch comes first, so that a training taken up again goes on with the batches it would
    have had. workers: of join_workers(): each draws the same meta-batches and takes its share of their tasks.
    Raises ValueError if a count is not a whole number of at least 1, if meta_batch cannot be shared out, and if the
    workers draw different tasks.
    """
    for name, value in (("meta_batch", meta_batch), ("shots", shots), ("queries", queries)):
        check_count(name, value)

    if not hasattr(tasks, "sample"):
        raise ValueError(f"tasks should have a method sample(rng, tasks, shots, queries), got {type(tasks).__name__}")
    if learner is not None and getattr(learner, "optimizer", None) is None:
        raise ValueError("learner should be compiled: its optimiser says which batch comes first")

    def whole(step: int) -> TaskBatch:
        drawn = as_batch(tasks.sample(np.random.default_rng([seed, step]), meta_batch, shots, queries))
        return TaskBatch(*(np.asarray(part) if isinstance(part, list) else part for part in drawn))

    def batch(step: int) -> TaskBatch:
        return workers.share(whole(step))

    def stack(batches: Iterable[TaskBatch]) -> TaskBatch:
        stacked = tf.nest.map_structure(lambda *parts: np.stack(parts), *batches)
        return tf.nest.map_structure(lambda a: a.astype(dtype) if a.dtype.kind == "f" else a, stacked)

    check_workers(workers).check_tasks("meta_batch", meta_batch)
    if not workers.alone:
        workers.agree(seed=repr(seed), first_meta_batch=digest(whole(0)))
    first = stack([batch(0)])
    chunk = int(np.clip(CHUNK_BYTES // sum(a.nbytes for a in tf.nest.flatten(first)), 1, 32))

    def chunks() -> Iterator[TaskBatch]:
        step = 0 if learner is None else int(learner.optimizer.iterations.numpy())
        while True:
            yield stack(batch(n) for n in range(step, step + chunk))
            step += chunk

    signature = tf.nest.map_structure(lambda a: tf.TensorSpec((chunk, *a.shape[1:]), a.dtype), first)
    batches = tf.data.Dataset.from_generator(chunks, output_signature=signature).prefetch(1).unbatch()
    endless = untuned(batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)))
    endless.workers_count = workers.count  # so that `fit` can see that they are the learner's
    return endless
