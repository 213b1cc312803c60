"""The exact normalisation layers: the stock ones in all but the second derivative."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.networks.normalisation import BatchNormalization, LayerNormalization
from tests.support.keras_models import values
from tests.support.plain_formulas import relative_error

PAIRS = {BatchNormalization: keras.layers.BatchNormalization, LayerNormalization: keras.layers.LayerNormalization}
CASES = [
    (BatchNormalization, {}, (6, 3)),
    (BatchNormalization, {}, (4, 3, 3, 2)),
    (BatchNormalization, {"axis": 1}, (4, 3, 2)),
    (BatchNormalization, {"axis": 1}, (4, 3, 5, 2)),
    (BatchNormalization, {"center": False}, (6, 3)),
    (BatchNormalization, {"scale": False}, (6, 3)),
    (BatchNormalization, {"center": False, "scale": False, "momentum": 0.5, "epsilon": 0.1}, (6, 3)),
    (BatchNormalization, {"trainable": False}, (6, 3)),
    (LayerNormalization, {}, (6, 3)),
    (LayerNormalization, {"axis": 1}, (4, 3, 2)),
    (LayerNormalization, {"axis": [1, 2]}, (4, 3, 2)),
    (LayerNormalization, {"axis": [-1, 1]}, (4, 3, 5, 2)),
    (LayerNormalization, {"center": False}, (6, 3)),
    (LayerNormalization, {"scale": False, "epsilon": 0.1}, (6, 3)),
]
NAMES = [f"{kind.__name__} {kwargs} {shape}" for kind, kwargs, shape in CASES]


def pair(kind, kwargs, shape, dtype="float64"):
    """Our layer and the stock one, with the same variables, none of them at its start."""
    rng, layers = np.random.default_rng(1), [kind(dtype=dtype, **kwargs), PAIRS[kind](dtype=dtype, **kwargs)]
    for layer in layers:
        layer.build(shape)
    weights = [rng.uniform(0.5, 1.5, v.shape) for v in layers[0].weights]
    for layer in layers:
        layer.set_weights(weights)
    return layers


def noise(shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(1.0, 2.0, shape))


def gradients(layer, x, **kwargs):
    """Of a sum of the outputs, unevenly weighted, with respect to x and the trainable variables."""
    c = noise(x.shape, seed=2)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(c * layer(x, **kwargs))
    return [np.array(g) for g in tape.gradient(total, [x, *(v.value for v in layer.trainable_variables)])]


def in_training(layer, training=True, **kwargs):
    """The keyword arguments of a call; layer normalisation knows no training."""
    return {"training": training, **kwargs} if isinstance(layer, keras.layers.BatchNormalization) else kwargs


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("kind", "kwargs", "shape"), CASES, ids=NAMES)
def test_outputs_are_those_of_the_stock_layer(kind, kwargs, shape, training):
    ours, stock = pair(kind, kwargs, shape)
    x = noise(shape)
    y = [layer(x, **in_training(layer, training)).numpy() for layer in (ours, stock)]
    np.testing.assert_allclose(y[0], y[1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("kind", "kwargs", "shape"), CASES, ids=NAMES)
def test_first_gradients_are_those_of_the_stock_layer(kind, kwargs, shape):
    ours, stock = pair(kind, kwargs, shape)
    x = noise(shape)
    for a, b in zip(gradients(ours, x, **in_training(ours)), gradients(stock, x, **in_training(stock)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("kind", "kwargs", "shape"), CASES, ids=NAMES)
def test_variables_and_their_values_after_a_call_are_those_of_the_stock_layer(kind, kwargs, shape):
    ours, stock = pair(kind, kwargs, shape)
    for layer in (ours, stock):
        layer(noise(shape), **in_training(layer))
    assert [v.name for v in ours.weights] == [v.name for v in stock.weights]
    for a, b in zip(values(ours.weights), values(stock.weights), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_moving_statistics_move_in_training_only():
    ours, _ = pair(BatchNormalization, {}, (6, 3))
    before = values(ours.weights)
    ours(noise((6, 3)), training=False)
    assert all(map(np.array_equal, values(ours.weights), before))
    ours(noise((6, 3)), training=True)
    assert not np.array_equal(ours.moving_mean, before[2]) and not np.array_equal(ours.moving_variance, before[3])


def test_arguments_are_those_of_the_stock_layer_or_refused():
    """rms_scaling is deprecated, but Keras still obeys it."""
    x = noise((6, 3))
    with pytest.warns(UserWarning, match="rms_scaling"):
        stock = keras.layers.LayerNormalization(rms_scaling=True, dtype="float64")
        try:
            ours = LayerNormalization(rms_scaling=True, dtype="float64")
        except ValueError as error:
            assert "rms_scaling" in str(error)
            return
    np.testing.assert_allclose(ours(x), stock(x), rtol=1e-12)


MASK = np.array([[True, True, False], [True, False, False], [True, True, True], [False, False, True]])


def test_masked_entries_count_in_no_statistic():
    ours, _ = pair(BatchNormalization, {"momentum": 0.0}, (4, 3, 2))
    x = noise((4, 3, 2))
    ours(x, training=True, mask=tf.constant(MASK))
    np.testing.assert_allclose(ours.moving_mean, x.numpy()[MASK].mean(0), rtol=1e-12)
    np.testing.assert_allclose(ours.moving_variance, x.numpy()[MASK].var(0), rtol=1e-12)


def test_masked_outputs_and_gradients_are_close_to_those_of_the_stock_layer():
    """Keras adds 1e-7 to the count of entries, so agreement ends there."""
    ours, stock = pair(BatchNormalization, {}, (4, 3, 2))
    x, kwargs = noise((4, 3, 2)), {"training": True, "mask": tf.constant(MASK)}
    np.testing.assert_allclose(ours(x, **kwargs), stock(x, **kwargs), rtol=1e-6)
    for a, b in zip(gradients(ours, x, **kwargs), gradients(stock, x, **kwargs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_mask_that_leaves_nothing_gives_no_nan():
    ours, stock = pair(BatchNormalization, {}, (4, 3, 2))
    for layer in (stock, ours):
        y = layer(noise((4, 3, 2)), training=True, mask=tf.constant(np.zeros((4, 3), bool)))
        assert np.isfinite(y).all() and np.isfinite(layer.moving_mean).all(), type(layer)


def test_a_masked_entry_may_be_nan():
    """Whatever a padded point holds, it does not count."""
    ours, stock = pair(BatchNormalization, {}, (4, 3, 2))
    x = np.where(MASK[..., None], noise((4, 3, 2)).numpy(), np.nan)
    for layer in (stock, ours):
        layer(tf.constant(x), training=True, mask=tf.constant(MASK))
        assert np.isfinite(layer.moving_mean).all() and np.isfinite(layer.moving_variance).all(), type(layer)


def hessian_vector_error(layer, x, **kwargs):
    """Of the Hessian of a function of the outputs times a vector, against central differences of the gradient."""
    start, c = [x.numpy(), *values(layer.trainable_variables)], noise(x.shape, seed=2)
    rng = np.random.default_rng(3)
    v = [rng.normal(size=a.shape) for a in start]
    state = values(layer.non_trainable_variables)

    def gradient(arrays):
        with tf.GradientTape() as tape:
            tape.watch(arrays)
            y, _ = layer.stateless_call(arrays[1:], state, arrays[0], **kwargs)
            total = tf.reduce_sum(c * tf.tanh(y))
        return tape.gradient(total, arrays)

    arrays = [tf.constant(a) for a in start]
    with tf.GradientTape() as tape:
        tape.watch(arrays)
        along = tf.add_n([tf.reduce_sum(g * u) for g, u in zip(gradient(arrays), v, strict=True)])
    found = tape.gradient(along, arrays, unconnected_gradients="zero")
    moved = [gradient([tf.constant(a + h * u) for a, u in zip(start, v, strict=True)]) for h in (1e-5, -1e-5)]
    return relative_error(found, [(up - down) / 2e-5 for up, down in zip(*moved, strict=True)])


SECOND = [case for case in CASES if "trainable" not in case[1]]


@pytest.mark.parametrize(("kind", "kwargs", "shape"), SECOND)
def test_second_derivative_is_exact_and_the_stock_one_is_not(kind, kwargs, shape):
    ours, stock = pair(kind, kwargs, shape)
    assert hessian_vector_error(ours, noise(shape), **in_training(ours)) < 1e-6
    assert hessian_vector_error(stock, noise(shape), **in_training(stock)) > 1e-3


def test_second_derivative_is_exact_with_a_mask():
    ours, _ = pair(BatchNormalization, {}, (4, 3, 2))
    assert hessian_vector_error(ours, noise((4, 3, 2)), training=True, mask=tf.constant(MASK)) < 1e-6


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "float16"])
def test_dtype_of_outputs_is_that_of_the_stock_layer(kind, dtype):
    ours, stock = pair(kind, {}, (6, 3), dtype)
    x = tf.cast(noise((6, 3)), ours.compute_dtype)
    a, b = (layer(x, **in_training(layer)) for layer in (ours, stock))
    assert a.dtype == b.dtype
    np.testing.assert_allclose(tf.cast(a, "float64"), tf.cast(b, "float64"), atol=2e-3 if "16" in dtype else 1e-5)


@pytest.mark.parametrize("kind", PAIRS)
def test_sizes_may_be_unknown(kind):
    x = keras.Input((None, None, 3))
    model = keras.Model(x, kind()(x))
    assert model(np.ones((2, 5, 4, 3)), training=True).shape == (2, 5, 4, 3)


@pytest.mark.parametrize(
    ("kind", "kwargs"),
    [
        (BatchNormalization, {"axis": 1, "momentum": 0.7}),
        (LayerNormalization, {"axis": [1, 2], "epsilon": 0.2}),
    ],
)
def test_saved_layer_comes_back(kind, kwargs, tmp_path):
    x = keras.Input((3, 2))
    model = keras.Model(x, kind(**kwargs)(x))
    model(np.random.default_rng(0).normal(size=(4, 3, 2)), training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    points = np.random.default_rng(1).normal(size=(4, 3, 2))
    assert type(loaded.layers[1]) is kind
    assert np.array_equal(model.predict(points, verbose=0), loaded.predict(points, verbose=0))
    assert all(map(np.array_equal, values(model.weights), values(loaded.weights)))


@pytest.mark.parametrize("name", ["renorm", "synchronized"])
def test_variants_that_are_not_exact_are_refused(name):
    with pytest.raises(ValueError, match=name):
        BatchNormalization(**{name: True})
