"""Meta-batches for Keras: tasks as a tf.data.Dataset."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from gaml_utils.checks import check_count
from gaml_utils.records import TaskBatch

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
) -> tf.data.Dataset:
    """An endless dataset of TaskBatch; batch number n is a pure function of seed and n.

    tasks: anything with sample(rng, tasks, shots, queries) -> TaskBatch. learner: a compiled learner whose number of
    outer steps says which batch comes first, so that a training taken up again goes on with the batches it would
    have had. Raises ValueError if a count is not a whole number of at least 1.
    """
    for name, value in (("meta_batch", meta_batch), ("shots", shots), ("queries", queries)):
        check_count(name, value)

    def batch(step: int) -> TaskBatch:
        return TaskBatch(*tasks.sample(np.random.default_rng([seed, step]), meta_batch, shots, queries))

    def stack(batches: Iterable[TaskBatch]) -> TaskBatch:
        stacked = map(np.stack, zip(*batches, strict=True))
        return TaskBatch(*(a.astype(dtype) if a.dtype.kind == "f" else a for a in stacked))

    first = stack([batch(0)])
    chunk = int(np.clip(CHUNK_BYTES // sum(a.nbytes for a in first), 1, 32))

    def chunks() -> Iterator[TaskBatch]:
        step = 0 if learner is None else int(learner.optimizer.iterations.numpy())
        while True:
            yield stack(batch(n) for n in range(step, step + chunk))
            step += chunk

    signature = TaskBatch(*(tf.TensorSpec((chunk, *a.shape[1:]), a.dtype) for a in first))
    return tf.data.Dataset.from_generator(chunks, output_signature=signature).prefetch(1).unbatch()
