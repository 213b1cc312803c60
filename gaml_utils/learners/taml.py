"""TAML around any Keras model: no task is to be preferred. Chapter 13."""

from typing import Any

import keras
import tensorflow as tf

from gaml_utils.checks import known
from gaml_utils.learners.engine.meta_batch import Learned
from gaml_utils.learners.maml import MAML
from gaml_utils.networks.normalisation import PACKAGE
from gaml_utils.records import TaskBatch
from gaml_utils.weighting.measures import MEASURES, check_strength, inequality_slopes, inequality_weights

KNOWN = dict.fromkeys([*MEASURES, "entropy"])
COMPARED = dict.fromkeys(["before", "after"])
KEPT_AS = {"order": "measure_order", "losses": "compared"}  # MetaLearner.order and keras.Model.losses are others


@keras.saving.register_keras_serializable(PACKAGE)
class TAML(MAML):
    """Task-agnostic meta-learning. Jamal and Qi 2019 (arXiv:1805.07722), section 3: two ways of one idea.

    measure="entropy", for classification: each task's loss has strength * (entropy of the outputs after the inner loop,
    less that before it), both on the query set: be undecided first, and decided then. Compile it with
    SparseCategoricalCrossentropy or CategoricalCrossentropy.
    Otherwise the measure is one of inequality of the tasks' losses, a name in weighting.measures.MEASURES, and strength
    times that measure is added to the weighted mean loss. losses="before", the paper's: the query losses of theta,
    before the inner loop; then there is a second sum, sum_i strength dI/dl_i grad l_i(theta), beside sum_i w_i d_i.
    losses="after", ours: those after it; the weights are then w_i + strength dI/dl_i (inequality_weights), and no more
    is needed.

    Its updates are MAML's, and so are its directions but for the entropies.
    strength: at least 0, in units of the mean loss; with 0 the learner is MAML. order: see weighting.inequality; it is
    kept as `measure_order`, and `losses` as `compared`. Losses should be at least 0.
    Raises ValueError as MAML does, for another measure, strength, order or losses than these, and in `compile` where
    the entropy has no classes.
    """

    weighs_losses = True

    def __init__(
        self,
        model: keras.Model,
        measure: str = "theil",
        strength: float = 1.0,
        order: float | None = None,
        losses: str = "before",
        **kwargs: Any,
    ) -> None:
        super().__init__(model, **kwargs)
        self.measure, self.strength, self.measure_order, self.compared = measure, strength, order, losses

    @classmethod
    def setting_names(cls) -> frozenset[str]:
        """As MetaLearner.setting_names."""
        return super().setting_names() | set(KEPT_AS.values())

    def __setattr__(self, name: str, value: Any) -> None:
        """As MetaLearner's; order and losses are heard as well."""
        super().__setattr__(KEPT_AS.get(name, name), value)

    def checked_setting(self, name: str, value: Any) -> Any:
        """As MetaLearner.checked_setting."""
        if name == "measure":
            known(name, value, KNOWN)
            self._check_order(value, getattr(self, "measure_order", None))
        elif name == "measure_order":
            self._check_order(self.measure, value)
        elif name == "strength":
            check_strength(value)
        elif name == "compared":
            known("losses", value, COMPARED)
        else:
            return super().checked_setting(name, value)
        return value

    def _check_order(self, measure: str, order: float | None) -> None:
        if measure != "entropy":
            inequality_weights(measure, 1.0, order)
        elif order is not None:
            raise ValueError(f"order should be left out: entropy has none, got {order!r}")

    def make_functions(self) -> None:
        """As MetaLearner.make_functions. Raises ValueError for a loss that says nothing of classes, where asked for."""
        self.from_logits = False
        if self.measure == "entropy":
            loss = keras.losses.get(self.compiled_with["loss"])
            name = getattr(loss, "__name__", type(loss).__name__).lower().replace("_", "")
            if name not in ("sparsecategoricalcrossentropy", "categoricalcrossentropy"):
                raise ValueError(
                    'measure "entropy" needs the probabilities of classes: compile with '
                    f"keras.losses.SparseCategoricalCrossentropy or CategoricalCrossentropy, got {loss!r}"
                )
            self.from_logits = bool(getattr(loss, "from_logits", False))
        super().make_functions()

    def adds(self, compared: str) -> bool:
        """Is there an inequality of the losses "before" or "after" the inner loop in what is lowered?"""
        return self.measure != "entropy" and self.compared == compared and self.strength > 0

    def slopes(self, losses: tf.Tensor) -> tf.Tensor:
        """strength dI/dl_i, (tasks,), a constant for the gradient."""
        return tf.stop_gradient(self.strength * inequality_slopes(losses, self.measure, self.measure_order))

    def adjusted(self, w: tf.Tensor, losses: tf.Tensor) -> tf.Tensor:
        """w_i + strength dI/dl_i, l_i the query losses after the inner loop, where these are compared."""
        return w + tf.cast(self.slopes(losses), w.dtype) if self.adds("after") else w

    def second_weights(self, losses: tf.Tensor) -> tf.Tensor | None:
        """strength dI/dl_i, l_i the query losses before the inner loop, where these are compared."""
        return self.slopes(losses) if self.adds("before") else None

    def outer_loss(self, outer: list, learned: Learned, task: TaskBatch) -> tuple[tf.Tensor, tf.Tensor]:
        """As MetaLearner.outer_loss, and strength times the fall in entropy that is wished for."""
        loss, prediction = super().outer_loss(outer, learned, task)
        if self.measure != "entropy" or self.strength == 0:
            return loss, prediction
        before = self.answer(outer, learned._replace(memory=self.theta(outer)), task.query_x, training=True)
        after, before = (mean_entropy(outputs, self.from_logits) for outputs in (prediction, before))
        return loss + tf.cast(self.strength * (after - before), loss.dtype), prediction

    def get_config(self) -> dict:
        """For saving: the settings of MAML, measure, strength, order and losses."""
        mine = {"measure": self.measure, "strength": self.strength, "order": self.measure_order}
        return super().get_config() | mine | {"losses": self.compared}


def mean_entropy(outputs: tf.Tensor, from_logits: bool) -> tf.Tensor:
    """The mean over the points of -sum_n p_n ln p_n, (); outputs: (points, ..., classes), logits or probabilities."""
    if from_logits:
        logs = tf.nn.log_softmax(outputs)
        return -tf.reduce_mean(tf.reduce_sum(tf.exp(logs) * logs, axis=-1))
    p = outputs / tf.reduce_sum(outputs, axis=-1, keepdims=True)
    return -tf.reduce_mean(tf.reduce_sum(tf.math.xlogy(p, tf.maximum(p, keras.config.epsilon())), axis=-1))
