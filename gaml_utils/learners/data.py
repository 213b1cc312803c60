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
CHUNK_BATCHES = 32


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
    drawn_together: int = 1,
) -> tf.data.Dataset:
    """An endless dataset of TaskBatch; batch number n is a pure function of seed, n and drawn_together.

    tasks: anything with sample(rng, tasks, shots, queries) -> TaskBatch. learner: a compiled learner whose number of
    outer steps says which batch comes first, so that a training taken up again goes on with the batches it would
    have had. workers: of join_workers(): each draws the same meta-batches and takes its share of their tasks.
    drawn_together: so many meta-batches come from one call of `sample`, which is quicker where they are small; they are
    other tasks than those that are drawn one by one.
    Raises ValueError if a count is not a whole number of at least 1, if meta_batch cannot be shared out, if the
    workers draw different tasks, and for tasks that do not give as many as one call has to draw together.
    """
    sizes = {"meta_batch": meta_batch, "shots": shots, "queries": queries, "drawn_together": drawn_together}
    for name, value in sizes.items():
        check_count(name, value)

    if not hasattr(tasks, "sample"):
        raise ValueError(f"tasks should have a method sample(rng, tasks, shots, queries), got {type(tasks).__name__}")
    if learner is not None and getattr(learner, "optimizer", None) is None:
        raise ValueError("learner should be compiled: its optimiser says which batch comes first")

    def own(a: np.ndarray) -> np.ndarray:
        """(tasks of a call, ...) -> (drawn_together, this worker's tasks of a meta-batch, ...)."""
        if drawn_together > 1 and len(a) != meta_batch * drawn_together:
            asked = f"{meta_batch * drawn_together} tasks, for {drawn_together} meta-batches"
            raise ValueError(f"tasks.sample should give the {asked}, that it is asked for, got {len(a)}")
        a = np.reshape(a, (drawn_together, -1, *np.shape(a)[1:]))
        workers.check_tasks("each meta-batch", a.shape[1])
        size = a.shape[1] // workers.count
        return a[:, workers.index * size : (workers.index + 1) * size]

    def drawn(call: int) -> TaskBatch:
        rng = np.random.default_rng([seed, call])
        batch = as_batch(tasks.sample(rng, meta_batch * drawn_together, shots, queries))
        return TaskBatch(*(np.asarray(part) if isinstance(part, list) else part for part in batch))

    def batches(calls: Iterable[int]) -> TaskBatch:
        """Of these calls, one after the other, (meta-batches, own tasks, ...)."""
        parts = [tf.nest.map_structure(own, drawn(call)) for call in calls]
        stacked = tf.nest.map_structure(lambda *parts: np.concatenate(parts), *parts)
        return tf.nest.map_structure(lambda a: a.astype(dtype) if a.dtype.kind == "f" else a, stacked)

    check_workers(workers).check_tasks("meta_batch", meta_batch)
    if not workers.alone:
        workers.agree(seed=repr(seed), first_meta_batch=digest(drawn(0)))
    first = batches([0])
    size = sum(a.nbytes for a in tf.nest.flatten(first))  # of one call
    at_once = int(np.clip(CHUNK_BYTES // size, 1, max(1, CHUNK_BATCHES // drawn_together)))

    def chunks() -> Iterator[TaskBatch]:
        step = 0 if learner is None else int(learner.optimizer.iterations.numpy())
        call, before = divmod(step, drawn_together)
        while True:
            chunk = batches(range(call, call + at_once))
            yield tf.nest.map_structure(lambda a, before=before: a[before:], chunk)
            call, before = call + at_once, 0

    signature = tf.nest.map_structure(lambda a: tf.TensorSpec((None, *a.shape[1:]), a.dtype), first)
    endless_chunks = tf.data.Dataset.from_generator(chunks, output_signature=signature)
    cardinality = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    endless = untuned(endless_chunks.prefetch(1).unbatch().apply(cardinality))
    endless.workers_count = workers.count  # so that `fit` can see that they are the learner's
    return endless
