"""Several steps a call, compiled by XLA or not; a training that diverges; kept memory; a rule of one's own."""

import os
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners.data import as_dataset
from gaml_utils.learners.maml import MAML
from gaml_utils.records import TaskBatch
from gaml_utils.weighting.agreement import agreement_weights
from gaml_utils.weighting.numpy_adapter import tensor_rule
from tests.support.keras_models import Noise, as_data, batch_for, everything, make, values
from tests.support.plain_formulas import relative_error, same

ARGUMENTS = {"verbose": 0}
WAYS = [{}, {"steps_per_execution": 3}, {"jit_compile": True}, {"jit_compile": True, "steps_per_execution": 3}]
NAMES = ["one", "several", "XLA, one", "XLA, several"]


def learner(optimizer="adam", weighting=agreement_weights, **compiled):
    made = MAML(make("dense"), 0.1, 2, weighting)
    made.compile(optimizer, **compiled)
    return made


def noise():
    return as_dataset(Noise(), 3, 5, 4, dtype="float64")


@pytest.mark.parametrize("compiled", WAYS, ids=NAMES)
def test_every_way_of_compiling_trains_and_reports_the_same(compiled):
    """Against train_step called by hand on the batches of the dataset."""
    plain, tried = learner(), learner(**compiled)
    plain.reset_metrics()
    for batch in noise().take(6):
        logs = plain.train_step(batch)
    history = tried.fit(noise(), steps_per_epoch=6, **ARGUMENTS).history
    assert relative_error(values(tried.model.variables), values(plain.model.variables)) < 1e-10
    assert {name: pytest.approx(float(value)) for name, value in logs.items()} == {k: v[0] for k, v in history.items()}


@pytest.mark.parametrize("compiled", WAYS, ids=NAMES)
def test_a_training_that_diverges_stops_and_loses_nothing(compiled):
    tried, batches = learner(**compiled), list(noise().take(6))
    tried.fit(noise(), steps_per_epoch=3, **ARGUMENTS)
    bad = batches[4].query_y.numpy()
    bad[2] = np.nan
    batches[4] = batches[4]._replace(query_y=tf.constant(bad))
    data = tf.data.Dataset.from_tensor_slices(TaskBatch(*(tf.stack(parts) for parts in zip(*batches, strict=True))))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"smaller inner_lr .*step\] \[7\] \[task\] \[2\]"):
        tried.fit(data, **ARGUMENTS)
    assert all(np.isfinite(v).all() for v in values(tried.model.variables))
    before = int(tried.optimizer.iterations)
    tried.fit(noise(), steps_per_epoch=3, **ARGUMENTS)
    assert int(tried.optimizer.iterations) == before + 3


def test_a_step_that_is_not_finite_is_not_taken_under_xla():
    tried, batch = learner(jit_compile=True), batch_for("dense")
    batch.support_y[1] = np.inf
    before = everything(tried)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[0\] \[task\] \[1\]"):
        tried.fit(as_data(batch), steps_per_epoch=1, **ARGUMENTS)
    assert same(everything(tried), before)


def test_a_rest_that_is_too_short_is_left_out():
    tried = learner(steps_per_execution=3)
    tried.fit(noise().take(8), **ARGUMENTS)
    assert int(tried.optimizer.iterations) == 6


def test_fit_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learner().fit(noise(), steps_per_epoch=2, **ARGUMENTS)


def test_the_package_rules_are_compiled_without_a_word(capfd):
    learner().fit(noise(), steps_per_epoch=1, **ARGUMENTS)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("kind", ["batch norm", "dropout"])
def test_evaluate_judges_the_parameters_before_adaptation_as_it_does_those_after(kind):
    """By the statistics of the support set, and without dropout: as the model that adapt gives after no step."""
    tried, batch = MAML(make(kind), 0.1, 2), batch_for(kind)
    tried.compile("sgd")
    found = tried.evaluate(as_data(batch), steps=1, return_dict=True, **ARGUMENTS)
    for name, steps in (("loss_before", 0), ("loss", 2)):
        losses = [np.mean((tried.adapt(sx, sy, steps)(qx) - qy) ** 2) for sx, sy, qx, qy in zip(*batch, strict=True)]
        assert found[name] == pytest.approx(np.mean(losses), rel=1e-5)


def told(**environment):
    """What keep_freed_memory says in a fresh process."""
    code = "from gaml_utils.memory import keep_freed_memory; print(keep_freed_memory())"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    return subprocess.check_output([sys.executable, "-c", code], env=kept | environment, text=True).strip()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is the C library of Linux")
def test_freed_memory_is_kept_unless_the_environment_has_settled_it():
    assert told() == "True"
    assert told(MALLOC_TOP_PAD_="1000") == "False"


def one_too_many(updates):
    return np.ones(len(updates) + 1)


def test_a_numpy_rule_of_a_wrong_shape_says_so():
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"weighting should return one weight per task.*\(4,\)"):
        learner(weighting=tensor_rule(one_too_many)).fit(noise(), steps_per_epoch=1, **ARGUMENTS)


def own_rule(updates):
    return tf.ones(updates.shape[0], updates.dtype)


def test_saving_a_rule_that_keras_does_not_know_warns_and_custom_objects_help(tmp_path):
    tried, path = learner(weighting=own_rule), tmp_path / "learner.keras"
    with pytest.warns(UserWarning, match="weighting .own_rule. is not registered .*register_keras_serializable"):
        tried.save(path)
    again = keras.models.load_model(path, custom_objects={"own_rule": own_rule})
    assert again.weighting is own_rule
    assert same(values(again.model.variables), values(tried.model.variables))


def test_saving_the_package_rules_warns_of_nothing(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        learner().save(tmp_path / "learner.keras")
