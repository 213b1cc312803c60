"""What is inside a Keras model: its layers, and those that cannot serve exact MAML (chapter 06)."""

import keras

from gaml_utils.networks.normalisation import BatchNormalization, LayerNormalization

STOCK = (keras.layers.BatchNormalization, keras.layers.LayerNormalization, keras.layers.GroupNormalization)


def inexact_layers(model: keras.Model) -> list[str]:
    """Names of the model's normalisation layers whose second derivative is wrong."""
    ours = (BatchNormalization, LayerNormalization)
    return [layer.name for layer in leaves(model) if isinstance(layer, STOCK) and not isinstance(layer, ours)]


def leaves(model: keras.Model) -> list[keras.layers.Layer]:
    """All layers of a model, those of its inner models and wrappers included."""
    return list(model._flatten_layers(include_self=False))  # `model.layers` leaves out what stands in attributes


def vectorises(model: keras.Model) -> bool:
    """Is there no layer whose gradient vectorises badly (convolutions, pooling) or not at all (loops over time)?"""
    kinds = [type(layer).__name__.lower() for layer in leaves(model)]
    loops = any(isinstance(layer, keras.layers.RNN) for layer in leaves(model))
    return not loops and not any("conv" in kind or "pool" in kind for kind in kinds)
