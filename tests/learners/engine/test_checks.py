"""Bad input to the learners is refused by name."""

import functools

import keras
import numpy as np
import pytest

from gaml_utils.learners.maml import MAML
from gaml_utils.learners.reptile import Reptile
from tests.support.keras_learners import broken, build, fit, shared
from tests.support.keras_models import (
    as_data,
    batch_for,
    float64,
    functional,
)


def two_inputs():
    x = [keras.Input((2,)), keras.Input((2,))]
    return keras.Model(x, keras.layers.Dense(1)(keras.layers.Add()(x)))


def mixed(inner=False):
    policy = keras.layers.Dense(1, dtype="mixed_float16")
    return keras.Sequential([keras.Input((2,)), keras.Sequential([policy]) if inner else policy])


def without_variables():
    return keras.Sequential([keras.Input((2,)), keras.layers.Flatten()])


def float32_input():
    with float64():
        return functional(keras.layers.Dense(1), dtype="float32")


@functools.cache
def plain():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


BAD = {
    "not a model": (lambda: MAML(3), "model should be a keras.Model"),
    "a layer": (lambda: MAML(keras.layers.Dense(1)), "model should be a keras.Model"),
    "unbuilt": (lambda: MAML(keras.Sequential([keras.layers.Dense(1)])), "model should be built"),
    "no variables": (lambda: MAML(without_variables()), "model should be built and have trainable variables"),
    "mixed precision": (lambda: MAML(mixed()), "model should compute in the dtype"),
    "mixed precision inside": (lambda: MAML(mixed(True)), "model should compute in the dtype"),
    "float32 Input": (lambda: MAML(float32_input()), "model should have an Input of dtype float64"),
    **{
        f"inner_lr {v!r}": (lambda v=v: MAML(plain(), v), "inner_lr should be a finite number above 0")
        for v in (0, -0.1, np.nan, np.inf, "0.1", None)
    },
    **{
        f"inner_steps {v!r}": (lambda v=v: Reptile(plain(), 0.1, v), "inner_steps should be a whole number")
        for v in (0, -1, 1.0, True, None)
    },
    "weighting": (lambda: MAML(plain(), weighting="agreement"), "weighting should be a function"),
    "source": (
        lambda: MAML(plain(), source="inner"),
        "source should be one of .*'losses', got 'inner'",
    ),
    "source, Reptile": (
        lambda: Reptile(plain(), source=None),
        "source should be one of .*'losses', got None",
    ),
    "inner_rule": (lambda: MAML(plain(), inner_rule=3), "inner_rule should be a function"),
    **{
        f"batch_size {v!r}": (lambda v=v: Reptile(plain(), batch_size=v), "batch_size should be a whole number")
        for v in (0, 1.5, True)
    },
    "batch_size above the shots": (
        lambda: build("dense", Reptile, batch_size=6).meta_gradient(batch_for("dense")),
        "batch_size should be a whole number from 1 to 5 .the shots.",
    ),
    "meta_gradient before compile": (lambda: MAML(plain()).meta_gradient(batch_for("dense")), "compile"),
    "adapt before compile": (lambda: MAML(plain()).adapt(np.ones((2, 2)), np.ones((2, 1))), "compile"),
    "fit before compile": (lambda: MAML(plain()).fit(as_data(batch_for("dense")), steps_per_epoch=1), "compile"),
    "adapt: steps": (lambda: shared("dense").adapt(np.ones((2, 2)), np.ones((2, 1)), -1), "steps should be a whole"),
    "adapt: half a step": (lambda: shared("dense").adapt(np.ones((2, 2)), np.ones((2, 1)), 0.5), "steps should be"),
    "adapt: points": (lambda: shared("dense").adapt(np.ones((2, 2)), np.ones((3, 1))), "support_y should hold"),
    "adapt: no points": (lambda: shared("dense").adapt(np.ones((0, 2)), np.ones((0, 1))), "support_x should be"),
    "adapt: a number": (lambda: shared("dense").adapt(3.0, 3.0), "support_x should be"),
    "adapt: NaN": (lambda: shared("dense").adapt(np.full((2, 2), np.nan), np.ones((2, 1))), "support_x should hold"),
    "not a batch": (lambda: shared("dense").meta_gradient(3), "batch should be a TaskBatch"),
    "NaN": (lambda: shared("dense").meta_gradient(broken(query_x=np.nan)), "query_x should hold finite"),
    "tasks": (
        lambda: shared("dense").meta_gradient(batch_for("dense")._replace(query_x=np.ones((2, 4, 2)))),
        "query_x holds 2 tasks",
    ),
    "points in fit": (
        lambda: fit(build("dense"), as_data(batch_for("dense")._replace(query_y=np.ones((3, 5, 1))))),
        "query_y should hold the 4 points",
    ),
    "no TaskBatch in fit": (
        lambda: fit(build("dense"), as_data(batch_for("dense")).map(lambda b: tuple(b)[:2])),
        "batch",
    ),
    "weights of a wrong shape": (
        lambda: build("dense", weighting=lambda g: g).meta_gradient(batch_for("dense")),
        "weighting",
    ),
    "features of x": (
        lambda: shared("dense").meta_gradient(batch_for("dense")._replace(support_x=np.ones((3, 5, 7)))),
        "expected .*shape",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case):
    call, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        call()
