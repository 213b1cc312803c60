"""Normalisation layers that are exact to second order, drop-in for those of Keras.

TensorFlow's tf.nn.moments stops the gradient at the mean inside the variance. The first derivative survives that,
the second does not: a Hessian-vector product through the stock layers is wrong by percents, and so is exact MAML.
Here mean and variance are written out, and differentiated as written. Chapter 06 shows the fault and the check.
"""

from typing import Any

import keras
from keras import ops

PACKAGE = "gaml_utils"


def moments(x: Any, axes: list[int], mask: Any = None) -> tuple[Any, Any]:
    """Mean and variance over `axes`, which stay as axes of size 1. mask: True where an entry of x counts."""
    if mask is None:
        mean = ops.mean(x, axes, keepdims=True)
        return mean, ops.mean(ops.square(x - mean), axes, keepdims=True)
    count = ops.maximum(ops.sum(ops.cast(mask, x.dtype), axes, keepdims=True), 1.0)
    mean = ops.sum(ops.where(mask, x, 0.0), axes, keepdims=True) / count
    deviation = ops.where(mask, x - mean, 0.0)
    return mean, ops.sum(ops.square(deviation), axes, keepdims=True) / count


@keras.saving.register_keras_serializable(PACKAGE)
class BatchNormalization(keras.layers.BatchNormalization):
    """keras.layers.BatchNormalization with the exact second derivative: same arguments, same variables.

    Ioffe and Szegedy 2015 (arXiv:1502.03167), Algorithm 1. Raises ValueError for renorm and synchronized.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("renorm", "synchronized"):
            if getattr(self, name, False):
                raise ValueError(f"{name} should be False: the exact BatchNormalization has no such variant")

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise by the batch in training, by the moving statistics otherwise. Shape as inputs."""
        if not (training and self.trainable):
            return super().call(inputs, training=False)
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        channel = self.axis % len(x.shape)
        axes = [k for k in range(len(x.shape)) if k != channel]
        if mask is not None:
            mask = ops.broadcast_to(ops.cast(ops.expand_dims(mask, -1), "bool"), ops.shape(x))
        mean, variance = moments(x, axes, mask)
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            old = ops.cast(moving, x.dtype)
            moving.assign(old * self.momentum + ops.squeeze(batch, axes) * (1.0 - self.momentum))
        shape = [-1 if k == channel else 1 for k in range(len(x.shape))]
        return ops.cast(_scaled(self, x, mean, variance, shape), self.compute_dtype)


@keras.saving.register_keras_serializable(PACKAGE)
class LayerNormalization(keras.layers.LayerNormalization):
    """keras.layers.LayerNormalization with the exact second derivative: same arguments, same variables.

    Ba, Kiros and Hinton 2016 (arXiv:1607.06450), equations 3 and 4. Raises ValueError for rms_scaling.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("rms_scaling"):
            raise ValueError("rms_scaling should be False: the exact LayerNormalization has no such variant")
        super().__init__(*args, **kwargs)

    def call(self, inputs: Any) -> Any:
        """Normalise each entry over `axis`. Shape as inputs."""
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        axes = [k % len(x.shape) for k in self.axis]
        shape = [size if k in axes else 1 for k, size in enumerate(x.shape)]
        return ops.cast(_scaled(self, x, *moments(x, axes), shape), self.compute_dtype)


def _scaled(layer: keras.layers.Layer, x: Any, mean: Any, variance: Any, shape: list) -> Any:
    """gamma (x - mean) / sqrt(variance + epsilon) + beta, where the layer has a gamma and a beta."""
    scale = ops.rsqrt(variance + layer.epsilon)
    if layer.gamma is not None:
        scale = scale * ops.reshape(ops.cast(layer.gamma, x.dtype), shape)
    y = (x - mean) * scale
    return y if layer.beta is None else y + ops.reshape(ops.cast(layer.beta, x.dtype), shape)
