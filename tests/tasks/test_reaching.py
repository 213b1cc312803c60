"""An arm that reaches: its geometry by hand, demonstrations that lead to the goal, and nothing that gives it away."""

import numpy as np
import pytest

from gaml_utils.tasks.reaching import FREEDOM, ReachTasks, angles_to, expert, moved, reached, tip
from tests.support.plain_formulas import same


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_tip_by_hand():
    np.testing.assert_allclose(tip(np.array([0.0, 0.0])), [1, 0], atol=1e-15)
    np.testing.assert_allclose(tip(np.array([np.pi / 2, 0.0])), [0, 1], atol=1e-15)
    np.testing.assert_allclose(tip(np.array([0.0, np.pi / 2])), [0.5, 0.5], atol=1e-15)
    np.testing.assert_allclose(tip(np.array([0.3, np.pi])), [0, 0], atol=1e-15)


def test_the_angles_lead_to_the_place_with_the_elbow_to_one_side():
    places = ReachTasks(direction=(-np.pi, np.pi)).draw(rng(), 500)
    angles = angles_to(places)
    np.testing.assert_allclose(tip(angles), places, atol=1e-12)
    assert (angles[:, 1] > 0).all() and (angles[:, 1] < np.pi).all()
    np.testing.assert_allclose(tip(angles_to(np.array([3.0, 4.0]))), [0.6, 0.8], atol=1e-7)  # as far as the links go


def test_goals_and_starts_lie_where_they_should():
    tasks = ReachTasks(direction=(0.5, 1.0))
    for places in (tasks.draw(rng(), 400), tip(tasks.starts(rng(1), 100, 4)).reshape(-1, 2)):
        far, way = np.linalg.norm(places, axis=1), np.arctan2(places[:, 1], places[:, 0])
        assert FREEDOM[0] <= far.min() < 0.35 and 0.85 < far.max() <= FREEDOM[1]
        assert 0.5 <= way.min() < 0.52 and 0.98 < way.max() <= 1.0


def test_a_batch_has_the_shapes_of_the_contract_and_is_the_same_from_the_same_seed():
    tasks = ReachTasks(steps=7)
    batch = tasks.sample(rng(), 3, 2, 1)
    assert [a.shape for a in batch] == [(3, 14, 4), (3, 14, 2), (3, 7, 4), (3, 7, 2)]
    assert same(list(batch), list(tasks.sample(rng(), 3, 2, 1)))
    assert ReachTasks(told=True).sample(rng(), 3, 1, 1).support_x.shape == (3, 20, 6)
    assert np.abs(batch.support_y).max() <= 1


def test_demonstrated_actions_are_the_experts_own_and_the_tip_is_told_right():
    tasks = ReachTasks(told=True)
    seen, done = tasks.demonstrate(rng(), tasks.draw(rng(1), 5), 2)
    np.testing.assert_allclose(done, expert(seen[..., :2], seen[..., 4:]), rtol=1e-12)
    np.testing.assert_allclose(seen[..., 2:4], tip(seen[..., :2]), rtol=1e-12)


def test_the_observation_does_not_give_the_goal_away():
    """Same start, another goal: the first observation is the same; with the goal told it is not."""
    starts = ReachTasks().starts(rng(), 1, 1)[:, 0]
    for told in (False, True):
        tasks = ReachTasks(told=told)
        first = [tasks.observe(starts, goal) for goal in (np.array([[0.5, 0.5]]), np.array([[-0.5, 0.5]]))]
        assert np.array_equal(*first) != told


def test_demonstration_and_test_start_elsewhere():
    batch = ReachTasks(steps=5).sample(rng(), 50, 1, 1)
    assert (np.abs(batch.support_x[:, 0, :2] - batch.query_x[:, 0, :2]).max(axis=1) > 1e-3).all()


def test_without_noise_a_demonstration_moves_as_the_arm_does():
    seen, done = ReachTasks(noise=0.0).demonstrate(rng(), np.array([[0.5, 0.5]]), 1)
    np.testing.assert_allclose(seen[0, 1:, :2], moved(seen[0, :-1, :2], done[0, :-1]), rtol=1e-12)
    noisy, _ = ReachTasks(noise=0.5).demonstrate(rng(), np.array([[0.5, 0.5]]), 1)
    assert np.abs(noisy[0, 1:, :2] - moved(noisy[0, :-1, :2], done[0, :-1])).max() > 1e-3


def test_the_expert_reaches_every_goal_and_standing_still_hardly_any():
    tasks = ReachTasks()
    goals, starts = tasks.draw(rng(), 300), tasks.starts(rng(1), 300, 1)[:, 0]
    told = ReachTasks(told=True)
    best = told.rollout(lambda seen: expert(seen[:, :2], seen[:, 4:]), goals, starts)
    still = tasks.rollout(lambda seen: np.zeros((len(seen), 2)), goals, starts)
    assert best.shape == (300, 41, 2) and reached(best, goals).all()
    assert reached(still, goals).mean() < 0.1
    np.testing.assert_allclose(still, np.repeat(still[:, :1], 41, axis=1))


def test_actions_are_speeds_that_are_cut_off():
    tasks, starts = ReachTasks(), np.array([[0.1, 0.2]])
    fast = tasks.rollout(lambda seen: np.full((1, 2), 50.0), np.zeros((1, 2)), starts, steps=1)
    one = tasks.rollout(lambda seen: np.ones((1, 2)), np.zeros((1, 2)), starts, steps=1)
    np.testing.assert_array_equal(fast, one)
    for bad in (np.ones((1, 3)), np.full((1, 2), np.nan), np.ones(2)):
        with pytest.raises(ValueError, match=r"policy should return finite actions \(1, 2\)"):
            tasks.rollout(lambda seen, bad=bad: bad, np.zeros((1, 2)), starts)


def test_reached_is_about_the_end_of_the_path():
    path = np.array([[[0.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]]])
    np.testing.assert_array_equal(reached(path, np.array([[1.05, 0.0], [1.0, 0.0]])), [True, False])


@pytest.mark.parametrize(
    ("name", "value"),
    [("direction", (1, 0)), ("direction", 3), ("steps", 0), ("noise", -1), ("noise", np.nan), ("told", 1)],
)
def test_settings_are_checked(name, value):
    with pytest.raises(ValueError, match=f"{name} should be"):
        ReachTasks(**{name: value})


@pytest.mark.parametrize("name", ["tasks", "shots", "queries"])
def test_counts_are_checked(name):
    with pytest.raises(ValueError, match=f"{name} should be"):
        ReachTasks().sample(rng(), **{"tasks": 2, "shots": 1, "queries": 1} | {name: 0})
    with pytest.raises(ValueError, match="rng should be"):
        ReachTasks().sample(3, 2, 1, 1)


@pytest.mark.parametrize("goals", [np.zeros((3, 3)), np.zeros(2), np.zeros((0, 2)), "here", None])
def test_goals_that_are_none_are_refused_by_name(goals):
    tasks = ReachTasks()
    starts = tasks.starts(rng(), 3, 1)[:, 0]
    for use in (lambda: tasks.demonstrate(rng(), goals, 1), lambda: tasks.rollout(lambda seen: starts, goals, starts)):
        with pytest.raises(ValueError, match="goals should be"):
            use()


def test_starts_and_paths_of_another_shape_are_refused_by_name():
    tasks = ReachTasks()
    goals, starts = tasks.draw(rng(), 3), tasks.starts(rng(), 3, 1)
    for other in (starts, starts[:2, 0]):
        with pytest.raises(ValueError, match="starts should be one state for each of 3 goals"):
            tasks.rollout(lambda seen: np.zeros((3, 2)), goals, other)
    for path in (np.zeros((3, 2)), np.zeros((2, 5, 2)), np.zeros((3, 5, 4))):
        with pytest.raises(ValueError, match="path and goals should be"):
            reached(path, goals)
