"""ADML around any Keras classifier of images: adapted on attacked, judged on clean, and the other way round. Ch. 13."""

from typing import Any

import keras
import tensorflow as tf

from gaml_utils.learners.attacks import check_epsilon, check_input_range, check_inside, fgsm
from gaml_utils.learners.engine.meta_batch import Learned
from gaml_utils.learners.maml import MAML
from gaml_utils.networks.normalisation import PACKAGE
from gaml_utils.records import TaskBatch


@keras.saving.register_keras_serializable(PACKAGE)
class ADML(MAML):
    """Adversarial meta-learning. Yin, Tang, Xu and Wang 2018 (arXiv:1806.03316).

    Each task has two inner loops from theta, one on the clean support set and one on the support set attacked at theta.
    The pairs are crossed: the loss of a task is that of the clean queries after the attacked support set, plus that of
    the attacked queries after the clean one. Attacks: learners.attacks.fgsm, at the current theta, constants for the
    gradient. The outer step descends the sum of both in one step; the paper takes two, one after the other.

    epsilon: how far an attack moves an input, in units of the inputs. input_range: (low, high) of the inputs, None for
    no limits. An update is both displacements, one after the other. With epsilon 0 direction and loss are twice MAML's.
    `answers`, `adapt` and `evaluate` are about the clean inner loop: who attacks there is up to the caller
    (attacked_accuracies).
    Raises ValueError as MAML does, for an epsilon below 0, an input_range that is no range, and inputs out of it.
    """

    def __init__(
        self, model: keras.Model, epsilon: float = 0.1, input_range: tuple | None = (0.0, 1.0), **kwargs: Any
    ) -> None:
        super().__init__(model, **kwargs)
        self.epsilon, self.input_range = epsilon, input_range

    def checked_setting(self, name: str, value: Any) -> Any:
        """As MetaLearner.checked_setting."""
        if name == "epsilon":
            return check_epsilon(name, value)
        return check_input_range(value) if name == "input_range" else super().checked_setting(name, value)

    def before_steps(self, batch: TaskBatch) -> None:
        """As MAML.before_steps. Raises ValueError for inputs out of their range, where they are at hand."""
        super().before_steps(batch)
        for x in tf.nest.flatten((batch.support_x, batch.query_x)):
            if hasattr(x, "numpy"):
                check_inside(x, self.input_range)

    def attack(self, outer: list, x: Any, y: Any, state: list) -> Any:
        """Points of one task, attacked at theta."""
        theta = self.theta(outer)
        return fgsm(lambda x: self.functional.loss(theta, x, y, state)[0], x, self.epsilon, self.input_range)

    def learn(
        self, outer: list, x: Any, y: Any, state: list | None = None, order: Any = (), steps: int | None = None
    ) -> Learned:
        """As MetaLearner.learn; memory: the parameters adapted to the clean, and to the attacked support set."""
        state = self.functional.state(0) if state is None else state
        clean = super().learn(outer, x, y, state, order, steps)
        attacked = clean
        if (self.inner_steps if steps is None else steps) > 0:  # else there is nothing that an attack would change
            attacked = super().learn(outer, self.attack(outer, x, y, state), y, state, order, steps)
        return clean._replace(memory=(clean.memory, attacked.memory), update=clean.update + attacked.update)

    def outer_loss(self, outer: list, learned: Learned, task: TaskBatch) -> tuple[tf.Tensor, tf.Tensor]:
        """Clean queries after the attacked support set, attacked queries after the clean one; answers of the former."""
        attacked_x = self.attack(outer, task.query_x, task.query_y, learned.state)
        clean, attacked = learned.memory
        first, prediction = super().outer_loss(outer, learned._replace(memory=(attacked, clean)), task)
        second, _ = super().outer_loss(outer, learned, task._replace(query_x=attacked_x))
        return first + second, prediction

    def answer(self, outer: list, learned: Learned, x: Any, training: bool = False) -> tf.Tensor:
        """As MetaLearner.answer, with the first of the two parameters."""
        return super().answer(outer, learned._replace(memory=self.adapted(learned)), x, training)

    def statistics(self, outer: list, learned: Learned, x: Any) -> list:
        """As MetaLearner.statistics."""
        return super().statistics(outer, learned._replace(memory=self.adapted(learned)), x)

    def adapted(self, learned: Learned) -> list:
        """The parameters adapted to the clean support set."""
        return learned.memory[0]

    def get_config(self) -> dict:
        """For saving: the settings of MAML, epsilon and input_range."""
        return super().get_config() | {"epsilon": self.epsilon, "input_range": self.input_range}
