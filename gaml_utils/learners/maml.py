"""MAML around any Keras model: compile, fit, evaluate and save like any other. Chapters 06 and 07.

learner = MAML(model, inner_lr=0.01, weighting=agreement_weights)
learner.compile(keras.optimizers.Adam(1e-3), loss="mse")
learner.fit(as_dataset(SineTasks()), steps_per_epoch=1000)
adapted = learner.adapt(support_x, support_y)
"""

import warnings
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.learners.base import MetaLearner
from gaml_utils.learners.second_derivative import second_derivative
from gaml_utils.networks.inspection import all_exact, inexact_layers
from gaml_utils.networks.normalisation import PACKAGE
from gaml_utils.records import TaskBatch

HOW = "gaml_utils.learners.check_second_derivative(model, batch) measures it"


@keras.saving.register_keras_serializable(PACKAGE)
class MAML(MetaLearner):
    """Model-agnostic meta-learning. Finn, Abbeel and Levine 2017 (arXiv:1703.03400), Algorithm 1.

    Exact through all inner steps; first_order=True leaves the second derivatives out. Exact MAML on a model with
    Keras's own normalisation layers warns: their second derivative is wrong (gaml_utils.networks has right ones). Any
    other layer that is not known to be exact is compared with a central difference, once, before the first step.
    Raises ValueError then if its second derivative is wrong.
    """

    def __init__(self, model: keras.Model, *args: Any, first_order: bool = False, **kwargs: Any) -> None:
        super().__init__(model, *args, **kwargs)
        self.first_order = first_order
        if not first_order and (names := inexact_layers(model)):
            warnings.warn(
                f"the second derivative of {', '.join(names)} is wrong in Keras, so exact MAML would be too: use "
                f"gaml_utils.networks, or first_order=True. {HOW}",
                stacklevel=2,
            )

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """As MetaLearner.compile."""
        self.looked_at = False
        super().compile(*args, **kwargs)

    def before_steps(self, batch: TaskBatch) -> None:
        """Compare the model's second derivative with differences, on random points shaped like those of the batch."""
        if self.looked_at or self.first_order:
            return
        if (all_exact(self.model) and self.functional.point_losses.of_keras) or inexact_layers(self.model):
            self.looked_at = True  # right, or warned about
            return
        rng = np.random.default_rng(0)
        found = second_derivative(self.functional, lambda k: random_points(rng, batch[:2], self.variable_dtype))
        if found.wrong:
            raise ValueError(
                f"model has a wrong second derivative (off by {found.error:.1%} at {found.variable}), so exact MAML "
                f"would be wrong: use first_order=True, or a layer that TensorFlow differentiates twice. {HOW}"
            )
        self.looked_at = True

    def get_config(self) -> dict:
        """For saving: the settings of every learner, and first_order."""
        return super().get_config() | {"first_order": self.first_order}


def random_points(rng: np.random.Generator, points: Any, dtype: str) -> Any:
    """x and y of one task shaped like those of a meta-batch: floats are normal, whole numbers 0 or 1."""

    def like(a: tf.Tensor) -> tf.Tensor:
        if a.dtype.is_floating:
            return tf.constant(rng.standard_normal(a.shape[1:]), dtype)
        return tf.cast(rng.integers(2, size=a.shape[1:]), a.dtype)

    return tf.nest.map_structure(like, tuple(points))
