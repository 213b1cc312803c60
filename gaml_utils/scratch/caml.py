"""CAML's outer gradient in NumPy: a few context numbers adapt, the weights are shared. Derived in chapter 12.

The context phi stands beside the inputs, so that the first layer sees [x, phi]. To that layer it is a bias of its own:
W1^T [x, phi] + b1 = W_x^T x + (b1 + W_phi^T phi), W_phi being the rows of W1 that phi is multiplied with. So a
derivative by phi is W_phi times the one by b1, and moving phi along v moves b1 along W_phi^T v.
"""

from collections.abc import Callable

import numpy as np

from gaml_utils.checks import check_count, check_positive, check_source
from gaml_utils.records import MetaResult, TaskBatch
from gaml_utils.scratch import mlp
from gaml_utils.scratch.checks import check_batch, check_fit, check_pair, check_params, check_points
from gaml_utils.scratch.inner_loop import _weights
from gaml_utils.scratch.parameters import as_layers, flatten, unflatten
from gaml_utils.weighting.agreement import uniform_weights


def adapt_context(
    params: list,
    support_x: np.ndarray,
    support_y: np.ndarray,
    context: int,
    inner_lr: float = 1.0,
    steps: int = 1,
    activation: str = "relu",
) -> np.ndarray:
    """phi_i, (tasks, context), after `steps` gradient steps from 0 on each task's support set.

    params: [W1, b1, ...], whose first layer takes the features of support_x and then the context.
    """
    params, (x, y) = check_params(params), (check_points("support_x", support_x), check_points("support_y", support_y))
    check_pair("support_x", x, "support_y", y)
    _check_inner(params, context, inner_lr)
    check_count("steps", steps, at_least=0)
    check_fit(params, beside(x, np.zeros((len(x), context))), y)
    phi, _ = _inner_loop(params, x, y, context, inner_lr, steps, activation)
    return phi


def predict_in_context(params: list, x: np.ndarray, phi: np.ndarray, activation: str = "relu") -> np.ndarray:
    """The outputs, (tasks, points, outputs), for x (tasks, points, features) and one context per task, phi."""
    return mlp.predict(params, beside(check_points("x", x), phi), activation)


def caml_direction(
    params: list,
    batch: TaskBatch,
    context: int = 3,
    inner_lr: float = 1.0,
    inner_steps: int = 1,
    activation: str = "relu",
    weighting: Callable = uniform_weights,
    source: str = "updates",
) -> MetaResult:
    """CAML's outer gradient, that of sum_i w_i L_i(theta, phi_i), exact through the inner steps of phi.

    Zintgraf et al. 2019 (arXiv:1810.03642). For one step phi_i = -alpha grad_phi L_support(0, theta) it is the direct
    part, grad_theta L_query, less alpha (d^2 L_support / dtheta dphi) grad_phi L_query.

    params: as in adapt_context. The updates that weightings compare are -phi_i, (tasks, context). Otherwise as
    meta_gradient.
    """
    params, batch = check_params(params), check_batch(batch)
    _check_inner(params, context, inner_lr)
    check_count("inner_steps", inner_steps)
    check_source(source)
    zeros = np.zeros((len(batch.support_x), context))
    check_fit(params, *(beside(a, zeros) if k % 2 == 0 else a for k, a in enumerate(batch)))
    phi, path = _inner_loop(params, *batch[:2], context, inner_lr, inner_steps, activation)
    layers = as_layers(flatten(params), params)
    directions = np.empty((len(phi), flatten(params).size))
    d_layers = as_layers(directions, params)
    query = mlp.gradient(layers, beside(batch.query_x, phi), batch.query_y, activation, d_layers)
    v = _by_context(params, context, query)  # dL_query/dphi_i, then taken back through the inner steps, last one first
    for trace in reversed(path):
        product = mlp.hessian_vector_product(layers, _along_context(layers, v, context), trace, activation)
        rows = slice(product[0].shape[1] - 1 - context, -1)  # of W_phi, whose gradient also holds phi itself
        product[0][:, rows] += v[:, :, None] * trace.deltas[0].sum(1)[:, None]
        directions -= inner_lr * flatten([p.reshape(len(v), -1) for p in product], 1)
        v = v - inner_lr * product[0][:, -1] @ params[0][-context:].T
    compared = {"updates": -phi, "outer": directions, "losses": query.loss[:, None]}[source]
    w = _weights(weighting, compared)
    return MetaResult(unflatten(w @ directions, params), w, query.loss)


def beside(x: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """[x, phi] at each point, (tasks, points, features + context)."""
    return np.concatenate([x, np.broadcast_to(phi[:, None], (*x.shape[:2], phi.shape[-1]))], axis=2)


def _inner_loop(
    params: list, x: np.ndarray, y: np.ndarray, context: int, inner_lr: float, steps: int, activation: str
) -> tuple[np.ndarray, list]:
    """phi_i, (tasks, context), and the trace of each step."""
    layers, phi, path = as_layers(flatten(params), params), np.zeros((len(x), context)), []
    out = [np.empty((len(x), *M.shape)) for M in layers]
    for _ in range(steps):
        trace = mlp.gradient(layers, beside(x, phi), y, activation, out)
        path.append(trace)
        phi = phi - inner_lr * _by_context(params, context, trace)
    return phi, path


def _by_context(params: list, context: int, trace: mlp.Trace) -> np.ndarray:
    """dL/dphi, (tasks, context): W_phi times dL/db1."""
    return trace.deltas[0].sum(1) @ params[0][-context:].T


def _along_context(layers: list, v: np.ndarray, context: int) -> list[np.ndarray]:
    """The layers' movement, one matrix per layer and task, that moving phi along v comes to: b1 along W_phi^T v."""
    vector = [np.zeros((len(v), *M.shape)) for M in layers]
    vector[0][:, -1] = v @ layers[0][-1 - context : -1]
    return vector


def _check_inner(params: list, context: int, inner_lr: float) -> None:
    check_count("context", context, at_most=params[0].shape[0] - 1, what=" (the inputs of params, less one feature)")
    check_positive("inner_lr", inner_lr)
