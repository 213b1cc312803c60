"""Models and tasks as strangers bring them, small enough to be trained in a test."""

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.learners.maml import MAML
from gaml_utils.records import TaskBatch
from gaml_utils.tasks import SineTasks

L = keras.layers


def net(*between, **first):
    """Numbers to numbers, always with the same first parameters. first: arguments of the first layer."""
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((1,)), L.Dense(6, "tanh", **first), *between, L.Dense(1)])


def sines(tasks=4, shots=10, seed=None, queries=10):
    return SineTasks().sample(np.random.default_rng(tasks if seed is None else seed), tasks, shots, queries)


def made(model, kind=MAML, optimizer=None, loss="mse", compiled=None, **settings):
    """A compiled learner around a model."""
    learner = kind(model, **settings)
    learner.compile(optimizer or keras.optimizers.SGD(0.1), loss, **compiled or {})
    return learner


def numbers(learner, batch=None):
    """The meta-gradient as one array."""
    return np.concatenate([np.ravel(g) for g in learner.meta_gradient(batch or sines()).gradient])


def of_shape(*shape, outputs=(1,), tasks=3, points=5, seed=0):
    """A batch of noise: x (tasks, points, *shape), y (tasks, points, *outputs)."""
    rng = np.random.default_rng(seed)
    pairs = [(rng.normal(size=(tasks, points, *shape)), rng.normal(size=(tasks, points, *outputs))) for _ in range(2)]
    return TaskBatch(*pairs[0], *pairs[1])


@keras.saving.register_keras_serializable("gaml_tests")
class Counter(L.Layer):
    """Counts how often it was called in training."""

    def build(self, shape):
        self.count = self.add_weight((), "zeros", trainable=False, dtype="int32", name="count")

    def call(self, x, training=False):
        if training:
            self.count.assign_add(1)
        return x


@keras.saving.register_keras_serializable("gaml_tests")
class AddsLoss(L.Layer):
    """Adds the mean square of what it sees to the loss."""

    def call(self, x):
        self.add_loss(tf.reduce_mean(tf.square(x)))
        return x


class WithoutTraining(keras.Model):
    """Its call takes no `training`."""

    def __init__(self):
        super().__init__()
        self.first, self.second = L.Dense(4, "tanh"), L.Dense(1)

    def call(self, x):
        return self.second(self.first(x))


class Halved(keras.Model):
    """It has no get_config, and what it was made with cannot be told from its variables."""

    def __init__(self, factor=1.0, then=None):
        super().__init__()
        self.factor, self.then = factor, then
        self.first, self.second = L.Dense(4, "tanh"), L.Dense(1)

    def call(self, x):
        y = self.factor * self.second(self.first(x))
        return y if self.then is None else self.then(y)


def called(model, *shape):
    """The model, built by a call."""
    model(np.zeros((2, *shape), np.float32))
    return model
