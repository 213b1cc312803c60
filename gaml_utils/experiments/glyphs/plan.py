"""The plan of chapter 08's experiment: classification of characters, uniform weights against agreement.

Three learners, two rules. Every rule is trained at every step size of one list, over the tuning seeds; the size with
the best one-shot accuracy on the validation scripts is then trained over all seeds, and the result read on the test
scripts, with one shot and with five. A task of any learner has 20 images: MAML's support set of 1 and query set of 3
per class, Reptile's support set of 4, of which each inner step sees 5 images: as many as there are at the test, where
batch normalisation must make do with them. `python -m gaml_utils.experiments glyphs` runs it.
"""

import itertools

import numpy as np

from gaml_utils.experiments.trainings import key

GLYPHS = {
    "seeds": [0, 1, 2, 3, 4],
    "tuning_seeds": [0],
    "control_seeds": [100, 101, 102, 103, 104],
    "rules": ["uniform", "agreement"],
    "ways": 5,
    "filters": 32,
    "meta_batch": 8,
    "iterations": 1500,
    "validation_episodes": 300,
    "test_episodes": 600,
    "test_queries": 5,
    "test_shots": [1, 5],
    "test_steps": [5],
    "learners": {
        "MAML": {
            "inner_lr": 0.4,
            "inner_steps": 1,
            "shots": 1,
            "queries": 3,
            "step_sizes": [0.001, 0.003, 0.01],
        },
        "first-order MAML": {
            "inner_lr": 0.4,
            "inner_steps": 1,
            "shots": 1,
            "queries": 3,
            "step_sizes": [0.001, 0.003, 0.01],
        },
        "Reptile": {
            "inner_lr": 0.2,
            "inner_steps": 5,
            "batch_size": 5,
            "shots": 4,
            "queries": 1,
            "step_sizes": [0.0003, 0.001, 0.003, 0.01],
        },
    },
}


def glyph_jobs(config: dict, done: dict) -> list[dict]:
    """First every step size with the tuning seeds; then the other seeds, each rule at its best step size.

    The control is uniform weights on other seeds, at the step size of uniform weights: there must be no difference.
    """
    cells = list(itertools.product(config["learners"], config["rules"]))
    jobs = [
        job(learner, rule, step_size, seed)
        for (learner, rule), seed in itertools.product(cells, config["tuning_seeds"])
        for step_size in config["learners"][learner]["step_sizes"]
    ]
    if not all(key(j) in done for j in jobs):
        return jobs
    others = [seed for seed in config["seeds"] if seed not in config["tuning_seeds"]]
    for learner, rule in cells:
        step_size = tuned_step_size(config, list(done.values()), learner, rule)
        jobs += [job(learner, rule, step_size, seed) for seed in others]
        if rule == "uniform":
            jobs += [job(learner, rule, step_size, seed, "other seeds") for seed in config["control_seeds"]]
    return jobs


def job(learner: str, rule: str, step_size: float, seed: int, part: str = "comparison") -> dict:
    """One training."""
    return {"part": part, "learner": learner, "rule": rule, "step_size": step_size, "seed": seed}


def tuned_step_size(config: dict, runs: list[dict], learner: str, rule: str) -> float:
    """The step size with the best one-shot accuracy on validation, averaged over the tuning seeds."""
    found: dict[float, list] = {}
    for run in runs:
        if (run["learner"], run["rule"]) == (learner, rule) and run["seed"] in config["tuning_seeds"]:
            accuracy = run["validation_accuracy"]
            found.setdefault(run["step_size"], []).append(0.0 if accuracy is None else max(accuracy[0]))
    return max(found, key=lambda step_size: np.mean(found[step_size]))
