"""Keras layers and networks that serve exact MAML, and a look inside a model."""

from gaml_utils.networks.convolutional import conv4, to_zero, zero_head
from gaml_utils.networks.inspection import inexact_layers, leaves
from gaml_utils.networks.normalisation import BatchNormalization, LayerNormalization

__all__ = [
    "BatchNormalization",
    "LayerNormalization",
    "conv4",
    "inexact_layers",
    "leaves",
    "to_zero",
    "zero_head",
]
