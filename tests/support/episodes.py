"""Small episodes of images, a learner for them, and its accuracies by plain loops."""

import keras
import numpy as np

from gaml_utils.learners.maml import MAML
from gaml_utils.networks.convolutional import conv4
from gaml_utils.records import TaskBatch
from tests.support.keras_models import unlike_at_the_start

WAYS = 3


def loss_in(dtype):
    """A loss object of Keras computes in its own dtype, float32 unless told, whatever the model's."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=dtype)


def learner_of(model, inner_lr=0.3, inner_steps=1):
    learner = MAML(model, inner_lr=inner_lr, inner_steps=inner_steps)
    learner.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss_in(learner.variable_dtype))
    return learner


class Blobs:
    """Three classes that a learner can tell apart, more or less: a noisy 4 x 4 pattern each, fresh in every episode."""

    def __init__(self, noise=1.0):
        self.noise = noise

    def sample(self, rng, tasks, shots, queries):
        means, arrays = np.kron(rng.normal(size=(tasks, WAYS, 1, 4, 4)), np.ones((4, 4))), []
        for points in (shots, queries):
            x = means + self.noise * rng.normal(size=(tasks, WAYS, points, 16, 16))
            arrays.append(x.reshape(tasks, -1, 16, 16, 1))
            arrays.append(np.tile(np.repeat(np.arange(WAYS, dtype=np.int32), points), (tasks, 1)))
        return TaskBatch(*arrays)


def blobs(seed=0, tasks=6, shots=2, queries=4, noise=1.0):
    return Blobs(noise).sample(np.random.default_rng(seed), tasks, shots, queries)


def plain_accuracies(learner, batch, steps=None, alone=True):
    """Each episode's accuracy: a plain Keras model adapted to it, asked about one query after the other."""
    found = []
    for sx, sy, qx, qy in zip(*batch, strict=True):
        model = learner.adapt(sx, sy, steps)
        if alone:
            scores = np.concatenate([model(x[None], training=False) for x in qx])
        else:
            scores = np.asarray(model(qx, training=True))
        found.append(np.mean(scores.argmax(axis=1) == qy))
    return np.array(found)


def small_learner():
    """A small network far from its start, so that its answers differ from query to query; not trained."""
    keras.utils.set_random_seed(0)
    return learner_of(unlike_at_the_start(conv4(WAYS, filters=4, shape=(16, 16, 1), dtype="float64")))
