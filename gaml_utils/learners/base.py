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

from gaml_utils.checks import check_count
from gaml_utils.learners.engine.adapted import adapted_model
from gaml_utils.learners.engine.checks import check_model, check_tensors, one_set, one_task
from gaml_utils.learners.engine.functional import Functional, gradient_descent, matching
from gaml_utils.learners.engine.meta_batch import Learned
from gaml_utils.learners.engine.settings import WithSettings
from gaml_utils.learners.engine.workers import told
from gaml_utils.networks.inspection import vectorises
from gaml_utils.records import MetaResult, TaskBatch
from gaml_utils.weighting.agreement import uniform_weights


class MetaLearner(WithSettings):
    """What all learners share: the tasks, the weights, and the training loop of Keras. MAML and Reptile stand on it.

    model: any built keras.Model; its trainable variables are theta, and only `fit` changes them.
    inner_lr, inner_steps: of the inner loop; inner_lr is a number, or a list with one step size for each variable that
    the inner loop moves. fast: which those are, a pattern or a list of patterns of their paths, such as "head/*"; all
    by default. inner_rule: (parameters, gradient, inner_lr) -> parameters, of what the inner loop moves.
    weighting: any function (tasks, parameters) -> (tasks,) of what `source` names: the "updates" theta - theta'_i, the
    tasks' "outer" directions, or their query "losses", (tasks, 1).
    unrolled: one graph per task instead of one for all; None chooses (unrolled for convolutions and recurrent layers).
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
        super().__init__(**{"dtype": model.trainable_variables[0].dtype} | kwargs)
        self.model, self.inner_rule, self.inner_steps = model, inner_rule, inner_steps
        self.fast = fast
        self.inner_lr, self.weighting, self.source, self.transductive = inner_lr, weighting, source, transductive
        self.unrolled = not vectorises(model) if unrolled is None else unrolled
        self.built = True

    @property
    def outer_variables(self) -> list:
        """What the optimiser moves: theta, the model's trainable variables, first, then what a learner adds."""
        return list(self.model.trainable_variables)

    def theta(self, outer: list) -> list:
        """All trainable parameters of the model, from tensors like outer_variables."""
        return outer[: len(self.model.trainable_variables)]

    def places(self, theta: list) -> list[int]:
        """Which of the model's trainable variables the inner loop moves."""
        return matching(theta, self.fast)

    @property
    def started_anew(self) -> list:
        """Trainable variables of the model that start at 0 for each task, so that no outer step moves them."""
        return []

    def inner_rates(self, outer: list) -> Any:
        """The inner step size: a number, or a list of tensors like what the inner loop moves."""
        if not isinstance(self.inner_lr, tuple):
            return self.inner_lr
        return [tf.constant(rate, self.variable_dtype) for rate in self.inner_lr]

    @property
    def inner_functional(self) -> Functional:
        """The model and the loss that the inner loop lowers: that of the outer step, unless a learner has another."""
        return self.functional

    def learn(
        self, outer: list, x: tf.Tensor, y: tf.Tensor, state: list | None = None, order: Any = (), steps: Any = None
    ) -> Learned:
        """What answers queries, made of ONE task's support set x, y (points, ...), no task axis.

        outer: tensors like outer_variables. state: functional.state of the outer step, that of step 0 by default.
        order: which points each inner step sees, (steps, points); () for all. steps: inner_steps by default.
        """
        theta = self.theta(outer)
        state = self.functional.state(0) if state is None else state
        steps = self.inner_steps if steps is None else steps
        rates = self.inner_rates(outer)
        adapted, after = self.inner_functional.adapt(theta, x, y, state, rates, steps, order, self.first_order)
        ends = zip(self.functional.moved(theta), self.functional.moved(adapted), strict=True)
        return Learned(adapted, [p - q for p, q in ends], self.functional.statistics(adapted, x, state, after))

    def answer(self, outer: list, learned: Learned, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The outputs for one task's queries, (points, ...); in training, normalised by x's own statistics."""
        return self.functional.predict(learned.memory, x, learned.state, training)[0]

    def adapted(self, learned: Learned) -> Any:
        """The adapted parameters that answer queries, like the model's; another thing where a learner has none."""
        return learned.memory

    def statistics(self, outer: list, learned: Learned, x: tf.Tensor) -> list:
        """The state whose moving statistics are those of x, for answers that are transductive."""
        return self.functional.statistics(learned.memory, x, learned.state)

    def outer_loss(self, outer: list, learned: Learned, task: TaskBatch) -> tuple[tf.Tensor, tf.Tensor]:
        """What the outer step lowers, (), and the predictions: the mean loss of the answers on the query set."""
        with self.functional.adding_losses() as added:
            prediction = self.answer(outer, learned, task.query_x, training=True)
        return self.functional.mean_loss(task.query_y, prediction, added), prediction

    def adjusted(self, w: tf.Tensor, losses: tf.Tensor) -> tf.Tensor:
        """The tasks' weights, (tasks,): what the rule gives, w. losses: of the queries after learning, (tasks,)."""
        return w

    def second_weights(self, losses: tf.Tensor) -> tf.Tensor | None:
        """Weights of a second sum, of the gradients of the query losses before learning, (tasks,); None: there is none.

        losses: these losses, (tasks,).
        """
        return None

    def checked_steps(self, steps: int | None) -> int:
        """So many inner steps at the test: inner_steps where they are not given. Raises ValueError below 0."""
        steps = self.inner_steps if steps is None else steps
        check_count("steps", steps, at_least=0)
        return steps

    def check_tasks(self, batch: TaskBatch) -> None:
        """Raise ValueError for tasks, arrays at hand, that this learner cannot learn from; learners may have a check.

        batch: with a task axis, or one task without.
        """

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
        with self.functional.adding_losses() as added:
            prediction = self.answer(outer, learned, task.query_x)
        return self.functional.mean_loss(task.query_y, prediction, added), prediction

    def meta_gradient(self, batch: TaskBatch) -> MetaResult:
        """Gradient (like outer_variables), weights and query losses (tasks,) of one meta-batch. Changes nothing."""
        self.require_compiled("meta_gradient")
        batch = check_tensors(batch, self.variable_dtype)
        self.before_steps(batch)
        with told(self.workers), self.workers.waiting():
            direction, w, result = self._direction(batch)
        if not np.isfinite(w).all() and all(np.isfinite(a).all() for a in tf.nest.flatten(result.update)):
            raise ValueError(f"weighting should return finite weights, got {w.numpy()}")
        return MetaResult(direction, w, result.query_loss)

    def adapt(self, support_x: Any, support_y: Any, steps: int | None = None) -> keras.Model:
        """A plain Keras model for ONE task, adapted to its support set; the learner is unchanged.

        support_x, support_y: (points, ...), no task axis. steps: inner steps, `inner_steps` if not given.
        Raises ValueError for a learner that answers by something else than adapted parameters.
        """
        learned, x = self._learn_one("adapt", support_x, support_y, steps)
        theta, adapted = self.model.trainable_variables, self.adapted(learned)
        if not isinstance(adapted, list) or [p.shape for p in adapted] != [v.shape for v in theta]:
            raise ValueError(f"{type(self).__name__} adapts no parameters: call answers(...) instead of adapt")
        return adapted_model(self.functional, adapted, learned.state, x)

    def answers(self, support_x: Any, support_y: Any, query_x: Any, steps: int | None = None) -> np.ndarray:
        """The outputs for ONE task's queries, (points, ...), each judged alone; the learner is unchanged.

        Arguments as in `adapt`; query_x: (points, ...) like support_x.
        """
        learned, _ = self._learn_one("answers", support_x, support_y, steps)
        return self.answer(self.outer(), learned, one_set("query_x", query_x, self.variable_dtype)).numpy()

    def _learn_one(self, method: str, support_x: Any, support_y: Any, steps: int | None) -> tuple[Learned, Any]:
        self.require_compiled(method)
        steps = self.checked_steps(steps)
        x, y = one_task(support_x, support_y, self.variable_dtype)
        self.check_tasks(TaskBatch(x, y, (), ()))
        return self.learn(self.outer(), x, y, steps=steps), x
