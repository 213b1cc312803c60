"""A Keras model and a loss as functions of explicit parameters. Derived in chapter 06.

Parameters are explicit lists of tensors: theta goes in, the adapted theta'_i comes out, and the model's own variables
are never written to.
"""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import keras
import tensorflow as tf

from gaml_utils.networks.inspection import leaves


def gradient_descent(theta: list, gradient: list, inner_lr: Any) -> list:
    """The inner rule of MAML and Reptile: theta - inner_lr * gradient.

    inner_lr: a number, or a list like theta of numbers or tensors, one step size for each of its arrays.
    """
    rates = inner_lr if isinstance(inner_lr, list | tuple) else [inner_lr] * len(theta)
    return [p - rate * g for p, rate, g in zip(theta, rates, gradient, strict=True)]


def matching(variables: list, patterns: str | Sequence[str] | None) -> list[int]:
    """Places of the variables whose path matches one of the patterns (fnmatch), in order; None matches all.

    Raises ValueError, with the paths there are, for a pattern that matches none.
    """
    if patterns is None:
        return list(range(len(variables)))
    patterns = [patterns] if isinstance(patterns, str) else patterns
    paths = [v.path for v in variables]
    if not isinstance(patterns, list | tuple) or not patterns or not all(isinstance(p, str) for p in patterns):
        raise ValueError(f"fast should be a pattern or a list of patterns of variable paths, got {patterns!r}")
    for pattern in patterns:
        if not any(fnmatchcase(path, pattern) for path in paths):
            raise ValueError(f"fast should match trainable variables: {pattern!r} matches none of {', '.join(paths)}")
    return [k for k, path in enumerate(paths) if any(fnmatchcase(path, pattern) for pattern in patterns)]


class Functional:
    """A Keras model and a loss as functions of (parameters, x): nothing in it is changed by a call.

    In training a layer sees the batch it is given: batch normalisation uses the statistics of that batch.
    fast: the places, in the model's trainable variables, of what the inner loop moves; all by default.
    """

    def __init__(
        self,
        model: keras.Model,
        loss: Callable,
        inner_rule: Callable = gradient_descent,
        fast: list[int] | None = None,
    ) -> None:
        self.model, self.loss_function, self.inner_rule = model, loss, inner_rule
        self.fast = list(range(len(model.trainable_variables))) if fast is None else fast
        moving: dict[int, float] = {}
        for layer in leaves(model):
            if isinstance(layer, keras.layers.BatchNormalization):
                moving |= {id(v): layer.momentum for v in (layer.moving_mean, layer.moving_variance)}
        self.momentum = [moving.get(id(v)) for v in model.non_trainable_variables]

    def state(self, step: Any) -> list:
        """The non-trainable state a step starts from; random layers draw anew at each step."""
        values = []
        for v in self.model.non_trainable_variables:
            value = tf.convert_to_tensor(v)
            is_seed = v.path.endswith("seed_generator_state")
            if is_seed:
                step = tf.cast(tf.convert_to_tensor(step), value.dtype)
                value = value + tf.stack([step, tf.zeros_like(step)])  # the second counts draws within a step
            values.append(value)
        return values

    def predict(self, theta: list, x: tf.Tensor, state: list, training: bool = True) -> tuple[tf.Tensor, list]:
        """The outputs and the new non-trainable state (moving statistics, seeds)."""
        return self.model.stateless_call(theta, state, x, training=training)

    def mean_loss(self, y: tf.Tensor, prediction: tf.Tensor) -> tf.Tensor:
        """The mean loss over the points of one task, ()."""
        return tf.reduce_mean(self.loss_function(y, prediction))

    def moved(self, theta: list) -> list:
        """What the inner loop moves of a list like theta."""
        return [theta[k] for k in self.fast]

    def with_moved(self, theta: list, moved: list) -> list:
        """theta with these in the places of what the inner loop moves."""
        new = dict(zip(self.fast, moved, strict=True))
        return [new.get(k, p) for k, p in enumerate(theta)]

    def adapt(
        self,
        theta: list,
        x: tf.Tensor,
        y: tf.Tensor,
        state: list,
        inner_lr: Any,
        steps: int,
        order: Any = (),
        first_order: bool = False,
    ) -> tuple[list, list]:
        """theta' after gradient steps on the support set, and the state.

        order: (steps, points), which points each step sees; () for all. first_order: the steps' gradients count as
        constants, so that no second derivative is taken through them.
        """
        for k in range(steps):
            points = (x, y) if isinstance(order, tuple) else (tf.gather(x, order[k]), tf.gather(y, order[k]))
            moved = self.moved(theta)
            with tf.GradientTape() as tape:
                tape.watch(moved)
                prediction, state = self.predict(self.with_moved(theta, moved), points[0], state)
                loss = self.mean_loss(points[1], prediction)
            gradient = [dense(g) for g in tape.gradient(loss, moved, unconnected_gradients="zero")]
            if first_order:
                gradient = [tf.stop_gradient(g) for g in gradient]
            theta = self.with_moved(theta, self.inner_rule(moved, gradient, inner_lr))
        return theta, state

    def statistics(self, theta: list, x: tf.Tensor, state: list, after: list | None = None) -> list:
        """The state `after` (`state` if not given), its moving statistics being those of the batch x itself."""
        after = state if after is None else after
        if all(m is None for m in self.momentum):
            return after
        _, seen = self.predict(theta, x, state)
        parts = zip(self.momentum, state, seen, after, strict=True)
        return [last if m is None else (new - m * old) / (1 - m) for m, old, new, last in parts]

    def copy_with(self, theta: list, state: list, x: tf.Tensor) -> keras.Model:
        """A copy of the model with these parameters and the moving statistics of this state; x: points, to build it."""
        copy = keras.models.clone_model(self.model)
        if not copy.built:
            copy(x)
        copy.set_weights(self.model.get_weights())
        for variable, value in zip(copy.trainable_variables, theta, strict=True):
            variable.assign(value)
        for variable, momentum, value in zip(copy.non_trainable_variables, self.momentum, state, strict=True):
            if momentum is not None:
                variable.assign(value)
        return copy


def dense(gradient: Any) -> tf.Tensor:
    """An embedding's sparse gradient as a tensor; any other as it is."""
    return tf.convert_to_tensor(gradient)
