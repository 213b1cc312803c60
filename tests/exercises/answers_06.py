"""Answers to the exercises of chapter 06: right ones in TensorFlow and in NumPy, classic mistakes, other wrong ones."""

import numpy as np
import tensorflow as tf

# ---------------------------------------------------------------- pieces that the answers below share


def number(value):
    return float(np.asarray(value))


def differences(f, theta, h=1e-5):
    result = np.zeros(len(theta))
    for k in range(len(theta)):
        up, down = theta.copy(), theta.copy()
        up[k] += h
        down[k] -= h
        result[k] = (number(f(up)) - number(f(down))) / (2 * h)
    return result


def along(f, theta, v, h=1e-4):
    return (f(theta + h * v) - f(theta - h * v)) / (2 * h)


def by_output_gradients(loss, theta, v):
    theta, v = tf.constant(theta), tf.constant(v)
    with tf.GradientTape() as outer:
        outer.watch(theta)
        with tf.GradientTape() as inner:
            inner.watch(theta)
            value = loss(theta)
        gradient = inner.gradient(value, theta)
    return outer.gradient(gradient, theta, output_gradients=v)


def by_inner_product(loss, theta, v, product=lambda g, v: tf.reduce_sum(g * v)):
    theta = tf.Variable(theta)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            value = loss(theta)
        target = product(inner.gradient(value, theta), v)
    return outer.gradient(target, theta)


def one_gradient(loss, theta, *args):
    theta = tf.constant(theta)
    with tf.GradientTape() as tape:
        tape.watch(theta)
        value = loss(theta, *args)
    return tape.gradient(value, theta)


def hessian(loss, theta):
    return np.array([along(lambda t: one_gradient(loss, t).numpy(), theta, e) for e in np.eye(len(theta))])


def repaired(loss, theta, task, inner_lr, steps):
    support_x, support_y, query_x, query_y = task
    theta = adapted = tf.constant(theta)
    with tf.GradientTape() as outer:
        outer.watch(theta)
        for _ in range(steps):
            with tf.GradientTape() as inner:
                inner.watch(adapted)
                support_loss = loss(adapted, support_x, support_y)
            adapted = adapted - inner_lr * inner.gradient(support_loss, adapted)
        query_loss = loss(adapted, query_x, query_y)
    return outer.gradient(query_loss, theta)


def suspect(loss, theta, task, inner_lr, steps):
    """As the chapter prints it."""
    support_x, support_y, query_x, query_y = task
    theta = adapted = tf.constant(theta)
    with tf.GradientTape() as outer:
        outer.watch(theta)
        for _ in range(steps):
            with tf.GradientTape() as inner:
                inner.watch(theta)
                support_loss = loss(theta, support_x, support_y)
            with outer.stop_recording():
                gradient = inner.gradient(support_loss, theta)
            adapted = adapted - inner_lr * gradient
        query_loss = loss(adapted, query_x, query_y)
    return outer.gradient(query_loss, theta)


def still_at_theta(loss, theta, task, inner_lr, steps):
    theta = tf.constant(theta)
    with tf.GradientTape() as outer:
        outer.watch(theta)
        adapted = theta - steps * inner_lr * one_gradient(loss, theta, *task[:2])
        query_loss = loss(adapted, *task[2:])
    return outer.gradient(query_loss, theta)


def adapt(loss, theta, points, inner_lr, steps):
    for _ in range(steps):
        theta = theta - inner_lr * one_gradient(loss, theta, *points).numpy()
    return theta


def by_differences(loss, theta, task, inner_lr, steps):
    return differences(lambda t: loss(adapt(loss, t, task[:2], inner_lr, steps), *task[2:]), theta)


def first_order(loss, theta, task, inner_lr, steps):
    return one_gradient(loss, adapt(loss, theta, task[:2], inner_lr, steps), *task[2:])


def right_within(tolerance, h=1e-5):
    def is_gradient(objective, theta, gradient):
        measured = differences(objective, theta, h)
        return np.linalg.norm(measured - gradient) <= tolerance * np.linalg.norm(gradient)

    return is_gradient


def in_place(objective, theta, gradient, h=1e-6):
    measured = np.zeros_like(theta)
    for k in range(theta.size):
        theta[k] += h
        measured[k] = objective(theta)
        theta[k] -= 2 * h
        measured[k] = (measured[k] - objective(theta)) / (2 * h)
        theta[k] += h
    return bool(np.sum((measured - gradient) ** 2) < 1e-12 * np.sum(measured**2))


def cosine(a, b):
    return a @ b / np.sqrt((a @ a) * (b @ b))


def variance_hessian_by(variance):
    def answer(x):
        x = tf.constant(x)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                v = variance(x)
            gradient = inner.gradient(v, x)
        return outer.jacobian(gradient, x)

    return answer


def entries(diagonal, rest):
    def answer(x):
        n = len(x)
        return [[diagonal(n) if i == j else rest(n) for j in range(n)] for i in range(n)]

    return answer


# ---------------------------------------------------------------- right, wrong with a hint, wrong

RIGHT = {
    "6.1": [
        by_output_gradients,
        by_inner_product,
        lambda loss, theta, v: along(lambda t: one_gradient(loss, t).numpy(), theta, v),
        lambda loss, theta, v: along(lambda t: differences(loss, t, 1e-4), theta, v),
        lambda loss, theta, v: (hessian(loss, theta) @ v).tolist(),
    ],
    "6.2": [repaired, by_differences],
    "6.3": [right_within(1e-6), right_within(1e-5), right_within(1e-6, h=1e-4), in_place],
    "6.4": [
        variance_hessian_by(tf.math.reduce_variance),
        variance_hessian_by(lambda x: tf.reduce_mean((x - tf.reduce_mean(x)) ** 2)),
        entries(lambda n: 2 / n - 2 / n**2, lambda n: -2 / n**2),
        lambda x: np.array([along(lambda t: differences(np.var, t, 1e-3), x, e, 1e-3) for e in np.eye(len(x))]),
    ],
}

WRONG = {
    "6.1": [
        ("gradient itself", lambda loss, theta, v: one_gradient(loss, theta)),
        ("gradient times v", lambda loss, theta, v: one_gradient(loss, theta) * v),
        ("inner product of gradient and v", lambda loss, theta, v: np.dot(one_gradient(loss, theta), v)),
        ("whole Hessian", lambda loss, theta, v: hessian(loss, theta)),
        ("gradient of a vector gives that of its sum", lambda *case: by_inner_product(*case, lambda g, v: g)),
        ("entry by entry", lambda *case: by_inner_product(*case, lambda g, v: g) * case[2]),
        ("diagonal", lambda loss, theta, v: np.diag(hessian(loss, theta)) * v),
        ("v times H times v", lambda loss, theta, v: v @ hessian(loss, theta) @ v),
        ("one too many", lambda *case: tf.reduce_sum(by_output_gradients(*case))),
    ],
    "6.2": [
        ("still has both bugs", suspect),
        ("at the adapted parameters", still_at_theta),
        ("first-order gradient", first_order),
        (
            "adapts to the query set and judges on the support",
            lambda loss, theta, task, lr, steps: repaired(loss, theta, task[2:] + task[:2], lr, steps),
        ),
        (
            "judges on the support set;",
            lambda loss, theta, task, lr, steps: repaired(loss, theta, task[:2] + task[:2], lr, steps),
        ),
        ("must not see", lambda loss, theta, task, lr, steps: repaired(loss, theta, task[2:] + task[2:], lr, steps)),
        ("one inner step", lambda loss, theta, task, lr, steps: repaired(loss, theta, task, lr, 1)),
        ("uphill", lambda loss, theta, task, lr, steps: repaired(loss, theta, task, -lr, steps)),
        ("without any inner step", lambda loss, theta, task, lr, steps: one_gradient(loss, theta, *task[2:])),
    ],
    "6.3": [
        ("accepts every gradient", lambda f, theta, g: 1),
        (
            "rejects every gradient",
            lambda f, theta, g: bool(np.linalg.norm((f(theta + 1e-3) - f(theta)) / 1e-3 - g) < 1e-9),
        ),
        ("changed places", lambda *case: not right_within(1e-6)(*case)),
        ("divide by the length", lambda f, theta, g: max(abs(differences(f, theta) - g)) < 1e-6),
        ("np.allclose", lambda f, theta, g: np.allclose(differences(f, theta), g)),
        ("directions only", lambda f, theta, g: cosine(differences(f, theta), g) > 1 - 1e-6),
        (
            "lengths only",
            lambda f, theta, g: bool(
                np.isclose(np.linalg.norm(differences(f, theta)), np.linalg.norm(g), rtol=1e-6, atol=0)
            ),
        ),
        ("too loose", right_within(0.01)),
        ("0/0", lambda f, theta, g: np.all(abs(differences(f, theta) / g - 1) < 1e-6)),
    ],
    "6.4": [
        ("tf.nn.moments", variance_hessian_by(lambda x: tf.nn.moments(x, [0])[1])),
        ("n - 1", entries(lambda n: 2 / n, lambda n: -2 / (n * (n - 1)))),
        ("factor 2", entries(lambda n: (n - 1) / n**2, lambda n: -1 / n**2)),
        ("factor 1/n", entries(lambda n: 2 - 2 / n, lambda n: -2 / n)),
        ("sign", entries(lambda n: 2 / n + 2 / n**2, lambda n: 2 / n**2)),
        ("that is the gradient", lambda x: differences(np.var, x)),
        ("diagonal alone", lambda x: 2 / len(x) * (1 - 1 / len(x)) * np.ones(len(x))),
    ],
}

ALSO_WRONG = {
    "6.1": [lambda loss, theta, v: -by_output_gradients(loss, theta, v), lambda loss, theta, v: [None] * 3],
    "6.2": [lambda *case: 2 * repaired(*case), lambda loss, theta, task, lr, steps: [None, None, None]],
    "6.3": [lambda f, theta, g: "yes", lambda f, theta, g: f(theta) > 0],
    "6.4": [lambda x: np.zeros((len(x), len(x))), lambda x: np.cov(x)],
}
