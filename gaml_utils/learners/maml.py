"""MAML around any Keras model: compile, fit, evaluate and save like any other. Chapters 06 and 07.

learner = MAML(model, inner_lr=0.01, weighting=agreement_weights)
learner.compile(keras.optimizers.Adam(1e-3), loss="mse")
learner.fit(as_dataset(SineTasks()), steps_per_epoch=1000)
adapted = learner.adapt(support_x, support_y)
"""

import warnings
from typing import Any

import keras
import tensorflow as tf

from gaml_utils.learners.base import MetaLearner
from gaml_utils.learners.engine.functional import Functional, dense
from gaml_utils.learners.engine.meta_batch import TaskResult
from gaml_utils.networks.inspection import inexact_layers
from gaml_utils.networks.normalisation import PACKAGE
from gaml_utils.records import TaskBatch


@keras.saving.register_keras_serializable(PACKAGE)
class MAML(MetaLearner):
    """Model-agnostic meta-learning. Finn, Abbeel and Levine 2017 (arXiv:1703.03400), Algorithm 1.

    Exact through all inner steps; first_order=True leaves the second derivatives out. Exact MAML on a model with
    Keras's own normalisation layers warns: their second derivative is wrong (gaml_utils.layers has right ones).
    """

    def __init__(self, model: keras.Model, *args: Any, first_order: bool = False, **kwargs: Any) -> None:
        super().__init__(model, *args, **kwargs)
        self.first_order = first_order
        if not first_order and (names := inexact_layers(model)):
            warnings.warn(
                f"the second derivative of {', '.join(names)} is wrong in Keras, so exact MAML would be too: "
                "use gaml_utils.layers, or first_order=True",
                stacklevel=2,
            )

    def task_result(self, theta: list, task: TaskBatch, order: Any, state: list) -> TaskResult:
        """The gradient of the query loss after adaptation."""
        return maml_task(self.functional, theta, task, state, self.inner_lr, self.inner_steps, self.first_order)

    def get_config(self) -> dict:
        """For saving."""
        return super().get_config() | {"first_order": self.first_order}


def maml_task(
    functional: Functional,
    theta: list,
    task: TaskBatch,
    state: list,
    inner_lr: float,
    steps: int,
    first_order: bool = False,
) -> TaskResult:
    """MAML on one task. Finn et al. 2017 (arXiv:1703.03400), Algorithm 1; exact, or first-order."""
    with tf.GradientTape() as outer:
        outer.watch(theta)
        adapted, state = functional.adapt(theta, *task[:2], state, inner_lr, steps)
        if first_order:
            adapted = [tf.stop_gradient(p) for p in adapted]
            outer.watch(adapted)
        query_loss, prediction, _ = functional.loss(adapted, *task[2:], state)
    direction = outer.gradient(query_loss, adapted if first_order else theta, unconnected_gradients="zero")
    update = [p - q for p, q in zip(theta, adapted, strict=True)]
    return TaskResult([dense(g) for g in direction], update, query_loss, prediction)
