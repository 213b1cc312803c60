"""The plan of chapter 05's experiment: is gradient agreement better than the plain mean on sines?

Every rule is trained at every step size of one list, over the same seeds. The step size is chosen on validation
tasks, the result read on test tasks. `python -m gaml_utils.experiments sine_numpy` runs it.
"""

import itertools

from gaml_utils.experiments.records import Config, Job, Run, job, key
from gaml_utils.experiments.trainings import all_done, best_step_size

SINE_NUMPY: Config = {
    "seeds": list(range(10)),
    "control_seeds": list(range(100, 110)),
    "rules": ["uniform", "agreement"],
    "validation_tasks": 300,
    "test_tasks": 600,
    "learners": {
        "MAML": {
            "sizes": [1, 40, 40, 1],
            "activation": "relu",
            "inner_lr": 0.01,
            "inner_steps": 1,
            "meta_batch": 25,
            "shots": 10,
            "queries": 10,
            "iterations": 6000,
            "optimizer": "Adam",
            "step_sizes": [0.0003, 0.001, 0.003, 0.01, 0.03],
            "test_steps": 10,
            "selected_after": 1,
        },
        "Reptile": {
            "sizes": [1, 64, 64, 1],
            "activation": "tanh",
            "inner_lr": 0.02,
            "inner_steps": 5,
            "meta_batch": 10,
            "shots": 10,
            "queries": 10,
            "iterations": 4000,
            "optimizer": "SGD",
            "step_sizes": [0.03, 0.1, 0.3, 0.5, 1.0, 2.0, 3.0],
            "test_steps": 32,
            "selected_after": 5,
        },
    },
}


# Why is it worse? Three rules that take one thing out of agreement each, for MAML, at the same step sizes and seeds.
SINE_VARIANTS: Config = SINE_NUMPY | {
    "control_seeds": [],
    "rules": ["squared length", "positive part", "15 tasks"],
    "learners": {"MAML": SINE_NUMPY["learners"]["MAML"]},
}


def sine_numpy_jobs(config: Config, done: dict[tuple, Run]) -> list[Job]:
    """First the comparison, every rule at every step size; then, at the chosen step sizes, the two controls."""
    jobs = [
        job("comparison", learner, rule, step_size, seed)
        for learner, settings in config["learners"].items()
        for rule, step_size, seed in itertools.product(config["rules"], settings["step_sizes"], config["seeds"])
    ]
    if not config["control_seeds"] or not all_done(jobs, done):
        return jobs
    runs = [done[key(j)] for j in jobs]
    controls = []
    for learner, rule in itertools.product(config["learners"], config["rules"]):
        step_size = best_step_size(runs, learner, rule)
        controls += [job("noise", learner, rule, step_size, seed) for seed in config["seeds"]]
        if rule == "uniform":
            controls += [job("other seeds", learner, rule, step_size, seed) for seed in config["control_seeds"]]
    return jobs + controls
