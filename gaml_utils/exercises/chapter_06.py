"""Exercises of chapter 06: second derivatives by two tapes, and the check that they need.

TensorFlow is imported inside the functions, so that the other chapters start without it. Losses take tensors as
well as arrays; theta, v and the points of a task come as NumPy arrays.
"""

import numpy as np

from gaml_utils.exercises.compare import Exercise

_rng = np.random.default_rng(6)

# ---------------------------------------------------------------- 6.1: a Hessian times a vector, by two tapes


def _cubic(theta):
    return theta[0] ** 3 + theta[0] ** 2 * theta[1] - 2 * theta[1] * theta[2] + theta[2] ** 4


def _wavy(theta):
    import tensorflow as tf

    return tf.reduce_sum(tf.sin(theta)) * tf.reduce_sum(theta**2)


_vector_cases = [(loss, _rng.normal(size=3), _rng.normal(size=3)) for loss in (_cubic, _wavy)]


def _gradient_and_hessian(loss, theta):
    import tensorflow as tf

    theta = tf.constant(theta)
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(theta)
        with tf.GradientTape() as inner:
            inner.watch(theta)
            value = loss(theta)
        gradient = inner.gradient(value, theta)
        entries = tf.unstack(gradient)
    return gradient.numpy(), np.array([outer.gradient(entry, theta) for entry in entries])


def _of_both(formula):
    return lambda loss, theta, v: formula(*_gradient_and_hessian(loss, theta), v)


# ---------------------------------------------------------------- 6.2: repair an outer gradient


def _task_loss(theta, x, y):
    import tensorflow as tf

    return tf.reduce_mean((tf.tanh(tf.linalg.matvec(x, theta)) - y) ** 2)


def _draw(points):
    return _rng.normal(size=(points, 3)), _rng.normal(size=points)


_repair_cases = [(_task_loss, _rng.normal(size=3), (*_draw(6), *_draw(5)), 0.3, steps) for steps in (1, 3)]


def _outer(loss, theta, task, inner_lr, steps, at_theta=False, detached=False):
    """Two tapes; at_theta and detached are the two bugs of the exercise."""
    import tensorflow as tf

    support_x, support_y, query_x, query_y = task
    theta = adapted = tf.constant(theta)
    with tf.GradientTape() as outer:
        outer.watch(theta)
        for _ in range(steps):
            at = theta if at_theta else adapted
            with tf.GradientTape() as inner:
                inner.watch(at)
                support_loss = loss(at, support_x, support_y)
            gradient = inner.gradient(support_loss, at)
            adapted = adapted - inner_lr * (tf.stop_gradient(gradient) if detached else gradient)
        query_loss = loss(adapted, query_x, query_y)
    return outer.gradient(query_loss, theta).numpy()


def _outer_on(order, loss, theta, task, inner_lr, steps):
    return _outer(loss, theta, [task[k] for k in order], inner_lr, steps)


# ---------------------------------------------------------------- 6.3: a check that tells right from wrong

_a = np.array([1.5, -0.7, 0.0, 2.0])
_theta = np.array([0.3, -1.1, 0.8, 0.5])


def _objective(theta):
    return np.sum(_a * np.sin(theta)) + _a[0] * theta[0] * theta[3]


_right_gradient = _a * np.cos(_theta) + _a[0] * np.array([_theta[3], 0.0, 0.0, _theta[0]])
_one_wrong = _right_gradient + np.array([0.0, 0.0, 0.0, 3e-4])
_one_left_out = np.where(np.arange(4) == 1, 0.0, _right_gradient)
_candidates = [
    _right_gradient,
    -_right_gradient,
    2 * _right_gradient,
    _right_gradient[::-1],
    _one_wrong,
    _one_left_out,
    0 * _right_gradient,
]
_check_cases = [(lambda t, c=c: c * _objective(t), _theta, c * g) for c in (1.0, 1e-9, 1e6) for g in _candidates]
_check_cases.append((lambda t: np.sum(t**3), _theta, 3 * _theta**2))  # no entry is 0 in this one


def _differences(f, theta, h=1e-5):
    steps = h * np.eye(len(theta))
    return np.array([(f(theta + e) - f(theta - e)) / (2 * h) for e in steps])


def _length(vector):
    return np.linalg.norm(vector)


def _is_gradient(f, theta, g, tolerance=1e-6):
    measured = _differences(f, theta)
    return _length(g - measured) < tolerance * _length(measured)


def _same_direction(f, theta, g):
    measured = _differences(f, theta)
    return 1 - measured @ g / _length(measured) / _length(g) < 1e-6


def _same_length(f, theta, g):
    measured = _differences(f, theta)
    return abs(_length(measured) - _length(g)) < 1e-6 * _length(measured)


def _entry_by_entry(f, theta, g):
    measured = _differences(f, theta)
    return np.all(np.abs(g - measured) / np.abs(measured) < 1e-6)


# ---------------------------------------------------------------- 6.4: the second derivative of the variance


def _centring(n):
    return np.eye(n) - np.ones((n, n)) / n


_points = [(_rng.normal(size=n),) for n in (2, 5)]

EXERCISES = {
    "6.1": Exercise(
        _of_both(lambda g, H, v: H @ v),
        cases=_vector_cases,
        mistakes={
            "that is the gradient itself; differentiate it once more.": _of_both(lambda g, H, v: g),
            "that is the gradient times v; the gradient has to be differentiated once more.": _of_both(
                lambda g, H, v: g * v
            ),
            "that is the inner product of gradient and v; its gradient is what you want.": _of_both(
                lambda g, H, v: g @ v
            ),
            "that is the whole Hessian, without v.": _of_both(lambda g, H, v: H),
            "that is H times ones: a tape asked for the gradient of a vector gives that of its sum. Where does v come in?": _of_both(
                lambda g, H, v: H.sum(axis=0)
            ),
            "that is H times ones, and then times v entry by entry; v has to come in before the outer tape differentiates.": _of_both(
                lambda g, H, v: H.sum(axis=0) * v
            ),
            "only the diagonal of the Hessian is in there.": _of_both(lambda g, H, v: np.diag(H) * v),
            "that is v times H times v, one number; leave the last product out.": _of_both(lambda g, H, v: v @ H @ v),
            "the sum is one too many: Hv is a vector, one entry per parameter.": _of_both(
                lambda g, H, v: (H @ v).sum()
            ),
        },
        tolerance=1e-5,
    ),
    "6.2": Exercise(
        _outer,
        cases=_repair_cases,
        mistakes={
            "that still has both bugs.": lambda *case: _outer(*case, at_theta=True, detached=True),
            "one repaired. The other: every inner step takes its gradient at theta; from the second step on it should be "
            "taken at the adapted parameters.": lambda *case: _outer(*case, at_theta=True),
            "one repaired. The other: that is the first-order gradient, because the outer tape does not see the inner "
            "gradient.": lambda *case: _outer(*case, detached=True),
            "that adapts to the query set and judges on the support set.": lambda *case: _outer_on((2, 3, 0, 1), *case),
            "that judges on the support set; the outer loss is the query set's.": lambda *case: _outer_on(
                (0, 1, 0, 1), *case
            ),
            "that adapts to the query set, which the inner loop must not see.": lambda *case: _outer_on(
                (2, 3, 2, 3), *case
            ),
            "that takes one inner step, whatever `steps` says.": lambda *case: _outer(*case[:4], 1),
            "the inner step goes uphill: subtract inner_lr times the gradient.": lambda loss, theta, task, inner_lr, steps: (
                _outer(loss, theta, task, -inner_lr, steps)
            ),
            "that is the query gradient at theta, without any inner step.": lambda *case: _outer(*case[:4], 0),
        },
        tolerance=1e-4,
    ),
    "6.3": Exercise(
        _is_gradient,
        cases=_check_cases,
        mistakes={
            "it accepts every gradient, wrong ones as well.": lambda f, theta, g: True,
            "it rejects every gradient, right ones as well. Are the differences central, is h neither large nor tiny, "
            "and does each entry go back to its old value?": lambda f, theta, g: False,
            "right and wrong have changed places.": lambda *case: not _is_gradient(*case),
            "an absolute tolerance accepts any small gradient and rejects large ones; divide by the length.": lambda f, theta, g: (
                _length(g - _differences(f, theta)) < 1e-6
            ),
            "np.allclose adds an absolute tolerance of 1e-8, so it accepts any gradient smaller than that.": lambda f, theta, g: (
                np.allclose(g, _differences(f, theta), rtol=1e-6)
            ),
            "it compares directions only: a gradient of twice the length passes.": _same_direction,
            "it compares lengths only: a gradient that points elsewhere passes.": _same_length,
            "that tolerance is too loose: an error of a hundredth of a percent passes.": lambda *case: _is_gradient(
                *case, tolerance=1e-3
            ),
            "one entry of the gradient is 0, and a relative error entry by entry is 0/0 there; compare whole vectors.": _entry_by_entry,
        },
    ),
    "6.4": Exercise(
        lambda x: 2 / len(x) * _centring(len(x)),
        cases=_points,
        mistakes={
            "that is what tf.nn.moments gives: the mean moves with x as well.": lambda x: 2 / len(x) * np.eye(len(x)),
            "here the variance divides by n, not by n - 1.": lambda x: 2 / (len(x) - 1) * _centring(len(x)),
            "a factor 2 is missing: it comes from the square.": lambda x: _centring(len(x)) / len(x),
            "a factor 1/n is missing: the variance is a mean.": lambda x: 2 * _centring(len(x)),
            "the sign of the part that comes from the mean is wrong; each row should add up to 0.": lambda x: (
                2 / len(x) * (2 * np.eye(len(x)) - _centring(len(x)))
            ),
            "that is the gradient; the Hessian is one derivative further.": lambda x: 2 / len(x) * (x - x.mean()),
            "that is the diagonal alone; the other entries are not 0.": lambda x: np.diag(
                2 / len(x) * _centring(len(x))
            ),
        },
    ),
}
