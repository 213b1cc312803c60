"""Rules, directions and callbacks may write into what they are shown: nothing comes of it."""

from functools import partial

import numpy as np
import pytest

from gaml_utils.records import MetaResult
from gaml_utils.scratch import SGD, init_mlp, meta_gradient, mlp, reptile_direction, train
from gaml_utils.tasks import SineTasks
from gaml_utils.weighting import tensor_rule

PARAMS = init_mlp(np.random.default_rng(0), (1, 6, 1))
BATCH = SineTasks().sample(np.random.default_rng(1), 4, 5, 5)
DIRECTIONS = {"MAML": meta_gradient, "Reptile": partial(reptile_direction, activation="relu", inner_lr=0.01)}


def spoils(g):
    g /= np.linalg.norm(g)
    g[0] = 7.0
    return np.ones(len(g)) / len(g)


def doubles(g):
    g *= 2
    return g[:, 0] / np.abs(g[:, 0]).sum()


def fills(g):
    w = np.ones(len(g)) / len(g)
    g.fill(0)
    return w


@pytest.mark.parametrize("source", ["updates", "outer", "losses"])
@pytest.mark.parametrize("rule", [spoils, doubles, fills])
@pytest.mark.parametrize("direction", DIRECTIONS.values(), ids=DIRECTIONS)
@pytest.mark.parametrize("first_order", [False, True])
def test_a_rule_that_writes_gives_what_it_gives_on_a_copy(direction, rule, source, first_order):
    options = {"first_order": first_order} if direction is meta_gradient else {}
    run = partial(direction, PARAMS, BATCH, source=source, **options)
    found, expected = run(weighting=rule), run(weighting=lambda g: rule(g.copy()))
    for a, b in zip([*found.gradient, *found[1:]], [*expected.gradient, *expected[1:]], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_rule_in_numpy_for_tensors_writes_into_a_copy_as_well():
    import tensorflow as tf

    shown = tf.ones((3, 2))
    tensor_rule(spoils)(shown)
    np.testing.assert_array_equal(shown, 1.0)


def trained(callback=None, weighting=None, direction=None, **options):
    direction = direction or partial(meta_gradient, **{} if weighting is None else {"weighting": weighting})
    options = {"meta_batch": 4, "shots": 5, "queries": 5, "progress": False} | options
    return train(PARAMS, options.pop("tasks", SineTasks()), direction, SGD(0.01), 4, callback=callback, **options)


def test_a_callback_that_writes_changes_nothing():
    def callback(iteration, params, result):
        for a in (*params, *result.gradient, result.weights, result.query_losses):
            a.fill(np.nan)

    params, history = trained(callback)
    expected, other = trained()
    for a, b in zip([*params, *history], [*expected, *other], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_direction_that_writes_into_the_parameters_changes_nothing():
    before = [p.copy() for p in PARAMS]

    def direction(params, batch):
        result = meta_gradient(params, batch)
        for p in params:
            p.fill(0.0)
        return result

    params, _ = trained(direction=direction)
    for a, b in zip(params, trained()[0], strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(PARAMS, before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_buffers_that_are_used_again_leave_different_rows_in_the_history():
    w = np.zeros(4)

    def rule(g):
        w[:] = g[:, 0] / np.abs(g[:, 0]).sum()
        return w

    losses = np.zeros(4)

    def direction(params, batch):
        result = meta_gradient(params, batch, weighting=rule)
        losses[:] = result.query_losses
        return MetaResult(result.gradient, w, losses)

    for _, history in (trained(weighting=rule), trained(direction=direction)):
        assert len({row.tobytes() for row in history.weights}) == 4
    assert len({row.tobytes() for row in history.query_losses}) == 4


class Changing:
    """Four tasks, then three."""

    def __init__(self):
        self.calls = 0

    def sample(self, rng, tasks, shots, queries):
        self.calls += 1
        return SineTasks().sample(rng, 4 if self.calls < 3 else 3, shots, queries)


def test_a_changing_number_of_tasks_is_told_at_once():
    tasks = Changing()
    with pytest.raises(
        ValueError, match="the same number of tasks in every batch, 4 as at first, got 3 at iteration 2"
    ):
        trained(tasks=tasks)
    assert tasks.calls == 3


# --- shapes and numbers


@pytest.mark.parametrize("x", [np.ones((5, 1)), np.ones(5), np.ones((4, 5, 2)), np.ones((1, 4, 5, 1))])
def test_predict_refuses_another_shape(x):
    with pytest.raises(ValueError, match="x should"):
        mlp.predict(PARAMS, x)


@pytest.mark.parametrize(
    "y", [np.ones((4, 5)), np.ones((4, 1, 1)), np.ones((1, 5, 1)), np.ones((4, 5, 2)), np.ones(())]
)
def test_loss_does_not_broadcast(y):
    with pytest.raises(ValueError, match="y should be"):
        mlp.loss(PARAMS, np.ones((4, 5, 1)), y)


ONES = np.ones((4, 5, 1))
NO_NUMBERS = {
    "text": ONES.astype(str),
    "dates": ONES.astype("datetime64[s]"),
    "complex": ONES + 0j,
    "masked": np.ma.masked_array(ONES, ONES > 0),
    "a list of masked": list(np.ma.masked_array(ONES, ONES > 0)),
    "a structure": np.zeros((4, 5, 1), [("a", float)]),
    "objects": np.full((4, 5, 1), None),
    "rows of two lengths": [[[1.0]], [[1.0], [2.0]]],
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
@pytest.mark.parametrize("part", ["support_x", "query_y"])
def test_what_is_no_number_is_refused(kind, part):
    with pytest.raises(ValueError, match=f"{part} should"):
        meta_gradient(PARAMS, BATCH._replace(**{part: NO_NUMBERS[kind]}))
    with pytest.raises(ValueError, match="updates should"):
        from gaml_utils import agreement_weights

        agreement_weights(NO_NUMBERS[kind][0] if isinstance(NO_NUMBERS[kind], np.ndarray) else NO_NUMBERS[kind])


def test_whole_numbers_and_a_mask_that_hides_nothing_are_numbers():
    meta_gradient(PARAMS, BATCH._replace(support_y=np.ones((4, 5, 1), int)))
    meta_gradient(PARAMS, BATCH._replace(support_y=np.ma.masked_array(ONES)))
