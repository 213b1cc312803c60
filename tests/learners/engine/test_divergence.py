"""What is not finite stops a training by the task's number, and changes nothing."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners.maml import MAML
from gaml_utils.learners.reptile import Reptile
from gaml_utils.weighting.powers import power_weights
from tests.support.keras_learners import broken, build, fit, task
from tests.support.keras_models import (
    as_data,
    batch_for,
    everything,
    values,
)
from tests.support.plain_formulas import same


@pytest.mark.parametrize(
    ("learner", "settings", "fault"),
    [
        (MAML, {}, {"support_y": np.nan}),
        (MAML, {}, {"support_y": 1e200}),
        (Reptile, {}, {"query_y": np.nan}),
        (MAML, {"source": "outer", "weighting": power_weights(-1)}, {"query_y": np.nan}),
    ],
)
def test_a_task_that_is_not_finite_stops_training_and_changes_nothing(learner, settings, fault):
    learner = build("dense", learner, keras.optimizers.Adam(0.01), **settings)
    fit(learner, as_data(batch_for("dense")), 2)
    before = everything(learner)
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        fit(learner, as_data(broken(**fault)), 3)
    message = str(error.value)
    assert "smaller inner_lr" in message
    assert "Outer step] [2] [task] [1]" in message
    assert same(everything(learner), before)


def test_exploding_inner_steps_stop_training_at_the_first_step():
    learner = build("dense", inner_lr=1e150, inner_steps=3)
    before = values(learner.model.variables)
    with pytest.raises(tf.errors.InvalidArgumentError, match="smaller inner_lr"):
        fit(learner, as_data(batch_for("dense")), 3)
    assert same(values(learner.model.variables), before)


def test_the_task_named_is_the_one_at_fault_even_if_its_loss_is_finite():
    """The root of a zero error has an infinite slope."""
    learner, batch = build("dense", first_order=True), batch_for("dense")
    learner.compile("sgd", lambda y, p: tf.sqrt(tf.abs(y - p)))
    for v in learner.model.trainable_variables:
        v.assign(np.zeros(v.shape))
    batch.support_y[:] = 1.0
    batch.query_y[:] = 1.0
    learner.inner_lr = 1e-3
    sx, sy, qx, _ = task(batch, 2)
    batch.query_y[2] = learner.adapt(sx, sy).predict(qx, verbose=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Outer step\] \[0\] \[task\] \[2\]"):
        fit(learner, as_data(batch))
