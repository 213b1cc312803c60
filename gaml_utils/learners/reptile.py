"""Reptile around any Keras model: compile, fit, evaluate and save like any other. Chapter 07."""

from typing import Any

import keras
import tensorflow as tf

from gaml_utils.checks import check_count
from gaml_utils.learners.base import MetaLearner
from gaml_utils.networks.normalisation import PACKAGE
from gaml_utils.records import TaskBatch


@keras.saving.register_keras_serializable(PACKAGE)
class Reptile(MetaLearner):
    """Reptile. Nichol, Achiam and Schulman 2018 (arXiv:1803.02999), Algorithm 2. SGD(eps) is its outer step.

    batch_size: each inner step sees that many support points, drawn without replacement until all have been seen;
    by default all of them. seed: of that drawing, which also depends on the outer step.
    """

    descends_update = True

    def __init__(
        self,
        model: keras.Model,
        inner_lr: float = 0.02,
        inner_steps: int = 5,
        *args: Any,
        batch_size: int | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(model, inner_lr, inner_steps, *args, **kwargs)
        if batch_size is not None:
            check_count("batch_size", batch_size)
        self.batch_size, self.seed = batch_size, seed

    def order(self, batch: TaskBatch) -> tf.Tensor | tuple:
        """Passes over a shuffled support set."""
        if self.batch_size is None:
            return ()
        tasks, shots = tf.nest.flatten(batch.support_x)[0].shape[:2]
        check_count("batch_size", self.batch_size, at_most=shots, what=" (the shots)")
        passes = -(-self.inner_steps * self.batch_size // shots)
        seed = tf.stack([tf.cast(self.seed, tf.int64), tf.cast(self.optimizer.iterations, tf.int64)])
        order = tf.argsort(tf.random.stateless_uniform((tasks, passes, shots), seed))
        order = tf.reshape(order, (tasks, -1))[:, : self.inner_steps * self.batch_size]
        return tf.reshape(order, (tasks, self.inner_steps, self.batch_size))

    def get_config(self) -> dict:
        """For saving: the settings of every learner, batch_size and seed."""
        return super().get_config() | {"batch_size": self.batch_size, "seed": self.seed}
