"""The experiment behind chapter 08: few-shot classification of characters, uniform weights against agreement.

Three learners, two rules. Every rule is trained at every step size of one list, over the tuning seeds; the size with
the best one-shot accuracy on the validation scripts is then trained over all seeds, and the result read on the test
scripts, with one shot and with five. A task of any learner has 20 images: MAML's support set of 1 and query set of 3 a
class, Reptile's support set of 4, of which each inner step sees 5 images: as many as there are at the test, where
batch normalisation must make do with them. `python -m gaml_utils.experiments glyphs` runs it.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from gaml_utils.datasets import load_glyphs
from gaml_utils.sine_numpy import key, rounded
from gaml_utils.weighting import agreement_weights, uniform_weights

GLYPHS = {
    "seeds": [0, 1, 2, 3, 4],
    "tuning_seeds": [0],
    "control_seeds": [100, 101, 102, 103, 104],
    "rules": ["uniform", "agreement"],
    "ways": 5, "filters": 32, "meta_batch": 8, "iterations": 1500,
    "validation_episodes": 300, "test_episodes": 600, "test_queries": 5, "test_shots": [1, 5], "test_steps": [5],
    "learners": {
        "MAML": {
            "inner_lr": 0.4, "inner_steps": 1, "shots": 1, "queries": 3, "step_sizes": [0.001, 0.003, 0.01],
        },
        "first-order MAML": {
            "inner_lr": 0.4, "inner_steps": 1, "shots": 1, "queries": 3, "step_sizes": [0.001, 0.003, 0.01],
        },
        "Reptile": {
            "inner_lr": 0.2, "inner_steps": 5, "batch_size": 5, "shots": 4, "queries": 1,
            "step_sizes": [0.0003, 0.001, 0.003, 0.01],
        },
    },
}  # fmt: skip

RULES = {"uniform": uniform_weights, "agreement": agreement_weights}
STRETCHES = 20                                                   # of a training, for the record of its weights


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


def episode_tasks(split: str, ways: int) -> Any:
    """Episodes of one split's characters; no font serves both support and query of a class."""
    from gaml_utils.episodes import EpisodeTasks

    glyphs = load_glyphs().part(split)
    return EpisodeTasks(glyphs.images, glyphs.labels, ways, hands=glyphs.hands)


def make_learner(config: dict, name: str, rule: str | Callable, step_size: float, source: str = "updates") -> Any:
    """MAML, first-order MAML or Reptile around conv4, compiled; Adam takes the outer step for all of them.

    rule: a name in RULES, or any weighting.
    """
    import keras

    from gaml_utils.keras_meta import MAML, Reptile
    from gaml_utils.models import conv4

    setting = config["learners"][name]
    loop = {name: setting[name] for name in ("inner_lr", "inner_steps")}
    loop |= {"weighting": RULES.get(rule, rule), "source": source}
    model = conv4(config["ways"], config["filters"])
    if name == "Reptile":
        learner = Reptile(model, batch_size=setting["batch_size"], **loop)
    else:
        learner = MAML(model, first_order=name != "MAML", **loop)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(step_size), loss, metrics=["accuracy"])
    return learner


def train_job(config: dict, job: dict, stretches: int = STRETCHES) -> tuple[Any, dict]:
    """The learner after so many twentieths of its training, and what each twentieth was like."""
    import keras

    from gaml_utils.keras_data import as_dataset

    keras.backend.clear_session()
    keras.utils.set_random_seed(job["seed"])                     # the same first parameters for every rule
    learner = make_learner(config, job["learner"], job["rule"], job["step_size"])
    setting, train = config["learners"][job["learner"]], episode_tasks("train", config["ways"])
    data = as_dataset(train, config["meta_batch"], setting["shots"], setting["queries"], seed=job["seed"])
    steps = config["iterations"] // STRETCHES
    return learner, learner.fit(data, epochs=stretches, steps_per_epoch=steps, verbose=0).history


def glyph_job(config: dict, job: dict) -> dict:
    """Train once; accuracies on validation and test scripts, (test shots, test steps); what the weights did."""
    import tensorflow as tf

    from gaml_utils.image_evaluation import episode_accuracies

    try:
        learner, history = train_job(config, job)
    except tf.errors.InvalidArgumentError:                       # diverged
        return job | {"validation_accuracy": None}
    result = {}
    for split, all_shots in (("validation", [1]), ("test", config["test_shots"])):
        tasks, count = episode_tasks(split, config["ways"]), config[f"{split}_episodes"]
        accuracy = []
        for shots in all_shots:
            episodes = tasks.sample(np.random.default_rng(1_000), count, shots, config["test_queries"])
            accuracy.append([episode_accuracies(learner, episodes, k).mean() for k in config["test_steps"]])
        result[f"{split}_accuracy"] = rounded(accuracy)          # (shots, test steps); validation: one shot only
    names = {"train_accuracy": "accuracy", "negative_share": "negative_weights", "smallest_weight": "smallest_weight",
             "cosine_to_mean": "cosine_to_mean"}  # fmt: skip
    return job | result | {kept: rounded(history[name]) for kept, name in names.items()}
