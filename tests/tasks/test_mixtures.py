"""Meta-batches of more than one kind: the share is exact, the shapes are the family's, and wrong labels say nothing."""

import numpy as np
import pytest

from gaml_utils.records import TaskBatch
from gaml_utils.tasks.mixtures import Mislabelled, Mixture
from gaml_utils.tasks.regression import LineTasks, NoiseTasks, SineTasks


def rng():
    return np.random.default_rng(3)


def test_lines_are_lines_within_their_ranges():
    batch = LineTasks(slope=(0.5, 1.0), intercept=(-2.0, -1.0)).sample(rng(), 40, 3, 4)
    assert [a.shape for a in batch] == [(40, 3, 1), (40, 3, 1), (40, 4, 1), (40, 4, 1)]
    for sx, sy, qx, qy in zip(*batch, strict=True):
        slope, intercept = np.polyfit(sx[:, 0], sy[:, 0], 1)
        assert 0.5 <= slope <= 1 and -2 <= intercept <= -1
        assert np.allclose(slope * qx + intercept, qy)
    assert np.abs(batch.support_x).max() <= 5
    with pytest.raises(ValueError, match="slope should be"):
        LineTasks(slope=(1.0, 0.0))
    with pytest.raises(ValueError, match="shots should be"):
        LineTasks().sample(rng(), 2, 0, 3)


@pytest.mark.parametrize(("share", "tasks", "others"), [(0.2, 25, 5), (0.4, 25, 10), (0.2, 10, 2), (0, 4, 0)])
def test_the_share_is_exact_and_the_others_come_last(share, tasks, others):
    batch = Mixture(SineTasks(amplitude=(1.0, 1.0)), NoiseTasks(std=100.0), share).sample(rng(), tasks, 10, 5)
    assert batch.support_x.shape == (tasks, 10, 1) and batch.query_y.shape == (tasks, 5, 1)
    wild = np.abs(batch.support_y).max(axis=(1, 2)) > 1
    assert wild.tolist() == [False] * (tasks - others) + [True] * others


@pytest.mark.parametrize("share", [-0.1, 1.1, np.nan, "a"])
def test_a_share_out_of_range_is_named(share):
    with pytest.raises(ValueError, match="share should be a number from 0 to 1"):
        Mixture(SineTasks(), NoiseTasks(), share)


class Numbered:
    """Images that tell their class."""

    def sample(self, rng, tasks, shots, queries):
        y = [np.tile(np.repeat(np.arange(5), n), (tasks, 1)) for n in (shots, queries)]
        return TaskBatch(y[0][..., None] / 5, y[0], y[1][..., None] / 5, y[1])


def test_wrong_labels_are_those_of_the_set_in_an_order_of_their_own():
    batch = Mislabelled(Numbered()).sample(rng(), 200, 2, 3)
    for x, y in ((batch.support_x, batch.support_y), (batch.query_x, batch.query_y)):
        assert (np.sort(y, axis=1) == Numbered().sample(rng(), 200, 2, 3)[1 if y.shape[1] == 10 else 3]).all()
        assert 0.15 < np.mean(np.rint(5 * x[..., 0]) == y) < 0.25  # chance is a fifth
    assert len({tuple(row) for row in batch.support_y}) > 190  # anew for each task
