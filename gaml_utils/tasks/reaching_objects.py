"""What, not where: an arm that reaches for one of two objects, and a demonstration that tells which. Chapter 16."""

from dataclasses import dataclass

import numpy as np

from gaml_utils.checks import check_count, check_rng
from gaml_utils.tasks.reaching import ReachTasks, angles_to, expert, moved, tip

APART = (0.25, 0.75)  # turns of the hue circle between the two objects
ANGLES, WANTED, OTHER, OFFSET, SECOND = slice(0, 2), slice(2, 4), slice(4, 6), slice(6, 7), slice(7, 8)  # of a state


@dataclass(frozen=True)
class ObjectTasks(ReachTasks):
    """Reach the object of the task's hue; a second object has another hue, and both lie elsewhere each time.

    A task's goal is a hue, (tasks, 1), in turns of the hue circle. A state is two angles, the place of the object that
    is wanted, that of the other, how far the other's hue lies from the task's, and whether the wanted one is seen as
    the second: (..., 8). Observed are the arm's angles, and of either object how far the angles would have to turn to
    reach it, and its hue as a point on a circle, (..., 10); where told, (..., 12), the task's hue too. Which of the
    two is wanted is not observed.
    Where to: `wanted_places`. Finn, Yu, Zhang, Abbeel and Levine 2017 (arXiv:1709.04905) have objects of many colours.
    Arguments and errors as in ReachTasks.
    """

    @property
    def observations(self) -> int:
        """How many numbers an observation has."""
        return 12 if self.told else 10

    @property
    def goal_size(self) -> int:
        """How many numbers tell a goal: a hue is one."""
        return 1

    def draw(self, rng: np.random.Generator, tasks: int) -> np.ndarray:
        """Which hues, (tasks, 1), from 0 to 1."""
        check_rng(rng)
        check_count("tasks", tasks)
        return rng.random((tasks, 1))

    def starts(self, rng: np.random.Generator, tasks: int, count: int) -> np.ndarray:
        """Where the arm stands and the objects lie: states, (tasks, count, 8)."""
        angles = super().starts(rng, tasks, count)
        shape = tasks, count
        wanted, other = self._places(rng, shape), self._places(rng, shape)
        offset, second = rng.uniform(*APART, (*shape, 1)), rng.integers(2, size=(*shape, 1))
        return np.concatenate([angles, wanted, other, offset, second], axis=-1)

    def observe(self, state: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """What the arm sees, (..., 10); where told, (..., 12)."""
        angles = state[..., ANGLES]
        hue = np.broadcast_to(goal, (*state.shape[:-1], 1))
        wanted, other = (
            np.concatenate([angles_to(state[..., place]) - angles, on_circle(of)], axis=-1)
            for place, of in ((WANTED, hue), (OTHER, hue + state[..., OFFSET]))
        )
        first, second = (np.where(state[..., SECOND] == k, other, wanted) for k in (1, 0))
        return np.concatenate([angles, first, second, *([on_circle(hue)] if self.told else [])], axis=-1)

    def expert(self, state: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """What the demonstrator does, (..., 2): it moves to the wanted object."""
        return expert(state[..., ANGLES], state[..., WANTED])

    def advance(self, state: np.ndarray, action: np.ndarray) -> np.ndarray:
        """The state after one step: the arm has moved, the objects have not."""
        return np.concatenate([moved(state[..., ANGLES], action), state[..., 2:]], axis=-1)

    def tip(self, state: np.ndarray) -> np.ndarray:
        """Where the arm ends, (..., 2)."""
        return tip(state[..., ANGLES])


def wanted_places(state: np.ndarray) -> np.ndarray:
    """Where the object lies that is wanted, (..., 2), of states of ObjectTasks, (..., 8): for `reached`."""
    return state[..., WANTED]


def on_circle(hue: np.ndarray) -> np.ndarray:
    """(..., 1), in turns -> (..., 2)."""
    return np.concatenate([np.cos(2 * np.pi * hue), np.sin(2 * np.pi * hue)], axis=-1)
