"""The loss of one task's points: as Keras takes it, with a weight per point and masks, and no silent broadcasting."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from gaml_utils.records import Weighted

OTHER_SHAPES = (
    "sparse",
    "ctc",
    "circle",
    "categoricalgeneralized",
)  # losses of Keras whose labels have another shape than the outputs


class PointLosses:
    """loss: a Keras loss, or any function (y, prediction) -> losses, (points, ...) or their mean, ().

    dtype: of the model, for losses that take a weight per point.
    """

    def __init__(self, loss: Callable, dtype: str) -> None:
        self.loss = loss
        self.weighted = loss if isinstance(loss, keras.losses.Loss) else LossOfFunction(loss, dtype=dtype)
        name = getattr(loss, "__name__", type(loss).__name__).lower().replace("_", "")
        self.of_keras = getattr(loss, "__module__", type(loss).__module__).startswith("keras.")
        self.same_shapes = self.of_keras and not name.startswith(OTHER_SHAPES)

    def mean(self, y: Any, prediction: tf.Tensor) -> tf.Tensor:
        """The mean over one task's points, (). y: (points, ...), or Weighted(y, sample_weight).

        Raises ValueError where y and prediction would be broadcast.
        """
        y, weight = (y.y, y.sample_weight) if isinstance(y, Weighted) else (y, None)
        y = self._aligned(tf.convert_to_tensor(y), prediction)
        if weight is None and getattr(prediction, "_keras_mask", None) is None:
            return tf.reduce_mean(self.loss(y, prediction))
        return tf.reduce_mean(self.weighted(y, prediction, sample_weight=weight))

    def _aligned(self, y: tf.Tensor, prediction: tf.Tensor) -> tf.Tensor:
        """y with an axis of size 1 more, or less, at the end, where the outputs are so, as Keras has it."""
        if y.shape.rank == prediction.shape.rank - 1 and prediction.shape[-1] == 1:
            y = y[..., None]
        elif y.shape.rank == prediction.shape.rank + 1 and y.shape[-1] == 1:
            y = y[..., 0]
        if not y.shape[:1].is_compatible_with(prediction.shape[:1]):
            raise ValueError(f"model should give one output per point, {y.shape[0]}, got {prediction.shape[0]}")
        if self.same_shapes and not y.shape.is_compatible_with(prediction.shape):
            raise ValueError(
                f"support_y and query_y should have the shape of the model's outputs for this loss, "
                f"{tuple(prediction.shape)} for one task, got {tuple(y.shape)}"
            )
        return y


class LossOfFunction(keras.losses.Loss):
    """A function (y, prediction) -> (points, ...) as a Keras loss, which takes weights and masks."""

    def __init__(self, function: Callable, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One loss per point. Raises ValueError where the function gives a mean: weights would come too late."""
        losses = self.function(y_true, y_pred)
        if not losses.shape[:1].is_compatible_with(y_true.shape[:1]):
            raise ValueError(
                f"loss should return one value per point, ({y_true.shape[0]}, ...), for weights or a mask to count, "
                f"got {tuple(losses.shape)}"
            )
        return losses
