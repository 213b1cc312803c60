"""Plain one-task formulas that the vectorised package is compared with, and small problems to compare on.

The formulas keep complex numbers complex, so a derivative can be taken by a complex step: the imaginary part of
f(theta + i h v) / h is the derivative of f along v, exact to rounding, since nothing is subtracted.
"""

import numpy as np

from gaml_utils.records import TaskBatch
from gaml_utils.scratch.mlp import init_mlp
from gaml_utils.tasks.regression import SineTasks

STEP = 1e-30  # of the complex step; its square is nothing


def relative_error(actual, expected):
    """Norm of the difference over the norm of what is expected, over all arrays together."""
    a, e = flat(actual), flat(expected)
    assert a.shape == e.shape
    return np.linalg.norm(a - e) / np.linalg.norm(e)


def flat(arrays):
    """All entries end to end."""
    return np.concatenate([np.ravel(a) for a in arrays])


def shaped(vector, params):
    """The entries of `vector` as a list of arrays shaped like `params`."""
    ends = np.cumsum([p.size for p in params])[:-1]
    return [part.reshape(p.shape) for part, p in zip(np.split(vector, ends), params, strict=True)]


def of_task(params, i):
    """Task i's copy, out of parameters that carry a task axis."""
    return [p[i] for p in params]


def plain_hidden(z, activation):
    """One hidden layer's output and slope."""
    if activation == "tanh":
        return np.tanh(z), 1 - np.tanh(z) ** 2
    on = np.real(z) > 0
    return z * on, 1.0 * on


def plain_predict(params, x, activation):
    """One task's output, for x (points, inputs)."""
    h = x
    for k in range(0, len(params) - 2, 2):
        h, _ = plain_hidden(h @ params[k] + params[k + 1], activation)
    return h @ params[-2] + params[-1]


def plain_loss(params, x, y, activation):
    """One task's mean squared error."""
    return np.mean((plain_predict(params, x, activation) - y) ** 2)


def plain_gradient(params, x, y, activation):
    """One task's gradient, by backpropagation."""
    inputs, slopes = [x], []
    for k in range(0, len(params) - 2, 2):
        h, slope = plain_hidden(inputs[-1] @ params[k] + params[k + 1], activation)
        inputs.append(h)
        slopes.append(slope)
    error = inputs[-1] @ params[-2] + params[-1] - y
    delta = 2 * error / error.size
    gradient = []
    for layer in reversed(range(len(inputs))):
        gradient = [inputs[layer].T @ delta, delta.sum(0)] + gradient
        if layer > 0:
            delta = delta @ params[2 * layer].T * slopes[layer - 1]
    return gradient


def plain_hessian_times(params, vector, x, y, activation):
    """One task's Hessian times a vector, by a complex step of the gradient."""
    moved = [p + 1j * STEP * v for p, v in zip(params, vector, strict=True)]
    return [np.imag(g) / STEP for g in plain_gradient(moved, x, y, activation)]


def plain_adapt(params, x, y, inner_lr, steps, activation):
    """One task's inner loop: where it was before each step, and where it ends."""
    path = [params]
    for _ in range(steps):
        gradient = plain_gradient(path[-1], x, y, activation)
        path.append([p - inner_lr * g for p, g in zip(path[-1], gradient, strict=True)])
    return path[:-1], path[-1]


def plain_updates(params, batch, inner_lr, steps, activation):
    """theta - theta'_i of every task, (tasks, parameters)."""
    tasks = zip(batch.support_x, batch.support_y, strict=True)
    ends = [plain_adapt(params, x, y, inner_lr, steps, activation)[1] for x, y in tasks]
    return np.array([flat(params) - flat(end) for end in ends])


def plain_meta_gradient(params, batch, inner_lr, steps, first_order, activation, weights):
    """The outer gradient, one task after the other."""
    total = np.zeros(flat(params).size)
    for i in range(len(weights)):
        support, query = (batch.support_x[i], batch.support_y[i]), (batch.query_x[i], batch.query_y[i])
        path, end = plain_adapt(params, *support, inner_lr, steps, activation)
        v = plain_gradient(end, *query, activation)
        for before in [] if first_order else reversed(path):
            Hv = plain_hessian_times(before, v, *support, activation)
            v = [a - inner_lr * b for a, b in zip(v, Hv, strict=True)]
        total += weights[i] * flat(v)
    return shaped(total, params)


def outer_objective(params, batch, inner_lr, steps, activation, weights):
    """sum_i w_i L_i(theta'_i), on the query sets."""
    losses = []
    for sx, sy, qx, qy in zip(*batch, strict=True):
        _, end = plain_adapt(params, sx, sy, inner_lr, steps, activation)
        losses.append(plain_loss(end, qx, qy, activation))
    return np.dot(weights, losses)


def central_differences(function, params, h):
    """Gradient of function(params), every coordinate moved by h both ways."""
    theta = flat(params)
    gradient = np.empty_like(theta)
    for k in range(theta.size):
        step = np.zeros_like(theta)
        step[k] = h
        up, down = function(shaped(theta + step, params)), function(shaped(theta - step, params))
        gradient[k] = (up - down) / (2 * h)
    return shaped(gradient, params)


def random_params(rng, sizes):
    """Like init_mlp, with biases that are not zero, so that a forgotten bias shows."""
    return [p if p.ndim == 2 else rng.normal(0.0, 0.5, p.shape) for p in init_mlp(rng, sizes)]


def sine_problem(seed, tasks=3, sizes=(1, 6, 5, 1), shots=5, queries=4):
    """Parameters and a small meta-batch of sines."""
    rng = np.random.default_rng(seed)
    return random_params(rng, sizes), SineTasks().sample(rng, tasks, shots, queries)


def wide_problem(seed, tasks=3, sizes=(2, 5, 4, 3), shots=5, queries=4):
    """Parameters and a meta-batch with several inputs and outputs, both of them plain noise."""
    rng = np.random.default_rng(seed)
    draw = [rng.normal(size=(tasks, n, sizes[k])) for n in (shots, queries) for k in (0, -1)]
    return random_params(rng, sizes), TaskBatch(*draw)


def copies(arrays):
    """A copy of each array."""
    return [np.array(a) for a in arrays]


def same(arrays, others):
    """Whether all arrays are equal, NaN counted as equal to NaN."""
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(arrays, others, strict=True))
