"""The official Omniglot challenge for learners without an inner loop (chapter 15): what is trained. No TensorFlow here.

Tasks, schedule and outer steps are those of plan.py. A temperature and an outer step size are chosen on the alphabet
that chapter 09 held out, from lists of one length for each learner; a list whose end wins is extended. Then the 400
trials, once for each training.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from gaml_utils.experiments.learners.plan import OUTER_SIZES, extended
from gaml_utils.experiments.omniglot.plan import OMNIGLOT
from gaml_utils.experiments.records import Job, Run, job, key
from gaml_utils.experiments.trainings import all_done

TUNING = "tuning"  # the part of trainings on all alphabets of small1 but the one held out
TEMPERATURES = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0]  # to extend to

OMNIGLOT_COMPARING: Any = {
    "seeds": OMNIGLOT["seeds"],
    "tuning_seeds": [200, 201],
    "training_sets": list(OMNIGLOT["training_sets"]),
    "held_out": "Korean",
    "validation_episodes": 100,
    "tuning_iterations": 500,
    "strides": [2, 2, 2, 1],
    "step_sizes": [0.001, 0.003, 0.01],
    "learners": {
        "prototypical": {"temperatures": [100.0, 300.0, 1000.0]},
        "relation": {"temperatures": [0.3, 1.0, 3.0]},
    },
    **{name: OMNIGLOT[name] for name in ("ways", "filters", "meta_batch", "queries", "iterations", "warmup")},
}


def comparing_jobs(config: Any, done: dict[tuple, Run]) -> list[Job]:
    """The trainings that choose, as far as they are known, and for each learner whose choice is made, the tested."""
    jobs: list[Job] = []
    for name in config["learners"]:
        for stage in stages(config, name, done):
            jobs += [j for j in stage if j not in jobs]
            if not all_done(stage, done):
                break
    return jobs


def stages(config: Any, name: str, done: dict[tuple, Run]) -> Iterator[list[Job]]:
    """The trainings of a learner, stage after stage; a stage is known when those before it are done."""
    temperatures, sizes = config["learners"][name]["temperatures"], config["step_sizes"]
    while True:
        grid = list(itertools.product(temperatures, sizes))
        yield [j for pair in grid for j in tuning(config, name, *pair)]
        best = min(grid, key=lambda pair: error(config, name, done, *pair))
        longer = extended(temperatures, [best[0]], TEMPERATURES), extended(sizes, [best[1]], OUTER_SIZES)
        if longer == (temperatures, sizes):
            break
        temperatures, sizes = longer
    parts = [part_of(training_set, best[0]) for training_set in config["training_sets"]]
    yield [job(part, name, "uniform", best[1], seed) for part in parts for seed in config["seeds"]]


def tuning(config: Any, name: str, temperature: float, step_size: float) -> list[Job]:
    """One pair of sizes, over the tuning seeds."""
    part = part_of(TUNING, temperature)
    return [job(part, name, "uniform", step_size, seed) for seed in config["tuning_seeds"]]


def error(config: Any, name: str, done: dict[tuple, Run], temperature: float, step_size: float) -> float:
    """The mean error of such a pair on the held-out alphabet, %."""
    runs = [done[key(j)] for j in tuning(config, name, temperature, step_size)]
    return float(np.mean([run["validation_error"] for run in runs]))


def part_of(trained_on: str, temperature: float) -> str:
    """A training's part: what it is trained on, and its temperature."""
    return f"{trained_on}, temperature {temperature:g}"
