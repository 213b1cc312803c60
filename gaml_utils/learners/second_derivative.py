"""Is a model's second derivative right? Exact MAML needs it, and a layer can get it wrong in silence (chapter 06).

Hessian times vector, by two tapes as exact MAML takes it, against a central difference of the gradient, by one tape.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.learners.engine.checks import check_model, check_tensors
from gaml_utils.learners.engine.functional import Functional, dense
from gaml_utils.records import TaskBatch

TOLERANCE = 1e-3  # relative
STEPS = (0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)  # of the differences, in units of each array's own size
SMALLEST = 1e-2  # what counts as the size of an array of zeros
DRAWS = 3
SURE = 5.0  # a fault is one that exceeds so many times what the differences differ by among themselves


class SecondDerivative(NamedTuple):
    """What check_second_derivative found.

    error: of H v, relative to the larger of its length and that of the difference. noise: what two differences differ
    by, relative likewise. variable: the path of the variable whose part of H v is furthest off.
    """

    error: float
    noise: float
    variable: str

    @property
    def wrong(self) -> bool:
        """Is it wrong by more than 1e-3, and by more than the differences could be?"""
        return self.error > max(TOLERANCE, SURE * self.noise)


def check_second_derivative(model: keras.Model, batch: TaskBatch, loss: Any = "mse") -> SecondDerivative:
    """Hessian times vector of the loss on a task's support set, against a central difference of the gradient.

    model: built, as for MAML. batch: TaskBatch, of which up to three tasks are looked at. loss: as in compile. The
    vector is random, each of its arrays as long as that of the parameters. Where the loss has kinks nearby (ReLU units
    with many points) the differences do not settle: `noise` is large then, and says that nothing can be told; try
    fewer points, or float64. Raises ValueError where TensorFlow has no second derivative at all.

        check_second_derivative(model, batch).wrong       # False: exact MAML is exact
    """
    check_model(model)
    x, y = check_tensors(batch, model.trainable_variables[0].dtype)[:2]
    functional = Functional(model, keras.losses.get(loss))
    return second_derivative(functional, lambda k: tf.nest.map_structure(lambda a: a[k % a.shape[0]], (x, y)))


def second_derivative(functional: Functional, points: Callable[[int], tuple]) -> SecondDerivative:
    """The same for a Functional; points(k): x and y of the task that draw number k looks at, (points, ...).

    A kink at the very parameters would look like a fault. So what is wrong is looked at again, at parameters nearby,
    and counts only if it is wrong in every draw.
    """
    found = []
    for k in range(DRAWS):
        try:
            found.append(at_one_place(functional, points(k), np.random.default_rng(k), nearby=0.1 * k))
        except LookupError as error:  # TensorFlow's word for an operation without a derivative
            raise ValueError(
                f"model should have a second derivative, for exact MAML: use first_order=True. {error}"
            ) from None
        if not found[-1].wrong:
            break
    return found[-1]


def at_one_place(functional: Functional, points: tuple, rng: np.random.Generator, nearby: float) -> SecondDerivative:
    """One draw: a random vector, at parameters that lie `nearby` sizes off."""
    (x, y), variables = points, functional.variables.trainable
    state, values = functional.state(0), [v.numpy() for v in variables]
    sizes = [max(float(np.sqrt(np.mean(np.square(p)))), SMALLEST) for p in values]

    def random_vector() -> list:
        drawn = [s * rng.standard_normal(p.shape) for s, p in zip(sizes, values, strict=True)]
        return [tf.constant(a, p.dtype) for a, p in zip(drawn, values, strict=True)]

    v = random_vector()
    theta = [p + nearby * a for p, a in zip(values, random_vector(), strict=True)]

    def gradient(theta: list) -> list:
        with tf.GradientTape() as tape:
            tape.watch(theta)
            loss, _, _ = functional.loss(theta, x, y, state)
        return [dense(g) for g in tape.gradient(loss, theta, unconnected_gradients="zero")]

    def product(theta: list) -> list:
        with tf.GradientTape() as tape:
            tape.watch(theta)
            along = tf.add_n([tf.reduce_sum(g * a) for g, a in zip(gradient(theta), v, strict=True)])
        return [dense(g) for g in tape.gradient(along, theta, unconnected_gradients="zero")]

    def difference(step: float) -> list[np.ndarray]:
        ends = [gradient([p + sign * step * a for p, a in zip(theta, v, strict=True)]) for sign in (1, -1)]
        return [(p.numpy().astype(np.float64) - q.numpy()) / (2 * step) for p, q in zip(*ends, strict=True)]

    return compared(product(theta), settled(difference), gradient(theta), [v.path for v in variables])


def settled(difference: Callable[[float], list]) -> tuple[list, list]:
    """The two neighbouring differences that differ least, in all arrays together."""
    found = [difference(step) for step in STEPS]
    pairs = list(zip(found[1:], found[:-1], strict=True))
    return min(pairs, key=lambda pair: _length([p - q for p, q in zip(*pair, strict=True)]))


def compared(product: list, differences: tuple[list, list], gradient: list, paths: list[str]) -> SecondDerivative:
    """H v against the differences, array by array; the verdict is that of the array that is furthest off."""
    fine, coarse = differences
    rounding = np.finfo(gradient[0].dtype.name).eps * _length([g.numpy() for g in gradient]) / STEPS[-2]
    found = []
    for h, d, e, path in zip(product, fine, coarse, paths, strict=True):
        scale = max(_length([h.numpy()]), _length([d]), 1e-3 * _length(fine), rounding, 1e-300)
        found.append(SecondDerivative(_length([h.numpy() - d]) / scale, _length([d - e]) / scale, path))
    wrong = [each for each in found if each.wrong]
    return max(wrong or found, key=lambda each: each.error)


def _length(arrays: list) -> float:
    return float(np.sqrt(sum(np.sum(np.square(a, dtype=np.float64)) for a in arrays)))
