"""The experiment behind chapter 05: is gradient agreement better than the plain mean on sines?

Every rule is trained at every step size of one list, over the same seeds. The step size is chosen on validation
tasks, the result read on test tasks. `python -m gaml_utils.experiments sine_numpy` runs it.
"""

import itertools
from functools import partial
from typing import Any

import numpy as np

from gaml_utils.evaluation import adaptation_curve
from gaml_utils.mlp import init_mlp
from gaml_utils.numpy_meta import SGD, Adam, meta_gradient, reptile_direction, train
from gaml_utils.tasks import NoiseTasks, SineTasks
from gaml_utils.weighting import agreement_weights, uniform_weights

SINE_NUMPY = {
    "seeds": list(range(10)),
    "control_seeds": list(range(100, 110)),
    "rules": ["uniform", "agreement"],
    "validation_tasks": 300,
    "test_tasks": 600,
    "learners": {
        "MAML": {
            "sizes": [1, 40, 40, 1], "activation": "relu", "inner_lr": 0.01, "inner_steps": 1,
            "meta_batch": 25, "shots": 10, "queries": 10, "iterations": 6000,
            "optimizer": "Adam", "step_sizes": [0.0003, 0.001, 0.003, 0.01, 0.03],
            "test_steps": 10, "selected_after": 1,
        },
        "Reptile": {
            "sizes": [1, 64, 64, 1], "activation": "tanh", "inner_lr": 0.02, "inner_steps": 5,
            "meta_batch": 10, "shots": 10, "queries": 10, "iterations": 4000,
            "optimizer": "SGD", "step_sizes": [0.03, 0.1, 0.3, 0.5, 1.0, 2.0, 3.0],
            "test_steps": 32, "selected_after": 5,
        },
    },
}  # fmt: skip


# Why is it worse? Three rules that take one thing out of agreement each, for MAML, at the same step sizes and seeds.
SINE_VARIANTS = SINE_NUMPY | {
    "control_seeds": [],
    "rules": ["squared length", "positive part", "15 tasks"],
    "learners": {"MAML": SINE_NUMPY["learners"]["MAML"]},
}


def squared_length_weights(updates: np.ndarray) -> np.ndarray:
    """Only the self term of agreement: w_i = |g_i|^2 / sum_k |g_k|^2. (tasks, parameters) -> (tasks,)."""
    squares = np.einsum("tp,tp->t", updates, updates)
    return squares / squares.sum()


def diagonal_weights(updates: np.ndarray, p: float = -1.0, ridge: float = 0.1) -> np.ndarray:
    """power_weights with K's diagonal alone: lengths count, and what tasks have in common does not. p < 0.

    Scores (|g_i|^2 / mean + ridge)^p, over their sum; uniform if all updates are 0. (tasks, parameters) -> (tasks,).
    """
    squares = np.einsum("tp,tp->t", updates, updates)
    s = (squares / (squares.mean() or 1.0) + ridge) ** p
    return s / s.sum()


def positive_part_weights(updates: np.ndarray) -> np.ndarray:
    """Agreement without negative weights: those are set to 0, and the rest add up to 1 again."""
    w = np.maximum(agreement_weights(updates), 0.0)
    return w / w.sum()


def fifteen_tasks_weights(updates: np.ndarray) -> np.ndarray:
    """The plain mean of the first 15 tasks: as many as agreement effectively listens to."""
    return np.where(np.arange(len(updates)) < 15, 1 / 15, 0.0)


RULES = {
    "uniform": uniform_weights, "agreement": agreement_weights, "squared length": squared_length_weights,
    "positive part": positive_part_weights, "15 tasks": fifteen_tasks_weights,
}  # fmt: skip


def sine_numpy_jobs(config: dict, done: dict) -> list[dict]:
    """First the comparison, every rule at every step size; then, at the chosen step sizes, the two controls."""
    jobs = []
    for learner, setting in config["learners"].items():
        for rule, step_size, seed in itertools.product(config["rules"], setting["step_sizes"], config["seeds"]):
            jobs.append({"part": "comparison", "learner": learner, "rule": rule, "step_size": step_size, "seed": seed})
    if not config["control_seeds"] or not all(key(job) in done for job in jobs):
        return jobs
    controls = []
    for learner, rule in itertools.product(config["learners"], config["rules"]):
        step_size = best_step_size([done[key(job)] for job in jobs], learner, rule)
        job = {"learner": learner, "rule": rule, "step_size": step_size}
        controls += [{"part": "noise", **job, "seed": seed} for seed in config["seeds"]]
        if rule == "uniform":
            controls += [{"part": "other seeds", **job, "seed": seed} for seed in config["control_seeds"]]
    return jobs + controls


def sine_numpy_job(config: dict, job: dict) -> dict:
    """Train once and test: mean and median query MSE over fresh tasks after 0, 1, ... inner steps."""
    s = config["learners"][job["learner"]]
    tasks = NoiseTasks() if job["part"] == "noise" else SineTasks()
    direction = partial(
        meta_gradient if job["learner"] == "MAML" else reptile_direction,
        inner_lr=s["inner_lr"], inner_steps=s["inner_steps"], activation=s["activation"], weighting=RULES[job["rule"]],
    )  # fmt: skip
    optimizer = (Adam if s["optimizer"] == "Adam" else SGD)(job["step_size"])
    params = init_mlp(np.random.default_rng([job["seed"], 1]), s["sizes"])      # the same for every rule
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
    blocks = np.array_split(np.arange(len(history.weights)), 20)                # the training, in 20 stretches
    return job | {
        "validation_mse": rounded(chosen_by),
        "test_mse": rounded(tested.mean(axis=0)),
        "test_median": rounded(np.median(tested, axis=0)),
        "train_query_mse": rounded([history.query_losses[b].mean() for b in blocks]),
        "negative_share": rounded([(history.weights[b] < 0).mean() for b in blocks]),
        "effective_tasks": rounded([(1 / (history.weights[b] ** 2).sum(axis=1)).mean() for b in blocks]),
    }


def best_step_size(runs: list[dict], learner: str, rule: str) -> float:
    """The step size whose validation loss, averaged over the seeds, is lowest. A diverged run counts as infinite."""
    losses: dict[float, list] = {}
    for run in runs:
        if (run["part"], run["learner"], run["rule"]) == ("comparison", learner, rule):
            loss = run["validation_mse"]
            losses.setdefault(run["step_size"], []).append(np.inf if loss is None else loss)
    return min(losses, key=lambda step_size: np.mean(losses[step_size]))


def select(runs: list[dict], part: str, learner: str, rule: str, step_size: float, field: str) -> np.ndarray:
    """One field of the runs of one setting, in the order of their seeds: (seeds, ...). NaN where a run diverged."""
    wanted = part, learner, rule, step_size
    rows = [run.get(field) for run in runs if key(run)[:4] == wanted]
    shape = next((np.shape(row) for row in rows if row is not None), ())
    return np.array([np.full(shape, np.nan) if row is None else row for row in rows], dtype=np.float64)


def key(job: dict) -> tuple:
    """What tells one run from another."""
    return job["part"], job["learner"], job["rule"], job["step_size"], job["seed"]


def rounded(values: Any) -> Any:
    """Floats to 6 significant digits, as JSON holds them; what is not finite becomes None."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim:
        return [rounded(v) for v in values]
    return float(f"{values:.6g}") if np.isfinite(values) else None
