"""Meta-learning in NumPy: the inner loop, the outer directions, training. Derived in chapters 02, 03 and 05.

Everything runs on all tasks of a meta-batch at once. The loss is each task's mean squared error.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from tqdm.auto import tqdm

from gaml_utils import mlp
from gaml_utils.checks import check_count, check_fit, check_pair, check_params, check_points, check_positive, check_rng
from gaml_utils.optimizers import SGD, Adam
from gaml_utils.parameters import as_layers, flatten, unflatten
from gaml_utils.tasks import MetaResult, TaskBatch, check_batch, check_source
from gaml_utils.weighting import uniform_weights

# An inner loop takes and frees many short-lived arrays. After one large block glibc keeps such memory instead of
# handing it back to the system each time, which took half of the running time. Elsewhere this does nothing.
np.empty(4_000_000)

__all__ = ["SGD", "Adam", "History", "adapt", "meta_gradient", "reptile_direction", "train"]


def adapt(
    params: list, support_x: np.ndarray, support_y: np.ndarray, inner_lr: float = 0.01, steps: int = 1,
    activation: str = "relu",
) -> list[np.ndarray]:
    """The inner loop: theta'_i after `steps` gradient steps on each task's support set.

    support_x, support_y: (tasks, shots, features). Returns a list like params, every array with a leading
    task axis; params itself is unchanged. Finn et al. 2017, Algorithm 1, line 6.
    """
    params = check_params(params)
    support_x, support_y = check_points("support_x", support_x), check_points("support_y", support_y)
    check_pair("support_x", support_x, "support_y", support_y)
    check_fit(params, support_x, support_y)
    check_positive("inner_lr", inner_lr)
    check_count("steps", steps, at_least=0)
    mlp.check_activation(activation)
    theta = flatten(params)
    updates, _ = _inner_loop(theta, params, support_x, support_y, inner_lr, steps, activation)
    return unflatten(theta - updates, params)


def meta_gradient(
    params: list, batch: TaskBatch, inner_lr: float = 0.01, inner_steps: int = 1, first_order: bool = False,
    activation: str = "relu", weighting: Callable = uniform_weights, source: str = "updates",
) -> MetaResult:
    """MAML's outer gradient, that of sum_i w_i L_i(theta'_i) on the query sets, the weights held constant.

    Exact through all inner steps by Hessian-vector products; first_order=True leaves them out (FOMAML).
    Finn et al. 2017 (arXiv:1703.03400), Algorithm 1, line 8, weighted as in arXiv:1810.08178, Algorithm 1.

    params: [W1, b1, ...]. batch: TaskBatch of (tasks, points, features). weighting: any function of the
    updates theta - theta'_i, (tasks, parameters) -> (tasks,); with source="outer" it is given the tasks' own outer
    gradients d_i instead, the result being sum_i w_i d_i. Returns a MetaResult; changes nothing.
    Raises ValueError, naming the argument, for a wrong shape, a wrong range, NaN or infinity.
    """
    params, batch = _checked(params, batch, inner_lr, inner_steps, source)
    theta, outer = flatten(params), source == "outer"
    updates, path = _inner_loop(theta, params, *batch[:2], inner_lr, inner_steps, activation)
    w = None if outer else _weights(weighting, updates)      # None: as if all were 1
    v = np.empty_like(updates)                               # v_i = w_i dL_i/dtheta'_i, on the query set
    v_layers = as_layers(v, params)
    query = mlp.gradient(as_layers(theta - updates, params), *batch[2:], activation, v_layers, w)
    one_by_one = [] if first_order else path if outer else path[1:]
    for theta_k, trace in reversed(one_by_one):              # v_i <- v_i - alpha H_i v_i, last inner step first
        v -= inner_lr * flatten(mlp.hessian_vector_product(theta_k, v_layers, trace, activation), 1)
    if outer:
        w = _weights(weighting, v)
        return MetaResult(unflatten(w @ v, params), w, query.loss)
    if first_order:
        return MetaResult(unflatten(v.sum(0), params), w, query.loss)
    theta_0, trace = path[0]                                 # shared by the tasks, so they can be summed at once
    hessian_term = flatten(mlp.hessian_vector_product(theta_0, v_layers, trace, activation, total=True))
    return MetaResult(unflatten(v.sum(0) - inner_lr * hessian_term, params), w, query.loss)


def reptile_direction(
    params: list, batch: TaskBatch, inner_lr: float = 0.02, inner_steps: int = 5, activation: str = "tanh",
    weighting: Callable = uniform_weights, batch_size: int | None = None,
    rng: np.random.Generator | None = None, source: str = "updates",
) -> MetaResult:
    """Reptile's outer direction, sum_i w_i (theta - theta'_i), to be descended (so SGD(eps) is Reptile's step).

    Nichol, Achiam and Schulman 2018 (arXiv:1803.02999), Algorithm 2. The inner loop sees the support set only;
    query_losses are those of the adapted parameters.

    batch_size, rng: each inner step sees that many support points, drawn without replacement until all have
    been seen; without batch_size, all of them. source: the updates are the outer directions, so both are the same.
    Otherwise as meta_gradient.
    """
    params, batch = _checked(params, batch, inner_lr, inner_steps, source)
    theta = flatten(params)
    shots = batch.support_x.shape[1]
    order = None
    if batch_size is not None:
        check_count("batch_size", batch_size, at_most=shots, what=" (the shots)")
        check_rng(rng)
        order = _minibatches(rng, len(batch.support_x), shots, inner_steps, batch_size)
    updates, _ = _inner_loop(theta, params, *batch[:2], inner_lr, inner_steps, activation, order)
    w = _weights(weighting, updates)
    query_losses = mlp.loss(unflatten(theta - updates, params), *batch[2:], activation)
    return MetaResult(unflatten(w @ updates, params), w, query_losses)


class History(NamedTuple):
    """What training saw. query_losses and weights: (iterations, tasks), one row an outer step."""

    query_losses: np.ndarray
    weights: np.ndarray


def train(
    params: list, tasks: Any, direction: Callable, optimizer: SGD | Adam, iterations: int, *,
    meta_batch: int = 25, shots: int = 10, queries: int = 10, seed: int = 0,
    callback: Callable | None = None, progress: bool = True,
) -> tuple[list[np.ndarray], History]:
    """The outer loop: sample a meta-batch, ask for the direction, let the optimiser step; `iterations` times.

    tasks: anything with sample(rng, tasks, shots, queries) -> TaskBatch. direction: (params, batch) ->
    MetaResult, for instance functools.partial(meta_gradient, inner_lr=0.01). seed: of the tasks.
    callback: called as callback(iteration, params, result) after each step; a true answer ends training.
    Returns the trained parameters and a History; the params passed in are unchanged.
    Raises FloatingPointError, naming the iteration, if the losses or the new parameters are no longer finite.
    """
    check_count("iterations", iterations, at_least=0)
    rng = np.random.default_rng(seed)
    losses, weights = [], []
    for i in tqdm(range(iterations), disable=not progress, leave=False, unit="step"):
        batch = tasks.sample(rng, meta_batch, shots, queries)
        with np.errstate(over="ignore", invalid="ignore"):       # reported below, with advice
            try:
                result = direction(params, batch)
                stepped = optimizer.step(params, result.gradient)
            except FloatingPointError as error:
                raise FloatingPointError(f"training diverged at iteration {i}: {error}") from None
        if not (np.isfinite(result.query_losses).all() and all(np.isfinite(p).all() for p in stepped)):
            raise FloatingPointError(f"training diverged at iteration {i}: try a smaller step size")
        params = stepped
        losses.append(result.query_losses)
        weights.append(result.weights)
        if callback is not None and callback(i, params, result):
            break
    return params, History(np.array(losses), np.array(weights))


def _inner_loop(
    theta: np.ndarray, params: list, x: np.ndarray, y: np.ndarray, inner_lr: float, steps: int, activation: str,
    order: list | None = None,
) -> tuple[np.ndarray, list]:
    """Updates theta - theta'_i, (tasks, parameters), and where each step started: (layers, trace)."""
    tasks = np.arange(len(x))[:, None]
    updates, path = np.zeros((len(x), theta.size)), []
    for k in range(steps):
        theta_k = as_layers(theta if k == 0 else theta - updates, params)    # the first step starts shared
        points = (x, y) if order is None else (x[tasks, order[k]], y[tasks, order[k]])
        step = np.empty_like(updates)
        path.append((theta_k, mlp.gradient(theta_k, *points, activation, as_layers(step, params))))
        step *= inner_lr
        updates = step if k == 0 else updates + step
    return updates, path


def _minibatches(rng: np.random.Generator, tasks: int, shots: int, steps: int, batch_size: int) -> list:
    """Which points each inner step sees, each (tasks, batch_size): passes over a shuffled support set."""
    passes = -(-steps * batch_size // shots)
    order = np.concatenate([rng.permuted(np.tile(np.arange(shots), (tasks, 1)), axis=1) for _ in range(passes)], 1)
    return [order[:, k * batch_size : (k + 1) * batch_size] for k in range(steps)]


def _weights(weighting: Callable, updates: np.ndarray) -> np.ndarray:
    try:
        w = np.asarray(weighting(updates), dtype=np.float64)
        if w.shape != updates.shape[:1]:
            raise ValueError(f"weighting should return one weight a task, shape {updates.shape[:1]}, got {w.shape}")
        if not np.isfinite(w).all():
            raise ValueError("weighting should return finite weights, got NaN or infinity")
    except ValueError:
        if not np.isfinite(updates).all():                  # not the caller's fault: the inner loop ran away
            raise FloatingPointError("the inner loop diverged: try a smaller inner_lr") from None
        raise
    return w


def _checked(params: list, batch: TaskBatch, inner_lr: float, inner_steps: int, source: str) -> tuple[list, TaskBatch]:
    params, batch = check_params(params), check_batch(batch)
    check_fit(params, *batch)
    check_positive("inner_lr", inner_lr)
    check_count("inner_steps", inner_steps)
    check_source(source)
    return params, batch
