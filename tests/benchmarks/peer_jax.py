"""JAX's contenders: all tasks by vmap, or one after the other; one outer step a call, or several."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from peer_problems import BLOCKS, EPSILON, Contender, Problem, repeat

from gaml_utils.records import TaskBatch


def network(problem: Problem, theta: list, x: jax.Array) -> jax.Array:
    """Outputs of one task's points."""
    if not problem.conv:
        for W, b in zip(theta[:-2:2], theta[1:-2:2], strict=True):
            x = jax.nn.relu(x @ W + b)
        return x @ theta[-2] + theta[-1]
    pool = problem.family == "pool"
    for k in range(0, 3 * BLOCKS, 3):
        strides, layout = ((1, 1) if pool else (2, 2)), ("NHWC", "HWIO", "NHWC")
        x = lax.conv_general_dilated(x, theta[k], strides, "SAME", dimension_numbers=layout)
        mean = x.mean((0, 1, 2))
        variance = jnp.square(x - mean).mean((0, 1, 2))
        x = jax.nn.relu((x - mean) * (lax.rsqrt(variance + EPSILON) * theta[k + 1]) + theta[k + 2])
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID") if pool else x
    return x.reshape(len(x), -1) @ theta[-2] + theta[-1]


def loss(problem: Problem, theta: list, x: jax.Array, y: jax.Array) -> jax.Array:
    """Mean squared error, or cross entropy."""
    out = network(problem, theta, x)
    if problem.conv:
        return -jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], 1).mean()
    return jnp.square(out - y).mean()


def task_loss(problem: Problem) -> Callable:
    """The query loss of one task after its inner loop, as a function of (theta, task)."""

    def query_loss(theta: list, task: tuple) -> jax.Array:
        for _ in range(problem.steps):
            g = jax.grad(loss, 1)(problem, theta, *task[:2])
            theta = [p - problem.inner_lr * q for p, q in zip(theta, g, strict=True)]
        return loss(problem, theta, *task[2:])

    return query_loss


def task_gradient(problem: Problem) -> Callable:
    """The meta-gradient of one task, as a function of (theta, task)."""
    return jax.grad(task_loss(problem))


def by_mean(problem: Problem) -> Callable:
    """The gradient of the tasks' mean loss: parameters that all tasks share get one product instead of one each."""
    every = jax.vmap(task_loss(problem), (None, 0))
    return jax.grad(lambda theta, batch: every(theta, batch).mean())


def by_vmap(problem: Problem) -> Callable:
    """The meta-gradient, all tasks at once."""
    every = jax.vmap(task_gradient(problem), (None, 0))
    return lambda theta, batch: [g.mean(0) for g in every(theta, batch)]


def by_loop(problem: Problem) -> Callable:
    """The meta-gradient, the tasks unrolled."""
    one = task_gradient(problem)

    def gradient(theta: list, batch: tuple) -> list:
        each = [one(theta, [part[i] for part in batch]) for i in range(problem.tasks)]
        return [sum(parts) / problem.tasks for parts in zip(*each, strict=True)]

    return gradient


def outer_step(problem: Problem, gradient: Callable) -> Callable:
    """(state, batch) -> state by Adam; for the check, a plain step of size 1. state: theta, mean, square, count."""

    def step(state: tuple, batch: tuple) -> tuple:
        theta, mean, square, count = state
        g = gradient(theta, batch)
        if problem.check:
            return [p - q for p, q in zip(theta, g, strict=True)], mean, square, count
        mean = [0.9 * m + 0.1 * q for m, q in zip(mean, g, strict=True)]
        square = [0.999 * s + 0.001 * q * q for s, q in zip(square, g, strict=True)]
        count = count + 1
        rate = 1e-3 * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        theta = [p - rate * m / (jnp.sqrt(s) + 1e-7) for p, m, s in zip(theta, mean, square, strict=True)]
        return theta, mean, square, count

    return step


def contender(problem: Problem, gradient: Callable, several: bool = False) -> Contender:
    """The outer step compiled, or a compiled loop of several."""
    jax.config.update("jax_enable_x64", problem.check)
    theta = [jnp.asarray(p) for p in problem.theta()]
    zeros = [jnp.zeros_like(p) for p in theta]
    state = [(theta, zeros, zeros, jnp.zeros((), theta[0].dtype))]
    step = outer_step(problem, gradient(problem))
    batches = [tuple(jnp.asarray(a) for a in batch) for batch in problem.batches()]
    if several:
        batches = [tuple(jnp.stack(parts[: problem.several]) for parts in zip(*batches, strict=True))]
        compiled = jax.jit(lambda s, stack: lax.scan(lambda c, batch: (step(c, batch), None), s, stack)[0])
    else:
        compiled = jax.jit(step)

    def call(batch: TaskBatch) -> None:
        state[0] = jax.block_until_ready(compiled(state[0], batch))

    per_call = problem.several if several else 1
    return Contender(repeat(call, batches), lambda: [np.asarray(p) for p in state[0][0]], per_call)


def vmap(problem: Problem) -> Contender:
    """jit(vmap(grad)), a step a call."""
    return contender(problem, by_vmap)


def vmap_several(problem: Problem) -> Contender:
    """jit(vmap(grad)), several steps a call."""
    return contender(problem, by_vmap, several=True)


def mean(problem: Problem) -> Contender:
    """jit(grad(mean of vmap)), a step a call."""
    return contender(problem, by_mean)


def mean_several(problem: Problem) -> Contender:
    """jit(grad(mean of vmap)), several steps a call."""
    return contender(problem, by_mean, several=True)


def loop(problem: Problem) -> Contender:
    """The tasks unrolled, a step a call."""
    return contender(problem, by_loop)
