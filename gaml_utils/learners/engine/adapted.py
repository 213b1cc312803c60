"""An adapted model as a Keras model of its own: a copy where the copy is the same function, else one that calls it.

A copy is made from the model's config, and a config may leave out what its author did not write there. So the copy
is compared with the model: outputs, state and added losses, in training and in judging.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gaml_utils.learners.engine.functional import Functional
from gaml_utils.learners.engine.variables import ModelVariables

ROUNDING = 1e-5  # relative: the copy's graph may add up in another order


def adapted_model(functional: Functional, theta: list, state: list, x: Any) -> keras.Model:
    """A model with the parameters theta and the moving statistics of this state; x: points, to build it."""
    variables = functional.variables
    theta = variables.as_judged(theta, state)
    kept = [last if m is None else new for m, new, last in zip(variables.momentum, state, variables.other, strict=True)]
    kept = [tf.convert_to_tensor(value) for value in kept]
    copy = None if functional.copies is False else copied(variables.model, x)
    if functional.copies is None:  # looked at once
        functional.copies = copy is not None and is_same(variables, ModelVariables(copy), theta, kept, x)
    if copy is None or not functional.copies:
        return AdaptedModel(variables, theta, kept)
    for variable, value in zip(copy.trainable_variables + copy.non_trainable_variables, theta + kept, strict=True):
        variable.assign(value)
    return copy


def copied(model: keras.Model, x: Any) -> keras.Model | None:
    """A copy made from the model's config; None where there is none."""
    try:
        copy = keras.models.clone_model(model)
        if not copy.built:
            copy(x)
    except Exception:  # a config, or a layer made from it, can fail in any way
        return None
    return copy


def is_same(model: ModelVariables, copy: ModelVariables, theta: list, state: list, x: Any) -> bool:
    """Are they the same function of their variables, in judging and in training?"""
    kinds = [[(v.path.split("/")[-1], v.shape, v.dtype) for v in m.trainable + m.other] for m in (model, copy)]
    if kinds[0] != kinds[1]:
        return False
    try:
        return all(
            same_numbers(*(m.call(theta, x, state, training) for m in (model, copy))) for training in (False, True)
        )
    except Exception:  # nor does every copy run
        return False


def same_numbers(a: Any, b: Any) -> bool:
    """Two nests of tensors: the same numbers, up to rounding."""
    a, b = tf.nest.flatten(a), tf.nest.flatten(b)
    if len(a) != len(b):
        return False
    pairs = [(np.asarray(p, np.float64), np.asarray(q, np.float64)) for p, q in zip(a, b, strict=True)]
    return all(
        p.shape == q.shape and np.abs(p - q).max(initial=0.0) <= ROUNDING * max(np.abs(p).max(initial=0.0), 1e-30)
        for p, q in pairs
    )


class AdaptedModel(keras.Model):
    """The learner's model with variables of its own in the places of its variables.

    It answers, evaluates and trains like any Keras model. It cannot be saved whole, since its config cannot say what
    the model is; its weights can.
    """

    def __init__(self, variables: ModelVariables, theta: list, state: list) -> None:
        super().__init__(name=f"adapted_{variables.model.name}", dtype=variables.trainable[0].dtype)
        values = [(value, True) for value in theta] + [(value, False) for value in state]
        self.own = [
            keras.Variable(value, trainable=trainable, dtype=v.dtype, name=v.name)
            for (value, trainable), v in zip(values, variables.trainable + variables.other, strict=True)
        ]
        self.count, self.function = len(theta), variables  # no layer, so that its variables are not counted as ours
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        """As the learner's model; in training, moving statistics and seeds move on."""
        theta, state = (
            [tf.convert_to_tensor(v) for v in part] for part in (self.own[: self.count], self.own[self.count :])
        )
        outputs, new, added = self.function.call(theta, inputs, state, bool(training))
        for loss in added:
            self.add_loss(loss)
        if training:
            for variable, value in zip(self.own[self.count :], new, strict=True):
                variable.assign(value)
        return outputs

    def get_config(self) -> dict:
        """Raises ValueError: there is no config of the model within that would say what it is."""
        raise ValueError(
            f"{self.function.model.name} has no config that makes it again, so that its adapted model cannot be saved "
            "whole: give the class a get_config, or use save_weights"
        )
