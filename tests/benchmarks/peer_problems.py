"""What keras_speed.py measures: the workloads, their parameters and meta-batches, and what a contender is.

Parameters are lists of arrays in the layout of Keras: W (inputs, outputs) and b of a dense layer; a kernel (3, 3,
inputs, filters), gamma and beta of a block of conv4 (the normalisation would cancel a bias). Images are channels last.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gaml_utils.records import TaskBatch
from gaml_utils.scratch.mlp import init_mlp
from gaml_utils.tasks.regression import SineTasks

SIZES, SIDE, WAYS, BLOCKS, EPSILON = (1, 40, 40, 1), 28, 5, 4, 1e-3
BATCHES = 8  # different ones, used in turn


class Problem(NamedTuple):
    """One workload. family: "sine", "stride" or "pool" (conv4 that shrinks by strides, by maximum).

    check: rather than be timed, take ONE outer step theta - gradient in float64, with 16 filters.
    """

    family: str
    steps: int = 1
    tasks: int = 25
    check: bool = False

    @property
    def conv(self) -> bool:
        """Images, not sines?"""
        return self.family != "sine"

    @property
    def filters(self) -> int:
        """Of each convolution."""
        return 16 if self.check else 64

    @property
    def dtype(self) -> str:
        """Of parameters and points."""
        return "float64" if self.check else "float32"

    @property
    def inner_lr(self) -> float:
        """Of the inner loop; many steps are shorter, since nobody may diverge."""
        return 0.1 if self.conv else 0.1 / max(10, self.steps)

    @property
    def several(self) -> int:
        """Outer steps in one call, for those who take several."""
        return 1 if self.check else 8

    @property
    def points(self) -> tuple[int, int]:
        """Support and query points of a task: 10 and 10 of a sine; one and five images of each class."""
        return (WAYS, 5 * WAYS) if self.conv else (10, 10)

    @property
    def source(self) -> "SineTasks | ImageTasks":
        """Where meta-batches come from."""
        return ImageTasks() if self.conv else SineTasks()

    def theta(self) -> list[np.ndarray]:
        """The parameters to start from."""
        rng = np.random.default_rng(0)
        theta = init_conv4(rng, self) if self.conv else init_mlp(rng, SIZES)
        return [p.astype(self.dtype) for p in theta]

    def batches(self) -> list[TaskBatch]:
        """Meta-batches, made beforehand."""
        sampled = [self.source.sample(np.random.default_rng([1, n]), self.tasks, *self.points) for n in range(BATCHES)]
        return [TaskBatch(*(a.astype(self.dtype) if a.dtype.kind == "f" else a for a in batch)) for batch in sampled]


class ImageTasks:
    """Images of noise in five classes: as much work as real ones."""

    def sample(self, rng: np.random.Generator, tasks: int, shots: int, queries: int) -> TaskBatch:
        """shots and queries: images of a task, the same number of each class. Labels are whole numbers."""
        arrays = []
        for points in (shots, queries):
            arrays.append(rng.random((tasks, points, SIDE, SIDE, 1), dtype=np.float32))
            arrays.append(np.tile(np.arange(points, dtype=np.int32) % WAYS, (tasks, 1)))
        return TaskBatch(*arrays)


def init_conv4(rng: np.random.Generator, problem: Problem) -> list[np.ndarray]:
    """Kernel, gamma and beta of four blocks, then W and b."""
    theta, channels, side = [], 1, SIDE
    for _ in range(BLOCKS):
        theta += [
            rng.normal(0, np.sqrt(2 / (9 * channels)), (3, 3, channels, problem.filters)),
            rng.uniform(0.8, 1.2, problem.filters),
            rng.normal(0, 0.1, problem.filters),
        ]
        channels, side = problem.filters, -(-side // 2) if problem.family == "stride" else side // 2
    inputs = side * side * channels
    return [*theta, rng.normal(0, np.sqrt(1 / inputs), (inputs, WAYS)), np.zeros(WAYS)]


def megaflops(problem: Problem) -> float:
    """Multiplications and additions of an outer step, products only, the zeros of the padding included."""
    if problem.conv:
        channels, side, products = 1, SIDE, []
        for _ in range(BLOCKS):
            after = -(-side // 2) if problem.family == "stride" else side // 2
            products.append((after if problem.family == "stride" else side) ** 2 * 9 * channels * problem.filters)
            channels, side = problem.filters, after
        products.append(side * side * channels * WAYS)
    else:
        products = [a * b for a, b in zip(SIZES[:-1], SIZES[1:], strict=True)]
    first, rest = products[0], sum(products[1:])
    gradient, hessian_vector = 2 * first + 3 * rest, 2 * first + 6 * rest
    support, query = problem.points
    return 2e-6 * problem.tasks * (problem.steps * support * (gradient + hessian_vector) + query * gradient)


class Contender(NamedTuple):
    """One way to take outer steps.

    run: takes them for ever, and calls the function it is given after every `per_call` of them.
    theta: the parameters as they are now, in the layout of Keras.
    """

    run: Callable[[Callable[[], None]], None]
    theta: Callable[[], list[np.ndarray]]
    per_call: int = 1


def repeat(call: Callable, batches: list) -> Callable:
    """`run` of a contender whose steps are calls on the batches, one after the other."""

    def run(turn: Callable[[], None]) -> None:
        while True:
            for batch in batches:
                call(batch)
                turn()

    return run
