"""What Keras would spread over several devices is refused by name: a learner weighs all tasks of a step together."""

import keras
import pytest
import tensorflow as tf

from gaml_utils import SineTasks
from gaml_utils.learners import LEARNERS, MAML, as_dataset

STRATEGIES = {
    "MirroredStrategy": lambda: tf.distribute.MirroredStrategy(["CPU:0"]),
    "OneDeviceStrategy": lambda: tf.distribute.OneDeviceStrategy("CPU:0"),
}
DATA = {"meta_batch": 2, "shots": 3, "queries": 3}


def net():
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(3, "tanh"), keras.layers.Dense(1)])


def compiled():
    learner = MAML(net(), 0.01)
    learner.compile("sgd", "mse")
    return learner


@pytest.fixture(params=STRATEGIES)
def strategy(request):
    return request.param, STRATEGIES[request.param]()


def test_compile_under_a_strategy_is_refused(strategy):
    name, made = strategy
    learner = MAML(net(), 0.01)
    with made.scope(), pytest.raises(ValueError, match=f"compile should be called outside of {name}"):
        learner.compile("sgd", "mse")
    assert not learner.compiled


def test_a_model_made_under_mirrors_is_refused_wherever_it_is_compiled():
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = net()
    with pytest.raises(
        ValueError, match="compile should be called outside of MirroredStrategy, with a model made outside"
    ):
        MAML(model, 0.01).compile("sgd", "mse")


@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_training_and_judging_under_a_strategy_are_refused_and_change_nothing(strategy, method):
    name, made = strategy
    learner = compiled()
    before = [v.numpy() for v in learner.model.trainable_variables]
    data = as_dataset(SineTasks(), **DATA)
    steps = {"fit": {"steps_per_epoch": 1, "verbose": 0}, "evaluate": {"steps": 1, "verbose": 0}}[method]
    with made.scope(), pytest.raises(ValueError, match=f"{method} should be called outside of {name}"):
        getattr(learner, method)(data, **steps)
    assert all((a == v.numpy()).all() for a, v in zip(before, learner.model.trainable_variables, strict=True))
    learner.fit(data, steps_per_epoch=1, verbose=0)  # and outside of it all is well
    assert int(learner.optimizer.iterations) == 1


def test_every_learner_asks(monkeypatch):
    """None has a `compile` or a `fit` of its own that would not."""
    for kind in (getattr(kind, "func", kind) for kind in LEARNERS.values()):
        for method in ("fit", "evaluate", "require_compiled"):
            assert getattr(kind, method) is getattr(MAML, method), (kind, method)


def test_a_tpu_strategy_is_refused_by_name(monkeypatch):
    """There is no TPU here: a strategy of that class is all that is looked at."""

    class TPUStrategy:
        pass

    monkeypatch.setattr(tf.distribute, "has_strategy", lambda: True)
    monkeypatch.setattr(tf.distribute, "get_strategy", TPUStrategy)
    learner = MAML(net(), 0.01)
    with pytest.raises(ValueError, match="compile should be called outside of TPUStrategy"):
        learner.compile("sgd", "mse")
