"""The arm in the physics engine, where that is installed: pip install "gaml-utils[imitation]"."""

import sys

import numpy as np
import pytest

from gaml_utils.tasks import physics_arm
from gaml_utils.tasks.physics_arm import SPEED, PhysicsReachTasks
from gaml_utils.tasks.reaching import reached


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture
def installed():
    pytest.importorskip("gymnasium")
    pytest.importorskip("mujoco")


def test_goals_and_starts_need_no_engine():
    tasks = PhysicsReachTasks()
    goals, starts = tasks.draw(rng(), 50), tasks.starts(rng(1), 50, 2)
    assert goals.shape == (50, 2) and starts.shape == (50, 2, 4) and not starts[..., 2:].any()
    for places in (goals, tasks.tip(starts)):
        far = np.linalg.norm(places, axis=-1)
        assert (far >= 0.0599).all() and (far <= 0.1901).all()
    assert tasks.observe(starts, goals[:, None]).shape == (50, 2, 6)
    assert PhysicsReachTasks(told=True).observe(starts, goals[:, None]).shape == (50, 2, 8)


def test_where_the_engine_is_missing_the_remedy_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    physics_arm.engine.cache_clear()
    with pytest.raises(ImportError, match=r'the physics engine is missing: pip install "gaml-utils\[imitation\]"'):
        PhysicsReachTasks().sample(rng(), 1, 1, 1)
    physics_arm.engine.cache_clear()


@pytest.mark.usefixtures("installed")
def test_what_is_observed_is_the_engines_own_without_the_target():
    """Of Reacher-v5's ten: cosines, sines, (target, target,) speeds, (tip less target, twice)."""
    import gymnasium

    env = gymnasium.make("Reacher-v5")
    env.reset(seed=0)
    state = np.array([0.3, 0.8, 1.5, -2.0])
    env.unwrapped.set_state(np.array([0.3, 0.8, 0.1, -0.1]), np.array([1.5, -2.0, 0.0, 0.0]))
    np.testing.assert_allclose(PhysicsReachTasks().tip(state), env.unwrapped.get_body_com("fingertip")[:2], atol=1e-12)
    theirs, *_ = env.step(np.array([0.2, -0.4], dtype=np.float32))
    tasks = PhysicsReachTasks()
    after = tasks.advance(state, np.array([0.2, -0.4], dtype=np.float32).astype(float))
    ours = tasks.seen(after)
    np.testing.assert_allclose(ours[:4], theirs[:4], atol=1e-9)
    np.testing.assert_allclose(ours[4:] * SPEED, theirs[6:8], atol=1e-7)


@pytest.mark.usefixtures("installed")
def test_the_demonstrator_reaches_and_an_arm_without_torque_does_not():
    tasks = PhysicsReachTasks()
    goals, starts = tasks.draw(rng(), 20), tasks.starts(rng(1), 20, 1)[:, 0]
    state = starts
    for _ in range(60):
        state = tasks.advance(state, tasks.expert(state, goals))
    assert (np.linalg.norm(tasks.tip(state) - goals, axis=1) < 0.02).all()
    still = tasks.rollout(lambda seen: np.zeros((20, 2)), goals, starts, steps=5)
    assert still.shape == (20, 6, 2) and reached(still, goals, 0.02).mean() < 0.3


@pytest.mark.usefixtures("installed")
def test_a_batch_is_the_same_from_the_same_seed():
    tasks = PhysicsReachTasks(steps=3)
    first, again = (tasks.sample(rng(), 2, 1, 1) for _ in range(2))
    assert [a.shape for a in first] == [(2, 3, 6), (2, 3, 2)] * 2
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
