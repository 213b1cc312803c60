"""A planar arm that reaches for a goal which only a demonstration tells: imitation as a few-shot task. Chapter 16.

Two links in a plane, moved by the speeds of their joints. A task is a goal; what the arm observes does not tell it.
Finn, Yu, Zhang, Abbeel and Levine 2017 (arXiv:1709.04905) have the problem with a simulated arm and its pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gaml_utils.checks import as_numbers, check_count, check_flag, check_range, check_rng, is_number
from gaml_utils.records import TaskBatch

LINKS = (0.5, 0.5)  # their lengths
TIME = 0.1  # of one step: an action of 1 turns a joint by so many radians
GAIN = 2.0  # of the expert, by which it turns towards the goal
FREEDOM = (0.3, 0.9)  # how far from the shoulder goals and starts lie
ACTIONS = 2  # the speeds of the two joints, from -1 to 1


def tip(angles: np.ndarray, links: tuple[float, float] = LINKS) -> np.ndarray:
    """Where the arm ends, (..., 2), of the shoulder's angle and the elbow's, (..., 2), in radians."""
    first, second = angles[..., 0], angles[..., 0] + angles[..., 1]
    a, b = links
    return np.stack([a * np.cos(first) + b * np.cos(second), a * np.sin(first) + b * np.sin(second)], axis=-1)


def angles_to(place: np.ndarray, links: tuple[float, float] = LINKS) -> np.ndarray:
    """The angles, (..., 2), at which the tip is at this place, (..., 2), the elbow bent to one side, from 0 to pi.

    By the law of cosines. Places farther than the links reach are reached for as far as they do.
    """
    a, b = links
    x, y = place[..., 0], place[..., 1]
    elbow = np.arccos(np.clip((x**2 + y**2 - a**2 - b**2) / (2 * a * b), -1, 1))
    shoulder = np.arctan2(y, x) - np.arctan2(b * np.sin(elbow), a + b * np.cos(elbow))
    return np.stack([shoulder, elbow], axis=-1)


def expert(angles: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """What a controller that is told the goal does, (..., 2): tanh(GAIN (wanted angles - angles))."""
    return np.tanh(GAIN * (angles_to(goal) - angles))


def moved(angles: np.ndarray, action: np.ndarray) -> np.ndarray:
    """The angles after one step; actions are speeds, cut off at -1 and 1."""
    return angles + TIME * np.clip(action, -1.0, 1.0)


@dataclass(frozen=True)
class ReachTasks:
    """Reach a goal that is known from demonstrations alone. Points are what the arm observes and what the expert does.

    direction: (low, high) of the angle, in radians, in which goals and starts lie, seen from the shoulder.
    steps: of a demonstration. noise: standard deviation of what is added to the demonstrated motion, in actions, so
    that a demonstration shows more than one line; the actions it tells are the expert's own.
    told: the goal is part of the observation; for a policy that needs no demonstration, an upper bound.
    Raises ValueError for a range or a number that is none.
    """

    direction: tuple[float, float] = (0.0, np.pi)
    steps: int = 20
    noise: float = 0.5
    told: bool = False

    def __post_init__(self) -> None:
        check_range("direction", self.direction)
        check_count("steps", self.steps)
        check_flag("told", self.told)
        if not (is_number(self.noise) and self.noise >= 0):
            raise ValueError(f"noise should be a finite number of at least 0, got {self.noise!r}")

    @property
    def observations(self) -> int:
        """How many numbers an observation has."""
        return 6 if self.told else 4

    @property
    def goal_size(self) -> int:
        """How many numbers tell a goal."""
        return 2

    @property
    def freedom(self) -> tuple[float, float]:
        """(low, high): how far from the shoulder goals and starts lie."""
        return FREEDOM

    def draw(self, rng: np.random.Generator, tasks: int) -> np.ndarray:
        """Which goals, (tasks, 2): where the tip shall be."""
        check_rng(rng)
        check_count("tasks", tasks)
        return self._places(rng, (tasks,))

    def starts(self, rng: np.random.Generator, tasks: int, count: int) -> np.ndarray:
        """Where the arm stands before it moves: its state, angles, (tasks, count, 2)."""
        check_rng(rng)
        for name, value in (("tasks", tasks), ("count", count)):
            check_count(name, value)
        return angles_to(self._places(rng, (tasks, count)))

    def observe(self, state: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """What the arm sees, (..., 4): its angles and its tip; where told, (..., 6), the goal too."""
        seen = [self.seen(state), np.broadcast_to(goal, (*state.shape[:-1], 2))]
        return np.concatenate(seen if self.told else seen[:1], axis=-1)

    def seen(self, state: np.ndarray) -> np.ndarray:
        """What the arm sees of itself, of its state: here its angles, (..., 2)."""
        return np.concatenate([state, tip(state)], axis=-1)

    def expert(self, state: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """What the demonstrator does, (..., 2)."""
        return expert(state, goal)

    def advance(self, state: np.ndarray, action: np.ndarray) -> np.ndarray:
        """The state after one step."""
        return moved(state, action)

    def tip(self, state: np.ndarray) -> np.ndarray:
        """Where the arm ends, (..., 2)."""
        return tip(state)

    def demonstrate(self, rng: np.random.Generator, goals: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """`count` demonstrations of each goal, each from a start of its own, end to end.

        goals: (tasks, 2). Returns observations (tasks, count * steps, 4 or 6) and the expert's actions (tasks,
        count * steps, 2). Raises ValueError for goals of another shape.
        """
        goals = self.checked_goals(goals)
        state, goal = self.starts(rng, len(goals), count), goals[:, None]
        seen, done = [], []
        for _ in range(self.steps):
            action = self.expert(state, goal)
            seen.append(self.observe(state, goal))
            done.append(action)
            state = self.advance(state, action + self.noise * rng.standard_normal(action.shape))
        together = (np.stack(part, axis=2) for part in (seen, done))  # (tasks, count, steps, ...)
        observations, actions = (part.reshape(len(goals), count * self.steps, -1) for part in together)
        return observations, actions

    def sample(self, rng: np.random.Generator, tasks: int, shots: int, queries: int) -> TaskBatch:
        """A meta-batch: `shots` demonstrations of each goal to learn from, `queries` others to be judged by.

        support_x (tasks, shots * steps, 4 or 6), support_y (tasks, shots * steps, 2), query_x and query_y likewise.
        Raises ValueError if tasks, shots or queries is not a whole number of at least 1.
        """
        check_count("shots", shots)
        check_count("queries", queries)
        goals = self.draw(rng, tasks)
        return TaskBatch(*self.demonstrate(rng, goals, shots), *self.demonstrate(rng, goals, queries))

    def rollout(
        self,
        policy: Callable[[np.ndarray], np.ndarray],
        goals: np.ndarray,
        starts: np.ndarray,
        steps: int = 40,
    ) -> np.ndarray:
        """Where the tip goes when a policy moves the arm: (tasks, steps + 1, 2), the start among them.

        policy: observations (tasks, 4 or 6) -> actions (tasks, 2). goals: (tasks, 2); the policy is not shown them
        unless `told`. starts: states (tasks, 2), one for each goal, of those that `starts` gives. Raises ValueError for
        goals or starts of another shape, and for actions of another shape, or not finite.
        """
        check_count("steps", steps)
        goals, starts = self.checked_goals(goals), as_numbers("starts", starts, "an array (tasks, ...)")
        if starts.ndim != 2 or len(starts) != len(goals):
            raise ValueError(
                f"starts should be one state for each of {len(goals)} goals, (tasks, ...), got {starts.shape}"
            )
        state, path, wanted = starts, [self.tip(starts)], (len(starts), ACTIONS)
        for _ in range(steps):
            action = np.asarray(policy(self.observe(state, goals)))
            if action.shape != wanted or not np.isfinite(action).all():
                raise ValueError(f"policy should return finite actions {wanted}, got shape {action.shape}")
            state = self.advance(state, action)
            path.append(self.tip(state))
        return np.stack(path, axis=1)

    def checked_goals(self, goals: np.ndarray) -> np.ndarray:
        """The goals, or a ValueError where they are none."""
        goals = as_numbers("goals", goals, f"an array (tasks, {self.goal_size})")
        if goals.ndim != 2 or len(goals) == 0 or goals.shape[1] != self.goal_size:
            raise ValueError(f"goals should be (tasks, {self.goal_size}), as `draw` gives them, got {goals.shape}")
        return goals

    def _places(self, rng: np.random.Generator, shape: tuple) -> np.ndarray:
        """Places for goals and starts, (*shape, 2)."""
        far, way = rng.uniform(*self.freedom, shape), rng.uniform(*self.direction, shape)
        return far[..., None] * np.stack([np.cos(way), np.sin(way)], axis=-1)


def reached(path: np.ndarray, goals: np.ndarray, within: float = 0.1) -> np.ndarray:
    """(tasks,): does the path, (tasks, steps + 1, 2), end within that distance of its goal, (tasks, 2)?

    Raises ValueError for other shapes.
    """
    path, goals = as_numbers("path", path, "an array (tasks, steps + 1, 2)"), as_numbers("goals", goals, "(tasks, 2)")
    if path.ndim != 3 or goals.shape != (len(path), 2) or path.shape[2] != 2:
        raise ValueError(
            f"path and goals should be (tasks, steps + 1, 2) and (tasks, 2), got {path.shape}, {goals.shape}"
        )
    return np.linalg.norm(path[:, -1] - goals, axis=-1) < within
