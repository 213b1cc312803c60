"""Meta-imitation around any Keras policy: watch one demonstration, then do it. Chapter 16."""

from typing import Any

import keras
import tensorflow as tf

from gaml_utils.checks import check_count, check_flag
from gaml_utils.learners.engine.checks import output_shape
from gaml_utils.learners.engine.functional import Functional, matching
from gaml_utils.learners.engine.meta_batch import Learned
from gaml_utils.learners.maml import MAML
from gaml_utils.networks.normalisation import PACKAGE


@keras.saving.register_keras_serializable(PACKAGE)
class MIL(MAML):
    """MAML whose inner loop has a head of its own, so that the loss it learns by is learned. Finn, Yu, Zhang, Abbeel
    and Levine 2017 (arXiv:1709.04905), their two-head architecture.

    model: observations -> the actions, then the outputs of the inner head, side by side: (points, actions + inner
    outputs). actions: how many of them are the policy. The inner loss is the mean squared distance of the inner head's
    outputs to the demonstrated actions, or, watch_only=True, to 0: then no action of the expert is needed, and the
    head's weights alone say what is to be learned from what was seen. The outer loss, that of `compile`, is about
    the policy's actions. A Context layer in the model is the paper's bias transformation: it adapts, and its start is
    learned, like all else.
    Raises ValueError as MAML does, and for a model whose outputs do not fit.
    """

    def __init__(self, model: keras.Model, actions: int, watch_only: bool = False, **kwargs: Any) -> None:
        super().__init__(model, **kwargs)
        self.actions, self.watch_only = actions, watch_only

    def checked_setting(self, name: str, value: Any) -> Any:
        """As MetaLearner.checked_setting."""
        if name == "actions":
            check_count(
                name, value, at_most=output_shape(self.model)[-1] - 1, what=" (the outputs but the inner head's)"
            )
        if name == "watch_only":
            inner = output_shape(self.model)[-1] - self.actions
            if not check_flag(name, value) and inner != self.actions:
                wanted = f"as many inner outputs as actions, {self.actions}, got {inner}"
                raise ValueError(f"model should have {wanted}: or give watch_only=True")
        return super().checked_setting(name, value)

    def make_functions(self) -> None:
        """As MetaLearner.make_functions, and the inner loop's own loss."""
        super().make_functions()
        fast = matching(self.model.trainable_variables, self.fast)
        self.inner = Functional(self.model, self.inner_loss, self.inner_rule, fast)

    def inner_loss(self, y: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """What the inner loop lowers, (points,): y are the demonstrated actions. ValueError for another shape."""
        inner = outputs[:, self.actions :]
        if self.watch_only:
            return tf.reduce_mean(inner**2, axis=-1)
        if y.shape != inner.shape:  # it would be stretched to fit
            raise ValueError(
                f"support_y should be the demonstrated actions, {tuple(inner.shape)}, got {tuple(y.shape)}"
            )
        return tf.reduce_mean((inner - y) ** 2, axis=-1)

    @property
    def inner_functional(self) -> Functional:
        """The model with the inner loop's loss."""
        return self.inner

    def answer(self, outer: list, learned: Learned, x: Any, training: bool = False) -> tf.Tensor:
        """The policy's actions, (points, actions)."""
        return super().answer(outer, learned, x, training)[:, : self.actions]

    def get_config(self) -> dict:
        """For saving: the settings of MAML, actions and watch_only."""
        return super().get_config() | {"actions": self.actions, "watch_only": self.watch_only}
