"""Chapter 05's experiment, made small, and what its tests run it with."""

import dataclasses
import json
from concurrent.futures import Executor, Future

from gaml_utils.experiments import registry
from gaml_utils.experiments import runner as ex

TINY = {
    "seeds": [0, 1],
    "control_seeds": [100, 101],
    "rules": ["uniform", "agreement"],
    "validation_tasks": 6,
    "test_tasks": 8,
    "learners": {
        "MAML": {
            "sizes": [1, 4, 1],
            "activation": "relu",
            "inner_lr": 0.01,
            "inner_steps": 1,
            "meta_batch": 3,
            "shots": 5,
            "queries": 5,
            "iterations": 20,
            "optimizer": "Adam",
            "step_sizes": [0.001, 0.03],
            "test_steps": 3,
            "selected_after": 1,
        },
        "Reptile": {
            "sizes": [1, 4, 1],
            "activation": "tanh",
            "inner_lr": 0.02,
            "inner_steps": 2,
            "meta_batch": 3,
            "shots": 5,
            "queries": 5,
            "iterations": 20,
            "optimizer": "SGD",
            "step_sizes": [0.1, 1.0],
            "test_steps": 4,
            "selected_after": 2,
        },
    },
}
COMPARISON, NOISE, OTHER = 2 * 2 * 2 * 2, 2 * 2 * 2, 2 * 2  # learners, rules, step sizes, seeds
ALL = COMPARISON + NOISE + OTHER
NAME = "sine_numpy"
THREADS = tuple(ex.ENVIRONMENT)


class Here(Executor):
    """Works in this very process."""

    def __init__(self, processes, mp_context=None, initializer=None):
        self.processes = processes

    def submit(self, function, *arguments):
        future = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as problem:
            future.set_exception(problem)
        return future


def replace_experiment(monkeypatch, **changed):
    """The experiment, with another work or other jobs."""
    monkeypatch.setitem(registry.EXPERIMENTS, NAME, dataclasses.replace(registry.EXPERIMENTS[NAME], **changed))


def apart_from_time(path):
    content = json.loads(path.read_text())
    assert content.pop("wall_seconds") >= 0
    return json.dumps(content)  # as text: the order of keys and runs counts as well


def partial_lines(whole):
    """The partial file of a run that has finished all its jobs, as it was just before its end."""
    runs = [run | {"seconds": 0.01} for run in json.loads(whole.read_text())["runs"]]
    content = json.loads(whole.read_text())
    made = {name: content[name] for name in ("config", "code", "versions")}
    return [json.dumps(made, sort_keys=True), *map(json.dumps, runs)]


def result(job, loss):
    return {"part": "comparison", "learner": "MAML", "rule": "uniform", "seed": 0, "validation_mse": loss} | job
