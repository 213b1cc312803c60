"""CAML around any Keras model with Context layers: a few numbers adapt, and the rest is shared. Chapter 12."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.checks import check_flag
from gaml_utils.learners.maml import MAML
from gaml_utils.networks.context import Context
from gaml_utils.networks.inspection import leaves
from gaml_utils.networks.normalisation import PACKAGE


@keras.saving.register_keras_serializable(PACKAGE)
class CAML(MAML):
    """Context adaptation. Zintgraf et al. 2019 (arXiv:1810.03642), first "CAML", then "CAVIA".

    The context phi, the variables of the model's Context layers, starts at 0 for each task and takes all inner steps:
    phi_i = -inner_lr grad_phi L_support(0, theta). theta, all the rest, is what the outer step moves, exactly: through
    phi_i as well. The updates that weightings compare are the contexts alone, `size` numbers per task.

    learn_start=True: where the context starts is learned with theta. fast: other variables that adapt, as in
    MetaLearner; with fast="*" and learn_start=True the learner is MAML.
    Raises ValueError as MAML does, for a model without a Context layer, for a context that does not start at 0 though
    it is not learned, and for another `fast`, or after `compile` another learn_start, than it was made with.
    """

    def __init__(self, model: keras.Model, inner_lr: Any = 1.0, learn_start: bool = False, **kwargs: Any) -> None:
        super().__init__(model, inner_lr, **kwargs)
        self.learn_start = learn_start

    def checked_setting(self, name: str, value: Any) -> Any:
        """As MetaLearner.checked_setting; fast=None is the context, not all."""
        if name == "fast" and hasattr(self, "learn_start"):
            raise ValueError("fast should stay as it is: make a new learner for another")
        if name == "fast" and value is None:
            value = context_paths(self.model)
        if name == "learn_start":
            check_flag(name, value)
            if not value and any(np.any(v.numpy()) for v in self._moved_variables()):
                raise ValueError("model should have a context of 0, where it starts for each task, or learn_start=True")
            if getattr(self, "learn_start", value) != value and self.compiled:
                raise ValueError("learn_start should stay as it is: make a new learner for another")
        return super().checked_setting(name, value)

    def _moved_variables(self) -> list:
        theta = self.model.trainable_variables
        return [theta[k] for k in self.places(theta)]

    @property
    def started_anew(self) -> list:
        """What starts at 0 for each task: the outer step never moves it."""
        return [] if self.learn_start else self._moved_variables()

    @property
    def outer_variables(self) -> list:
        """theta: all trainable variables of the model but the context, unless its start is learned."""
        still = {id(v) for v in self.started_anew}
        return [v for v in self.model.trainable_variables if id(v) not in still]

    def theta(self, outer: list) -> list:
        """All parameters of the model: the context is 0 where its start is not learned."""
        still, given = {id(v) for v in self.started_anew}, iter(outer)
        variables = self.model.trainable_variables
        return [tf.zeros(v.shape, v.dtype) if id(v) in still else next(given) for v in variables]

    def get_config(self) -> dict:
        """For saving: the settings of MAML, and learn_start."""
        found = super().get_config() | {"learn_start": self.learn_start}
        is_context = list(self.fast or ()) == context_paths(self.model, required=False)
        return found | ({"fast": None} if is_context else {})


def context_paths(model: keras.Model, required: bool = True) -> list[str]:
    """The paths of the variables of the model's Context layers. Raises ValueError where there are none."""
    paths = [layer.context.path for layer in leaves(model) if isinstance(layer, Context)]
    if required and not paths:
        raise ValueError("model should have a Context layer (gaml_utils.networks), whose numbers adapt to a task")
    return paths
