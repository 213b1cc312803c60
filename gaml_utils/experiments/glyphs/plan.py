"""The plan of chapter 08's experiment: classification of characters, uniform weights against agreement.

Three learners, two rules. Every rule is trained at every step size of one list, over the tuning seeds; the size with
the best one-shot accuracy on the validation scripts is then trained over all seeds, and the result read on the test
scripts, with one shot and with five. A task of any learner has 20 images: MAML's support set of 1 and query set of 3
per class, Reptile's support set of 4, of which each inner step sees 5 images: as many as there are at the test, where
batch normalisation must make do with them. `python -m gaml_utils.experiments glyphs` runs it.
"""

import itertools
from collections.abc import Sequence

from gaml_utils.experiments.records import Config, Job, Run, job
from gaml_utils.experiments.trainings import all_done, best_step_size

GLYPHS: Config = {
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


def glyph_jobs(config: Config, done: dict[tuple, Run]) -> list[Job]:
    """First every step size with the tuning seeds; then the other seeds, each rule at its best step size.

    The control is uniform weights on other seeds, at the step size of uniform weights: there must be no difference.
    """
    cells = list(itertools.product(config["learners"], config["rules"]))
    jobs = [
        job("comparison", learner, rule, step_size, seed)
        for (learner, rule), seed in itertools.product(cells, config["tuning_seeds"])
        for step_size in config["learners"][learner]["step_sizes"]
    ]
    if not all_done(jobs, done):
        return jobs
    others = [seed for seed in config["seeds"] if seed not in config["tuning_seeds"]]
    for learner, rule in cells:
        step_size = tuned_step_size(config, list(done.values()), learner, rule)
        jobs += [job("comparison", learner, rule, step_size, seed) for seed in others]
        if rule == "uniform":
            jobs += [job("other seeds", learner, rule, step_size, seed) for seed in config["control_seeds"]]
    return jobs


def tuned_step_size(config: Config, runs: Sequence[Run], learner: str, rule: str) -> float:
    """The step size with the best one-shot accuracy on validation, averaged over the tuning seeds."""

    def error(run: Run) -> float | None:
        accuracy = run["validation_accuracy"]  # (one shot, test steps)
        return None if accuracy is None else 1 - max(accuracy[0])

    return best_step_size(runs, learner, rule, seeds=config["tuning_seeds"], error=error)
