"""The same task for an arm with weight, in a physics engine: the Reacher of Gymnasium, its target unseen. Chapter 16.

Needs `pip install "gaml-utils[imitation]"`; nothing is drawn, so that no display is needed.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gaml_utils.checks import check_count, check_rng
from gaml_utils.tasks.reaching import ACTIONS, ReachTasks, angles_to, tip

LINKS = (0.1, 0.11)  # of the engine's arm
FREEDOM = (0.06, 0.19)
STIFFNESS, DAMPING = 1.0, 0.3  # of the demonstrator: torque per radian, and per radian a second
SPEED = 10.0  # radians a second, that a speed is seen in units of


@dataclass(frozen=True)
class PhysicsReachTasks(ReachTasks):
    """ReachTasks for Gymnasium's Reacher-v5 (MuJoCo): actions are torques, and the arm has weight and speed.

    A state is two angles and two speeds, (..., 4). Observed are, of the engine's ten observations, those that do not
    tell the target: cosines and sines of the angles, and the speeds, in tens of radians a second, (..., 6); where told,
    (..., 8), the goal too. Lengths are in metres; the links are 0.1 and 0.11 long.
    Raises ImportError, with the remedy, where Gymnasium and MuJoCo are not installed.
    """

    steps: int = 40
    noise: float = 0.3

    @property
    def observations(self) -> int:
        """How many numbers an observation has."""
        return 8 if self.told else 6

    @property
    def freedom(self) -> tuple[float, float]:
        """(low, high): how far from the shoulder goals and starts lie."""
        return FREEDOM

    def starts(self, rng: np.random.Generator, tasks: int, count: int) -> np.ndarray:
        """Where the arm stands, at rest: states, (tasks, count, 4)."""
        check_rng(rng)
        for name, value in (("tasks", tasks), ("count", count)):
            check_count(name, value)
        angles = angles_to(self._places(rng, (tasks, count)), LINKS)
        return np.concatenate([angles, np.zeros_like(angles)], axis=-1)

    def seen(self, state: np.ndarray) -> np.ndarray:
        """What the arm sees of itself, (..., 6)."""
        angles, speeds = state[..., :2], state[..., 2:]
        return np.concatenate([np.cos(angles), np.sin(angles), speeds / SPEED], axis=-1)

    def expert(self, state: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """Torques, (..., 2), that pull the joints to the goal's angles and hold their speed down."""
        wanted = angles_to(goal, LINKS)
        return np.tanh(STIFFNESS * (wanted - state[..., :2]) - DAMPING * state[..., 2:])

    def advance(self, state: np.ndarray, action: np.ndarray) -> np.ndarray:
        """The state after one step of the engine, 0.02 seconds."""
        arm, target = engine(), np.zeros(ACTIONS)
        after = np.empty_like(state)
        flat, torques = after.reshape(-1, 4), np.clip(action, -1.0, 1.0).reshape(-1, ACTIONS)
        for k, (one, torque) in enumerate(zip(state.reshape(-1, 4), torques, strict=True)):
            arm.set_state(np.concatenate([one[:2], target]), np.concatenate([one[2:], target]))
            arm.do_simulation(torque, arm.frame_skip)
            flat[k] = *arm.data.qpos[:2], *arm.data.qvel[:2]
        return after

    def tip(self, state: np.ndarray) -> np.ndarray:
        """Where the arm ends, (..., 2)."""
        return tip(state[..., :2], LINKS)


@lru_cache(maxsize=1)
def engine() -> Any:
    """Gymnasium's Reacher-v5, one for all: each step sets its whole state."""
    try:
        import gymnasium

        return gymnasium.make("Reacher-v5").unwrapped
    except ImportError as error:
        raise ImportError(f'the physics engine is missing: pip install "gaml-utils[imitation]" ({error})') from error
