"""The networks for small images."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.networks.convolutional import conv4, encoder, relation_module, to_zero, zero_head
from gaml_utils.networks.inspection import inexact_layers
from gaml_utils.networks.normalisation import BatchNormalization
from tests.support.episodes import WAYS, blobs, learner_of
from tests.support.keras_models import unlike_at_the_start
from tests.support.scribbles import features_of, scribbles


def test_features_have_length_1_and_are_not_cut_off_at_0():
    model = zero_head(WAYS, filters=4)
    features = features_of(model, scribbles(np.random.default_rng(0), 5)[..., None], training=True)
    assert features.shape == (5, 4 * 4 * 4)
    assert np.allclose(np.linalg.norm(features, axis=1), 1, rtol=0, atol=1e-5)
    assert features.min() < -0.01
    assert inexact_layers(model) == [] and model.layers[-1].name == "head"
    with pytest.raises(ValueError, match="ways should be"):
        zero_head(0)
    with pytest.raises(ValueError, match="filters should be"):
        zero_head(5, filters=0)


def test_the_constraint_sets_back_to_zero():
    assert not np.asarray(to_zero(tf.constant([1.0, -2.0]))).any()


@pytest.mark.parametrize("downsample", ["stride", "pool"])
def test_conv4_has_four_named_blocks_and_one_dense_head(downsample):
    model = conv4(5, downsample=downsample)
    assert model.input_shape == (None, 28, 28, 1) and model.output_shape == (None, 5)
    kinds = ["conv", "norm", "relu"] + ["pool"] * (downsample == "pool")
    names = [f"{kind}{n}" for n in range(1, 5) for kind in kinds]
    assert [layer.name for layer in model.layers[1:]] == [*names, "mean", "head"]
    assert all(isinstance(model.get_layer(f"norm{n}"), BatchNormalization) for n in range(1, 5))
    assert inexact_layers(model) == []
    assert sum(v.numpy().size for v in model.trainable_variables) == 9 * 64 * (1 + 3 * 64) + 4 * 2 * 64 + 64 * 5 + 5
    halved_by = "conv" if downsample == "stride" else "pool"
    sides = [model.get_layer(f"{halved_by}{n}").output.shape[1] for n in range(1, 5)]
    assert sides == ([14, 7, 4, 2] if downsample == "stride" else [14, 7, 3, 1])
    assert model.get_layer("mean").output.shape == (None, 64)  # as Finn et al. 2017 have it


def test_conv4_computes_in_the_dtype_asked_for():
    model = conv4(2, filters=2, dtype="float64")
    assert {v.dtype for v in model.variables} == {"float64"}
    assert model(np.zeros((1, 28, 28, 1))).dtype == "float64"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ways": 0}, "ways should be"),
        ({"filters": 1.5}, "filters should be"),
        ({"downsample": "max"}, 'downsample should be "stride" or "pool", got \'max\''),
        ({"shape": (28, 28)}, "shape should be"),
        ({"shape": (15, 28, 1)}, "shape should be"),
    ],
)
def test_conv4_names_bad_arguments(change, message):
    with pytest.raises(ValueError, match=message):
        conv4(**{"ways": 5} | change)


@pytest.mark.parametrize("downsample", ["stride", "pool"])
def test_exact_maml_on_conv4_agrees_with_central_differences(downsample):
    keras.utils.set_random_seed(1)
    model = unlike_at_the_start(conv4(WAYS, 2, downsample, (16, 16, 1), "float64"))
    learner, batch = learner_of(model, inner_lr=0.1), blobs(tasks=1)
    gradient = learner.meta_gradient(batch).gradient
    theta = [v.numpy() for v in model.trainable_variables]
    along = [np.random.default_rng(2).normal(size=p.shape) for p in theta]
    losses, h = [], 1e-6
    for sign in (1, -1):
        for v, p, d in zip(model.trainable_variables, theta, along, strict=True):
            v.assign(p + sign * h * d)
        losses.append(float(learner.meta_gradient(batch).query_losses[0]))
    slope = sum(np.sum(np.asarray(g) * d) for g, d in zip(gradient, along, strict=True))
    assert abs((losses[0] - losses[1]) / (2 * h) / slope - 1) < 1e-6


def test_an_encoder_is_conv4_up_to_its_features():
    keras.utils.set_random_seed(0)
    whole = conv4(5, filters=4)
    keras.utils.set_random_seed(0)
    model = encoder(4)
    images = scribbles(np.random.default_rng(0), 6)[..., None]
    maps = keras.Model(whole.inputs, whole.get_layer("relu4").output)
    expected = np.asarray(maps(images, training=True)).reshape(6, -1)
    assert expected.shape == (6, 2 * 2 * 4)
    np.testing.assert_allclose(model(images, training=True), expected, rtol=1e-6)
    assert inexact_layers(model) == []


def test_an_encoders_strides_say_how_many_blocks_and_how_large_its_maps_are():
    assert encoder(4, strides=(2, 2, 1, 1), flat=False).output_shape == (None, 7, 7, 4)
    assert encoder(4, strides=(2,), shape=(8, 6, 3)).output_shape == (None, 4 * 3 * 4)
    for bad in ((), 2, (2, 0), (2, 1.5), "22"):
        with pytest.raises(ValueError, match="strides should be"):
            encoder(4, strides=bad)
    with pytest.raises(ValueError, match="filters should be"):
        encoder(0)
    with pytest.raises(ValueError, match="shape should be .* at least 16"):
        encoder(4, shape=(8, 28, 1))


def test_a_relation_module_scores_each_pair_by_itself():
    model = relation_module(4, shape=(7, 7, 8))
    pairs = np.random.default_rng(0).normal(size=(3, 7, 7, 8)).astype(np.float32)
    together = np.asarray(model(pairs, training=True))
    assert together.shape == (3, 1) and not model.non_trainable_variables
    np.testing.assert_allclose(together[:1], model(pairs[:1], training=True), rtol=1e-5)
    for name in ("filters", "hidden"):
        with pytest.raises(ValueError, match=f"{name} should be"):
            relation_module(**{name: 0})
