"""Layers for learners that adapt a few numbers instead of the weights (chapter 12).

Zintgraf et al. 2019 (arXiv:1810.03642): the context of a task stands beside the inputs of a layer (Context), or scales
and shifts its channels (FiLM, Perez et al. 2018, arXiv:1709.07871).
"""

from typing import Any

import keras
from keras import ops

from gaml_utils.checks import check_count
from gaml_utils.networks.normalisation import PACKAGE


@keras.saving.register_keras_serializable(PACKAGE)
class Context(keras.layers.Layer):
    """Appends `size` numbers, the same for each point, to the point's features: (points, ..., features + size).

    The numbers are one variable, `context`, that starts at 0. The learner CAML lets it, and nothing else, adapt to a
    task. The matrix that the next layer multiplies it with has to be random: were both 0, neither would ever move.
    append=False gives the numbers alone, (points, size), for FiLM.
    Place it behind a normalisation, not before: a constant is taken out again there.
    """

    def __init__(self, size: int, append: bool = True, **kwargs: Any) -> None:
        check_count("size", size)
        super().__init__(**kwargs)
        self.size, self.append = size, bool(append)

    def build(self, input_shape: Any) -> None:
        """One variable, (size,)."""
        if self.append and len(input_shape) < 2:
            raise ValueError(
                f"Context should be given points with features, (points, ..., features), got {input_shape}"
            )
        self.context = self.add_weight((self.size,), "zeros", name="context")

    def call(self, inputs: Any) -> Any:
        """inputs: (points, ..., features)."""
        x = ops.cast(inputs, self.compute_dtype)
        if self.append:
            return ops.concatenate([x, ops.zeros_like(x[..., :1]) + self.context], axis=-1)
        first = ops.reshape(ops.zeros_like(x), (ops.shape(x)[0], -1))[:, :1]
        return first + self.context

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """As `call` gives it."""
        if self.append:
            return (*input_shape[:-1], input_shape[-1] + self.size)
        return (input_shape[0], self.size)

    def get_config(self) -> dict:
        """For saving."""
        return super().get_config() | {"size": self.size, "append": self.append}


@keras.saving.register_keras_serializable(PACKAGE)
class FiLM(keras.layers.Layer):
    """Scales and shifts channels by what a context says: gamma_k h_k + beta_k, (gamma, beta) = W context + b.

    Called with [h, context]: h (points, ..., channels), context (points, size), of a Context(size, append=False).
    W is random, and b such that a context of 0 leaves h as it is: gamma = 1, beta = 0.

        context = Context(64, append=False)(image)
        h = FiLM()([h, context])
    """

    def __init__(self, kernel_initializer: Any = "glorot_uniform", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: Any) -> None:
        """W, (size, 2 channels), and b, (2 channels,)."""
        if not (
            isinstance(input_shape, list | tuple) and len(input_shape) == 2 and isinstance(input_shape[0], tuple | list)
        ):
            raise ValueError(f"FiLM should be called with [h, context], got one input of shape {input_shape}")
        (*_, channels), (*_, size) = input_shape
        self.kernel = self.add_weight((size, 2 * channels), self.kernel_initializer, name="kernel")
        one_and_zero = keras.initializers.Constant([1.0] * channels + [0.0] * channels)
        self.bias = self.add_weight((2 * channels,), one_and_zero, name="bias")

    def call(self, inputs: Any) -> Any:
        """inputs: [h, context]. Shape as h."""
        h, context = inputs
        gamma, beta = ops.split(ops.matmul(context, self.kernel) + self.bias, 2, axis=-1)
        per_point = (-1, *[1] * (len(h.shape) - 2), h.shape[-1])
        return h * ops.reshape(gamma, per_point) + ops.reshape(beta, per_point)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of h."""
        return input_shape[0]

    def get_config(self) -> dict:
        """For saving."""
        return super().get_config() | {"kernel_initializer": keras.initializers.serialize(self.kernel_initializer)}
