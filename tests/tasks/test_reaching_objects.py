"""What, not where: nothing but the hue tells which object is wanted, and it lies elsewhere each time."""

import numpy as np
import pytest

from gaml_utils.tasks.reaching import reached
from gaml_utils.tasks.reaching_objects import ObjectTasks, wanted_places
from tests.support.plain_formulas import same


def rng(seed=0):
    return np.random.default_rng(seed)


def scene(tasks=400):
    family = ObjectTasks(told=True)
    goals = family.draw(rng(), tasks)
    starts = family.starts(rng(1), tasks, 1)[:, 0]
    return family, goals, starts, family.observe(starts, goals)


def hues(seen):
    """In turns, (tasks, 2): the first object's and the second's."""
    return np.stack([np.arctan2(seen[:, k + 1], seen[:, k]) / (2 * np.pi) for k in (4, 8)], axis=1) % 1


def apart(a, b):
    return np.abs((a - b + 0.5) % 1 - 0.5)


def test_shapes_of_the_contract():
    batch = ObjectTasks(steps=7).sample(rng(), 3, 2, 1)
    assert [a.shape for a in batch] == [(3, 14, 10), (3, 14, 2), (3, 7, 10), (3, 7, 2)]
    assert same(list(batch), list(ObjectTasks(steps=7).sample(rng(), 3, 2, 1)))
    assert (ObjectTasks().observations, ObjectTasks(told=True).observations) == (10, 12)
    assert ObjectTasks(told=True).sample(rng(), 2, 1, 1).support_x.shape == (2, 20, 12)


def test_one_object_has_the_tasks_hue_and_the_other_one_that_is_far_from_it():
    _, goals, starts, seen = scene()
    far = apart(hues(seen), goals)
    second = starts[:, 7].astype(int)
    each = np.arange(len(goals))
    np.testing.assert_allclose(far[each, second], 0, atol=1e-12)
    assert far[each, 1 - second].min() >= 0.25 - 1e-12


def test_the_expert_turns_towards_the_object_of_the_tasks_hue_and_reaches_it():
    family, goals, starts, seen = scene()
    nearer = apart(hues(seen), goals).argmin(axis=1)
    turns = np.stack([seen[:, 2:4], seen[:, 6:8]], axis=1)[np.arange(len(goals)), nearer]
    np.testing.assert_allclose(family.expert(starts, goals), np.tanh(2 * turns), rtol=1e-9)

    def follow(observed):
        nearer = apart(hues(observed), goals).argmin(axis=1)
        both = np.stack([observed[:, 2:4], observed[:, 6:8]], axis=1)
        return np.tanh(2 * both[np.arange(len(goals)), nearer])

    assert reached(family.rollout(follow, goals, starts), wanted_places(starts)).all()
    first = family.rollout(lambda observed: np.tanh(2 * observed[:, 2:4]), goals, starts)
    assert 0.4 < reached(first, wanted_places(starts)).mean() < 0.7  # whichever comes first: a coin, and near objects


def test_nothing_but_the_hue_tells_which_is_wanted():
    """The order is a coin; swapped roles, with the other hue as the task's, look the same."""
    family = ObjectTasks()
    goals, starts = family.draw(rng(), 300), family.starts(rng(1), 300, 1)[:, 0]
    assert 0.4 < starts[:, 7].mean() < 0.6
    swapped = starts.copy()
    swapped[:, 2:4], swapped[:, 4:6] = starts[:, 4:6], starts[:, 2:4]
    swapped[:, 6], swapped[:, 7] = 1 - starts[:, 6], 1 - starts[:, 7]
    other = (goals + starts[:, 6:7]) % 1
    np.testing.assert_allclose(family.observe(swapped, other), family.observe(starts, goals), atol=1e-12)


def test_objects_lie_elsewhere_in_each_demonstration_and_stay_there_in_it():
    family = ObjectTasks(noise=0.0)
    starts = family.starts(rng(), 50, 2)
    assert (np.abs(starts[:, 0, 2:6] - starts[:, 1, 2:6]).max(axis=-1) > 1e-3).all()
    after = family.advance(starts, np.full((50, 2, 2), 0.5))
    assert same([after[..., 2:]], [starts[..., 2:]])
    np.testing.assert_allclose(after[..., :2], starts[..., :2] + 0.05)


@pytest.mark.parametrize("tasks", [0, 1.5])
def test_a_count_that_is_none_is_refused(tasks):
    with pytest.raises(ValueError, match="tasks should be a whole number of at least 1"):
        ObjectTasks().draw(rng(), tasks)
