"""One training of chapter 05's experiment is what one gets by hand."""

import copy

import numpy as np
import pytest

from gaml_utils.experiments.sines import training
from gaml_utils.scratch.adaptation import adaptation_curve
from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.scratch.mlp import init_mlp
from gaml_utils.scratch.optimizers import SGD, Adam
from gaml_utils.scratch.reptile import reptile_direction
from gaml_utils.scratch.training import train
from gaml_utils.tasks.regression import NoiseTasks, SineTasks
from gaml_utils.weighting.agreement import agreement_weights, uniform_weights
from tests.support.small_experiment import TINY

# ---------------------------------------------------------------- one run


def by_hand(part, learner, rule, step_size, seed):
    """The parameters that a run should end with, and the tasks it should be judged on."""
    s = TINY["learners"][learner]
    weighting = {"uniform": uniform_weights, "agreement": agreement_weights}[rule]
    tasks = NoiseTasks() if part == "noise" else SineTasks()
    common = dict(inner_lr=s["inner_lr"], inner_steps=s["inner_steps"], activation=s["activation"], weighting=weighting)

    def direction(params, batch):
        return (meta_gradient if learner == "MAML" else reptile_direction)(params, batch, **common)

    params, _ = train(
        init_mlp(np.random.default_rng([seed, 1]), s["sizes"]),
        tasks,
        direction,
        Adam(step_size) if learner == "MAML" else SGD(step_size),
        20,
        meta_batch=3,
        shots=5,
        queries=5,
        seed=seed,
        progress=False,
    )
    return params, tasks


@pytest.mark.parametrize(
    ("part", "learner", "rule"),
    [
        ("comparison", "MAML", "agreement"),
        ("comparison", "Reptile", "uniform"),
        ("noise", "Reptile", "agreement"),
        ("other seeds", "MAML", "uniform"),
    ],
)
def test_run_is_what_training_and_testing_by_hand_give(part, learner, rule):
    s = TINY["learners"][learner]
    job = {"part": part, "learner": learner, "rule": rule, "step_size": s["step_sizes"][1], "seed": 3}
    run = training.sine_numpy_job(TINY, job)
    params, tasks = by_hand(**job)
    test = tasks.sample(np.random.default_rng(2_000), 8, 5, 50)
    curve = adaptation_curve(params, test, s["inner_lr"], s["test_steps"], s["activation"])
    np.testing.assert_allclose(run["test_mse"], curve.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(run["test_median"], np.median(curve, axis=0), rtol=1e-5)
    validation = tasks.sample(np.random.default_rng(1_000), 6, 5, 5)
    curve = adaptation_curve(params, validation, s["inner_lr"], s["selected_after"], s["activation"])
    assert run["validation_mse"] == pytest.approx(curve[:, -1].mean(), rel=1e-5)


@pytest.mark.parametrize("rule", ["uniform", "agreement"])
@pytest.mark.parametrize("step_size", [1e4, 1e6, 1e9])
def test_run_that_diverges_has_no_validation_loss(step_size, rule):
    config = copy.deepcopy(TINY)
    config["learners"]["Reptile"] |= {"activation": "relu", "inner_lr": 0.1}
    job = {"part": "comparison", "learner": "Reptile", "rule": rule, "step_size": step_size, "seed": 0}
    assert training.sine_numpy_job(config, job) == job | {"validation_mse": None}
