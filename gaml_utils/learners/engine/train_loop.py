"""Several outer steps in one call of one graph: what `fit` runs. Between calls, Python; within, TensorFlow alone."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from gaml_utils.records import TaskBatch


def train_function(learner: Any) -> Callable[[Iterator], dict]:
    """A function that takes `learner.steps_per_execution` batches from an iterator, and an outer step on each.

    It returns the metrics. Fewer batches than that, left at the end of the data, are not used. With learner.jit_compile
    the steps, and the loop over them, are compiled by XLA.
    """
    count = learner.steps_per_execution

    @tf.function(jit_compile=learner.jit_compile, reduce_retracing=True)
    def steps(batches: list[TaskBatch]) -> dict:
        if count == 1:
            return learner.train_step(batches[0])
        stack = TaskBatch(*(tf.stack(parts) for parts in zip(*batches, strict=True)))
        for k in tf.range(count):
            learner.train_step(TaskBatch(*(part[k] for part in stack)))
        return learner.get_metrics_result()

    @tf.function(reduce_retracing=True)
    def train(iterator: Iterator) -> dict:
        if learner.jit_compile:
            learner.guard.reset()
        logs = steps([next(iterator) for _ in range(count)])
        if learner.jit_compile:
            learner.guard.check()
        return logs

    # a concrete function is called without a look at its arguments, which would take longer than a small step
    concrete: Callable = functools.lru_cache(maxsize=1)(train.get_concrete_function)
    return lambda iterator: concrete(iterator)(iterator)
