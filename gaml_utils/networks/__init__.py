"""Keras layers and networks that serve exact MAML, and a look inside a model."""

from gaml_utils.keras_settings import require_tensorflow

require_tensorflow()  # before anything of Keras is imported

from gaml_utils.networks.context import Context, FiLM  # noqa: E402
from gaml_utils.networks.convolutional import conv4, encoder, relation_module, to_zero, zero_head  # noqa: E402
from gaml_utils.networks.inspection import inexact_layers, leaves  # noqa: E402
from gaml_utils.networks.normalisation import BatchNormalization, LayerNormalization  # noqa: E402

__all__ = [
    "BatchNormalization",
    "Context",
    "FiLM",
    "LayerNormalization",
    "conv4",
    "encoder",
    "inexact_layers",
    "leaves",
    "relation_module",
    "to_zero",
    "zero_head",
]
