"""A Keras model and a loss as functions of explicit parameters. Derived in chapter 06.

Parameters are explicit lists of tensors: theta goes in, the adapted theta'_i comes out, and the model's own variables
are never written to.
"""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from gaml_utils.networks.inspection import leaves
from gaml_utils.records import TaskBatch


def gradient_descent(theta: list, gradient: list, inner_lr: float) -> list:
    """The inner rule of MAML and Reptile: theta - inner_lr * gradient."""
    return [p - inner_lr * g for p, g in zip(theta, gradient, strict=True)]


class Functional:
    """A Keras model and a loss as functions of (parameters, x): nothing in it is changed by a call.

    In training a layer sees the batch it is given: batch normalisation uses the statistics of that batch.
    """

    def __init__(self, model: keras.Model, loss: Callable, inner_rule: Callable = gradient_descent) -> None:
        self.model, self.loss_function, self.inner_rule = model, loss, inner_rule
        moving = {}
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

    def loss(self, theta: list, x: tf.Tensor, y: tf.Tensor, state: list) -> tuple[tf.Tensor, tf.Tensor, list]:
        """The mean loss over the points of one task, the outputs, and the new state."""
        prediction, state = self.predict(theta, x, state)
        return tf.reduce_mean(self.loss_function(y, prediction)), prediction, state

    def adapt(
        self,
        theta: list,
        x: tf.Tensor,
        y: tf.Tensor,
        state: list,
        inner_lr: float,
        steps: int,
        order: tf.Tensor | None = None,
    ) -> tuple[list, list]:
        """theta' after gradient steps on the support set, and the state; order: (steps, points), minibatches."""
        for k in range(steps):
            points = (x, y) if order is None else (tf.gather(x, order[k]), tf.gather(y, order[k]))
            with tf.GradientTape() as tape:
                tape.watch(theta)
                loss, _, state = self.loss(theta, *points, state)
            gradient = tape.gradient(loss, theta, unconnected_gradients="zero")
            theta = self.inner_rule(theta, [dense(g) for g in gradient], inner_lr)
        return theta, state

    def statistics(self, theta: list, x: tf.Tensor, state: list) -> list:
        """The state whose moving statistics are those of the batch x itself."""
        _, after = self.predict(theta, x, state)
        return [
            old if m is None else (new - m * old) / (1 - m)
            for m, old, new in zip(self.momentum, state, after, strict=True)
        ]

    def judge(self, theta: list, task: TaskBatch, state: list, transductive: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Query loss and outputs of adapted parameters, normalised by the support set (or by the query set)."""
        state = self.statistics(theta, task[2] if transductive else task[0], state)
        prediction, _ = self.predict(theta, task[2], state, training=False)
        return tf.reduce_mean(self.loss_function(task[3], prediction)), prediction

    def copy_with(self, theta: list, support_x: tf.Tensor) -> keras.Model:
        """A copy of the model with these parameters and the statistics of this support set."""
        copy = keras.models.clone_model(self.model)
        if not copy.built:
            copy(support_x)
        copy.set_weights(self.model.get_weights())
        for variable, value in zip(copy.trainable_variables, theta, strict=True):
            variable.assign(value)
        state = self.statistics(theta, support_x, self.state(0)) if any(m is not None for m in self.momentum) else []
        for variable, momentum, value in zip(copy.non_trainable_variables, self.momentum, state, strict=False):
            if momentum is not None:
                variable.assign(value)
        return copy


def dense(gradient: Any) -> tf.Tensor:
    """An embedding's sparse gradient as a tensor; any other as it is."""
    return tf.convert_to_tensor(gradient)
