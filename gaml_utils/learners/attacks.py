"""Inputs that are attacked: as close to the clean ones as epsilon says, and as bad for a loss as one step makes them.

The fast gradient sign method, Goodfellow, Shlens and Szegedy 2015 (arXiv:1412.6572), section 4. Chapter 13.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from gaml_utils.checks import check_range, is_number

OUTSIDE = "inputs should lie within input_range, where an attack is to keep them: give the range of your data. Found"


def fgsm(loss: Callable[[Any], tf.Tensor], x: Any, epsilon: float, input_range: tuple | None = (0.0, 1.0)) -> Any:
    """x + epsilon sign(grad_x loss), no further than the ends of input_range; a constant for what comes after it.

    loss: x -> (). x: a tensor, or a tuple or dict of them, of which those of floats are attacked. input_range:
    (low, high), what an input can be; None for no such limits. epsilon is in units of x: of pixels from 0 to 1, say.
    Raises ValueError for inputs that are no floats, or out of their range; in a graph, InvalidArgumentError.
    """
    parts = tf.nest.flatten(x)
    floats = [part for part in parts if part.dtype.is_floating]
    if not floats:
        raise ValueError(f"inputs should be floats to be attacked, got {parts[0].dtype.name}")
    with tf.GradientTape() as tape:
        tape.watch(floats)
        value = loss(x)
    found = iter(tape.gradient(value, floats, unconnected_gradients="zero"))
    attacked = [stepped(p, next(found), epsilon, input_range) if p.dtype.is_floating else p for p in parts]
    return tf.nest.pack_sequence_as(x, attacked)


def stepped(x: tf.Tensor, gradient: Any, epsilon: float, input_range: tuple | None) -> tf.Tensor:
    """One tensor after its step."""
    step = tf.constant(epsilon, x.dtype) * tf.sign(gradient)
    if input_range is None:
        return tf.stop_gradient(x + step)
    low, high = (tf.constant(end, x.dtype) for end in input_range)
    if tf.executing_eagerly():
        check_inside(x, input_range)
    inside = tf.reduce_all((x >= low) & (x <= high))
    told = tf.debugging.Assert(inside, [OUTSIDE, tf.reduce_min(x), "to", tf.reduce_max(x)])
    with tf.control_dependencies([] if told is None else [told]):
        moved = tf.clip_by_value(x + step, low, high)
    return tf.stop_gradient(tf.where(inside, moved, tf.fill(tf.shape(x), tf.constant(float("nan"), x.dtype))))


def check_inside(x: tf.Tensor, input_range: tuple | None) -> None:
    """Raise ValueError for inputs, of a tensor that has its values, out of their range. Whole numbers have none."""
    if input_range is None or not x.dtype.is_floating:
        return
    least, most = float(tf.reduce_min(x)), float(tf.reduce_max(x))
    if least < input_range[0] or most > input_range[1]:
        raise ValueError(f"{OUTSIDE} {least:.3g} to {most:.3g}, got {input_range}")


def check_epsilon(name: str, epsilon: Any) -> float:
    """How far an attack goes, a finite number of at least 0; given back."""
    if not (is_number(epsilon) and epsilon >= 0):
        raise ValueError(f"{name} should be a finite number of at least 0, got {epsilon!r}")
    return epsilon


def check_input_range(input_range: Any) -> tuple | None:
    """(low, high) as a tuple of floats, or None."""
    if input_range is None:
        return None
    check_range("input_range", input_range)
    return tuple(map(float, input_range))
