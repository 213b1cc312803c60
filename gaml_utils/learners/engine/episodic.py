"""A learner as a keras.Model over meta-batches: compile, fit, evaluate, save. What is learned is in learners.base."""

from typing import Any

import keras
import tensorflow as tf

from gaml_utils.checks import check_flag
from gaml_utils.learners.engine.across import across
from gaml_utils.learners.engine.batches import several_at_once
from gaml_utils.learners.engine.checks import check_compile, check_outer_variables, check_tensors, one_device, refuse
from gaml_utils.learners.engine.divergence import DivergenceGuard
from gaml_utils.learners.engine.functional import Functional, matching
from gaml_utils.learners.engine.meta_batch import (
    TaskResult,
    compared,
    finite_tasks,
    losses_before,
    numbered,
    order_of_all,
    over_tasks,
    task_result,
    task_weights,
    weighted_direction,
    with_second_sum,
)
from gaml_utils.learners.engine.metrics import Reported, as_metric
from gaml_utils.learners.engine.reporting import ReportingLearner
from gaml_utils.learners.engine.saving import RUNNING
from gaml_utils.learners.engine.together import check_workers
from gaml_utils.learners.engine.train_loop import test_function, train_function
from gaml_utils.learners.engine.workers import ALONE, Workers, told
from gaml_utils.memory import keep_freed_memory
from gaml_utils.records import TaskBatch


class EpisodicModel(ReportingLearner):
    """What Keras asks of a model that is trained on meta-batches instead of batches. MetaLearner stands on it."""

    train_function: Any  # what make_train_function sets
    test_function: Any
    has_inner_loop = True  # False: see learners.without_inner_loop
    weighs_losses = False  # True: the weights depend on the query losses, whatever the source

    def compile(
        self,
        optimizer: Any = "adam",
        loss: Any = "mse",
        metrics: list | None = None,
        workers: Workers = ALONE,
        diagnostics: bool = True,
        **kwargs: Any,
    ) -> None:
        """As keras.Model.compile. loss: of one task's points; metrics: of the answers on the query sets.

        diagnostics: False leaves the loss before adaptation and the cosine to the mean update out of what is reported:
        an outer step of `fit` is shorter by a pass over the query sets.
        workers: of join_workers(), where several processes train this learner; it is not saved.
        jit_compile=True, best with steps_per_execution=8: XLA; starts later, trains small dense models faster.
        Raises ValueError if a trainable variable of the learner is not among its outer_variables, and for
        loss_weights, weighted_metrics, several losses and gradient accumulation, and under a tf.distribute.Strategy.
        """
        one_device("compile", self.model)
        check_workers(workers, **kwargs)
        check_outer_variables(self)
        diagnostics = check_flag("diagnostics", diagnostics)
        refuse("compile", **{name: kwargs.pop(name, None) for name in ("loss_weights", "weighted_metrics")})
        optimizer = keras.optimizers.get(optimizer)
        metrics = check_compile(optimizer, loss, metrics)
        self.agree_on(workers, optimizer=optimizer, loss=loss, metrics=metrics, diagnostics=diagnostics)
        keep_freed_memory()
        super().compile(optimizer=optimizer, **RUNNING | kwargs)
        self.compiled_with = {"loss": loss, "metrics": metrics, "diagnostics": diagnostics}
        self.optimizer.build(self.outer_variables)
        self._workers = workers
        self.reported, self.guard = Reported(diagnostics), DivergenceGuard()
        self.task_metrics = [as_metric(m) for m in metrics]
        self.make_functions()

    def make_functions(self) -> None:
        """What is compiled of this learner is made anew: it holds the settings of the learner as they are now."""
        fast = matching(self.model.trainable_variables, self.fast)
        loss = keras.losses.get(self.compiled_with["loss"])
        self.functional = Functional(self.model, loss, self.inner_rule, fast)
        self._direction = tf.function(self.outer_direction, autograph=False)  # one trace per shape of a meta-batch
        self.train_function = self.test_function = self.predict_function = None
        self.kept_answers: dict = {}  # compiled functions of learners.accuracy

    def require_compiled(self, method: str) -> None:
        """Raise ValueError unless `compile` has been called, and the model is as it was then; method: who asks."""
        self._assert_compile_called(method)
        one_device(method, self.model)
        if not self.functional.variables.are_those_of(self.model):
            raise ValueError("model has other trainable variables than when the learner was compiled: compile it again")

    def outer_direction(self, batch: TaskBatch) -> tuple[list, tf.Tensor, TaskResult]:
        """sum_i w_i direction_i, the weights, and the tasks' results."""
        outer, step = self.outer(), self.optimizer.iterations

        def of_one(inputs: tuple) -> TaskResult:
            task, order, number = inputs
            return task_result(self, outer, task, order, self.functional.state(step, number))

        tasks = batch, order_of_all(self, batch), numbered(batch, self.workers)
        result = over_tasks(of_one, tasks, self.unrolled)
        finite = () if self.workers.alone else finite_tasks(result)  # which another worker could not see later
        losses, lasting, finite = self.workers.join((result.query_loss, result.lasting, finite))
        w = self.weigh(result, losses)
        direction = with_second_sum(self, batch, weighted_direction(result, self.workers.share(w)))
        return self.workers.add_up(direction), w, result._replace(query_loss=losses, lasting=lasting, finite=finite)

    def weigh(self, result: TaskResult, losses: tf.Tensor) -> tf.Tensor:
        """One weight per task, (tasks,): what the rule gives, and what the learner makes of it.

        result: of this worker's tasks. losses: the query losses of all workers' tasks, (tasks,).
        """
        rule = across(self.weighting, self.workers)
        w = task_weights(compared(result, self.source), rule, losses.shape[0], losses.dtype)
        return self.adjusted(w, losses)

    def before_steps(self, batch: TaskBatch) -> None:
        """A look at the model before the first outer step, given a batch or its TensorSpecs; learners may have one."""

    def outer_step(self, batch: TaskBatch) -> tuple[TaskResult, tf.Tensor]:
        """An outer step, no metrics: results, weights (tasks,). InvalidArgumentError if not finite: see the guard."""
        direction, w, result = self.outer_direction(batch)

        def take(direction: list) -> None:
            if getattr(self.optimizer, "loss_scale_factor", None) or hasattr(self.optimizer, "inner_optimizer"):
                scale = self.optimizer.scale_loss(tf.ones((), self.variable_dtype))  # which `apply` divides by
                direction = [d * tf.cast(scale, d.dtype) for d in direction]
            self.optimizer.apply(direction, self.outer_variables)
            self.functional.variables.live_on(result.lasting)

        self.guard.step(take, direction, w, result, self.optimizer.iterations, self.jit_compile)
        return result, w

    def train_step(self, data: Any) -> dict:
        """One outer step on a meta-batch, and the metrics."""
        batch = check_tensors(data, self.variable_dtype)
        before = self.workers.join(losses_before(self, batch)) if self.looks_before else None
        result, w = self.outer_step(batch)
        return self.report(batch, result.query_loss if before is None else before, result, w)

    def make_train_function(self, force: bool = False) -> None:
        """What `fit` calls: steps_per_execution steps in one graph."""
        if force or self.train_function is None:
            self.train_function = train_function(self)

    def make_test_function(self, force: bool = False) -> None:
        """What `evaluate` calls: a step on each meta-batch."""
        if force or self.test_function is None:
            self.test_function = test_function(self)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        validation_data: Any = None,
        shuffle: bool = False,
        class_weight: Any = None,
        sample_weight: Any = None,
        validation_split: float = 0.0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """As keras.Model.fit. x: a dataset or generator of TaskBatch, or one TaskBatch: one meta-batch per epoch.

        batch_size: cuts a TaskBatch into meta-batches of so many tasks. validation_data likewise. Nothing is shuffled:
        batches come as the dataset draws them. Raises ValueError for what Keras would take and a learner cannot use,
        and for a dataset without end where the number of steps is not given.
        """
        self.require_compiled("fit")
        refuse("fit", y=y, class_weight=class_weight, sample_weight=sample_weight)
        refuse("fit", validation_split=validation_split or None)
        x = self.batches(x, batch_size, steps_per_epoch, "x", "steps_per_epoch")
        if validation_data is not None:
            validation_data = self.batches(
                validation_data, validation_batch_size, validation_steps, "validation_data", "validation_steps"
            )
        if not self.run_eagerly:
            x = several_at_once(x, self.steps_per_execution)
        steps = {"steps_per_epoch": steps_per_epoch, "validation_steps": validation_steps}
        with told(self.workers):
            return super().fit(x, validation_data=validation_data, shuffle=shuffle, **steps, **self.as_worker(kwargs))

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        sample_weight: Any = None,
        steps: int | None = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """As keras.Model.evaluate, x as in `fit`. A dict by name, or a list whose names are `metrics_names`."""
        self.require_compiled("evaluate")
        refuse("evaluate", y=y, sample_weight=sample_weight)
        if not kwargs.get("_use_cached_eval_dataset"):  # it is that of `fit`, which has looked at it
            x, kwargs = self.batches(x, batch_size, steps, "x", "steps"), self.as_worker(kwargs)
        with told(self.workers):
            found = super().evaluate(x, steps=steps, return_dict=True, **kwargs)
        return found if return_dict else [found[name] for name in self.metrics_names]

    def test_step(self, data: Any) -> dict:
        """Learn each task and judge it on its query set, weighing as `fit` does; nothing is changed."""
        batch = check_tensors(data, self.variable_dtype)
        outer, state = self.outer(), self.functional.state(0)  # the same for each task, wherever it stands

        def judged(task: TaskBatch) -> tuple:
            learned = self.learn(outer, *task[:2], state)
            query_loss, prediction = self.judge(outer, learned, task)
            before = query_loss
            if self.looks_before:
                before, _ = self.judge(outer, self.learn(outer, *task[:2], state, steps=0), task)
            result = TaskResult(learned.update, learned.update, query_loss, prediction)
            if self.source != "updates" or self.weighs_losses or not learned.update:  # as `fit` has them
                result = task_result(self, outer, task, (), state)
            return result, query_loss, prediction, before

        result, query_loss, prediction, before = over_tasks(judged, batch, self.unrolled)
        losses, query_loss, before = self.workers.join((result.query_loss, query_loss, before))
        w = self.weigh(result, losses)
        return self.report(batch, before, result._replace(query_loss=query_loss, prediction=prediction), w)
