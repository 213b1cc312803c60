"""Second derivatives that are wrong are found by differences, and exact MAML says so before its first step."""

import warnings

import keras
import pytest
import tensorflow as tf

from gaml_utils.learners import MAML, Reptile, as_dataset, check_second_derivative, task_by_task
from gaml_utils.networks import conv4
from gaml_utils.networks.inspection import EXACT, inexact_layers
from gaml_utils.tasks import SineTasks
from gaml_utils.weighting import agreement_weights
from tests.support.strangers import L, made, net, numbers, of_shape, sines


def images(*layers, activation="relu"):
    keras.utils.set_random_seed(1)
    first = L.Conv2D(4, 3, activation=activation)
    return keras.Sequential([keras.Input((8, 8, 2)), first, *layers, L.Flatten(), L.Dense(1)])


class Stopped(L.Layer):
    def call(self, x):
        return x * tf.stop_gradient(tf.tanh(x))


class Sine(L.Layer):
    def call(self, x):
        return tf.sin(x)


WRONG = {
    "Resizing": lambda: images(L.Resizing(12, 12)),
    "Resizing after tanh": lambda: images(L.Resizing(12, 12), activation="tanh"),
    "UpSampling2D": lambda: images(L.UpSampling2D(2, interpolation="bilinear")),
    "Resizing within": lambda: images(keras.Sequential([L.Resizing(12, 12)])),
    "own layer": lambda: net(Stopped()),
    "own activation": lambda: net(L.Dense(4, lambda x: x * tf.stop_gradient(x))),
}
RIGHT = {
    "Resizing before": lambda: keras.Sequential([keras.Input((8, 8, 2)), L.Resizing(6, 6), L.Flatten(), L.Dense(1)]),
    "UpSampling2D, nearest": lambda: images(L.UpSampling2D(2)),
    "own layer": lambda: net(Sine()),
    "linear": lambda: keras.Sequential([keras.Input((1,)), L.Dense(1, Sine())]),
}


def batch_for(model):
    return of_shape(*model.input_shape[1:])


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_second_derivative_is_found_and_refused(case):
    model = WRONG[case]()
    batch, found = batch_for(model), check_second_derivative(model, batch_for(model))
    assert found.wrong and found.error > 0.01 > found.noise
    for call in (
        lambda learner: learner.meta_gradient(batch),
        lambda learner: learner.fit(batch, verbose=0),
        lambda learner: task_by_task(learner)(batch),
    ):
        learner = made(model, weighting=agreement_weights)
        before = learner.model.get_weights()
        with pytest.raises(ValueError, match="wrong second derivative.*first_order=True.*check_second_derivative"):
            call(learner)
        assert all((a == b).all() for a, b in zip(before, learner.model.get_weights(), strict=True))
    numbers(made(model, first_order=True), batch)
    numbers(made(model, Reptile), batch)


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_one_passes(case):
    model = RIGHT[case]()
    assert not check_second_derivative(model, batch_for(model)).wrong
    made(model).meta_gradient(batch_for(model))


def test_an_honest_zero_passes():
    model = keras.Sequential([keras.Input((1,)), L.Dense(1)])
    learner = made(model, loss=lambda y, p: tf.abs(p - y))
    numbers(learner, sines())


def test_the_answer_is_kept(monkeypatch):
    from gaml_utils.learners import maml

    calls = []
    monkeypatch.setattr(maml, "second_derivative", lambda *a: calls.append(a) or SURELY)
    learner = made(net(Sine()))
    for tasks in (3, 4):
        learner.meta_gradient(sines(tasks))
        learner.fit(as_dataset(SineTasks(), tasks), steps_per_epoch=1, verbose=0)
    assert len(calls) == 1
    made(net()).meta_gradient(sines())
    made(conv4(3)).before_steps(of_shape(28, 28, 1))
    assert len(calls) == 1  # layers that are known to be exact are not looked at


SURELY = check_second_derivative(net(), sines())


@pytest.mark.parametrize("name", ["softsign", "nearest"])
def test_no_second_derivative_at_all_is_told(name):
    model = net(L.Activation("softsign")) if name == "softsign" else images(L.Resizing(9, 9, interpolation="nearest"))
    with pytest.raises(ValueError, match="should have a second derivative.*first_order=True"):
        made(model).meta_gradient(batch_for(model))


NAMED = {
    "spectral": (lambda: net(L.SpectralNormalization(L.Dense(4))), True),
    "group": (lambda: net(L.GroupNormalization(2)), True),
    "batch": (lambda: net(L.BatchNormalization()), True),
    "frozen batch": (lambda: net(L.BatchNormalization(trainable=False)), False),
    "rms": (lambda: net(L.RMSNormalization()), False),
    "layer, rms": (lambda: net(rms()), False),
}


def rms():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return L.LayerNormalization(rms_scaling=True)


@pytest.mark.parametrize("case", NAMED)
@pytest.mark.filterwarnings("ignore")
def test_the_warning_names_the_layers_that_are_wrong_and_no_others(case):
    make, wrong = NAMED[case]
    model = make()
    assert bool(inexact_layers(model)) == wrong
    assert check_second_derivative(model, sines(3, 5)).wrong == wrong
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        MAML(model)
    assert any("check_second_derivative" in str(w.message) for w in caught) == wrong


def test_the_layers_that_are_taken_for_exact_exist():
    known = {name for name in dir(keras.layers) if isinstance(getattr(keras.layers, name), type)}
    assert set(EXACT) <= known | {"Functional", "Sequential"}
