"""A learner that is saved, loaded and gone on with is the one that was saved."""

import importlib
import json
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest

from gaml_utils.learners.data import as_dataset
from gaml_utils.learners.maml import MAML
from gaml_utils.learners.reptile import Reptile
from gaml_utils.weighting.agreement import cosine_weights, leave_one_out_weights, uniform_weights
from gaml_utils.weighting.powers import power_weights
from tests.support.keras_learners import Stop, arrays, build, evaluate, fit, single
from tests.support.keras_models import (
    Noise,
    as_data,
    batch_for,
    everything,
    values,
)
from tests.support.plain_formulas import same
from tests.support.strangers import made, net, sines


def test_training_taken_up_again_is_bit_for_bit_the_same(tmp_path):
    """On minibatches, whose drawing depends on the step as well."""

    def start():
        one = build("batch norm", Reptile, keras.optimizers.Adam(0.01), batch_size=2)
        return one, as_dataset(Noise(), 3, 5, 4, seed=7, dtype="float64", learner=one)

    whole, data = start()
    expected = fit(whole, data, 3, epochs=4)
    half, data = start()
    with pytest.raises(KeyboardInterrupt):
        fit(half, data, 3, epochs=4, callbacks=[keras.callbacks.BackupAndRestore(tmp_path), Stop()])
    again, data = start()
    again.model.trainable_variables[0].assign_add(np.ones((2, 4)))
    history = fit(again, data, 3, epochs=4, callbacks=[keras.callbacks.BackupAndRestore(tmp_path)])
    assert history == {name: found[2:] for name, found in expected.items()}
    assert same(everything(again), everything(whole))


MODULE = """
import gaml_utils
import keras
import tensorflow as tf

@keras.saving.register_keras_serializable("student")
def first_counts_double(updates):
    w = tf.concat([[2.0], tf.ones(updates.shape[0] - 1)], 0)
    return tf.cast(w, updates.dtype) / (updates.shape[0] + 1)

@keras.saving.register_keras_serializable("student")
def signs(theta, gradient, inner_lr):
    return [p - inner_lr * tf.sign(g) for p, g in zip(theta, gradient)]
"""
SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import gaml_utils.learners, student
import json, keras, numpy as np
from gaml_utils import TaskBatch
found = {}
with np.load(sys.argv[1] + "/batch.npz") as stored:
    batch = TaskBatch(*(stored[name] for name in TaskBatch._fields))
for name in sys.argv[2:]:
    learner = keras.models.load_model(f"{sys.argv[1]}/{name}.keras")
    result = learner.meta_gradient(batch)
    found[name] = [np.array(a).ravel().tolist() for a in (*result.gradient, result.weights, result.query_losses)]
    found[name] += [learner.predict(batch.query_x[0], verbose=0).ravel().tolist()]
    found[name] += [np.array(v).ravel().tolist() for v in learner.optimizer.variables]
    adapted = learner.adapt(batch.support_x[0], batch.support_y[0])
    found[name] += [adapted.predict(batch.query_x[0], verbose=0).ravel().tolist()]
print(json.dumps(found))
"""


def test_saved_learners_are_the_same_in_a_fresh_process(tmp_path, monkeypatch):
    (tmp_path / "student.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    student = importlib.import_module("student")
    batch, expected = batch_for("batch norm"), {}
    learners = {
        "maml": single(
            optimizer=keras.optimizers.Adam(0.01), weighting=student.first_counts_double, inner_rule=student.signs
        ),
        "reptile": single(Reptile, batch_size=2, seed=3),
    }
    for name, learner in learners.items():
        fit(learner, as_data(batch), 2)
        learner.save(tmp_path / f"{name}.keras")
        expected[name] = [np.array(a).ravel().tolist() for a in arrays(learner.meta_gradient(batch))]
        expected[name] += [learner.predict(batch.query_x[0], verbose=0).ravel().tolist()]
        expected[name] += [v.ravel().tolist() for v in values(learner.optimizer.variables)]
        adapted = learner.adapt(batch.support_x[0], batch.support_y[0])
        expected[name] += [adapted.predict(batch.query_x[0], verbose=0).ravel().tolist()]
    np.savez(tmp_path / "batch.npz", **batch._asdict())
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path), *learners]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    for name in learners:
        assert found[name] == expected[name], name


def test_loaded_learner_has_every_setting(tmp_path):
    learner = single(Reptile, keras.optimizers.Adam(0.02), ["mae"], batch_size=2, seed=5, transductive=True)
    learner.save(tmp_path / "learner.keras")
    loaded = keras.models.load_model(tmp_path / "learner.keras")
    for name in ("inner_lr", "inner_steps", "unrolled", "transductive", "batch_size", "seed", "weighting"):
        assert getattr(loaded, name) == getattr(learner, name), name
    assert loaded.model.count_params() == learner.model.count_params()
    assert type(loaded.optimizer) is keras.optimizers.Adam
    assert loaded.optimizer.learning_rate == learner.optimizer.learning_rate
    assert evaluate(loaded, batch_for("dense")) == evaluate(learner, batch_for("dense"))


@pytest.mark.parametrize("rule", [power_weights(-1), power_weights(0.5, 0.3), cosine_weights, leave_one_out_weights])
def test_loaded_learner_has_its_weighting_and_what_it_compares(rule, tmp_path):
    learner = single(weighting=rule, source="outer")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        learner.save(tmp_path / "learner.keras")
    loaded = keras.models.load_model(tmp_path / "learner.keras")
    assert loaded.weighting == rule and loaded.source == "outer"
    batch = batch_for("dense")
    assert same(arrays(loaded.meta_gradient(batch)), arrays(learner.meta_gradient(batch)))


def test_a_learner_saved_before_there_was_a_source_compares_updates():
    config = single().get_config()
    del config["source"]
    assert MAML.from_config(config).source == "updates"


def test_saving_a_weighting_with_settings_that_keras_does_not_know_warns(tmp_path):
    class Rule:
        def __call__(self, updates):
            return uniform_weights(updates)

        def get_config(self):
            return {}

    with pytest.warns(UserWarning, match="weighting 'Rule' is not registered"):
        single(weighting=Rule()).get_config()


def test_saved_learner_of_a_float64_model_can_be_loaded(tmp_path):
    learner = build("dense")
    learner.save(tmp_path / "learner.keras")
    loaded = keras.models.load_model(tmp_path / "learner.keras")
    assert same(values(loaded.model.variables), values(learner.model.variables))


def test_how_a_learner_runs_is_saved_too(tmp_path):
    learner = made(net(), compiled={"jit_compile": True, "steps_per_execution": 3, "metrics": ["accuracy"]})
    learner.save(tmp_path / "x.keras")
    loaded = keras.saving.load_model(tmp_path / "x.keras")
    assert (loaded.jit_compile, loaded.steps_per_execution, loaded.run_eagerly) == (True, 3, False)
    assert loaded.metrics_names == learner.metrics_names
    made(net(), compiled={"diagnostics": False}).save(tmp_path / "z.keras")
    assert "loss_before" not in keras.saving.load_model(tmp_path / "z.keras").metrics_names
    made(net(), compiled={"run_eagerly": True}).save(tmp_path / "y.keras")
    assert keras.saving.load_model(tmp_path / "y.keras").run_eagerly is True


@pytest.mark.parametrize("kind", [MAML, Reptile])
def test_a_learner_may_be_saved_before_it_is_compiled(kind, tmp_path):
    learner = kind(net(), 0.3, 2)
    learner.save(tmp_path / "x.keras")
    loaded = keras.saving.load_model(tmp_path / "x.keras")
    assert not loaded.compiled and (loaded.inner_lr, loaded.inner_steps) == (0.3, 2)
    loaded.compile("sgd")
    np.testing.assert_array_equal(
        loaded.meta_gradient(sines()).query_losses,
        made(net(), kind, inner_lr=0.3, inner_steps=2).meta_gradient(sines())[2],
    )


@pytest.mark.parametrize("compiled", [False, True])
def test_weights_alone_may_be_saved(compiled, tmp_path):
    learner, other = MAML(net()), MAML(net())
    other.model.set_weights([a + 1 for a in other.model.get_weights()])
    if compiled:
        learner.compile("adam")
        learner.fit(sines(), verbose=0)
        other.compile("adam")
    learner.save_weights(tmp_path / "x.weights.h5")
    other.load_weights(tmp_path / "x.weights.h5")
    assert same(learner.model.get_weights(), other.model.get_weights())
