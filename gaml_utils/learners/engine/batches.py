"""What `fit` and `evaluate` are given: datasets, generators, or a TaskBatch in memory."""

from collections.abc import Generator
from typing import Any

import numpy as np
import tensorflow as tf

from gaml_utils.checks import check_count
from gaml_utils.learners.engine.checks import check_tensors
from gaml_utils.learners.engine.workers import ALONE, Workers
from gaml_utils.records import TaskBatch

SEVERAL = "several meta-batches"


def as_batches(
    data: Any, batch_size: int | None, steps: int | None, name: str, steps_name: str, workers: Workers = ALONE
) -> Any:
    """Data that Keras can iterate over, each item a meta-batch. name, steps_name: of the arguments, for errors.

    A TaskBatch is one meta-batch, or with batch_size several of so many tasks, the last one with what is left; each
    worker takes its share of every meta-batch. Other data hold this worker's share alone.
    Raises ValueError for tasks that are still to be drawn, and for a dataset without end if `steps` is None.
    """
    if steps is not None:
        check_count(steps_name, steps)
    if isinstance(data, TaskBatch) or (isinstance(data, tuple) and len(data) == len(TaskBatch._fields)):
        return in_memory(TaskBatch(*data), batch_size, workers)
    if batch_size is not None:
        raise ValueError(f"batch_size should be given with a TaskBatch only: {name} says how many tasks a batch has")
    if data is None:
        raise ValueError(f"{name} should be a dataset of TaskBatch: as_dataset(tasks, ...)")
    if hasattr(data, "sample"):
        raise ValueError(f"{name} should be a dataset, not tasks: as_dataset({type(data).__name__}(...), ...)")
    if isinstance(data, list):
        raise ValueError(f"{name} should be a dataset or a generator of TaskBatch, got a list: use iter(...)")
    if hasattr(data, "__next__") and not isinstance(data, Generator):
        return (batch for batch in data)  # Keras knows generators, but no other iterators
    if isinstance(data, tf.data.Dataset) and steps is None and data.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(f"{steps_name} should be given: the dataset in {name} has no end, as that of as_dataset")
    return data


def in_memory(batch: TaskBatch, batch_size: int | None, workers: Workers = ALONE) -> tf.data.Dataset:
    """A TaskBatch as a dataset."""
    dtypes = {getattr(a, "dtype", None) for a in tf.nest.flatten(batch)}
    batch = check_tensors(batch, "float64" if "float64" in map(str, dtypes) else "float32")
    if batch_size is None:
        return untuned(tf.data.Dataset.from_tensors(workers.share(batch)))
    check_count("batch_size", batch_size)
    if not workers.alone:  # its share of each meta-batch, one behind the other
        tasks = np.arange(tf.nest.flatten(batch)[0].shape[0])
        starts = range(0, len(tasks), batch_size)
        own = np.concatenate([workers.share(tasks[start : start + batch_size]) for start in starts])
        batch = tf.nest.map_structure(lambda a: tf.gather(a, own), batch)
    return untuned(tf.data.Dataset.from_tensor_slices(batch).batch(batch_size // workers.count))


def several_at_once(data: Any, count: int) -> Any:
    """The data; where it is a dataset without end, of shapes known beforehand, with `count` meta-batches an item.

    An item is then {SEVERAL: meta-batches one after the other along a new first axis}: fetching one by one would take
    as long as a small outer step. A dataset with an end keeps its items, since their number is what Keras counts.
    """
    if count == 1 or not isinstance(data, tf.data.Dataset) or data.cardinality() != tf.data.INFINITE_CARDINALITY:
        return data
    if not shapes_known(data):
        return data
    return untuned(tf.data.Dataset.zip({SEVERAL: data.batch(count, drop_remainder=True)}))


def are_several(spec: Any) -> bool:
    """Is this the spec of what several_at_once makes? (A dict of another kind is told apart where batches are read.)"""
    return isinstance(spec, dict) and SEVERAL in spec


def shapes_known(data: Any) -> bool:
    """Is this a dataset, or an iterator of one, that says the shape of every array beforehand?"""
    spec = getattr(data, "element_spec", None)
    return spec is not None and all(part.shape.is_fully_defined() for part in tf.nest.flatten(spec))


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset without the thread that would tune it, where there is nothing to tune.

    That thread sleeps longer and longer, 20, 40, 80 seconds, and does not always hear that the iterator is gone: who
    lets go of the iterator, at any time, then waits for it (TensorFlow 2.21).
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
