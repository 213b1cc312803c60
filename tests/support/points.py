"""Classes of points around centres, in float64, and learners that compare them."""

import keras
import numpy as np

from gaml_utils.records import TaskBatch
from tests.support.keras_models import float64, functional, unlike_at_the_start

WAYS, INPUTS = 3, 4


@keras.saving.register_keras_serializable("gaml_tests")
def of_classes(y, scores):
    """Cross-entropy in the scores' own precision."""
    return keras.losses.sparse_categorical_crossentropy(y, scores, from_logits=True)


def points(seed=0, tasks=4, shots=2, queries=3, ways=WAYS):
    """A meta-batch, class by class."""
    rng = np.random.default_rng(seed)
    centres, arrays = rng.normal(size=(tasks, ways, 1, INPUTS)), []
    for n in (shots, queries):
        arrays.append((centres + 0.5 * rng.normal(size=(tasks, ways, n, INPUTS))).reshape(tasks, -1, INPUTS))
        arrays.append(np.tile(np.repeat(np.arange(ways), n), (tasks, 1)))
    return TaskBatch(*arrays)


def network(features=5, inputs=INPUTS, seed=0):
    """Two dense layers."""
    keras.utils.set_random_seed(seed)
    with float64():
        model = functional(keras.layers.Dense(6, "tanh"), keras.layers.Dense(features), shape=(inputs,))
    return unlike_at_the_start(model, seed)


def comparing(kind, features=5, ways=WAYS, loss=of_classes, **settings):
    """A compiled learner of that class."""
    learner = kind(network(features), ways, **settings)
    learner.compile(keras.optimizers.SGD(0.05), loss)
    return learner


def embedded(learner, x):
    """The model's features, as NumPy."""
    return np.asarray(learner.model(x))


def softmax(scores):
    """Over the last axis."""
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
