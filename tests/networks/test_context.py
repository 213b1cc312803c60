"""The layers of a context: what they compute, their shapes, and what they refuse."""

import keras
import numpy as np
import pytest

from gaml_utils.networks import Context, FiLM


def ready(layer, *shape):
    layer.build(shape)
    return layer


@pytest.mark.parametrize("shape", [(4, 3), (4, 5, 3), (4, 6, 6, 3)])
def test_context_appends_the_same_numbers_to_every_point(shape):
    layer = ready(Context(2), *shape)
    layer.context.assign([7.0, -1.0])
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    out = np.array(layer(x))
    np.testing.assert_array_equal(out[..., :3], x)
    assert (out[..., 3:] == [7.0, -1.0]).all() and out.shape == (*shape[:-1], 5)
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *shape[1:-1], 5)


@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 6, 6, 3)])
def test_context_alone_is_one_row_per_point(shape):
    layer = ready(Context(2, append=False), *shape)
    layer.context.assign([7.0, -1.0])
    out = np.array(layer(np.ones(shape, np.float32)))
    np.testing.assert_array_equal(out, [[7.0, -1.0]] * 4)
    assert layer.compute_output_shape((None, *shape[1:])) == (None, 2)


@pytest.mark.parametrize("values", ["int32", "bool"])
def test_context_takes_whole_numbers(values):
    out = np.array(ready(Context(2), 4, 3)(np.ones((4, 3), values)))
    assert out.shape == (4, 5) and out.dtype == np.float32


def test_context_starts_at_zero():
    layer = ready(Context(3), None, 2)
    assert layer.context.shape == (3,) and not layer.context.numpy().any()


@pytest.mark.parametrize("shape", [(4, 3), (4, 5, 3), (4, 6, 6, 3)])
def test_film_scales_and_shifts_channels(shape):
    rng = np.random.default_rng(0)
    h, context = (rng.normal(size=s).astype(np.float32) for s in (shape, (4, 2)))
    layer = FiLM()
    out = np.array(layer([h, context]))
    gamma, beta = np.split(context @ layer.kernel.numpy() + layer.bias.numpy(), 2, axis=1)
    across = (4, *[1] * (len(shape) - 2), 3)
    np.testing.assert_allclose(out, h * gamma.reshape(across) + beta.reshape(across), rtol=1e-5, atol=1e-6)


def test_film_leaves_things_as_they_are_where_the_context_is_zero_and_has_a_random_kernel():
    h = np.random.default_rng(0).normal(size=(4, 6, 6, 3)).astype(np.float32)
    layer = FiLM()
    np.testing.assert_array_equal(layer([h, np.zeros((4, 2), np.float32)]), h)
    assert layer.kernel.numpy().std() > 0


@pytest.mark.parametrize("size", [0, -1, 1.5, True, "3"])
def test_context_takes_a_count(size):
    with pytest.raises(ValueError, match="size should be a whole number"):
        Context(size)


def test_context_of_points_without_features_is_refused():
    with pytest.raises(ValueError, match="points with features"):
        ready(Context(2), 4)


def test_film_of_one_input_is_refused():
    with pytest.raises(ValueError, match=r"FiLM should be called with \[h, context\]"):
        FiLM()(np.ones((4, 3), np.float32))


def test_they_are_saved(tmp_path):
    x = keras.Input((6, 6, 3))
    context = Context(4, append=False)(x)
    h = FiLM(kernel_initializer="he_normal")([x, context])
    model = keras.Model(x, Context(2)(h))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    image = np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype(np.float32)
    np.testing.assert_array_equal(model(image), again(image))
