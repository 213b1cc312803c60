"""What every learner is: it learns from a support set, answers queries, and is trained over tasks, as a keras.Model.

Batch normalisation: in meta-training every set is normalised by its own statistics, as in the field, and `fit` leaves
the moving statistics alone. `adapt` and `evaluate` normalise the query set by the statistics of the support set, so
each query is judged alone; transductive=True uses the whole query set instead. `learner(x)` is the unadapted model.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.checks import check_count, check_source
from gaml_utils.learners.engine.checks import check_model, check_rates, check_tensors
from gaml_utils.learners.engine.episodic import EpisodicModel
from gaml_utils.learners.engine.functional import gradient_descent, matching
from gaml_utils.learners.engine.meta_batch import Learned
from gaml_utils.networks.inspection import convolves
from gaml_utils.records import MetaResult, TaskBatch
from gaml_utils.weighting.agreement import uniform_weights


class MetaLearner(EpisodicModel):
    """What all learners share: the tasks, the weights, and the training loop of Keras. MAML and Reptile stand on it.

    model: any built keras.Model; its trainable variables are theta, and only `fit` changes them.
    inner_lr, inner_steps: of the inner loop; inner_lr is a number, or a list with one step size for each variable that
    the inner loop moves. fast: which those are, a pattern or a list of patterns of their paths, such as "head/*"; all
    by default. inner_rule: (parameters, gradient, inner_lr) -> parameters, of what the inner loop moves.
    weighting: any function (tasks, parameters) -> (tasks,) of what `source` names: the "updates" theta - theta'_i, the
    tasks' "outer" directions, or their query "losses", (tasks, 1).
    unrolled: one graph per task instead of one for all; None chooses (unrolled for convolutions).
    Raises ValueError, naming the argument, for an unbuilt model, mixed precision, or a number out of range.

    A learner of your own overrides `learn` and `answer`, and `outer_loss` and `outer_variables` where it has others.
    """

    descends_update = False  # True: the update is the outer direction (Reptile); False: the query loss's gradient
    first_order = False  # True: no second derivatives through the inner steps

    def __init__(
        self,
        model: keras.Model,
        inner_lr: Any = 0.01,
        inner_steps: int = 1,
        weighting: Callable = uniform_weights,
        unrolled: bool | None = None,
        transductive: bool = False,
        inner_rule: Callable = gradient_descent,
        source: str = "updates",
        fast: str | list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        check_model(model)
        theta = model.trainable_variables
        inner_lr = check_rates(inner_lr, [theta[k] for k in matching(theta, fast)])
        check_count("inner_steps", inner_steps)
        check_source(source)
        for name, rule in (("weighting", weighting), ("inner_rule", inner_rule)):
            if not callable(rule):
                raise ValueError(f"{name} should be a function, got {rule!r}")
        super().__init__(**{"dtype": model.trainable_variables[0].dtype} | kwargs)
        self.model, self.inner_lr, self.inner_steps = model, inner_lr, inner_steps
        self.weighting, self.source, self.transductive, self.inner_rule = weighting, source, transductive, inner_rule
        self.fast = fast if fast is None or isinstance(fast, str) else tuple(fast)
        self.unrolled = convolves(model) if unrolled is None else unrolled
        self.built = True

    @property
    def outer_variables(self) -> list:
        """What the optimiser moves: theta, the model's trainable variables, first, then what a learner adds."""
        return list(self.model.trainable_variables)

    def inner_rates(self, outer: list) -> Any:
        """The inner step size: a number, or a list of tensors like what the inner loop moves."""
        if not isinstance(self.inner_lr, tuple):
            return self.inner_lr
        return [tf.constant(rate, self.variable_dtype) for rate in self.inner_lr]

    def learn(
        self, outer: list, x: tf.Tensor, y: tf.Tensor, state: list | None = None, order: Any = (), steps: Any = None
    ) -> Learned:
        """What answers queries, made of ONE task's support set x, y (points, ...), no task axis.

        outer: tensors like outer_variables. state: functional.state of the outer step, that of step 0 by default.
        order: which points each inner step sees, (steps, points); () for all. steps: inner_steps by default.
        """
        theta = outer[: len(self.model.trainable_variables)]
        state = self.functional.state(0) if state is None else state
        steps = self.inner_steps if steps is None else steps
        rates = self.inner_rates(outer)
        adapted, after = self.functional.adapt(theta, x, y, state, rates, steps, order, self.first_order)
        ends = zip(self.functional.moved(theta), self.functional.moved(adapted), strict=True)
        return Learned(adapted, [p - q for p, q in ends], self.functional.statistics(adapted, x, state, after))

    def answer(self, outer: list, learned: Learned, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The outputs for one task's queries, (points, ...); in training, normalised by x's own statistics."""
        return self.functional.predict(learned.memory, x, learned.state, training)[0]

    def statistics(self, outer: list, learned: Learned, x: tf.Tensor) -> list:
        """The state whose moving statistics are those of x, for answers that are transductive."""
        return self.functional.statistics(learned.memory, x, learned.state)

    def outer_loss(self, outer: list, learned: Learned, task: TaskBatch) -> tuple[tf.Tensor, tf.Tensor]:
        """What the outer step lowers, (), and the predictions: the mean loss of the answers on the query set."""
        prediction = self.answer(outer, learned, task.query_x, training=True)
        return self.functional.mean_loss(task.query_y, prediction), prediction

    def order(self, batch: TaskBatch) -> tf.Tensor | tuple:
        """Which points each inner step sees, (tasks, steps, points); () for all."""
        return ()

    def outer(self) -> list:
        """The outer variables as tensors."""
        return [tf.convert_to_tensor(v) for v in self.outer_variables]

    def like_outer(self, update: list) -> list:
        """An update as a direction of the outer variables: zeros where the inner loop moved nothing."""
        zeros = [tf.zeros_like(v) for v in self.outer_variables]
        return self.functional.with_moved(zeros, update)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The model before adaptation."""
        return self.model(inputs, training=training)

    def judge(
        self, outer: list, learned: Learned, task: TaskBatch, transductive: bool | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Query loss, (), and answers: each query alone, or normalised by the query set where transductive."""
        if self.transductive if transductive is None else transductive:
            learned = learned._replace(state=self.statistics(outer, learned, task.query_x))
        prediction = self.answer(outer, learned, task.query_x)
        return self.functional.mean_loss(task.query_y, prediction), prediction

    def meta_gradient(self, batch: TaskBatch) -> MetaResult:
        """Gradient (like outer_variables), weights and query losses (tasks,) of one meta-batch. Changes nothing."""
        self.require_compiled("meta_gradient")
        direction, w, result = self._direction(check_tensors(batch, self.variable_dtype))
        return MetaResult(direction, w, result.query_loss)

    def adapt(self, support_x: Any, support_y: Any, steps: int | None = None) -> keras.Model:
        """A plain Keras model for ONE task, adapted to its support set; the learner is unchanged.

        support_x, support_y: (points, ...), no task axis. steps: inner steps, `inner_steps` if not given.
        Raises ValueError for a learner that answers by something else than adapted parameters.
        """
        learned, x = self._learn_one("adapt", support_x, support_y, steps)
        theta = self.model.trainable_variables
        if not isinstance(learned.memory, list) or [p.shape for p in learned.memory] != [v.shape for v in theta]:
            raise ValueError(f"{type(self).__name__} adapts no parameters: call answers(...) instead of adapt")
        return self.functional.copy_with(learned.memory, learned.state, x)

    def answers(self, support_x: Any, support_y: Any, query_x: Any, steps: int | None = None) -> np.ndarray:
        """The outputs for ONE task's queries, (points, ...), each judged alone; the learner is unchanged.

        Arguments as in `adapt`; query_x: (points, ...) like support_x.
        """
        learned, _ = self._learn_one("answers", support_x, support_y, steps)
        query_y = np.zeros(len(query_x))  # not looked at
        x = check_tensors(TaskBatch(*(np.asarray(a)[None] for a in (query_x, query_y) * 2)), self.variable_dtype)[0][0]
        return self.answer(self.outer(), learned, x).numpy()

    def _learn_one(self, method: str, support_x: Any, support_y: Any, steps: int | None) -> tuple[Learned, tf.Tensor]:
        self.require_compiled(method)
        if steps is not None:
            check_count("steps", steps, at_least=0)
        one_task = TaskBatch(*(np.asarray(a)[None] for a in (support_x, support_y, support_x, support_y)))
        x, y = (a[0] for a in check_tensors(one_task, self.variable_dtype)[:2])
        return self.learn(self.outer(), x, y, steps=steps), x
