"""MAML and Reptile around any Keras model: compile, fit, evaluate and save like any other. Chapters 06 and 07.

    learner = MAML(model, inner_lr=0.01, weighting=agreement_weights)
    learner.compile(keras.optimizers.Adam(1e-3), loss="mse")
    learner.fit(as_dataset(SineTasks()), steps_per_epoch=1000)
    adapted = learner.adapt(support_x, support_y)
"""

import warnings
from typing import Any

import keras
import tensorflow as tf

from gaml_utils.checks import check_count
from gaml_utils.keras_engine import TaskResult, maml_task, reptile_task
from gaml_utils.layers import PACKAGE, inexact_layers
from gaml_utils.meta_learner import MetaLearner
from gaml_utils.tasks import TaskBatch

__all__ = ["MAML", "MetaLearner", "Reptile"]


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
                "use gaml_utils.layers, or first_order=True", stacklevel=2,
            )  # fmt: skip

    def task_result(self, theta: list, task: TaskBatch, order: Any, state: list) -> TaskResult:
        """The gradient of the query loss after adaptation."""
        return maml_task(self.functional, theta, task, state, self.inner_lr, self.inner_steps, self.first_order)

    def get_config(self) -> dict:
        """For saving."""
        return super().get_config() | {"first_order": self.first_order}


@keras.saving.register_keras_serializable(PACKAGE)
class Reptile(MetaLearner):
    """Reptile. Nichol, Achiam and Schulman 2018 (arXiv:1803.02999), Algorithm 2. SGD(eps) is its outer step.

    batch_size: each inner step sees that many support points, drawn without replacement until all have been seen;
    by default all of them. seed: of that drawing, which also depends on the outer step.
    """

    def __init__(
        self, model: keras.Model, inner_lr: float = 0.02, inner_steps: int = 5, *args: Any,
        batch_size: int | None = None, seed: int = 0, **kwargs: Any,
    ) -> None:
        super().__init__(model, inner_lr, inner_steps, *args, **kwargs)
        if batch_size is not None:
            check_count("batch_size", batch_size)
        self.batch_size, self.seed = batch_size, seed

    def order(self, batch: TaskBatch) -> tf.Tensor | tuple:
        """Passes over a shuffled support set."""
        if self.batch_size is None:
            return ()
        tasks, shots = batch.support_x.shape[:2]
        check_count("batch_size", self.batch_size, at_most=shots, what=" (the shots)")
        passes = -(-self.inner_steps * self.batch_size // shots)
        seed = tf.stack([tf.cast(self.seed, tf.int64), tf.cast(self.optimizer.iterations, tf.int64)])
        order = tf.argsort(tf.random.stateless_uniform((tasks, passes, shots), seed))
        order = tf.reshape(order, (tasks, -1))[:, : self.inner_steps * self.batch_size]
        return tf.reshape(order, (tasks, self.inner_steps, self.batch_size))

    def task_result(self, theta: list, task: TaskBatch, order: Any, state: list) -> TaskResult:
        """The update itself."""
        order = None if isinstance(order, tuple) else order
        return reptile_task(self.functional, theta, task, state, self.inner_lr, self.inner_steps, order)

    def get_config(self) -> dict:
        """For saving."""
        return super().get_config() | {"batch_size": self.batch_size, "seed": self.seed}
