"""Small compiled learners, and what they give, for the tests of learners."""

import functools

import keras
import numpy as np

from gaml_utils.datasets.golden_batch import load_golden_batch
from gaml_utils.learners.maml import MAML
from gaml_utils.networks.normalisation import BatchNormalization
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from tests.support.keras_models import (
    as_data,
    batch_for,
    float64,
    functional,
    make,
)

RULES = {"uniform": uniform_weights, "agreement": agreement_weights}
PARAMS, GOLDEN, INNER_LR, EXPECTED = load_golden_batch()
NORMALISED = ["batch norm", "layer norm", "conv, batch norm", "subclassed, batch norm"]
STOCK_NORMALISATION = ["stock batch norm", "stock layer norm", "stock group norm"]


def arrays(result):
    """The numbers of a MetaResult, end to end."""
    return [np.array(a) for a in (*result.gradient, result.weights, result.query_losses)]


def compiled(learner, optimizer="sgd", **kwargs):
    learner.compile(optimizer, **kwargs)
    return learner


def build(kind="batch norm", learner=MAML, optimizer="sgd", metrics=None, **kwargs):
    """A compiled learner around one of the models."""
    settings = {"inner_lr": 0.1, "inner_steps": 2, "weighting": agreement_weights} | kwargs
    return compiled(learner(make(kind), **settings), optimizer, metrics=metrics)


@functools.cache
def shared(kind="batch norm", learner=MAML, **kwargs):
    """A compiled learner for tests that change nothing."""
    return build(kind, learner, **kwargs)


def fit(learner, data, steps=1, **kwargs):
    return learner.fit(data, steps_per_epoch=steps, verbose=0, **kwargs).history


@functools.cache
def golden_model():
    with float64():
        hidden = [keras.layers.Dense(40, "relu") for _ in range(2)]
        model = functional(*hidden, keras.layers.Dense(1), shape=(1,))
    model.set_weights(PARAMS)
    return model


# adapt and evaluate


def task(batch, i):
    return [np.array(a[i]) for a in batch]


def evaluate(learner, batch):
    return learner.evaluate(as_data(batch), steps=1, return_dict=True, verbose=0)


def single(learner=MAML, optimizer="sgd", metrics=None, **kwargs):
    """A compiled learner around a float32 model."""
    keras.utils.set_random_seed(0)
    layers = keras.layers.Dense(4), BatchNormalization(), keras.layers.Activation("tanh"), keras.layers.Dense(1)
    settings = {"inner_lr": 0.1, "inner_steps": 2, "weighting": agreement_weights} | kwargs
    return compiled(learner(functional(*layers, dtype="float32"), **settings), optimizer, metrics=metrics)


def broken(**changed):
    """Task 1 of three is at fault."""
    batch = batch_for("batch norm")
    for name, value in changed.items():
        array = np.array(getattr(batch, name))
        array[1] = value
        batch = batch._replace(**{name: array})
    return batch


class Stop(keras.callbacks.Callback):
    """An interruption at the third epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


def assert_gradient_is_of_differences(learner, batch, rtol=1e-6, h=1e-6):
    """The meta-gradient along a random direction against a central difference of the mean query loss."""
    rng = np.random.default_rng(0)
    gradient = learner.meta_gradient(batch).gradient
    along = [rng.normal(size=v.shape) for v in learner.outer_variables]
    start, ends = [v.numpy() for v in learner.outer_variables], []
    for sign in (1, -1):
        for v, value, a in zip(learner.outer_variables, start, along, strict=True):
            v.assign(value + sign * h * a)
        ends.append(np.mean(learner.meta_gradient(batch).query_losses))
    for v, value in zip(learner.outer_variables, start, strict=True):
        v.assign(value)
    slope = sum(np.sum(np.asarray(g) * a) for g, a in zip(gradient, along, strict=True))
    np.testing.assert_allclose(slope, (ends[0] - ends[1]) / (2 * h), rtol=rtol, atol=1e-9)
