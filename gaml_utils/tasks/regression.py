"""Families of regression tasks: sines, lines, and noise with nothing to learn (chapters 01 and 05)."""

from dataclasses import dataclass

import numpy as np

from gaml_utils.checks import check_count, check_range, check_rng, is_number
from gaml_utils.records import TaskBatch


@dataclass(frozen=True)
class SineTasks:
    """Sine regression, y = A sin(x - phase): Finn et al. 2017 (arXiv:1703.03400), section 5.1.

    amplitude, phase, x: (low, high) of the uniform distribution each is drawn from; phase and x in
    radians. Raises ValueError if a range is not two finite numbers with low <= high.
    """

    amplitude: tuple[float, float] = (0.1, 5.0)
    phase: tuple[float, float] = (0.0, np.pi)
    x: tuple[float, float] = (-5.0, 5.0)

    def __post_init__(self) -> None:
        for name in ("amplitude", "phase", "x"):
            check_range(name, getattr(self, name))

    def draw(self, rng: np.random.Generator, tasks: int) -> tuple[np.ndarray, np.ndarray]:
        """Which sines: amplitude and phase, each (tasks, 1, 1)."""
        check_rng(rng)
        check_count("tasks", tasks)
        return rng.uniform(*self.amplitude, (tasks, 1, 1)), rng.uniform(*self.phase, (tasks, 1, 1))

    def points(
        self, rng: np.random.Generator, amplitude: np.ndarray, phase: np.ndarray, points: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Points on given sines: x and y, each (tasks, points, 1)."""
        check_rng(rng)
        check_count("points", points)
        x = rng.uniform(*self.x, (len(amplitude), points, 1))
        return x, amplitude * np.sin(x - phase)

    def sample(self, rng: np.random.Generator, tasks: int, shots: int, queries: int) -> TaskBatch:
        """A meta-batch of fresh tasks; the same Generator state gives the same batch.

        Returns a TaskBatch of float64 arrays: support (tasks, shots, 1), query (tasks, queries, 1).
        Raises ValueError if tasks, shots or queries is not a whole number of at least 1.
        """
        check_count("shots", shots)
        check_count("queries", queries)
        amplitude, phase = self.draw(rng, tasks)
        support = self.points(rng, amplitude, phase, shots)
        query = self.points(rng, amplitude, phase, queries)
        return TaskBatch(*support, *query)


@dataclass(frozen=True)
class NoiseTasks:
    """A control with nothing to learn: y is normal noise that does not depend on x (chapter 05).

    std: standard deviation of y. No learner can beat the constant 0, whose mean squared error is std**2.
    x: (low, high) of the inputs.
    """

    std: float = 1.0
    x: tuple[float, float] = (-5.0, 5.0)

    def __post_init__(self) -> None:
        check_range("x", self.x)
        if not (is_number(self.std) and self.std >= 0):
            raise ValueError(f"std should be a finite number of at least 0, got {self.std!r}")

    def sample(self, rng: np.random.Generator, tasks: int, shots: int, queries: int) -> TaskBatch:
        """A meta-batch, shaped as SineTasks.sample shapes it, with the same errors."""
        check_rng(rng)
        sizes = {"tasks": tasks, "shots": shots, "queries": queries}
        for name, value in sizes.items():
            check_count(name, value)
        arrays = []
        for points in (shots, queries):
            arrays.append(rng.uniform(*self.x, (tasks, points, 1)))
            arrays.append(rng.normal(0.0, self.std, (tasks, points, 1)))
        return TaskBatch(*arrays)


@dataclass(frozen=True)
class LineTasks:
    """Straight lines, y = slope x + intercept, each number drawn from its range (low, high); x as in SineTasks.

    Raises ValueError if a range is not two finite numbers with low <= high.
    """

    slope: tuple[float, float] = (-1.0, 1.0)
    intercept: tuple[float, float] = (-1.0, 1.0)
    x: tuple[float, float] = (-5.0, 5.0)

    def __post_init__(self) -> None:
        for name in ("slope", "intercept", "x"):
            check_range(name, getattr(self, name))

    def sample(self, rng: np.random.Generator, tasks: int, shots: int, queries: int) -> TaskBatch:
        """A meta-batch, shaped as SineTasks.sample shapes it, with the same errors."""
        check_rng(rng)
        for name, value in {"tasks": tasks, "shots": shots, "queries": queries}.items():
            check_count(name, value)
        slope, intercept = (rng.uniform(*r, (tasks, 1, 1)) for r in (self.slope, self.intercept))
        x = [rng.uniform(*self.x, (tasks, points, 1)) for points in (shots, queries)]
        return TaskBatch(x[0], slope * x[0] + intercept, x[1], slope * x[1] + intercept)
