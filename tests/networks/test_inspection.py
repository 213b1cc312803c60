"""Layers whose second derivative is wrong are found wherever they are."""

import keras
import pytest

from gaml_utils.networks.inspection import inexact_layers, leaves
from gaml_utils.networks.normalisation import BatchNormalization, LayerNormalization


def test_inexact_layers_are_found_wherever_they_are():
    inner = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(name="inside")])
    x = h = keras.Input((2, 3))
    h = keras.layers.TimeDistributed(inner)(h)
    h = keras.layers.TimeDistributed(keras.layers.LayerNormalization(name="wrapped"))(h)
    h = LayerNormalization(name="right")(BatchNormalization(name="good")(h))
    h = keras.layers.GroupNormalization(3, name="group")(h)
    assert sorted(inexact_layers(keras.Model(x, h))) == ["group", "inside", "wrapped"]


def test_each_inexact_layer_is_named_once():
    shared = keras.layers.LayerNormalization(name="shared")
    x = keras.Input((3,))
    model = keras.Model(x, shared(keras.layers.Dense(3)(shared(x))))
    assert inexact_layers(model) == ["shared"]


def test_exact_model_has_no_inexact_layer():
    model = keras.Sequential([keras.Input((3,)), BatchNormalization(), LayerNormalization()])
    assert inexact_layers(model) == [] and len(leaves(model)) >= 2


@pytest.mark.parametrize("layer", [keras.layers.UnitNormalization(), keras.layers.RMSNormalization()])
def test_layers_without_a_stopped_gradient_are_not_named(layer):
    """Their second derivative is right, so there is nothing to warn of."""
    model = keras.Sequential([keras.Input((3,)), layer])
    assert inexact_layers(model) == []
