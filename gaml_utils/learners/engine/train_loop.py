"""Several outer steps in one call of one graph: what `fit` runs. Between calls, Python; within, TensorFlow alone.

Where the data do not say their shapes beforehand, or are no dataset, each batch is fetched by Python, and a graph is
made for each shape that comes.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from gaml_utils.learners.engine.batches import SEVERAL, are_several, shapes_known
from gaml_utils.learners.engine.checks import check_tensors, unpacked
from gaml_utils.records import TaskBatch, as_batch


def train_function(learner: Any) -> Callable[[Iterator], dict]:
    """A function that takes `learner.steps_per_execution` batches from an iterator, and an outer step on each.

    It returns the metrics. Fewer batches than that, left at the end of the data, are not used where they come from a
    dataset. With learner.jit_compile the steps, and the loop over them, are compiled by XLA.
    """
    count = learner.steps_per_execution
    one_step = tf.autograph.experimental.do_not_convert(learner.train_step)  # as Keras runs it

    @tf.function(jit_compile=learner.jit_compile)
    def step(batch: TaskBatch) -> dict:
        return one_step(batch)

    @tf.function(jit_compile=learner.jit_compile)
    def steps(stack: TaskBatch) -> dict:
        for k in tf.range(tf.nest.flatten(stack)[0].shape[0]):
            one_step(tf.nest.map_structure(lambda part, k=k: part[k], stack))
        return learner.get_metrics_result()

    def fetched(iterator: Any) -> Any:
        if are_several(iterator.element_spec):
            return next(iterator)[SEVERAL]
        return tf.nest.map_structure(lambda *parts: tf.stack(parts), *[next(iterator) for _ in range(count)])

    @tf.function
    def train(iterator: Iterator) -> dict:
        if learner.jit_compile:
            learner.guard.reset()
        logs = step(next(iterator)) if count == 1 else steps(fetched(iterator))
        if learner.jit_compile:
            learner.guard.check()
        return logs

    @functools.lru_cache(
        maxsize=1
    )  # per iterator: a look at it, and at its batches, would take as long as a small step
    def in_graph(iterator: Any) -> Callable | None:
        if learner.run_eagerly or not shapes_known(iterator):
            return None
        spec = iterator.element_spec
        if are_several(spec):
            spec = tf.nest.map_structure(lambda part: tf.TensorSpec(part.shape[1:], part.dtype), spec[SEVERAL])
        same_shares(learner, spec)
        learner.before_steps(as_batch(unpacked(spec)))
        return train.get_concrete_function(iterator)  # which is called without a look at its arguments

    def one_by_one(iterator: Iterator) -> dict:
        logs: dict = {}
        for k in range(count):
            try:
                batch = next(iterator)
            except StopIteration:
                if k == 0:
                    raise
                return logs
            batch = check_tensors(batch, learner.variable_dtype)
            same_shares(learner, batch)
            learner.before_steps(batch)
            learner.guard.reset()
            with learner.workers.waiting():
                logs = one_step(batch) if learner.run_eagerly else step(batch)
            learner.guard.check()
        return logs

    def run(iterator: Any) -> dict:
        concrete = in_graph(iterator)
        if concrete is None:
            return one_by_one(iterator)
        with learner.workers.waiting():
            return concrete(iterator)

    return run


def test_function(learner: Any) -> Callable[[Iterator], dict]:
    """A function that takes one batch from an iterator and judges the learner on it: it returns the metrics."""
    if learner.run_eagerly:
        return lambda iterator: learner.test_step(next(iterator))
    step = tf.function(learner.test_step, jit_compile=learner.jit_compile, autograph=False)

    def run(iterator: Iterator) -> dict:
        batch = check_tensors(next(iterator), learner.variable_dtype)
        same_shares(learner, batch)
        with learner.workers.waiting():
            return step(batch)

    return run


def same_shares(learner: Any, batch: Any) -> None:
    """Raise ValueError, on each worker, unless all have as many tasks in this meta-batch, or its TensorSpecs."""
    learner.workers.agree(tasks_per_worker=str(tf.nest.flatten(batch)[0].shape[0]))
