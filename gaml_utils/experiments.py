"""The long runs behind data/results: python -m gaml_utils.experiments NAME.

A run that is stopped goes on where it was when it is started again. Each finished training is a line in
NAME.partial.jsonl; when all are there they become NAME.json, written whole or not at all.
"""

import argparse
import itertools
import json
import multiprocessing
import os
import pathlib
import platform
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from tqdm.auto import tqdm

RESULTS = pathlib.Path(__file__).resolve().parent.parent / "data" / "results"

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


def sine_numpy_jobs(config: dict, done: dict) -> list[dict]:
    """First the comparison, every rule at every step size; then, at the chosen step sizes, the two controls."""
    jobs = []
    for learner, setting in config["learners"].items():
        for rule, step_size, seed in itertools.product(config["rules"], setting["step_sizes"], config["seeds"]):
            jobs.append({"part": "comparison", "learner": learner, "rule": rule, "step_size": step_size, "seed": seed})
    if not all(key(job) in done for job in jobs):
        return jobs
    controls = []
    for learner, rule in itertools.product(config["learners"], config["rules"]):
        step_size = best_step_size([done[key(job)] for job in jobs], learner, rule)
        job = {"learner": learner, "rule": rule, "step_size": step_size}
        controls += [{"part": "noise", **job, "seed": seed} for seed in config["seeds"]]
        if rule == "uniform":
            controls += [{"part": "other seeds", **job, "seed": seed} for seed in config["control_seeds"]]
    return jobs + controls


def best_step_size(runs: list[dict], learner: str, rule: str) -> float:
    """The step size whose validation loss, averaged over the seeds, is lowest. A diverged run counts as infinite."""
    losses: dict[float, list] = {}
    for run in runs:
        if (run["part"], run["learner"], run["rule"]) == ("comparison", learner, rule):
            loss = run["validation_mse"]
            losses.setdefault(run["step_size"], []).append(np.inf if loss is None else loss)
    return min(losses, key=lambda step_size: np.mean(losses[step_size]))


def sine_numpy_job(config: dict, job: dict) -> dict:
    """Train once and test: mean and median query MSE over fresh tasks after 0, 1, ... inner steps."""
    from gaml_utils import NoiseTasks, SineTasks, agreement_weights, uniform_weights
    from gaml_utils.evaluation import adaptation_curve
    from gaml_utils.mlp import init_mlp
    from gaml_utils.numpy_meta import SGD, Adam, meta_gradient, reptile_direction, train

    s = config["learners"][job["learner"]]
    tasks = NoiseTasks() if job["part"] == "noise" else SineTasks()
    weighting = agreement_weights if job["rule"] == "agreement" else uniform_weights
    direction = partial(
        meta_gradient if job["learner"] == "MAML" else reptile_direction,
        inner_lr=s["inner_lr"], inner_steps=s["inner_steps"], activation=s["activation"], weighting=weighting,
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


EXPERIMENTS = {"sine_numpy": (SINE_NUMPY, sine_numpy_jobs, sine_numpy_job)}


def run(name: str, config: dict | None = None, folder: pathlib.Path = RESULTS, processes: int = 1) -> pathlib.Path:
    """Run the experiment, or what is left of it, and return the path of its results."""
    default, plan, work = EXPERIMENTS[name]
    config = default if config is None else config
    folder.mkdir(parents=True, exist_ok=True)
    partial_file, result_file = folder / f"{name}.partial.jsonl", folder / f"{name}.json"
    done = read_partial(partial_file, config)
    while todo := [job for job in plan(config, done) if key(job) not in done]:
        # one thread a process: the matrices are too small to share, and no two processes should
        os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
        with multiprocessing.get_context("spawn").Pool(processes) as pool, partial_file.open("a") as lines:
            results = pool.imap_unordered(partial(_timed, work, config), todo)
            for result in tqdm(results, total=len(todo), desc=name, unit="run"):
                lines.write(json.dumps(result) + "\n")
                lines.flush()
                os.fsync(lines.fileno())
                done[key(result)] = result
    runs = [done[key(job)] for job in plan(config, done)]
    seconds = sum(r["seconds"] for r in runs)
    write_json(result_file, {
        "experiment": name, "command": f"python -m gaml_utils.experiments {name}", "config": config,
        "versions": versions(), "wall_seconds": round(seconds, 1),
        "runs": [{k: v for k, v in r.items() if k != "seconds"} for r in runs],
    })  # fmt: skip
    partial_file.unlink(missing_ok=True)
    return result_file


def load(name: str, folder: pathlib.Path = RESULTS) -> dict:
    """The stored results of an experiment: config, versions, wall_seconds and runs."""
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def select(runs: list[dict], part: str, learner: str, rule: str, step_size: float, field: str) -> np.ndarray:
    """One field of the runs of one setting, in the order of their seeds: (seeds, ...). NaN where a run diverged."""
    wanted = part, learner, rule, step_size
    rows = [run.get(field) for run in runs if key(run)[:4] == wanted]
    shape = next((np.shape(row) for row in rows if row is not None), ())
    return np.array([np.full(shape, np.nan) if row is None else row for row in rows], dtype=np.float64)


def read_partial(path: pathlib.Path, config: dict) -> dict:
    """The finished runs by key. A line cut short by a kill is dropped; another config's lines are refused."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    header = json.dumps({"config": config}, sort_keys=True)
    if not lines:
        path.write_text(header + "\n", encoding="utf-8")
        return {}
    if lines[0] != header:
        raise ValueError(f"{path.name} was made with another config: finish that run, or delete the file")
    runs = []
    for line in lines[1:]:
        try:
            runs.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    path.write_text("".join(f"{line}\n" for line in [header, *map(json.dumps, runs)]), encoding="utf-8")
    return {key(r): r for r in runs}


def key(job: dict) -> tuple:
    """What tells one run from another."""
    return job["part"], job["learner"], job["rule"], job["step_size"], job["seed"]


def rounded(values: Any) -> Any:
    """Floats to 6 significant digits, as JSON holds them; what is not finite becomes None."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim:
        return [rounded(v) for v in values]
    return float(f"{values:.6g}") if np.isfinite(values) else None


def versions() -> dict[str, str]:
    """Of Python and of what the numbers depend on."""
    import scipy

    return {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}


def write_json(path: pathlib.Path, content: dict) -> None:
    """Whole or not at all: written beside its place, then moved there."""
    beside = path.with_suffix(".tmp")
    beside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    os.replace(beside, path)


def _timed(work: Callable, config: dict, job: dict) -> dict:
    start = time.perf_counter()
    return work(config, job) | {"seconds": round(time.perf_counter() - start, 3)}


def main(arguments: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m gaml_utils.experiments", description=__doc__)
    parser.add_argument("name", choices=EXPERIMENTS)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args(arguments)
    print(run(options.name, processes=options.processes).name)


if __name__ == "__main__":
    main(sys.argv[1:])
