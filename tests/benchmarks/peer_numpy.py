"""Part I's NumPy engine as a contender, in float64 as always. Sines only: its network is a multilayer perceptron."""

from peer_problems import Contender, Problem, repeat

from gaml_utils.records import TaskBatch
from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.scratch.optimizers import SGD, Adam


def part_one(problem: Problem) -> Contender:
    """meta_gradient, then Adam."""
    state, optimizer = [problem.theta()], SGD(1.0) if problem.check else Adam(1e-3)

    def step(batch: TaskBatch) -> None:
        result = meta_gradient(state[0], batch, problem.inner_lr, problem.steps)
        state[0] = optimizer.step(state[0], result.gradient)

    batches = [TaskBatch(*(a.astype("float64") for a in batch)) for batch in problem.batches()]
    return Contender(repeat(step, batches), lambda: list(state[0]))
