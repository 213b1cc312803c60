"""MAML's outer gradient in NumPy, exact and first-order. Derived in chapter 02, weighted in chapter 05."""

from collections.abc import Callable

import numpy as np

from gaml_utils.records import MetaResult, TaskBatch
from gaml_utils.scratch import mlp
from gaml_utils.scratch.inner_loop import _checked, _inner_loop, _weights
from gaml_utils.scratch.parameters import as_layers, flatten, unflatten
from gaml_utils.weighting.agreement import uniform_weights


def meta_gradient(
    params: list,
    batch: TaskBatch,
    inner_lr: float = 0.01,
    inner_steps: int = 1,
    first_order: bool = False,
    activation: str = "relu",
    weighting: Callable = uniform_weights,
    source: str = "updates",
) -> MetaResult:
    """MAML's outer gradient, that of sum_i w_i L_i(theta'_i) on the query sets, the weights held constant.

    Exact through all inner steps by Hessian-vector products; first_order=True leaves them out (FOMAML).
    Finn et al. 2017 (arXiv:1703.03400), Algorithm 1, line 8, weighted as in arXiv:1810.08178, Algorithm 1.

    params: [W1, b1, ...]. batch: TaskBatch of (tasks, points, features). weighting: any function of the
    updates theta - theta'_i, (tasks, parameters) -> (tasks,); with source="outer" it is given the tasks' own outer
    gradients d_i instead, with source="losses" their query losses, (tasks, 1); the result is sum_i w_i d_i.
    Returns a MetaResult; changes nothing.
    Raises ValueError, naming the argument, for a wrong shape, a wrong range, NaN or infinity.
    """
    params, batch = _checked(params, batch, inner_lr, inner_steps, source)
    theta, later = flatten(params), source != "updates"  # weights that need the query set
    path: list[tuple] = []  # where each inner step starts, and what its forward pass found
    seen = None if first_order else lambda *start: path.append(start)
    updates = _inner_loop(theta, params, *batch[:2], inner_lr, inner_steps, activation, seen=seen)
    w = None if later else _weights(weighting, updates)  # None: as if all were 1
    v = np.empty_like(updates)  # v_i = w_i dL_i/dtheta'_i, on the query set
    v_layers = as_layers(v, params)
    query = mlp.gradient(as_layers(theta - updates, params), *batch[2:], activation, v_layers, w)
    one_by_one = path if later else path[1:]
    for theta_k, trace in reversed(one_by_one):  # v_i <- v_i - alpha H_i v_i, last inner step first
        v -= inner_lr * flatten(mlp.hessian_vector_product(theta_k, v_layers, trace, activation), 1)
    if later:
        w = _weights(weighting, v if source == "outer" else query.loss[:, None])
        return MetaResult(unflatten(w @ v, params), w, query.loss)
    if first_order:
        return MetaResult(unflatten(v.sum(0), params), w, query.loss)
    theta_0, trace = path[0]  # shared by the tasks, so they can be summed at once
    hessian_term = flatten(mlp.hessian_vector_product(theta_0, v_layers, trace, activation, total=True))
    return MetaResult(unflatten(v.sum(0) - inner_lr * hessian_term, params), w, query.loss)
