"""One training of chapter 05's experiment."""

from functools import partial

import numpy as np

from gaml_utils.checks import known
from gaml_utils.experiments.records import Config, Job, Run
from gaml_utils.experiments.trainings import rounded
from gaml_utils.scratch.adaptation import adaptation_curve
from gaml_utils.scratch.mlp import init_mlp
from gaml_utils.scratch.names import DIRECTIONS
from gaml_utils.scratch.optimizers import OPTIMIZERS
from gaml_utils.scratch.training import train
from gaml_utils.tasks.regression import NoiseTasks, SineTasks
from gaml_utils.weighting.names import RULES

BLOCKS = 20  # that a training is recorded in
PARTS = {"comparison": SineTasks, "noise": NoiseTasks, "other seeds": SineTasks}  # what each part asks


def sine_numpy_job(config: Config, job: Job) -> Run:
    """Train once and test: mean and median query MSE over fresh tasks after 0, 1, ... inner steps."""
    s = known("learner", job["learner"], config["learners"])
    tasks = known("part", job["part"], PARTS)()
    direction = partial(
        known("learner", job["learner"], DIRECTIONS),
        inner_lr=s["inner_lr"],
        inner_steps=s["inner_steps"],
        activation=s["activation"],
        weighting=known("rule", job["rule"], RULES),
    )
    optimizer = known("optimizer", s["optimizer"], OPTIMIZERS)(job["step_size"])
    params = init_mlp(np.random.default_rng([job["seed"], 1]), s["sizes"])  # the same for every rule
    sizes = {name: s[name] for name in ("meta_batch", "shots", "queries")}
    try:
        params, history = train(
            params, tasks, direction, optimizer, s["iterations"], seed=job["seed"], progress=False, **sizes
        )
    except FloatingPointError:
        return job | {"validation_mse": None}
    curve = partial(adaptation_curve, params, inner_lr=s["inner_lr"], activation=s["activation"])
    validation = tasks.sample(np.random.default_rng(1_000), config["validation_tasks"], s["shots"], s["queries"])
    test = tasks.sample(np.random.default_rng(2_000), config["test_tasks"], s["shots"], 50)
    with np.errstate(over="ignore", invalid="ignore"):
        chosen_by = curve(batch=validation, steps=s["selected_after"])[:, -1].mean()
        tested = curve(batch=test, steps=s["test_steps"])
    blocks = np.array_split(np.arange(len(history.weights)), BLOCKS)
    return job | {
        "validation_mse": rounded(chosen_by),
        "test_mse": rounded(tested.mean(axis=0)),
        "test_median": rounded(np.median(tested, axis=0)),
        "train_query_mse": rounded([history.query_losses[b].mean() for b in blocks]),
        "negative_share": rounded([(history.weights[b] < 0).mean() for b in blocks]),
        "effective_tasks": rounded([(1 / (history.weights[b] ** 2).sum(axis=1)).mean() for b in blocks]),
    }
