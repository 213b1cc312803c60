"""MAML around any Keras model: compile, fit, evaluate and save like any other. Chapters 06 and 07.

learner = MAML(model, inner_lr=0.01, weighting=agreement_weights)
learner.compile(keras.optimizers.Adam(1e-3), loss="mse")
learner.fit(as_dataset(SineTasks()), steps_per_epoch=1000)
adapted = learner.adapt(support_x, support_y)
"""

import warnings
from typing import Any

import keras

from gaml_utils.learners.base import MetaLearner
from gaml_utils.networks.inspection import inexact_layers
from gaml_utils.networks.normalisation import PACKAGE


@keras.saving.register_keras_serializable(PACKAGE)
class MAML(MetaLearner):
    """Model-agnostic meta-learning. Finn, Abbeel and Levine 2017 (arXiv:1703.03400), Algorithm 1.

    Exact through all inner steps; first_order=True leaves the second derivatives out. Exact MAML on a model with
    Keras's own normalisation layers warns: their second derivative is wrong (gaml_utils.networks has right ones).
    """

    def __init__(self, model: keras.Model, *args: Any, first_order: bool = False, **kwargs: Any) -> None:
        super().__init__(model, *args, **kwargs)
        self.first_order = first_order
        if not first_order and (names := inexact_layers(model)):
            warnings.warn(
                f"the second derivative of {', '.join(names)} is wrong in Keras, so exact MAML would be too: "
                "use gaml_utils.networks, or first_order=True",
                stacklevel=2,
            )

    def get_config(self) -> dict:
        """For saving: the settings of every learner, and first_order."""
        return super().get_config() | {"first_order": self.first_order}
