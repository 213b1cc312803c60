"""Metrics by name are chosen by shapes, as Keras chooses them, and never by the name of the loss."""

import keras
import numpy as np
import pytest

from gaml_utils.learners.engine.metrics import as_metric
from tests.support.strangers import L, made, net, of_shape

RNG = np.random.default_rng(0)
SHAPES = {
    "binary": ((20, 1), RNG.integers(2, size=(20, 1))),
    "binary, flat labels": ((20, 1), RNG.integers(2, size=20)),
    "sparse": ((20, 3), RNG.integers(3, size=20)),
    "sparse, a column": ((20, 3), RNG.integers(3, size=(20, 1))),
    "categorical": ((20, 3), np.eye(3)[RNG.integers(3, size=20)]),
}


@pytest.mark.parametrize("name", ["accuracy", "acc"])
@pytest.mark.parametrize("shapes", SHAPES)
def test_a_name_is_what_keras_makes_of_it(name, shapes):
    shape, y = SHAPES[shapes]
    scores = RNG.uniform(size=shape)
    scores = scores / scores.sum(axis=1, keepdims=True) if shape[1] > 1 else scores
    model = keras.Sequential([keras.Input((shape[1],)), L.Identity()])
    model.compile(loss=lambda y, p: 0.0 * p, metrics=[name])
    x = scores.astype("float32")
    expected = [
        v for k, v in model.evaluate(x, y.astype("float32"), verbose=0, return_dict=True).items() if k != "loss"
    ]
    metric = as_metric(name)
    metric.update_state(y.astype("float32"), x)
    assert float(metric.result()) == pytest.approx(expected[0], rel=1e-5)


class Named(keras.losses.Loss):
    """A loss for labels, with a name that says something else."""

    def __init__(self):
        super().__init__(name="binary_like")

    def call(self, y, scores):
        return keras.losses.sparse_categorical_crossentropy(y, scores, from_logits=True)


def test_the_name_of_the_loss_does_not_matter():
    y = RNG.integers(3, size=(3, 5))
    batch = of_shape(2)._replace(support_y=y, query_y=y)
    found = []
    for loss in (Named(), keras.losses.SparseCategoricalCrossentropy(from_logits=True)):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((2,)), L.Dense(3)])
        learner = made(model, loss=loss, compiled={"metrics": ["accuracy"]})
        found.append(learner.evaluate(batch, verbose=0, return_dict=True)["accuracy"])
    assert found[0] == found[1]


@pytest.mark.parametrize("metrics", ["mae", keras.metrics.MeanAbsoluteError(), [keras.losses.mean_absolute_error]])
def test_one_metric_needs_no_list(metrics):
    assert len(made(net(), compiled={"metrics": metrics}).task_metrics) == 1


@pytest.mark.parametrize("metrics", [{"a": "mae"}, [["mae"]]])
def test_metrics_of_several_outputs_are_refused(metrics):
    with pytest.raises(ValueError, match="metrics should be a flat list"):
        made(net(), compiled={"metrics": metrics})
