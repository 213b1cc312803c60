"""A multilayer perceptron by hand, for many tasks at once: predict, loss, gradient, Hessian times vector.

Derived in chapter 02. Parameters are a list [W1, b1, W2, b2, ...]: W (inputs, outputs) and b (outputs,), or
one copy per task, with a leading task axis on each. Data are (tasks, points, features). Hidden layers are "relu"
or "tanh", the last is linear. The loss is the mean squared error of a task.

Inside, a layer is one matrix (inputs + 1, outputs): the bias is its last row, fed by a constant 1.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gaml_utils.checks import check_rng
from gaml_utils.scratch.checks import check_points
from gaml_utils.scratch.parameters import join_layers


class Activation(NamedTuple):
    """An activation h = f(z); slope and curvature are f' and f'' at z, written in terms of h."""

    f: Callable
    slope: Callable
    curvature: Callable | None  # None: zero wherever it is defined


ACTIVATIONS = {
    "relu": Activation(lambda z, out: np.maximum(z, 0.0, out=out), lambda h: (h > 0).astype(np.float64), None),
    "tanh": Activation(lambda z, out: np.tanh(z, out=out), lambda h: 1 - h * h, lambda h: -2 * h * (1 - h * h)),
}


class Trace(NamedTuple):
    """What a forward and backward pass leaves behind: enough for a Hessian-vector product.

    inputs: what each layer saw, (tasks, points, inputs + 1). slopes: f' of each hidden layer.
    deltas: derivative of the loss by what each layer put out before its activation. loss: (tasks,).
    """

    inputs: list[np.ndarray]
    slopes: list[np.ndarray]
    deltas: list[np.ndarray]
    loss: np.ndarray


def init_mlp(rng: np.random.Generator, sizes: Sequence[int]) -> list[np.ndarray]:
    """Weights drawn normally with standard deviation sqrt(2 / (inputs + outputs)), biases zero.

    The initialisation of Glorot and Bengio 2010 (AISTATS, equation 16, normal instead of uniform).
    sizes: (inputs, hidden, ..., outputs). Returns [W1, b1, ...], W (inputs, outputs), b (outputs,), float64.
    Raises ValueError if sizes is not two or more whole numbers of at least 1.
    """
    check_rng(rng)
    sizes = tuple(sizes) if isinstance(sizes, Sequence) else (sizes,)
    whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 1 for n in sizes)
    if len(sizes) < 2 or not whole:
        raise ValueError(f"sizes should be two or more whole numbers of at least 1, got {sizes}")
    params = []
    for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True):
        params += [rng.normal(0.0, np.sqrt(2 / (inputs + outputs)), (inputs, outputs)), np.zeros(outputs)]
    return params


def predict(params: list, x: np.ndarray, activation: str = "relu") -> np.ndarray:
    """The network's output, (tasks, points, outputs), for x (tasks, points, inputs).

    params: [W1, b1, ...], each with or without a leading task axis. Raises ValueError for another shape of x.
    """
    x = check_points("x", x)
    if x.shape[-1] != params[0].shape[-2]:
        raise ValueError(f"x should have the {params[0].shape[-2]} features that params take, got {x.shape[-1]}")
    return forward(join_layers(params), x, activation)[-1]


def loss(params: list, x: np.ndarray, y: np.ndarray, activation: str = "relu") -> np.ndarray:
    """Each task's mean squared error, (tasks,). y: (tasks, points, outputs); ValueError for another shape."""
    output, y = predict(params, x, activation), check_points("y", y)
    if y.shape != output.shape:
        raise ValueError(f"y should be (tasks, points, outputs), {output.shape}, got {y.shape}")
    return np.mean((output - y) ** 2, axis=(1, 2))


def check_activation(activation: str) -> None:
    """Raise ValueError unless the activation is one of those above."""
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation should be one of {sorted(ACTIVATIONS)}, got {activation!r}")


def forward(layers: list, x: np.ndarray, activation: str) -> tuple[list, list, np.ndarray]:
    """inputs and slopes as in a Trace, and the output, (tasks, points, outputs)."""
    check_activation(activation)
    f, slope, _ = ACTIVATIONS[activation]
    inputs, slopes = [_with_one(x, np.copyto)], []
    z = _times(inputs[0], layers[0])
    for M in layers[1:]:
        inputs.append(_with_one(z, lambda h, z: f(z, h)))
        slopes.append(slope(inputs[-1][..., :-1]))
        z = _times(inputs[-1], M)
    return inputs, slopes, z


def gradient(
    layers: list, x: np.ndarray, y: np.ndarray, activation: str, out: list, weights: np.ndarray | None = None
) -> Trace:
    """Backpropagation: writes each task's gradient into `out`, one matrix per layer and task.

    weights: (tasks,), to have the gradient of w_i L_i instead of L_i.
    """
    inputs, slopes, output = forward(layers, x, activation)
    error = output - y
    points = error[0].size
    delta = (2 / points) * error if weights is None else (2 / points) * weights[:, None, None] * error
    deltas: list[Any] = [None] * len(layers)
    for k in reversed(range(len(layers))):
        deltas[k] = delta
        np.matmul(inputs[k].swapaxes(1, 2), delta, out=out[k])
        if k > 0:
            delta = _times_transposed(delta, layers[k])
            delta *= slopes[k - 1]
    return Trace(inputs, slopes, deltas, np.einsum("tno,tno->t", error, error) / points)


def hessian_vector_product(
    layers: list, vector: list, trace: Trace, activation: str, total: bool = False
) -> list[np.ndarray]:
    """Each task's Hessian times its vector, by the R-operator (Pearlmutter 1994, doi:10.1162/neco.1994.6.1.147).

    R{q} is the derivative of q as the layers M move along the vector V. The product rule takes it through the
    forward pass and then the backward pass, so no Hessian is ever formed.

    layers: where `trace` was made. vector: one matrix per layer and task. Returns matrices like vector; with
    total=True their sum over tasks, which costs less (it needs layers shared by the tasks).
    """
    inputs, slopes, deltas, _ = trace
    last, curvature = len(layers) - 1, ACTIVATIONS[activation].curvature
    r_z = _times(inputs[0], vector[0])
    r_inputs: list[Any] = [None]  # R{x} = 0
    r_slopes: list[Any] = []
    for k in range(1, last + 1):
        r_inputs.append(r_z * slopes[k - 1])
        r_slopes.append(0 if curvature is None else curvature(inputs[k][..., :-1]) * r_z)
        r_z = _times(inputs[k], vector[k])
        r_z += _times(r_inputs[k], layers[k][..., :-1, :])
    r_delta = (2 / r_z[0].size) * r_z
    product: list[Any] = [None] * len(layers)
    for k in reversed(range(last + 1)):
        product[k] = _outer(inputs[k], r_delta, total)
        if k > 0:
            product[k][..., :-1, :] += _outer(r_inputs[k], deltas[k], total)
            r_back = _times_transposed(r_delta, layers[k])
            r_back += _times_transposed(deltas[k], vector[k])
            r_back *= slopes[k - 1]
            if curvature is not None:
                r_back += _times_transposed(deltas[k], layers[k]) * r_slopes[k - 1]
            r_delta = r_back
    return product


def _with_one(z: np.ndarray, fill: Callable) -> np.ndarray:
    """fill(h, z) for all but the last column of h, which is 1: the bias row's input."""
    h = np.empty((*z.shape[:-1], z.shape[-1] + 1))
    fill(h[..., :-1], z)
    h[..., -1] = 1.0
    return h


def _times(h: np.ndarray, M: np.ndarray) -> np.ndarray:
    """h M, for h (tasks, points, inputs). One product over all points where the tasks share M."""
    if M.ndim == 2:
        return (h.reshape(-1, h.shape[-1]) @ M).reshape(*h.shape[:2], -1)
    return h @ M


def _times_transposed(delta: np.ndarray, M: np.ndarray) -> np.ndarray:
    """delta M^T without the bias row, for delta (tasks, points, outputs)."""
    W_T = M[..., :-1, :].swapaxes(-1, -2)
    return delta * W_T if W_T.shape[-2] == 1 else _times(delta, W_T)  # one output: an outer product


def _outer(h: np.ndarray, delta: np.ndarray, total: bool) -> np.ndarray:
    """h^T delta, summed over points, and over tasks as well if total."""
    if total:
        return h.reshape(-1, h.shape[-1]).T @ delta.reshape(-1, delta.shape[-1])
    return h.swapaxes(1, 2) @ delta
