"""Reptile's outer direction in NumPy. Derived in chapter 03, weighted in chapter 05."""

from collections.abc import Callable

import numpy as np

from gaml_utils.checks import check_count, check_rng
from gaml_utils.records import MetaResult, TaskBatch
from gaml_utils.scratch import mlp
from gaml_utils.scratch.inner_loop import _checked, _inner_loop, _weights
from gaml_utils.scratch.parameters import flatten, unflatten
from gaml_utils.weighting.agreement import uniform_weights


def reptile_direction(
    params: list,
    batch: TaskBatch,
    inner_lr: float = 0.02,
    inner_steps: int = 5,
    activation: str = "tanh",
    weighting: Callable = uniform_weights,
    batch_size: int | None = None,
    rng: np.random.Generator | None = None,
    source: str = "updates",
) -> MetaResult:
    """Reptile's outer direction, sum_i w_i (theta - theta'_i), to be descended (so SGD(eps) is Reptile's step).

    Nichol, Achiam and Schulman 2018 (arXiv:1803.02999), Algorithm 2. The inner loop sees the support set only;
    query_losses are those of the adapted parameters.

    batch_size, rng: each inner step sees that many support points, drawn without replacement until all have
    been seen; without batch_size, all of them. source: as in meta_gradient, the updates being the outer directions.
    Otherwise as meta_gradient.
    """
    params, batch = _checked(params, batch, inner_lr, inner_steps, source)
    theta = flatten(params)
    shots = batch.support_x.shape[1]
    order = None
    if batch_size is not None:
        check_count("batch_size", batch_size, at_most=shots, what=" (the shots)")
        order = _minibatches(check_rng(rng), len(batch.support_x), shots, inner_steps, batch_size)
    updates = _inner_loop(theta, params, *batch[:2], inner_lr, inner_steps, activation, order)
    query_losses = mlp.loss(unflatten(theta - updates, params), *batch[2:], activation)
    w = _weights(weighting, query_losses[:, None] if source == "losses" else updates)
    return MetaResult(unflatten(w @ updates, params), w, query_losses)


def _minibatches(rng: np.random.Generator, tasks: int, shots: int, steps: int, batch_size: int) -> list:
    """Which points each inner step sees, each (tasks, batch_size): passes over a shuffled support set."""
    passes = -(-steps * batch_size // shots)
    order = np.concatenate([rng.permuted(np.tile(np.arange(shots), (tasks, 1)), axis=1) for _ in range(passes)], 1)
    return [order[:, k * batch_size : (k + 1) * batch_size] for k in range(steps)]
