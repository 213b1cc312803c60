"""One training of the study on numbers, in NumPy."""

from functools import partial
from typing import Any

import numpy as np

from gaml_utils.checks import known
from gaml_utils.experiments.records import Config, Job, Run
from gaml_utils.experiments.study.measures import error_summary, weight_record, weighting_of
from gaml_utils.experiments.trainings import rounded
from gaml_utils.scratch.adaptation import adaptation_curve
from gaml_utils.scratch.mlp import init_mlp
from gaml_utils.scratch.names import DIRECTIONS
from gaml_utils.scratch.optimizers import OPTIMIZERS
from gaml_utils.scratch.training import train
from gaml_utils.tasks.mixtures import Mixture
from gaml_utils.tasks.regression import LineTasks, NoiseTasks, SineTasks

SINES = SineTasks()
OTHERS = {  # who the share of a setting comes from
    "sines": SINES,
    "shifted phase": SineTasks(phase=(np.pi, 2 * np.pi)),  # y -> -y: gradients as long as the family's
    "noise": NoiseTasks(std=5.0),  # gradients several times as long
    "quiet noise": NoiseTasks(std=0.3),  # gradients shorter than the family's
    "two modes": LineTasks(),
}


def sine_tasks(family: str, share: float) -> tuple[Any, Any]:
    """(training tasks, tasks of validation and test). Outliers are in training alone; two modes are in both."""
    if family == "nothing to learn":
        return NoiseTasks(), NoiseTasks()
    mixed = Mixture(SINES, known("family", family, OTHERS), share)
    return mixed, mixed if family == "two modes" else SINES


def sine_job(config: Config, job: Job) -> Run:
    """MAML, first-order MAML or Reptile in NumPy, on numbers. Errors are query MSE after the inner loop."""
    setting = known("part", job["part"], config["settings"])
    s = known("learner", job["learner"], config["learners"]["sines"])
    weighting, source = weighting_of(job["rule"])
    direction = partial(
        known("learner", job["learner"], DIRECTIONS),
        weighting=weighting,
        source=source,
        **{name: s[name] for name in ("inner_lr", "inner_steps", "activation")},
    )
    training, testing = sine_tasks(setting["family"], setting["share"])
    params = init_mlp(np.random.default_rng([job["seed"], 1]), s["sizes"])  # the same for every rule
    try:
        params, history = train(
            params,
            training,
            direction,
            known("optimizer", s["optimizer"], OPTIMIZERS)(job["step_size"]),
            s["iterations"],
            meta_batch=setting["meta_batch"],
            shots=config["shots"],
            queries=config["queries"],
            seed=job["seed"],
            progress=False,
        )
    except FloatingPointError:
        return {"validation_error": None}

    def errors(seed: int, tasks: int, queries: int) -> np.ndarray:
        batch = testing.sample(np.random.default_rng(seed), tasks, config["shots"], queries)
        with np.errstate(over="ignore", invalid="ignore"):
            return adaptation_curve(params, batch, s["inner_lr"], s["inner_steps"], s["activation"])[:, -1]

    validation = errors(1_000, config["validation_tasks"]["sines"], config["queries"])
    tested = error_summary(errors(2_000, config["test_tasks"]["sines"], config["test_queries"]["sines"]))
    others = round(setting["share"] * setting["meta_batch"])
    return {"validation_error": rounded(validation.mean())} | tested | weight_record(history.weights, others)
