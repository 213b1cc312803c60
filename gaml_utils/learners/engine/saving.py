"""What a saved learner holds, and the names under which Keras finds its functions again."""

import functools
import json
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from gaml_utils.learners.engine.functional import gradient_descent
from gaml_utils.learners.engine.together import TrainedTogether
from gaml_utils.networks.normalisation import PACKAGE
from gaml_utils.weighting.measures import inequality_weights
from gaml_utils.weighting.names import RULES

PLAIN = ("inner_steps", "source", "unrolled", "transductive", "fast")  # settings that are saved as they are
OBJECTS = ("model", "weighting", "inner_rule")  # and those that Keras has to serialise
INNER = ("inner_lr", "inner_steps", "inner_rule", "fast")  # of the inner loop, where there is one
HEAD_ONLY = f"{PACKAGE}>head_only"  # an inner rule that files of version 0.1 name; `fast` has taken its place


RUNNING = {"jit_compile": False, "steps_per_execution": 1, "run_eagerly": False}  # how a compiled learner runs


def register(name: str, rule: Callable) -> None:
    """Make Keras find a rule of the list again: a function by its name, a rule with settings by its class."""
    known = type(rule) if hasattr(rule, "get_config") else rule
    called = getattr(known, "__name__", "weighting")
    called = name.replace(" ", "_") if called == "weighting" else called  # it was made without a name of its own
    if keras.saving.get_registered_object(f"{PACKAGE}>{called}") is None:
        keras.saving.register_keras_serializable(PACKAGE, called)(known)


for _name, _rule in {**RULES, "inequality": inequality_weights(), "gradient descent": gradient_descent}.items():
    if not isinstance(_rule, functools.partial):  # which Keras cannot save
        register(_name, _rule)


def learner_config(learner: keras.Model) -> dict:
    """The settings of a MetaLearner; the model and the functions go into it whole."""
    for name in ("weighting", "inner_rule"):
        warn_unregistered(name, getattr(learner, name))
    objects = {name: keras.saving.serialize_keras_object(getattr(learner, name)) for name in OBJECTS}
    if not learner.has_inner_loop:
        return {name: getattr(learner, name) for name in PLAIN if name not in INNER} | {
            name: objects[name] for name in OBJECTS if name not in INNER
        }
    rates = learner.inner_lr
    rates = [np.asarray(r).tolist() for r in rates] if isinstance(rates, tuple) else rates
    return {name: getattr(learner, name) for name in PLAIN} | {"inner_lr": rates} | objects


def learner_arguments(config: dict, custom_objects: dict | None = None) -> dict:
    """The arguments that learner_config describes; an inner rule of an earlier version becomes what replaced it."""
    head_only = HEAD_ONLY in json.dumps(config.get("inner_rule"))
    if head_only:
        config = config | {"inner_rule": keras.saving.serialize_keras_object(gradient_descent)}
    objects = {name: config[name] for name in OBJECTS if name in config}
    arguments = config | keras.saving.deserialize_keras_object(objects, custom_objects)
    if head_only:  # it moved the last two parameters, kernel and bias of the head
        arguments["fast"] = [v.path for v in arguments["model"].trainable_variables[-2:]]
    return arguments


def warn_unregistered(name: str, function: Callable) -> None:
    """A learner with such a function can be saved, but Keras will not know the function when it loads it."""
    known = type(function) if hasattr(function, "get_config") else function  # a rule with settings is an object
    called = getattr(known, "__name__", None)
    if called is None or keras.saving.get_registered_object(keras.saving.get_registered_name(known)) is not known:
        warnings.warn(
            f"{name} {called or function!r} is not registered with Keras: to load what is being saved, put "
            f"@keras.saving.register_keras_serializable() above it, or give load_model custom_objects",
            stacklevel=3,
        )


class SavedLearner(TrainedTogether):
    """A learner as a keras.Model that is saved whole. EpisodicModel stands on it."""

    compiled_with: dict  # what `compile` was given: loss and metrics

    def get_config(self) -> dict:
        """For saving; the model and the weighting are saved with it."""
        return super().get_config() | learner_config(self)

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "SavedLearner":
        """The learner that get_config describes."""
        return cls(**learner_arguments(config, custom_objects))

    def get_compile_config(self) -> dict | None:
        """For saving: optimiser, loss and metrics, and how the learner runs; None before `compile`."""
        if not self.compiled:
            return None
        saved = {"optimizer": self.optimizer} | self.compiled_with | {name: getattr(self, name) for name in RUNNING}
        return {name: keras.saving.serialize_keras_object(value) for name, value in saved.items()}

    def compile_from_config(self, config: dict) -> None:
        """Compile as it was when saved."""
        self.compile(**{k: keras.saving.deserialize_keras_object(v) for k, v in config.items()})

    def export(self, *args: Any, **kwargs: Any) -> None:
        """Not there: what serves is an adapted model."""
        raise ValueError("export should be called on a model that answers: learner.adapt(x, y).export(...), or model's")
