"""The plan of chapter 09's experiment: the official Omniglot challenge.

Meta-train on the five alphabets of one small set, test on the official 400 trials. Every choice was made on training
alphabets held out (data/results/omniglot_trials.json). `python -m gaml_utils.experiments omniglot` runs it.
"""

import itertools

from gaml_utils.experiments.records import Config, Job, Run, job

OMNIGLOT: Config = {
    "seeds": [0, 1, 2, 3, 4],
    "training_sets": {"small1": ["uniform", "agreement"], "small2": ["uniform"]},
    "ways": 20,
    "filters": 64,
    "meta_batch": 4,
    "queries": 1,
    "inner_lr": 600.0,
    "iterations": 2500,
    "warmup": 50,
    "step_size": 0.005,
}


def omniglot_jobs(config: Config, done: dict[tuple, Run]) -> list[Job]:
    """Each training set with its rules, over all seeds."""
    cells = [(name, rule) for name, rules in config["training_sets"].items() for rule in rules]
    return [
        job(part, "MAML", rule, config["step_size"], seed)
        for (part, rule), seed in itertools.product(cells, config["seeds"])
    ]
