"""Any Keras model: what strangers bring is served, or refused by name, and nothing in it is ignored."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners import MAML, Reptile, as_dataset, episode_answers, task_by_task
from gaml_utils.records import TaskBatch, Weighted
from gaml_utils.tasks import SineTasks
from gaml_utils.weighting import agreement_weights
from tests.support.strangers import (
    AddsLoss,
    Counter,
    Halved,
    L,
    WithoutTraining,
    called,
    made,
    net,
    numbers,
    of_shape,
    sines,
)

L2 = keras.regularizers.L2


def served(model, batch, *settings, **more):
    """Gradient, training, evaluation, adaptation, answers: all finite, and the last two the same."""
    learner = made(model, *settings, **more)
    assert np.isfinite(numbers(learner, batch)).all()
    assert np.isfinite(learner.fit(batch, verbose=0).history["loss"]).all()
    assert np.isfinite(learner.evaluate(batch, verbose=0)).all()
    x, y, query = (tf.nest.map_structure(lambda a: a[0], part) for part in batch[:3])
    answers = learner.answers(x, y, query)
    queries = tf.nest.map_structure(lambda a: tf.constant(a, tf.float32), query)
    np.testing.assert_allclose(learner.adapt(x, y)(queries), answers, rtol=1e-4, atol=1e-5)
    return learner


# --- penalties and added losses


def test_l2_on_one_weight_by_hand():
    """Prediction w x, loss (w x - y)^2 + c w^2 at the inner step and at theta'; one point in each set."""
    w, c, rate = 0.7, 0.3, 0.1
    model = keras.Sequential([keras.Input((1,)), L.Dense(1, use_bias=False, kernel_regularizer=L2(c))])
    model.set_weights([np.full((1, 1), w)])
    (x, y), (u, v) = (1.5, -0.4), (0.6, 2.0)
    adapted = w - rate * (2 * x * (w * x - y) + 2 * c * w)
    loss = (adapted * u - v) ** 2 + c * adapted**2
    slope = (2 * u * (adapted * u - v) + 2 * c * adapted) * (1 - rate * (2 * x * x + 2 * c))
    batch = TaskBatch(*(np.full((1, 1, 1), a) for a in (x, y, u, v)))
    learner = made(model, inner_lr=rate)
    result = learner.meta_gradient(batch)
    np.testing.assert_allclose(result.gradient[0], [[slope]], rtol=1e-5)
    np.testing.assert_allclose(result.query_losses, [loss], rtol=1e-5)
    assert learner.evaluate(batch, verbose=0)[0] == pytest.approx(loss, rel=1e-5)
    before = (w * u - v) ** 2 + c * w * w
    history = learner.fit(batch, verbose=0).history
    assert [history["loss"][0], history["loss_before"][0]] == pytest.approx([loss, before], rel=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: net(kernel_regularizer=L2(1.0)),
        lambda: net(bias_regularizer=L2(1.0), bias_initializer="ones"),
        lambda: net(activity_regularizer=L2(1.0)),
        lambda: net(AddsLoss()),
    ],
)
@pytest.mark.parametrize("kind", [MAML, Reptile])
def test_penalties_of_every_kind_count_in_the_gradient(make, kind):
    plain = net(bias_initializer="ones") if make().get_weights()[1].any() else net()
    assert np.abs(numbers(made(make(), kind)) - numbers(made(plain, kind))).max() > 1e-3


def test_penalties_count_task_by_task_as_well():
    learner = made(net(kernel_regularizer=L2(0.5)), inner_steps=3, weighting=agreement_weights)
    whole, slow = learner.meta_gradient(sines()), task_by_task(learner)(sines())
    np.testing.assert_allclose(slow.weights, whole.weights, rtol=1e-4)
    np.testing.assert_allclose(slow.query_losses, whole.query_losses, rtol=1e-5)


# --- state that is not trained


def test_a_counter_lives_on():
    model = net(Counter())
    learner = made(model, inner_steps=2)
    learner.fit(as_dataset(SineTasks(), 4), steps_per_epoch=3, verbose=0)
    learner.meta_gradient(sines())
    learner.evaluate(sines(), verbose=0)
    assert model.layers[1].count.numpy() == 3 * 2  # an inner step is a call in training; judging changes nothing


def spectral():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((1,)), L.SpectralNormalization(L.Dense(6, "tanh")), L.Dense(1)])


def test_spectral_normalisation_is_the_same_in_training_and_in_judging():
    learner, batch = made(spectral(), Reptile), sines(1)
    result = learner.meta_gradient(batch)
    assert learner.evaluate(batch, verbose=0)[0] == pytest.approx(float(result.query_losses[0]), rel=1e-5)
    adapted = learner.adapt(batch.support_x[0], batch.support_y[0])
    mse = np.mean((adapted(batch.query_x[0].astype("float32")) - batch.query_y[0]) ** 2)
    assert mse == pytest.approx(float(result.query_losses[0]), rel=1e-4)
    before = learner.model.layers[0].vector_u.numpy()
    learner.fit(batch, verbose=0)
    assert np.abs(learner.model.layers[0].vector_u.numpy() - before).max() > 1e-3


def test_a_layer_that_writes_into_its_kernel_is_refused():
    class Writes(L.Dense):
        def call(self, x):
            self.kernel.assign(self.kernel / 2)
            return super().call(x)

    with pytest.raises(ValueError, match="should not write into its trainable variables, but assigns .*kernel"):
        made(net(Writes(3)), Reptile).meta_gradient(sines())


# --- random layers


@pytest.mark.parametrize("unrolled", [False, True])
@pytest.mark.parametrize("layer", [L.Dropout(0.5), L.GaussianNoise(0.5)])
def test_every_task_has_a_draw_of_its_own(layer, unrolled):
    one = sines(1)
    same = TaskBatch(*(np.repeat(a, 3, axis=0) for a in one))
    losses = made(net(layer), unrolled=unrolled).meta_gradient(same).query_losses.numpy()
    assert len(set(losses)) == 3
    assert len(set(made(net(), unrolled=unrolled).meta_gradient(same).query_losses.numpy())) == 1


# --- shapes


def test_recurrent_layers_are_served_by_default():
    for layer in (L.LSTM(3), L.GRU(3), L.Bidirectional(L.SimpleRNN(2))):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((2, 2)), layer, L.Dense(1)])
        learner = served(model, of_shape(2, 2, tasks=2, points=3), compiled={"diagnostics": False})
        assert learner.unrolled


def test_what_does_not_vectorise_is_unrolled():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2, 2)), L.LSTM(3), L.Dense(1)])
    batch = of_shape(2, 2, tasks=2, points=3)
    np.testing.assert_array_equal(numbers(made(model, unrolled=False), batch), numbers(made(model), batch))


def test_a_call_without_training_is_served():
    served(called(WithoutTraining(), 1), sines())


def two_inputs(kind):
    inputs = {"a": keras.Input((1,), name="a"), "b": keras.Input((2,), name="b")}
    joined = L.Dense(1)(L.Concatenate()(list(inputs.values())))
    model = keras.Model(inputs if kind is dict else list(inputs.values()), joined)
    a, b = of_shape(1), of_shape(2)
    x = [{"a": p, "b": q} if kind is dict else (p, q) for p, q in ((a[0], b[0]), (a[2], b[2]))]
    return model, TaskBatch(x[0], a.support_y, x[1], a.query_y)


@pytest.mark.parametrize("kind", [dict, tuple])
def test_several_inputs_are_served(kind):
    model, batch = two_inputs(kind)
    learner = served(model, batch)
    tasks = type("Tasks", (), {"sample": lambda *_: batch})()
    learner.fit(as_dataset(tasks), steps_per_epoch=2, verbose=0)
    same = task_by_task(made(model, weighting=agreement_weights))(batch)
    np.testing.assert_allclose(
        same.weights, made(model, weighting=agreement_weights).meta_gradient(batch).weights, 1e-4
    )
    served(model, batch, Reptile, batch_size=2)


@pytest.mark.parametrize("kind", [MAML, Reptile])
def test_weights_per_point_count_in_support_and_query(kind):
    batch, w = sines(3), np.random.default_rng(0).uniform(0, 2, (3, 10))
    weighted = batch._replace(support_y=Weighted(batch.support_y, w), query_y=Weighted(batch.query_y, w))

    def by_hand(y, prediction):
        return tf.square(y[:, :1] - prediction) * y[:, 1:]

    joined = batch._replace(
        **{name: np.concatenate([getattr(batch, name), w[..., None]], -1) for name in ("support_y", "query_y")}
    )
    settings = {"batch_size": 4} if kind is Reptile else {}
    ours = made(net(), kind, **settings).meta_gradient(weighted)
    theirs = made(net(), kind, loss=by_hand, **settings).meta_gradient(joined)
    np.testing.assert_allclose(ours.query_losses, theirs.query_losses, rtol=1e-5)
    for a, b in zip(ours.gradient, theirs.gradient, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    served(net(), weighted, kind)


def test_weights_for_a_loss_that_is_a_mean_are_refused():
    batch = sines(2)
    weighted = batch._replace(support_y=Weighted(batch.support_y, np.ones((2, 10))))
    with pytest.raises(ValueError, match="loss should return one value per point"):
        made(net(), loss=lambda y, p: tf.reduce_mean(tf.square(y - p))).meta_gradient(weighted)


def test_masked_steps_leave_the_loss():
    keras.utils.set_random_seed(0)
    layers = [L.Masking(), L.SimpleRNN(3, return_sequences=True), L.Dense(1)]
    model = keras.Sequential([keras.Input((4, 1)), *layers])
    batch = of_shape(4, 1, outputs=(4, 1))
    for x in (batch.support_x, batch.query_x):
        x[:, :, 2:] = 0
    other = batch._replace(support_y=batch.support_y.copy(), query_y=batch.query_y.copy())
    for y in (other.support_y, other.query_y):
        y[:, :, 2:] = 99.0
    losses = [made(model).meta_gradient(b).query_losses for b in (batch, other)]
    np.testing.assert_array_equal(*losses)


@pytest.mark.parametrize("loss", ["mse", lambda y, p: tf.square(y - p), lambda y, p: tf.reduce_mean(tf.square(y - p))])
def test_labels_without_their_last_axis_are_not_broadcast(loss):
    batch = sines(3)
    flat = batch._replace(support_y=batch.support_y[..., 0], query_y=batch.query_y[..., 0])
    np.testing.assert_array_equal(numbers(made(net(), loss=loss), flat), numbers(made(net(), loss=loss), batch))


@pytest.mark.parametrize("loss", ["mse", "mae", keras.losses.Huber(), "binary_crossentropy"])
def test_outputs_and_labels_of_other_shapes_are_refused(loss):
    model = keras.Sequential([keras.Input((1,)), L.Dense(3)])
    with pytest.raises(ValueError, match=r"should have the shape of the model's outputs for this loss, \(10, 3\)"):
        made(model, loss=loss).meta_gradient(sines(2))


def test_losses_whose_labels_have_another_shape_are_not():
    model = keras.Sequential([keras.Input((1,)), L.Dense(3)])
    batch = of_shape(1)
    labels = batch._replace(support_y=np.zeros((3, 5), int), query_y=np.ones((3, 5, 1), int))
    made(model, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)).meta_gradient(labels)
    made(model, loss=lambda y, p: tf.square(y - p[:, :2])).meta_gradient(of_shape(1, outputs=(2,)))


# --- copies


@pytest.mark.parametrize(
    "make",
    [
        lambda: called(Halved(0.5), 1),
        lambda: called(Halved(2.0, lambda y: tf.sin(y)), 1),
        lambda: called(WithoutTraining(), 1),
        lambda: net(L.Lambda(lambda x: 2 * x)),
        lambda: net(L.Dropout(0.5)),
    ],
)
def test_an_adapted_model_is_the_model_it_came_from(make):
    model, (x, y, query, _) = make(), sines(1)
    learner = made(model)
    query = tf.constant(query[0], tf.float32)
    same = learner.adapt(x[0], y[0], steps=0)
    np.testing.assert_allclose(same(query), model(query), rtol=1e-5)
    adapted = learner.adapt(x[0], y[0])
    np.testing.assert_allclose(adapted.predict(query, verbose=0), learner.answers(x[0], y[0], query), rtol=1e-5)
    before = [v.numpy() for v in model.variables]
    adapted.compile("sgd", "mse")
    adapted.fit(x[0], y[0], verbose=0, epochs=2)
    for old, v in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(v, old)
    assert np.abs(adapted.predict(query, verbose=0) - learner.answers(x[0], y[0], query)).max() > 1e-4


def test_a_copy_that_is_another_function_is_seen_in_training_too(tmp_path):
    @keras.saving.register_keras_serializable("gaml_tests")
    class Forgets(L.Dropout):
        def get_config(self):
            return super().get_config() | {"rate": 0.1}

    adapted = made(net(Forgets(0.9))).adapt(*(a[0] for a in sines(1)[:2]))
    x = tf.ones((50, 1))
    assert np.std(adapted(x, training=True)) > 0
    assert type(adapted).__name__ == "AdaptedModel"
    with pytest.raises(ValueError, match="use save_weights"):
        adapted.save(tmp_path / "x.keras")
    adapted.save_weights(tmp_path / "x.weights.h5")


# --- refused by name


def mixed():
    return keras.Sequential([keras.Input((1,)), L.Dense(1, dtype="mixed_float16")])


def half(dtype):
    return keras.Sequential([keras.Input((1,), dtype=dtype), L.Dense(1, dtype=dtype)])


def two_outputs():
    x = keras.Input((1,))
    return keras.Model(x, [L.Dense(1)(x), L.Dense(1)(x)])


class TwoOutputs(WithoutTraining):
    def call(self, x):
        return super().call(x), x


def outcome(weights):
    return made(net(), compiled={"loss_weights": weights})


REFUSED = {
    "mixed precision": (lambda: MAML(mixed()), "mixes precision.*dtype"),
    "bfloat16": (lambda: MAML(half("bfloat16")), "float32 or float64, got .'bfloat16'"),
    "float16": (lambda: Reptile(half("float16")), "float32 or float64, got .'float16'"),
    "several outputs": (lambda: MAML(two_outputs()), "should have one output, got 2"),
    "several outputs, subclassed": (
        lambda: made(called(TwoOutputs(), 1)).meta_gradient(sines()),
        "should have one output, a tensor, got tuple",
    ),
    "gradient accumulation": (
        lambda: made(net(), optimizer=keras.optimizers.SGD(0.1, gradient_accumulation_steps=4)),
        "no gradient_accumulation_steps: a larger meta_batch",
    ),
    "loss_weights": (lambda: outcome([1.0]), "without loss_weights"),
    "weighted_metrics": (lambda: made(net(), compiled={"weighted_metrics": ["mse"]}), "without weighted_metrics"),
    "several losses": (lambda: made(net(), loss=["mse", "mae"]), "loss should be one loss"),
    "no loss": (lambda: MAML(net()).compile("sgd", None), "loss should be one loss"),
    "class_weight": (lambda: made(net()).fit(sines(), class_weight={0: 1.0}), "without class_weight.*Weighted"),
    "sample_weight": (lambda: made(net()).fit(sines(), sample_weight=np.ones(4)), "without sample_weight.*Weighted"),
    "y": (lambda: made(net()).fit(sines(), np.ones(4)), "without y: labels stand in the TaskBatch"),
    "y in evaluate": (lambda: made(net()).evaluate(sines(), np.ones(4)), "without y"),
    "validation_split": (lambda: made(net()).fit(sines(), validation_split=0.2), "without validation_split"),
    "export": (lambda: made(net()).export("/nowhere"), "learner.adapt"),
    "frozen since": (lambda: frozen_since(), "other trainable variables than when the learner was compiled"),
}


def frozen_since():
    learner = made(net())
    learner.model.layers[0].trainable = False
    learner.meta_gradient(sines())


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_served_is_refused_by_name(case):
    call, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        call()


def no_numbers(a):
    masked = np.ma.masked_array(a, a > 0)
    return {
        "masked": masked,
        "a list of masked": list(masked),
        "text": a.astype(str),
        "dates": a.astype("datetime64[s]"),
        "complex": a + 1j,
        "objects": a.astype(object),
        "a structure": np.zeros(a.shape, [("a", float)]),
        "ragged": tf.ragged.constant([[[1.0]], [[1.0], [2.0]]], ragged_rank=1),
        "complex tensor": tf.cast(a, tf.complex64),
        "text tensor": tf.strings.as_string(a),
    }


@pytest.mark.parametrize("part", ["support_x", "query_y"])
@pytest.mark.parametrize("kind", no_numbers(np.ones((1, 1, 1))))
def test_what_is_no_number_is_refused(part, kind):
    batch = sines(2)
    with pytest.raises(ValueError, match=f"{part} should"):
        made(net()).meta_gradient(batch._replace(**{part: no_numbers(getattr(batch, part))[kind]}))


def test_labels_of_classes_are_served_by_answers_and_metrics():
    model = keras.Sequential([keras.Input((2,)), L.Dense(3)])
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=(3, 5))
    batch = of_shape(2)._replace(support_y=y, query_y=y)

    def own(y, scores):
        return keras.losses.sparse_categorical_crossentropy(y, scores, from_logits=True)

    learner = made(model, loss=own, compiled={"metrics": ["accuracy"]})
    share = np.mean(episode_answers(learner, batch) == y)
    assert 0 < share < 1
    found = learner.evaluate(batch, verbose=0)
    assert dict(zip(learner.metrics_names, found, strict=True))["accuracy"] == pytest.approx(share)
    assert learner.metrics_names[0] == "loss"
    assert found == [learner.evaluate(batch, verbose=0, return_dict=True)[name] for name in learner.metrics_names]
