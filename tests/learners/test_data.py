"""Tasks as a dataset: which batch comes when, and in which dtype."""

import itertools
import types

import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.learners.data import as_dataset
from gaml_utils.learners.engine.checks import check_tensors
from gaml_utils.learners.engine.workers import Workers
from gaml_utils.records import TaskBatch
from gaml_utils.tasks.regression import SineTasks
from tests.support.plain_formulas import same


class Labelled:
    """Tasks whose x are whole numbers and whose y are classes."""

    def sample(self, rng, tasks, shots, queries):
        arrays = []
        for points in (shots, queries):
            arrays.append(rng.integers(0, 9, (tasks, points, 2)))
            arrays.append(rng.integers(0, 3, (tasks, points)).astype(np.int32))
        return TaskBatch(*arrays)


def first(dataset, count):
    return [TaskBatch(*(np.array(a) for a in batch)) for batch in itertools.islice(dataset, count)]


def sines(**kwargs):
    return as_dataset(SineTasks(), 3, 4, 5, **kwargs)


def learner_at(step):
    return types.SimpleNamespace(optimizer=types.SimpleNamespace(iterations=tf.Variable(step)))


def test_batches_are_task_batches():
    batch = next(iter(sines()))
    assert isinstance(batch, TaskBatch)
    assert [a.shape for a in batch] == [(3, 4, 1), (3, 4, 1), (3, 5, 1), (3, 5, 1)]


def test_default_sizes_are_those_of_train():
    assert [a.shape for a in next(iter(as_dataset(SineTasks())))] == [(25, 10, 1)] * 4


def test_shapes_are_known_when_tracing():
    assert [spec.shape.as_list() for spec in sines().element_spec] == [[3, 4, 1], [3, 4, 1], [3, 5, 1], [3, 5, 1]]


def test_same_seed_gives_same_batches():
    assert all(same(a, b) for a, b in zip(first(sines(seed=3), 3), first(sines(seed=3), 3), strict=True))


def test_other_seed_gives_other_batches():
    assert not same(first(sines(seed=3), 1)[0], first(sines(seed=4), 1)[0])


def test_batches_differ_from_one_another():
    one, two, three = first(sines(), 3)
    assert not same(one, two) and not same(two, three) and not same(one, three)


def test_every_pass_starts_at_the_first_batch():
    dataset = sines()
    assert same(first(dataset, 2)[0], first(dataset, 1)[0])


def test_batch_n_does_not_depend_on_the_batches_before():
    expected = first(sines(seed=5), 4)
    assert same(first(sines(seed=5, learner=learner_at(3)), 1)[0], expected[3])


def test_learner_is_asked_when_the_training_starts():
    learner = learner_at(0)
    dataset, expected = sines(learner=learner), first(sines(), 4)
    learner.optimizer.iterations.assign(2)
    assert all(same(a, b) for a, b in zip(first(dataset, 2), expected[2:], strict=True))


def test_batch_is_what_the_tasks_sample():
    expected = SineTasks().sample(np.random.default_rng([7, 1]), 3, 4, 5)
    assert same(first(sines(seed=7, dtype="float64"), 2)[1], expected)


def test_floats_are_float32_unless_told():
    assert {a.dtype for a in next(iter(sines()))} == {tf.float32}


def test_dtype_of_floats_can_be_chosen():
    assert {a.dtype for a in next(iter(sines(dtype="float64")))} == {tf.float64}


def test_integers_stay_integers():
    dtypes = [a.dtype for a in next(iter(as_dataset(Labelled(), 2, 3, 3, dtype="float64")))]
    assert dtypes == [tf.int64, tf.int32] * 2


def test_lists_are_sampled_too():
    class Lists:
        def sample(self, rng, tasks, shots, queries):
            return TaskBatch(*([[[1.0]] * n] * tasks for n in (shots, shots, queries, queries)))

    assert [a.shape for a in next(iter(as_dataset(Lists(), 2, 3, 4)))] == [(2, 3, 1), (2, 3, 1), (2, 4, 1), (2, 4, 1)]


@pytest.mark.parametrize("together", [2, 5, 40])
@pytest.mark.parametrize("start", [0, 3, 7])
def test_batches_drawn_together_are_parts_of_one_call(together, start):
    found = first(sines(seed=7, dtype="float64", learner=learner_at(start), drawn_together=together), 9)
    for n, batch in enumerate(found, start):
        call, k = divmod(n, together)
        whole = SineTasks().sample(np.random.default_rng([7, call]), 3 * together, 4, 5)
        assert same(batch, TaskBatch(*(a[3 * k : 3 * k + 3] for a in whole)))


def test_tasks_that_give_another_number_than_asked_are_refused_where_it_would_cut_batches_wrongly():
    class Four:
        def sample(self, rng, tasks, shots, queries):
            return SineTasks().sample(rng, 4, shots, queries)

    assert next(iter(as_dataset(Four(), 2, 3, 3))).support_x.shape == (4, 3, 1)
    with pytest.raises(ValueError, match="tasks.sample should give the 4 tasks, for 2 meta-batches"):
        as_dataset(
            type("Six", (), {"sample": lambda self, rng, *n: SineTasks().sample(rng, 6, 3, 3)})(),
            2,
            3,
            3,
            drawn_together=2,
        )


@pytest.mark.parametrize("together", [1, 4])
def test_each_worker_has_its_tasks_of_each_batch(together):
    options = {"meta_batch": 6, "shots": 2, "queries": 3, "dtype": "float64", "drawn_together": together}
    expected = first(as_dataset(SineTasks(), **options), 6)
    for index in range(3):
        workers = Workers()
        workers.index, workers.count, workers.agree = index, 3, lambda **digests: None
        for batch, whole in zip(first(as_dataset(SineTasks(), **options, workers=workers), 6), expected, strict=True):
            assert same(batch, TaskBatch(*(a[2 * index : 2 * index + 2] for a in whole)))


@pytest.mark.parametrize("name", ["meta_batch", "shots", "queries", "drawn_together"])
@pytest.mark.parametrize("value", [0, -1, 2.0, True, "3", None])
def test_bad_count_is_refused_at_once(name, value):
    with pytest.raises(ValueError, match=f"{name} should be a whole number"):
        as_dataset(SineTasks(), **{name: value})


def good(**changed):
    return TaskBatch(np.ones((3, 4, 2)), np.ones((3, 4, 1)), np.ones((3, 5, 2)), np.ones((3, 5, 1)))._replace(**changed)


def test_checked_batch_is_tensors_of_the_dtype():
    for dtype in ("float32", "float64"):
        checked = check_tensors(good(), dtype)
        assert isinstance(checked, TaskBatch) and {a.dtype for a in checked} == {tf.as_dtype(dtype)}


def test_checked_batch_holds_the_numbers_given():
    batch = SineTasks().sample(np.random.default_rng(0), 3, 4, 5)
    assert same(check_tensors(batch, "float64"), batch)
    assert same(check_tensors(TaskBatch(*map(tf.constant, batch)), "float64"), batch)


def test_lists_and_plain_tuples_are_batches():
    assert check_tensors(([[1.0]], [[2.0]], [[3.0]], [[4.0]]), "float32").query_y.numpy() == 4


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "bool"])
def test_integer_data_is_left_alone(dtype):
    x = np.ones((3, 4, 2), dtype)
    for given in (x, tf.constant(x)):
        assert check_tensors(good(support_x=given), "float64").support_x.dtype == dtype


def test_whole_numbers_are_exact_in_checked_batches():
    """2**53 + 1 is no float64."""
    large = np.full((3, 4, 2), 2**53 + 1)
    assert np.array_equal(check_tensors(good(support_x=large), "float64").support_x, large)


BAD = {
    "batch: a number": (3, "batch"),
    "batch: None": (None, "batch"),
    "batch: three arrays": (good()[:3], "batch"),
    "batch: one array": (np.ones((4, 3, 2)), "batch"),
    "support_x: rank 1": (good(support_x=np.ones(3)), "support_x"),
    "support_x: a number": (good(support_x=1.0), "support_x"),
    "support_y: rank 1": (good(support_y=np.ones(3)), "support_y"),
    "query_x: rank 1": (good(query_x=np.ones(3)), "query_x"),
    "query_y: tensor of rank 1": (good(query_y=tf.ones(3)), "query_y"),
    "no tasks": (TaskBatch(*(a[:0] for a in good())), "support_x"),
    "no shots": (good(support_x=np.ones((3, 0, 2)), support_y=np.ones((3, 0, 1))), "support_x"),
    "no queries": (good(query_x=np.ones((3, 0, 2)), query_y=np.ones((3, 0, 1))), "query_x"),
    "support_y: tasks": (good(support_y=np.ones((2, 4, 1))), "support_y holds 2 tasks, but support_x holds 3"),
    "query_x: tasks": (good(query_x=np.ones((2, 5, 2))), "query_x holds 2 tasks, but support_x holds 3"),
    "query_y: tasks": (good(query_y=np.ones((4, 5, 1))), "query_y holds 4 tasks, but support_x holds 3"),
    "support_y: points": (good(support_y=np.ones((3, 5, 1))), "support_y should hold the 4 points of support_x, got 5"),
    "query_y: points": (good(query_y=np.ones((3, 4, 1))), "query_y should hold the 5 points of query_x, got 4"),
    "query_y: tensor, points": (good(query_y=tf.ones((3, 4, 1))), "query_y should hold the 5 points"),
    "support_x: NaN": (good(support_x=np.full((3, 4, 2), np.nan)), "support_x should hold finite"),
    "query_y: infinity": (good(query_y=np.full((3, 5, 1), np.inf)), "query_y should hold finite"),
    "query_y: NaN in float32": (good(query_y=np.full((3, 5, 1), np.nan, "float32")), "query_y should hold finite"),
    "support_y: NaN in a list": (good(support_y=[[[np.nan]] * 4] * 3), "support_y should hold finite"),
    "support_x: text": (good(support_x=np.full((3, 4, 2), "a")), "support_x"),
    "support_x: ragged": (good(support_x=[[[1.0], [2.0]], [[1.0]]]), "support_x"),
    "support_y: None": (good(support_y=None), "support_y"),
    "query_x: complex": (good(query_x=np.ones((3, 5, 2), complex)), "query_x"),
    "query_x: objects": (good(query_x=np.full((3, 5, 2), None)), "query_x"),
    "query_y: NaN in a tensor with values": (good(query_y=tf.fill((3, 5, 1), np.nan)), "query_y should hold finite"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_batch_is_refused_by_name(case):
    batch, message = BAD[case]
    with pytest.raises(ValueError, match=f"^{message}"):
        check_tensors(batch, "float32")


def test_sizes_unknown_when_tracing_are_refused():
    @tf.function(input_signature=[tf.TensorSpec((None, 4, 2))])
    def traced(x):
        return check_tensors(good(support_x=x), "float32")

    with pytest.raises(ValueError, match="support_x should be .*known"):
        traced(tf.ones((3, 4, 2)))


def test_nan_in_a_tensor_to_come_is_left_to_fit():
    @tf.function
    def traced(x):
        return check_tensors(good(support_x=x), "float32").support_x

    assert np.isnan(traced(tf.fill((3, 4, 2), np.nan))).all()
