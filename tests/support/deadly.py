"""Jobs for processes that may die: each does a little, and some end the process that works on them."""

import os
import pathlib
import signal

from gaml_utils.experiments.sines.training import sine_numpy_job


def job(number: int) -> dict:
    return {"part": "comparison", "learner": "MAML", "rule": "uniform", "step_size": 0.1, "seed": number}


def result(job: dict) -> dict:
    return job | {"test_mse": [job["seed"] ** 2], "seconds": 0.0}


def once(folder: str, deadly: tuple, job: dict) -> dict:
    """The result; where the seed is in deadly, the first process that tries is killed."""
    mark = pathlib.Path(folder) / f"tried {job['seed']}"
    if job["seed"] in deadly and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return result(job)


def always(deadly: tuple, job: dict) -> dict:
    """The result; where the seed is in deadly, every process that tries is killed."""
    if job["seed"] in deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    return result(job)


def process(folder: str, job: dict) -> dict:
    """Writes down which process did it."""
    (pathlib.Path(folder) / f"{job['seed']} {os.getpid()}").touch()
    return result(job)


def raising(job: dict) -> dict:
    if job["seed"] == 2:
        raise ValueError("a loss is NaN")
    return result(job)


def sine_once(config: dict, job: dict) -> dict:
    """A training of chapter 05; the first process that begins the one with these is killed."""
    mark = pathlib.Path(os.environ["GAML_DEADLY"])
    if (job["learner"], job["rule"], job["seed"]) == ("MAML", "agreement", 1) and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return sine_numpy_job(config, job)
