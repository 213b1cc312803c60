"""The outer loop in NumPy (chapter 02)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from tqdm.auto import tqdm

from gaml_utils.checks import check_count
from gaml_utils.memory import keep_freed_memory
from gaml_utils.records import MetaResult
from gaml_utils.scratch.optimizers import SGD, Adam


class History(NamedTuple):
    """What training saw. query_losses and weights: (iterations, tasks), one row per outer step."""

    query_losses: np.ndarray
    weights: np.ndarray


def train(
    params: list,
    tasks: Any,
    direction: Callable,
    optimizer: SGD | Adam,
    iterations: int,
    *,
    meta_batch: int = 25,
    shots: int = 10,
    queries: int = 10,
    seed: int = 0,
    callback: Callable | None = None,
    progress: bool = True,
) -> tuple[list[np.ndarray], History]:
    """The outer loop: sample a meta-batch, ask for the direction, let the optimiser step; `iterations` times.

    tasks: anything with sample(rng, tasks, shots, queries) -> TaskBatch. direction: (params, batch) ->
    MetaResult, for instance functools.partial(meta_gradient, inner_lr=0.01). seed: of the tasks.
    callback: called as callback(iteration, params, result) after each step, with copies; a true answer ends training.
    Returns the trained parameters and a History; the params passed in are unchanged.
    Raises FloatingPointError, naming the iteration, if the losses or the new parameters are no longer finite, and
    ValueError if a batch holds another number of tasks than the first.
    """
    check_count("iterations", iterations, at_least=0)
    keep_freed_memory()
    rng = np.random.default_rng(seed)
    params = copies(params)
    losses, weights = [], []
    for i in tqdm(range(iterations), disable=not progress, leave=False, unit="step"):
        batch = tasks.sample(rng, meta_batch, shots, queries)
        with np.errstate(over="ignore", invalid="ignore"):  # reported below, with advice
            try:
                result = direction(copies(params), batch)
                stepped = optimizer.step(params, result.gradient)
            except FloatingPointError as error:
                raise FloatingPointError(f"training diverged at iteration {i}: {error}") from None
        if not (np.isfinite(result.query_losses).all() and all(np.isfinite(p).all() for p in stepped)):
            raise FloatingPointError(f"training diverged at iteration {i}: try a smaller step size")
        params = copies(stepped)
        losses.append(np.array(result.query_losses))
        weights.append(np.array(result.weights))
        if (len(losses[-1]), len(weights[-1])) != (len(losses[0]), len(weights[0])):
            raise ValueError(
                f"tasks should give the same number of tasks in every batch, {len(losses[0])} as at first, "
                f"got {len(losses[-1])} at iteration {i}"
            )
        if callback is not None and callback(i, copies(params), copied(result)):
            break
    return params, History(np.array(losses), np.array(weights))


def copies(params: list) -> list[np.ndarray]:
    """The parameters anew: who is shown these may write into them."""
    return [np.array(p) for p in params]


def copied(result: MetaResult) -> MetaResult:
    """The result anew, likewise."""
    return MetaResult(copies(result.gradient), np.array(result.weights), np.array(result.query_losses))
