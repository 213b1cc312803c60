"""MAML and Reptile give what they gave before every learner took one path: tests/data/make_before_the_move.py.

On the machine that stored the numbers they are equal to the last bit: GAML_SAME_MACHINE=1 asks for that. On another one
matrix products round otherwise, and a training of six steps carries that on; hence the 1e-10 (1e-4 in float32).
"""

import itertools
import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners import MAML, Reptile, as_dataset, episode_answers, task_by_task
from gaml_utils.records import TaskBatch
from gaml_utils.tasks import SineTasks
from gaml_utils.weighting import agreement_weights, power_weights, uniform_weights
from tests.support.checkout import ROOT

FOLDER = ROOT / "tests" / "data"
SAME_MACHINE = bool(os.environ.get("GAML_SAME_MACHINE"))
RULES = {"uniform": uniform_weights, "agreement": agreement_weights, "power -1": power_weights(-1)}
LEARNERS = {
    "MAML": (MAML, {"inner_lr": 0.05}),
    "first order": (MAML, {"inner_lr": 0.05, "first_order": True}),
    "Reptile": (Reptile, {"inner_lr": 0.05}),
    "minibatches": (Reptile, {"inner_lr": 0.05, "batch_size": 2, "seed": 3}),
}
with np.load(FOLDER / "before_the_move.npz", allow_pickle=False) as file:
    BEFORE = dict(file)
SINES = TaskBatch(*(BEFORE[f"sines/{name}"] for name in TaskBatch._fields))


def compiled(kind, **settings):
    rng, x = np.random.default_rng(0), keras.Input((1,), dtype="float64")
    widths = {"first": (8, "tanh"), "second": (8, "tanh"), "head": (1, None)}
    h = x
    for name, (width, activation) in widths.items():
        h = keras.layers.Dense(width, activation, dtype="float64", name=name)(h)
    model = keras.Model(x, h)
    model.set_weights([0.5 * rng.normal(size=w.shape) for w in model.get_weights()])
    make, fixed = LEARNERS[kind]
    learner = make(model, **fixed | settings)
    learner.compile(keras.optimizers.Adam(0.01), "mse")
    return learner


def assert_as_before(case, numbers, rtol=1e-10):
    found = np.concatenate([np.ravel(np.asarray(n, dtype=np.float64)) for n in numbers])
    if SAME_MACHINE:
        assert np.array_equal(found, BEFORE[case]), np.abs(found - BEFORE[case]).max()
    else:
        np.testing.assert_allclose(found, BEFORE[case], rtol=rtol, atol=rtol * np.abs(BEFORE[case]).max())


CASES = [(3, rule, source) for rule in RULES for source in ("updates", "outer")]
CASES += [(1, "uniform", "updates"), (1, "agreement", "outer")]


@pytest.mark.parametrize(("steps", "rule", "source"), CASES)
@pytest.mark.parametrize("kind", LEARNERS)
def test_directions_updates_weights_and_losses(kind, steps, rule, source):
    learner = compiled(kind, inner_steps=steps, weighting=RULES[rule], source=source)
    direction, w, result = tf.function(learner.outer_direction)(TaskBatch(*map(tf.constant, SINES)))
    numbers = [*direction, w, result.query_loss, *result.direction, *result.update]
    assert_as_before(f"{kind}/{steps}/{rule}/{source}", numbers)


@pytest.mark.parametrize(("kind", "rule"), list(itertools.product(LEARNERS, RULES)))
def test_a_short_training_its_evaluation_and_an_adapted_model(kind, rule):
    learner = compiled(kind, inner_steps=2, weighting=RULES[rule])
    history = learner.fit(as_dataset(SineTasks(), 4, 5, 7, dtype="float64"), steps_per_epoch=6, verbose=0).history
    trained = [*learner.model.get_weights(), *(history[k] for k in sorted(history))]
    assert_as_before(f"{kind}/{rule}/trained", trained, rtol=1e-6)  # Keras keeps the metrics in float32
    told = learner.evaluate(tf.data.Dataset.from_tensors(SINES), verbose=0, return_dict=True)
    assert_as_before(f"{kind}/{rule}/evaluate", [told[k] for k in sorted(told)], rtol=1e-6)
    assert_as_before(f"{kind}/{rule}/adapt", learner.adapt(SINES[0][0], SINES[1][0]).get_weights())


@pytest.mark.parametrize("kind", LEARNERS)
def test_task_by_task(kind):
    result = task_by_task(compiled(kind, inner_steps=3, weighting=agreement_weights))(SINES)
    assert_as_before(f"{kind}/task by task", [*result.gradient, result.weights, result.query_losses])


def episodes(tasks=3, ways=3):
    rng = np.random.default_rng(2)
    images = [rng.random((tasks, ways * n, 16, 16, 1)).astype("float32") for n in (2, 3)]
    labels = [np.tile(np.repeat(np.arange(ways, dtype="int32"), n), (tasks, 1)) for n in (2, 3)]
    return TaskBatch(images[0], labels[0], images[1], labels[1])


@pytest.mark.parametrize("name", ["power", "minibatches", "head_only"])
def test_a_file_saved_before_the_move_is_the_learner_that_was_saved(name):
    """ "head_only" was an inner rule; `fast` has taken its place, and the rule now compares what moves alone."""
    learner = keras.models.load_model(FOLDER / f"{name}.keras")
    batch, rtol = (episodes(), 1e-4) if name == "head_only" else (SINES, 1e-10)
    result = learner.meta_gradient(batch)
    assert_as_before(f"{name}.keras", [*result.gradient, result.weights, result.query_losses], rtol)
    assert_as_before(f"{name}.keras/adapt", learner.adapt(batch[0][0], batch[1][0]).get_weights(), rtol)
    if name == "head_only":
        assert learner.fast == ("head/kernel", "head/bias")
        assert_as_before("head_only.keras/answers", [episode_answers(learner, batch)])
    else:
        assert learner.weighting == {"power": power_weights(-1), "minibatches": agreement_weights}[name]
        assert learner.source == {"power": "outer", "minibatches": "updates"}[name]
