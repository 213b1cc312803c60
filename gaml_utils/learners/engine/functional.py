"""A Keras model and a loss as functions of explicit parameters. Derived in chapter 06.

Parameters are explicit lists of tensors: theta goes in, the adapted theta'_i comes out, and the model's own variables
are never written to.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

import keras
import tensorflow as tf

from gaml_utils.learners.engine.losses import PointLosses
from gaml_utils.learners.engine.variables import ModelVariables


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
    Regularisers and what layers add by add_loss are part of the loss, as in Keras.
    fast: the places, in the model's trainable variables, of what the inner loop moves; all by default.
    """

    def __init__(
        self,
        model: keras.Model,
        loss: Callable,
        inner_rule: Callable = gradient_descent,
        fast: list[int] | None = None,
    ) -> None:
        self.model, self.inner_rule = model, inner_rule
        self.point_losses = PointLosses(loss, model.trainable_variables[0].dtype)
        self.fast = list(range(len(model.trainable_variables))) if fast is None else fast
        self.variables = ModelVariables(model)
        self.momentum = self.variables.momentum
        self.copies: bool | None = None  # are copies of the model the same function? None: see engine.adapted
        self.added: list[list] = []  # where the losses that layers add are collected, innermost last

    def state(self, step: Any, task: Any = 0) -> list:
        """The non-trainable state a step starts from; random layers draw anew at each step, and for each task."""
        return self.variables.state(step, task)

    def predict(self, theta: list, x: Any, state: list, training: bool = True) -> tuple[tf.Tensor, list]:
        """The outputs and the new non-trainable state (moving statistics, seeds)."""
        if not training:
            theta = self.variables.as_judged(theta, state)
        outputs, new, added = self.variables.call(theta, x, state, training)
        if self.added:
            self.added[-1] += added
        return outputs, new

    def loss(
        self, theta: list, x: Any, y: Any, state: list, training: bool = True
    ) -> tuple[tf.Tensor, tf.Tensor, list]:
        """The mean loss over the points of one task, (), penalties and added losses included; outputs, new state."""
        with self.adding_losses() as added:
            prediction, new = self.predict(theta, x, state, training)
        return self.mean_loss(y, prediction, added), prediction, new

    @contextlib.contextmanager
    def adding_losses(self) -> Iterator[list]:
        """Within it, the losses that the model's layers add are collected in the list: pass it to `mean_loss`."""
        self.added.append([])
        try:
            yield self.added[-1]
        finally:
            self.added.pop()

    def mean_loss(self, y: Any, prediction: tf.Tensor, added: list | None = None) -> tf.Tensor:
        """The mean loss over the points of one task, (), and the added losses. y: an array, or a Weighted."""
        loss = self.point_losses.mean(y, prediction)
        return tf.add_n([loss, *(tf.cast(a, loss.dtype) for a in added)]) if added else loss

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
        x: Any,
        y: Any,
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
            seen, labels = (x, y) if isinstance(order, tuple) else chosen((x, y), order[k])
            moved = self.moved(theta)
            with tf.GradientTape() as tape:
                tape.watch(moved)
                loss, _, state = self.loss(self.with_moved(theta, moved), seen, labels, state)
            gradient = [dense(g) for g in tape.gradient(loss, moved, unconnected_gradients="zero")]
            if first_order:
                gradient = [tf.stop_gradient(g) for g in gradient]
            theta = self.with_moved(theta, self.inner_rule(moved, gradient, inner_lr))
        return theta, state

    def statistics(self, theta: list, x: Any, state: list, after: list | None = None) -> list:
        """The state `after` (`state` if not given), its moving statistics being those of the batch x itself."""
        after = state if after is None else after
        if all(m is None for m in self.momentum):
            return after
        _, seen = self.predict(theta, x, state)
        return self.own_statistics(state, seen, after)

    def own_statistics(self, state: list, seen: list, after: list) -> list:
        """The state `after` with the moving statistics of one batch itself: the one that made `seen` of `state`."""
        parts = zip(self.momentum, state, seen, after, strict=True)
        return [last if m is None else (new - m * old) / (1 - m) for m, old, new, last in parts]


def chosen(arrays: Any, points: tf.Tensor) -> Any:
    """These points of a nest of arrays (points, ...)."""
    return tf.nest.map_structure(lambda a: tf.gather(a, points), arrays)


def dense(gradient: Any) -> tf.Tensor:
    """An embedding's sparse gradient as a tensor; any other as it is."""
    return tf.convert_to_tensor(gradient)
