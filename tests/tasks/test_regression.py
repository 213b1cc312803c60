"""Task families: what they draw, from where, and that the same seed draws it again."""

import numpy as np
import pytest

from gaml_utils.records import TaskBatch
from gaml_utils.tasks.regression import NoiseTasks, SineTasks

FAMILIES = [SineTasks(), NoiseTasks()]


def generator(seed=0):
    return np.random.default_rng(seed)


def recovered(x, y):
    """Amplitude and phase in [0, pi) of the sine through each task's points, by least squares."""
    amplitude, phase = [], []
    for xi, yi in zip(x, y, strict=True):
        a, b = np.linalg.lstsq(np.hstack([np.sin(xi), -np.cos(xi)]), yi[:, 0], rcond=None)[0]
        amplitude.append(np.hypot(a, b))
        phase.append(np.arctan2(b, a))
    return np.array(amplitude), np.array(phase)


@pytest.mark.parametrize("family", FAMILIES, ids=["sines", "noise"])
def test_a_sample_is_a_task_batch_of_float64_arrays(family):
    batch = family.sample(generator(), tasks=3, shots=5, queries=7)
    assert isinstance(batch, TaskBatch)
    assert [a.shape for a in batch] == [(3, 5, 1), (3, 5, 1), (3, 7, 1), (3, 7, 1)]
    assert all(a.dtype == np.float64 for a in batch)


@pytest.mark.parametrize("family", FAMILIES, ids=["sines", "noise"])
def test_the_same_generator_state_gives_the_same_batch(family):
    first, again = (family.sample(generator(7), 4, 5, 6) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize("family", FAMILIES, ids=["sines", "noise"])
def test_another_seed_and_a_second_draw_give_other_batches(family):
    rng = generator(7)
    first, second = family.sample(rng, 4, 5, 5), family.sample(rng, 4, 5, 5)
    other = family.sample(generator(8), 4, 5, 5)
    for a, b, c in zip(first, second, other, strict=True):
        assert not np.any(a == b) and not np.any(a == c)


@pytest.mark.parametrize("family", FAMILIES, ids=["sines", "noise"])
def test_support_and_query_are_different_points(family):
    batch = family.sample(generator(), 4, 6, 6)
    assert not np.any(batch.support_x == batch.query_x)
    assert not np.any(batch.support_y == batch.query_y)


@pytest.mark.parametrize("family", FAMILIES, ids=["sines", "noise"])
def test_numpy_integers_are_counts(family):
    assert family.sample(generator(), np.int64(2), np.int32(3), np.int64(4)).query_y.shape == (2, 4, 1)


def test_the_default_ranges_are_those_of_finn_et_al():
    assert SineTasks() == SineTasks(amplitude=(0.1, 5.0), phase=(0.0, np.pi), x=(-5.0, 5.0))


@pytest.mark.parametrize(
    "family", [SineTasks(), SineTasks(amplitude=(2.0, 3.0), phase=(-1.0, -0.5), x=(1.0, 4.0))], ids=["default", "own"]
)
def test_draws_fill_their_ranges(family):
    rng = generator(1)
    amplitude, phase = family.draw(rng, 2000)
    x, _ = family.points(rng, amplitude, phase, 5)
    for drawn, (low, high) in ((amplitude, family.amplitude), (phase, family.phase), (x, family.x)):
        margin = 0.01 * (high - low)
        assert low <= drawn.min() < low + margin
        assert high - margin < drawn.max() <= high
        assert abs(drawn.mean() - (low + high) / 2) < 0.03 * (high - low)


def test_a_range_of_one_value_gives_that_value():
    amplitude, phase = SineTasks(amplitude=(2.0, 2.0), phase=(1.0, 1.0)).draw(generator(), 3)
    assert np.all(amplitude == 2.0) and np.all(phase == 1.0)


def test_draw_gives_one_amplitude_and_phase_a_task():
    amplitude, phase = SineTasks().draw(generator(), 6)
    assert amplitude.shape == phase.shape == (6, 1, 1)
    assert len(np.unique(amplitude)) == len(np.unique(phase)) == 6


def test_amplitude_and_phase_are_independent():
    amplitude, phase = SineTasks().draw(generator(2), 4000)
    assert abs(np.corrcoef(amplitude.ravel(), phase.ravel())[0, 1]) < 0.05


def test_y_is_exactly_the_sine_of_its_task():
    amplitude, phase = np.array([0.5, 3.0]).reshape(2, 1, 1), np.array([0.0, 1.0]).reshape(2, 1, 1)
    x, y = SineTasks().points(generator(), amplitude, phase, 8)
    assert x.shape == y.shape == (2, 8, 1)
    assert np.array_equal(y[0], 0.5 * np.sin(x[0]))
    assert np.array_equal(y[1], 3.0 * np.sin(x[1] - 1.0))


def test_support_and_query_of_a_task_lie_on_one_sine_within_the_ranges():
    batch = SineTasks().sample(generator(3), 20, 10, 10)
    support, query = recovered(*batch[:2]), recovered(*batch[2:])
    np.testing.assert_allclose(support, query, rtol=1e-9)
    assert np.all((0.1 <= support[0]) & (support[0] <= 5.0))
    assert np.all((0.0 <= support[1]) & (support[1] <= np.pi))


def test_sample_is_draw_and_then_two_sets_of_points():
    family, rng = SineTasks(amplitude=(1.0, 2.0), x=(0.0, 3.0)), generator(4)
    drawn = family.draw(rng, 3)
    by_hand = (*family.points(rng, *drawn, 5), *family.points(rng, *drawn, 6))
    batch = family.sample(generator(4), 3, 5, 6)
    assert all(np.array_equal(a, b) for a, b in zip(batch, by_hand, strict=True))


def test_noise_keeps_its_range_and_standard_deviation():
    batch = NoiseTasks(std=3.0, x=(1.0, 2.0)).sample(generator(5), 100, 100, 100)
    for x, y in (batch[:2], batch[2:]):
        assert 1.0 <= x.min() < 1.01 and 1.99 < x.max() <= 2.0
        assert abs(y.mean()) < 0.1
        assert abs(y.std() - 3.0) < 0.1


def test_noise_defaults_to_standard_deviation_one_on_the_inputs_of_the_sines():
    assert NoiseTasks() == NoiseTasks(std=1.0, x=SineTasks().x)


def test_noise_does_not_depend_on_x():
    near, far = (NoiseTasks(x=x).sample(generator(6), 5, 6, 7) for x in ((-1.0, 1.0), (10.0, 20.0)))
    assert not np.any(near.support_x == far.support_x)
    assert np.array_equal(near.support_y, far.support_y) and np.array_equal(near.query_y, far.query_y)


def test_noise_is_uncorrelated_with_functions_of_x_and_between_the_sets():
    batch = NoiseTasks().sample(generator(7), 100, 100, 100)
    x, y = batch.support_x.ravel(), batch.support_y.ravel()
    for feature in (x, x**2, np.sin(x), batch.query_y.ravel()):
        assert abs(np.corrcoef(feature, y)[0, 1]) < 0.03  # three standard errors


def test_the_tasks_of_noise_differ_only_by_chance():
    y = NoiseTasks().sample(generator(8), 200, 100, 1).support_y
    assert abs(y.mean(axis=1).std() - 0.1) < 0.02  # 1 / sqrt(100), if no task has a level of its own


def test_noise_of_standard_deviation_zero_is_zero():
    assert not np.any(NoiseTasks(std=0.0).sample(generator(), 2, 3, 4).query_y)
