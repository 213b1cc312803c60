"""Makes golden_batch.npz: python data/golden_batch/make.py.

Every gradient is first proved by central differences of the outer objective, weights held constant. They only
run the inner loop and look at the losses. Nothing is written unless all agree to one part in a million.

Keys: param_0, param_1, ... (W1, b1, ...); support_x, support_y, query_x, query_y (tasks, points, 1); inner_lr;
and for rule in uniform, agreement and steps in 1, 3: {rule}_{steps}_gradient_0, ... (shaped like the
parameters), {rule}_{steps}_weights (tasks,), {rule}_{steps}_query_losses (tasks,).
"""

import sys

import numpy as np

from gaml_utils.datasets.golden_batch import PATH
from gaml_utils.records import MetaResult, TaskBatch
from gaml_utils.scratch.inner_loop import adapt
from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.scratch.mlp import init_mlp, loss
from gaml_utils.scratch.parameters import flatten, unflatten
from gaml_utils.tasks.regression import SineTasks
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights

SEED, INNER_LR = 20, 0.01
RULES = {"uniform": uniform_weights, "agreement": agreement_weights}


def make() -> dict[str, np.ndarray]:
    """All arrays, by key."""
    rng = np.random.default_rng(SEED)
    params = init_mlp(rng, (1, 40, 40, 1))
    batch = SineTasks().sample(rng, tasks=5, shots=10, queries=10)
    arrays = {f"param_{k}": p for k, p in enumerate(params)} | batch._asdict() | {"inner_lr": np.array(INNER_LR)}
    for rule, weighting in RULES.items():
        for steps in (1, 3):
            result = meta_gradient(params, batch, INNER_LR, steps, weighting=weighting)
            error = relative_error(result, params, batch, steps)
            if not error < 1e-6:
                raise SystemExit(f"{rule}, {steps} steps: gradient and central differences differ by {error:.1e}")
            print(f"{rule}, {steps} inner steps: central differences agree to {error:.1e}")
            prefix = f"{rule}_{steps}"
            arrays |= {f"{prefix}_gradient_{k}": g for k, g in enumerate(result.gradient)}
            arrays |= {f"{prefix}_weights": result.weights, f"{prefix}_query_losses": result.query_losses}
    return arrays


def relative_error(result: MetaResult, params: list, batch: TaskBatch, steps: int, h: float = 1e-6) -> float:
    """Length of (gradient - central differences) over length of central differences."""

    def objective(theta: np.ndarray) -> float:
        adapted = adapt(unflatten(theta, params), batch.support_x, batch.support_y, INNER_LR, steps)
        return result.weights @ loss(adapted, batch.query_x, batch.query_y)

    theta, nudges = flatten(params), h * np.eye(sum(p.size for p in params))
    measured = np.array([(objective(theta + e) - objective(theta - e)) / (2 * h) for e in nudges])
    return float(np.linalg.norm(flatten(result.gradient) - measured) / np.linalg.norm(measured))


if __name__ == "__main__":
    np.savez_compressed(PATH if len(sys.argv) < 2 else sys.argv[1], **make())
