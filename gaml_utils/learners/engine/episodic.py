"""A learner as a keras.Model: compile, fit, evaluate, save and load, over meta-batches of tasks.

What is learned, and how, is the learner's own: see learners.base.
"""

from functools import partial
from typing import Any

import keras
import tensorflow as tf

from gaml_utils.learners.engine.checks import check_outer_variables, check_tensors
from gaml_utils.learners.engine.divergence import DivergenceGuard
from gaml_utils.learners.engine.functional import Functional, matching
from gaml_utils.learners.engine.meta_batch import (
    TaskResult,
    over_tasks,
    task_result,
    task_weights,
    weighted_direction,
)
from gaml_utils.learners.engine.metrics import Reported, as_metric
from gaml_utils.learners.engine.saving import learner_arguments, learner_config
from gaml_utils.learners.engine.train_loop import train_function
from gaml_utils.memory import keep_freed_memory
from gaml_utils.records import TaskBatch


class EpisodicModel(keras.Model):
    """What Keras asks of a model that is trained on meta-batches instead of batches. MetaLearner stands on it."""

    train_function: Any  # what make_train_function sets

    def compile(self, optimizer: Any = "adam", loss: Any = "mse", metrics: list | None = None, **kwargs: Any) -> None:
        """As keras.Model.compile. loss: of one task's points; metrics: of the answers on the query sets.

        jit_compile=True, best with steps_per_execution=8: XLA; starts later, trains small dense models faster.
        Raises ValueError if a trainable variable of the learner is not among its outer_variables.
        """
        check_outer_variables(self)
        keep_freed_memory()
        super().compile(optimizer=optimizer, **{"jit_compile": False} | kwargs)
        self.compiled_with = {"loss": loss, "metrics": metrics or []}
        fast = matching(self.model.trainable_variables, self.fast)
        self.functional = Functional(self.model, keras.losses.get(loss), self.inner_rule, fast)
        self.optimizer.build(self.outer_variables)
        self.reported, self.guard = Reported(), DivergenceGuard()
        self.task_metrics = [as_metric(m, loss) for m in metrics or []]
        self._direction = tf.function(self.outer_direction, reduce_retracing=True)
        self.kept_answers: dict = {}  # compiled functions of learners.accuracy, which last as long as this compilation

    def require_compiled(self, method: str) -> None:
        """Raise ValueError unless `compile` has been called; method: who asks."""
        self._assert_compile_called(method)

    def outer_direction(self, batch: TaskBatch) -> tuple[list, tf.Tensor, TaskResult]:
        """sum_i w_i direction_i, the weights, and the tasks' results."""
        outer, state = self.outer(), self.functional.state(self.optimizer.iterations)
        inputs = batch, self.order(batch)

        def of_one(task_and_order: tuple) -> TaskResult:
            task, order = task_and_order
            return task_result(self, outer, task, order, state)

        result = over_tasks(of_one, inputs, self.unrolled)
        w = task_weights(result, self.weighting, self.source)
        return weighted_direction(result, w), w, result

    def outer_step(self, batch: TaskBatch) -> tuple[TaskResult, tf.Tensor]:
        """An outer step, no metrics: results, weights (tasks,). InvalidArgumentError if not finite: see the guard."""
        direction, w, result = self.outer_direction(batch)
        take = partial(self.optimizer.apply, trainable_variables=self.outer_variables)
        self.guard.step(take, direction, result, self.optimizer.iterations, self.jit_compile)
        return result, w

    def train_step(self, data: TaskBatch) -> dict:
        """One outer step on a meta-batch, and the metrics."""
        batch = check_tensors(data, self.variable_dtype)
        before = over_tasks(self._loss_before, batch, self.unrolled)
        return self._report(batch, before, *self.outer_step(batch))

    def make_train_function(self, force: bool = False) -> None:
        """What `fit` calls: steps_per_execution steps in one graph."""
        if self.run_eagerly or tf.distribute.has_strategy():
            super().make_train_function(force)
        elif force or self.train_function is None:
            self.train_function = train_function(self)

    def fit(self, *args: Any, shuffle: bool = False, **kwargs: Any) -> keras.callbacks.History:
        """As keras.Model.fit. Nothing is shuffled: batches come as the dataset draws them."""
        return super().fit(*args, shuffle=shuffle, **kwargs)

    def test_step(self, data: TaskBatch) -> dict:
        """Learn each task and judge it on its query set, weighing as `fit` does; nothing is changed."""
        batch = check_tensors(data, self.variable_dtype)
        outer, state = self.outer(), self.functional.state(0)

        def judged(task: TaskBatch) -> tuple[TaskResult, tf.Tensor]:
            before, _ = self.judge(outer, self.learn(outer, *task[:2], state, steps=0), task)
            learned = self.learn(outer, *task[:2], state)
            query_loss, prediction = self.judge(outer, learned, task)
            if self.source == "outer" or not learned.update:
                result = task_result(self, outer, task, (), state)
                return result._replace(query_loss=query_loss, prediction=prediction), before
            return TaskResult(learned.update, learned.update, query_loss, prediction), before

        result, before = over_tasks(judged, batch, self.unrolled)
        return self._report(batch, before, result, task_weights(result, self.weighting, self.source))

    def _loss_before(self, task: TaskBatch) -> tf.Tensor:
        """The outer loss where nothing has been learned: a learner without inner steps has that after them as well."""
        outer = self.outer()
        return self.outer_loss(outer, self.learn(outer, *task[:2], steps=0), task)[0]

    def _report(self, batch: TaskBatch, before: tf.Tensor, result: TaskResult, w: tf.Tensor) -> dict:
        self.reported.update_state(before, result, w)
        for metric in self.task_metrics:
            points = [tf.reshape(a, (-1, *a.shape[2:])) for a in (batch.query_y, result.prediction)]
            metric.update_state(*points)
        return self.get_metrics_result()

    @property
    def metrics(self) -> list:
        """What the bar shows: see REPORTED, then the task's own metrics."""
        return [self.reported, *self.task_metrics] if self.compiled else []

    def get_config(self) -> dict:
        """For saving; the model and the weighting are saved with it."""
        return super().get_config() | learner_config(self)

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "EpisodicModel":
        """The learner that get_config describes."""
        return cls(**learner_arguments(config, custom_objects))

    def get_compile_config(self) -> dict:
        """For saving: optimiser, loss and metrics."""
        return {"optimizer": keras.saving.serialize_keras_object(self.optimizer)} | {
            k: keras.saving.serialize_keras_object(v) for k, v in self.compiled_with.items()
        }

    def compile_from_config(self, config: dict) -> None:
        """Compile as it was when saved."""
        self.compile(**{k: keras.saving.deserialize_keras_object(v) for k, v in config.items()})
