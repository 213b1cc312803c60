"""Meta-SGD around any Keras model: the inner loop's step size is learned, one for each parameter. Chapter 12."""

from typing import Any

import keras
import numpy as np

from gaml_utils.checks import check_flag
from gaml_utils.learners.maml import MAML
from gaml_utils.networks.normalisation import PACKAGE


@keras.saving.register_keras_serializable(PACKAGE)
class MetaSGD(MAML):
    """Meta-SGD. Li, Zhou, Chen and Li 2017 (arXiv:1707.09835), Algorithm 1: theta' = theta - alpha o grad L_support.

    `rates`, alpha, has an entry for each parameter that the inner loop moves. The outer step moves theta and alpha
    together, and nothing holds alpha above 0: length and direction of the inner step are learned. With one inner step
    its gradient is -G_support o G_query, entry by entry, which needs no second derivative: first_order=True keeps it.

    inner_lr: where alpha starts, a number or a list as in MetaLearner. train_rates=False: alpha stays there, and the
    learner is MAML. source="outer" compares the directions of theta and alpha together. The paper has one inner step;
    more steps than were trained with, at the learned rates, can run away.
    Raises ValueError as MAML does, for a train_rates that is neither True nor False, and for another `fast` or
    train_rates than it was made with.
    """

    def __init__(self, model: keras.Model, inner_lr: Any = 0.01, train_rates: bool = True, **kwargs: Any) -> None:
        super().__init__(model, inner_lr, **kwargs)
        trained = check_flag("train_rates", train_rates)
        theta = model.trainable_variables
        moved = [theta[k] for k in self.places(theta)]
        self.rates = [
            self.add_weight(v.shape, "zeros", v.dtype, trainable=trained, name=f"rate_{k}") for k, v in enumerate(moved)
        ]
        self.train_rates = train_rates
        self.start_rates()

    def start_rates(self) -> None:
        """alpha is what inner_lr says."""
        given = self.inner_lr if isinstance(self.inner_lr, tuple) else (self.inner_lr,) * len(self.rates)
        for rate, start in zip(self.rates, given, strict=True):
            rate.assign(np.broadcast_to(np.asarray(start, rate.dtype), rate.shape))

    def checked_setting(self, name: str, value: Any) -> Any:
        """As MetaLearner.checked_setting. What the inner loop moves stays as it is: it has its rates."""
        made = hasattr(self, "rates")
        if name in ("fast", "train_rates") and made and hasattr(self, name):
            raise ValueError(f"{name} should stay as it is: make a new learner for another")
        return check_flag(name, value) if name == "train_rates" else super().checked_setting(name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        """A new inner_lr is where alpha starts anew."""
        super().__setattr__(name, value)
        if name == "inner_lr" and hasattr(self, "rates"):
            self.start_rates()

    @property
    def outer_variables(self) -> list:
        """theta, then alpha where it is trained."""
        return [*super().outer_variables, *(self.rates if self.train_rates else [])]

    def inner_rates(self, outer: list) -> list:
        """alpha, like what the inner loop moves."""
        if not self.train_rates:
            return [rate.value for rate in self.rates]
        return outer[-len(self.rates) :]

    def get_config(self) -> dict:
        """For saving: the settings of MAML, and train_rates. alpha is saved with the weights."""
        return super().get_config() | {"train_rates": self.train_rates}
