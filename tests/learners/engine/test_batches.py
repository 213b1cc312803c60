"""What fit and evaluate are given: data of every kind, and no training without end."""

import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners import as_dataset
from gaml_utils.learners.engine.batches import SEVERAL, as_batches, several_at_once
from gaml_utils.records import TaskBatch
from gaml_utils.tasks import SineTasks
from tests.support.strangers import made, net, sines

ENDLESS = {
    "fit": (lambda l, d: l.fit(d), "steps_per_epoch should be given"),
    "evaluate": (lambda l, d: l.evaluate(d), "^steps should be given"),
    "validation_data": (
        lambda l, d: l.fit(d, steps_per_epoch=1, validation_data=d),
        "validation_steps should be given",
    ),
}


@pytest.mark.parametrize(
    "data", [lambda: as_dataset(SineTasks(), 4), lambda: tf.data.Dataset.from_tensors(sines()).repeat()]
)
@pytest.mark.parametrize("method", ENDLESS)
def test_data_without_end_ask_for_the_number_of_steps(method, data):
    call, message = ENDLESS[method]
    with pytest.raises(ValueError, match=message):
        call(made(net()), data())


def test_a_part_of_them_has_an_end():
    learner, data = made(net()), as_dataset(SineTasks(), 4)
    assert data.cardinality() == tf.data.INFINITE_CARDINALITY
    learner.fit(data.take(3), verbose=0, validation_data=data.take(2))
    assert learner.optimizer.iterations == 3


def test_a_last_batch_may_be_smaller():
    data = tf.data.Dataset.from_tensor_slices(sines(25)).batch(10)
    learner, other = made(net()), made(net())
    learner.fit(data, verbose=0, epochs=2)
    for _ in range(2):
        for part in (slice(0, 10), slice(10, 20), slice(20, 25)):
            other.fit(TaskBatch(*(a[part] for a in sines(25))), verbose=0)
    assert learner.optimizer.iterations == 6
    for a, b in zip(learner.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    assert learner.evaluate(data, verbose=0) == pytest.approx(
        other.evaluate(sines(25), verbose=0, batch_size=10), rel=1e-5
    )


def plain(batch):
    return batch


def in_float32(batch):
    return TaskBatch(*(a.astype("float32") for a in batch))


@pytest.mark.parametrize(
    ("wrap", "compiled"),
    [
        *((wrap, {}) for wrap in (plain, tuple, in_float32)),
        (plain, {"run_eagerly": True}),
        (tuple, {"jit_compile": True}),
        (in_float32, {"steps_per_execution": 2}),
    ],
)
def test_python_generators_serve(wrap, compiled):
    def batches():
        for tasks in (3, 4, 3):
            yield wrap(sines(tasks))

    learner = made(net(), compiled=compiled)
    learner.fit(batches(), verbose=0)
    assert learner.optimizer.iterations == 3
    assert np.isfinite(learner.evaluate(batches(), verbose=0)).all()


def test_meta_batches_of_an_endless_dataset_are_fetched_several_at_once():
    data = as_dataset(SineTasks(), 4, 5, 6)
    stack = next(iter(several_at_once(data, 3)))[SEVERAL]
    for k, batch in enumerate(data.take(3)):
        for part, one in zip(stack, batch, strict=True):
            np.testing.assert_array_equal(part[k], one)


def test_data_with_an_end_or_of_unknown_shape_are_fetched_as_they_come():
    endless = as_dataset(SineTasks(), 4)
    ragged = tf.data.Dataset.from_tensor_slices(sines(5)).batch(2).repeat()
    for data in (endless.take(7), ragged, sines(), (batch for batch in [sines()])):
        assert several_at_once(data, 3) is data
    assert several_at_once(endless, 1) is endless
    learner = made(net(), compiled={"steps_per_execution": 3})
    learner.fit(endless.take(7), verbose=0)
    assert learner.optimizer.iterations == 6  # and one that is left over
    learner.fit(ragged, steps_per_epoch=6, verbose=0)
    assert learner.optimizer.iterations == 12


@pytest.mark.parametrize("count", [1, 3])
def test_a_dataset_of_dicts_is_refused_for_what_it_is(count):
    data = tf.data.Dataset.from_tensors(sines()._asdict())
    for given in (data, data.repeat()):
        with pytest.raises(ValueError, match="should be a TaskBatch"):
            made(net(), compiled={"steps_per_execution": count}).fit(given, steps_per_epoch=3, verbose=0)


def test_a_task_batch_is_a_meta_batch_or_is_cut_into_some():
    learner = made(net())
    learner.fit(sines(25), verbose=0, epochs=3)
    assert learner.optimizer.iterations == 3
    learner.fit(sines(25), verbose=0, batch_size=10, validation_data=sines(5))
    assert learner.optimizer.iterations == 6
    learner.train_on_batch(sines(5))
    assert learner.optimizer.iterations == 7
    assert learner.test_on_batch(sines(5), return_dict=True)["loss"] == pytest.approx(
        learner.evaluate(sines(5), verbose=0)[0], rel=1e-5
    )


WRONG = {
    "tasks": (lambda l: l.fit(SineTasks(), steps_per_epoch=1), r"a dataset, not tasks: as_dataset\(SineTasks"),
    "nothing": (lambda l: l.fit(), "x should be a dataset of TaskBatch"),
    "batch_size": (lambda l: l.fit(as_dataset(SineTasks()), steps_per_epoch=1, batch_size=5), "with a TaskBatch only"),
    "a batch_size of 0": (lambda l: l.fit(sines(), batch_size=0), "batch_size should be a whole number"),
    "steps": (lambda l: l.fit(as_dataset(SineTasks()), steps_per_epoch=0), "steps_per_epoch should be a whole number"),
    "ragged": (lambda l: l.fit(ragged(), verbose=0), "should be a dense array.*Weighted"),
    "a list": (lambda l: l.fit([sines(), sines()]), "a dataset or a generator of TaskBatch, got a list"),
    "no sampler": (lambda l: as_dataset(sines()), "tasks should have a method sample"),
    "three parts": (lambda l: l.fit(iter([tuple(sines())[:3]]), verbose=0), "batch should be a TaskBatch"),
}


def ragged():
    rows = tf.ragged.constant([[[1.0], [2.0]], [[1.0]]], ragged_rank=1)
    return tf.data.Dataset.from_tensors(TaskBatch(rows, rows, rows, rows))


@pytest.mark.parametrize("case", WRONG)
def test_other_data_are_refused_with_the_remedy(case):
    call, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        call(made(net()))


RULES = {
    "len": lambda g: np.ones(len(g)) / len(g),
    "a norm": lambda g: np.linalg.norm(g, axis=1),
    "a method": lambda g: g.mean(axis=1),
    "in place": lambda g: g.__setitem__(0, 0.0),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("call", [lambda l: l.meta_gradient(sines()), lambda l: l.fit(sines(), verbose=0)])
def test_a_rule_in_numpy_is_told_of_tensor_rule(rule, call):
    with pytest.raises(ValueError, match=r"weighting=tensor_rule\(rule\)"):
        call(made(net(), weighting=RULES[rule]))


@pytest.mark.parametrize("compiled", [{}, {"jit_compile": True}, {"run_eagerly": True}])
def test_a_rule_that_returns_nan_is_blamed_and_not_inner_lr(compiled):
    learner = made(net(), weighting=lambda g: g[:, 0] * np.nan, compiled=compiled)
    before = learner.model.get_weights()
    with pytest.raises(
        (tf.errors.InvalidArgumentError, ValueError), match="weighting should return finite weights"
    ) as e:
        learner.fit(sines(), verbose=0)
    assert "try a smaller" not in str(e.value)
    with pytest.raises(ValueError, match="weighting should return finite weights"):
        learner.meta_gradient(sines())
    for a, b in zip(before, learner.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("batch_size", [None, 2])
def test_no_thread_tunes_a_dataset_that_has_nothing_to_tune(batch_size):
    """It sleeps, and who lets go of an iterator waits for it: up to 80 seconds were seen."""
    drawn = SineTasks().sample(np.random.default_rng(0), 4, 3, 3)
    for data in (as_batches(drawn, batch_size, None, "x", "steps"), as_dataset(SineTasks(), 2, 3, 3)):
        assert data.options().autotune.enabled is False
