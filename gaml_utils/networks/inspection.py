"""What is inside a Keras model: its layers, and those that cannot serve exact MAML (chapter 06)."""

import keras

from gaml_utils.networks.context import Context, FiLM
from gaml_utils.networks.normalisation import BatchNormalization, LayerNormalization

STOCK = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
    keras.layers.SpectralNormalization,
)


# Keras's own layers whose second derivative has been compared with differences and is right
EXACT = """Activation Add Average AveragePooling1D AveragePooling2D AveragePooling3D Concatenate Conv1D Conv2D Conv3D
Cropping1D Cropping2D Cropping3D Dense DepthwiseConv1D DepthwiseConv2D Dropout Embedding Flatten GaussianDropout
GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D GRU InputLayer
LeakyReLU LSTM Masking MaxPooling1D MaxPooling2D Multiply Permute ReLU Reshape Rescaling SimpleRNN Softmax
SpatialDropout1D SpatialDropout2D Subtract UnitNormalization ZeroPadding1D ZeroPadding2D ZeroPadding3D GRUCell LSTMCell
SimpleRNNCell Functional Sequential""".split()


def inexact_layers(model: keras.Model) -> list[str]:
    """Names of the layers that are known to have a wrong second derivative: Keras's own normalisations."""
    return [layer.name for layer in leaves(model) if is_inexact(layer)]


def is_inexact(layer: keras.layers.Layer) -> bool:
    """Is it one of Keras's normalisations with a wrong second derivative, as it is set?"""
    if isinstance(layer, BatchNormalization | LayerNormalization) or getattr(layer, "rms_scaling", False):
        return False
    if isinstance(layer, keras.layers.BatchNormalization) and not layer.trainable:
        return False  # it goes by its moving statistics then
    return isinstance(layer, STOCK)


def all_exact(model: keras.Model) -> bool:
    """Are all layers, and their activations, among those that are known to be right to second order?"""
    return all(map(is_exact, [model, *leaves(model)]))


def is_exact(layer: keras.layers.Layer) -> bool:
    """Is it one of EXACT, or one of the package's own, with an activation of Keras?"""
    kind = type(layer)
    ours = kind in (BatchNormalization, LayerNormalization, Context, FiLM)
    known = kind.__module__.startswith("keras.src.") and kind.__name__ in EXACT
    functions = [getattr(layer, name, None) for name in ("activation", "recurrent_activation")]
    named = all(f is None or getattr(f, "__module__", "").startswith("keras.src.") for f in functions)
    return (ours or known) and named and not any(getattr(f, "__name__", "") == "softsign" for f in functions)


def leaves(model: keras.Model) -> list[keras.layers.Layer]:
    """All layers of a model, those of its inner models and wrappers included."""
    return list(model._flatten_layers(include_self=False))  # `model.layers` leaves out what stands in attributes


def vectorises(model: keras.Model) -> bool:
    """Is there no layer whose gradient vectorises badly (convolutions, pooling) or not at all (loops, branches)?"""
    kinds = [type(layer).__name__.lower() for layer in leaves(model)]
    loops = any(isinstance(layer, keras.layers.RNN | keras.layers.SpectralNormalization) for layer in leaves(model))
    return not loops and not any("conv" in kind or "pool" in kind for kind in kinds)
