"""The training loop that MAML and Reptile share, as a keras.Model: compile, fit, evaluate, save, load.

Batch normalisation: in meta-training every set is normalised by its own statistics, as in the field, and `fit` leaves
the moving statistics alone. `adapt` and `evaluate` normalise the query set by the statistics of the support set, so
each query is judged alone; transductive=True uses the whole query set instead. `learner(x)` is the unadapted model.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.checks import check_count, check_positive, check_source
from gaml_utils.learners.engine.checks import check_model, check_tensors
from gaml_utils.learners.engine.divergence import DivergenceGuard
from gaml_utils.learners.engine.functional import Functional, gradient_descent
from gaml_utils.learners.engine.meta_batch import TaskResult, over_tasks, task_weights, weighted_direction
from gaml_utils.learners.engine.metrics import Reported, as_metric
from gaml_utils.learners.engine.saving import learner_config, restored
from gaml_utils.learners.engine.train_loop import several_steps
from gaml_utils.memory import keep_freed_memory
from gaml_utils.networks.inspection import convolves
from gaml_utils.records import MetaResult, TaskBatch
from gaml_utils.weighting.agreement import uniform_weights


class MetaLearner(keras.Model):
    """What MAML and Reptile share: the tasks, the weights, and the training loop of Keras.

    model: any built keras.Model; its trainable variables are theta, and only `fit` changes them.
    inner_lr, inner_steps: of the inner loop. weighting: any function (tasks, parameters) -> (tasks,) of the updates
    theta - theta'_i; source="outer": of MAML's outer gradients of the single tasks instead (Reptile's are its updates;
    `evaluate` has the updates only). inner_rule: (theta, gradient, inner_lr) -> theta, without a memory.
    unrolled: one graph a task instead of one for all; None chooses (unrolled for convolutions).
    Raises ValueError, naming the argument, for an unbuilt model, mixed precision, or a number out of range.
    """

    def __init__(
        self,
        model: keras.Model,
        inner_lr: float = 0.01,
        inner_steps: int = 1,
        weighting: Callable = uniform_weights,
        unrolled: bool | None = None,
        transductive: bool = False,
        inner_rule: Callable = gradient_descent,
        source: str = "updates",
        **kwargs: Any,
    ) -> None:
        check_model(model)
        check_positive("inner_lr", inner_lr)
        check_count("inner_steps", inner_steps)
        check_source(source)
        for name, rule in (("weighting", weighting), ("inner_rule", inner_rule)):
            if not callable(rule):
                raise ValueError(f"{name} should be a function, got {rule!r}")
        super().__init__(**{"dtype": model.trainable_variables[0].dtype} | kwargs)
        self.model, self.inner_lr, self.inner_steps = model, inner_lr, inner_steps
        self.weighting, self.source, self.transductive, self.inner_rule = weighting, source, transductive, inner_rule
        self.unrolled = convolves(model) if unrolled is None else unrolled
        self.built = True

    def task_result(self, theta: list, task: TaskBatch, order: Any, state: list) -> TaskResult:
        """One task's direction, update and query loss: what a learner is."""
        raise NotImplementedError

    def order(self, batch: TaskBatch) -> tf.Tensor | tuple:
        """Which points each inner step sees, (tasks, steps, points); () for all."""
        return ()

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The model before adaptation."""
        return self.model(inputs, training=training)

    def compile(self, optimizer: Any = "adam", loss: Any = "mse", metrics: list | None = None, **kwargs: Any) -> None:
        """As keras.Model.compile. loss: of one task's points; metrics: of the adapted model on the query sets.

        jit_compile=True, best with steps_per_execution=8: XLA; starts later, trains small dense models faster.
        """
        keep_freed_memory()
        super().compile(optimizer=optimizer, **{"jit_compile": False} | kwargs)
        self.compiled_with = {"loss": loss, "metrics": metrics or []}
        self.functional = Functional(self.model, keras.losses.get(loss), self.inner_rule)
        self.optimizer.build(self.model.trainable_variables)
        self.reported, self.guard = Reported(), DivergenceGuard()
        self.task_metrics = [as_metric(m, loss) for m in metrics or []]
        self._direction = tf.function(self.outer_direction, reduce_retracing=True)

    def outer_direction(self, batch: TaskBatch) -> tuple[list, tf.Tensor, TaskResult]:
        """sum_i w_i direction_i, the weights, and the tasks' results."""
        theta = [tf.convert_to_tensor(v) for v in self.model.trainable_variables]
        state = self.functional.state(self.optimizer.iterations)
        inputs = batch, self.order(batch)
        result = over_tasks(lambda each: self.task_result(theta, *each, state), inputs, self.unrolled)
        w = task_weights(result, self.weighting, self.source)
        return weighted_direction(result, w), w, result

    def meta_gradient(self, batch: TaskBatch) -> MetaResult:
        """Gradient (like theta), weights (tasks,) and query losses (tasks,) of one meta-batch. Changes nothing."""
        self._assert_compile_called("meta_gradient")
        direction, w, result = self._direction(check_tensors(batch, self.variable_dtype))
        return MetaResult(direction, w, result.query_loss)

    def outer_step(self, batch: TaskBatch) -> tuple[TaskResult, tf.Tensor]:
        """A step of theta, no metrics: results, weights (tasks,). InvalidArgumentError if not finite: see the guard."""
        direction, w, result = self.outer_direction(batch)
        take = partial(self.optimizer.apply, trainable_variables=self.model.trainable_variables)
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
            self.train_function = several_steps(self)

    def fit(self, *args: Any, shuffle: bool = False, **kwargs: Any) -> keras.callbacks.History:
        """As keras.Model.fit. Nothing is shuffled: batches come as the dataset draws them."""
        return super().fit(*args, shuffle=shuffle, **kwargs)

    def test_step(self, data: TaskBatch) -> dict:
        """Adapt to each task and judge it on its query set; nothing is learned."""
        batch = check_tensors(data, self.variable_dtype)
        theta = [tf.convert_to_tensor(v) for v in self.model.trainable_variables]
        state = self.functional.state(0)

        def judge(task: TaskBatch) -> tuple[TaskResult, tf.Tensor]:
            before, _ = self.functional.judge(theta, task, state, self.transductive)
            adapted, _ = self.functional.adapt(theta, *task[:2], state, self.inner_lr, self.inner_steps)
            query_loss, prediction = self.functional.judge(adapted, task, state, self.transductive)
            update = [p - q for p, q in zip(theta, adapted, strict=True)]
            return TaskResult(update, update, query_loss, prediction), before

        result, before = over_tasks(judge, batch, self.unrolled)
        return self._report(batch, before, result, task_weights(result, self.weighting))

    def adapt(self, support_x: Any, support_y: Any, steps: int | None = None) -> keras.Model:
        """A plain Keras model for ONE task, adapted to its support set; the learner is unchanged.

        support_x, support_y: (points, ...), no task axis. steps: inner steps, `inner_steps` if not given.
        """
        self._assert_compile_called("adapt")
        steps = self.inner_steps if steps is None else steps
        check_count("steps", steps, at_least=0)
        one_task = TaskBatch(*(np.asarray(a)[None] for a in (support_x, support_y, support_x, support_y)))
        x, y = (a[0] for a in check_tensors(one_task, self.variable_dtype)[:2])
        theta = [tf.convert_to_tensor(v) for v in self.model.trainable_variables]
        adapted, _ = self.functional.adapt(theta, x, y, self.functional.state(0), self.inner_lr, steps)
        return self.functional.copy_with(adapted, x)

    def _loss_before(self, task: TaskBatch) -> tf.Tensor:
        theta = [tf.convert_to_tensor(v) for v in self.model.trainable_variables]
        return self.functional.loss(theta, *task[2:], self.functional.state(0))[0]

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
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "MetaLearner":
        """The learner that get_config describes."""
        return cls(**restored(config, custom_objects))

    def get_compile_config(self) -> dict:
        """For saving: optimiser, loss and metrics."""
        return {"optimizer": keras.saving.serialize_keras_object(self.optimizer)} | {
            k: keras.saving.serialize_keras_object(v) for k, v in self.compiled_with.items()
        }

    def compile_from_config(self, config: dict) -> None:
        """Compile as it was when saved."""
        self.compile(**{k: keras.saving.deserialize_keras_object(v) for k, v in config.items()})
