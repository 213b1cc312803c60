"""One training of chapter 08's experiment."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gaml_utils.checks import known
from gaml_utils.datasets.glyphs import load_glyphs
from gaml_utils.experiments.records import Config, Job, Run
from gaml_utils.experiments.trainings import rounded
from gaml_utils.weighting.names import RULES

BLOCKS = 20  # that a training is recorded in


def episode_tasks(split: str, ways: int) -> Any:
    """Episodes of one split's characters; no font serves both support and query of a class."""
    from gaml_utils.tasks.episodes import EpisodeTasks

    glyphs = load_glyphs().part(split)
    return EpisodeTasks(glyphs.images, glyphs.labels, ways, hands=glyphs.hands)


def make_learner(config: Mapping, name: str, rule: str | Callable, step_size: float, source: str = "updates") -> Any:
    """MAML, first-order MAML or Reptile around conv4, compiled; Adam takes the outer step for all of them.

    rule: a name in RULES, or any weighting.
    """
    import keras

    from gaml_utils.learners.names import LEARNERS
    from gaml_utils.networks.convolutional import conv4

    setting, model = known("learner", name, config["learners"]), conv4(config["ways"], config["filters"])
    loop = {key: value for key, value in setting.items() if key in ("inner_lr", "inner_steps", "batch_size")}
    weighting = known("rule", rule, RULES) if isinstance(rule, str) else rule
    learner = known("learner", name, LEARNERS)(model, weighting=weighting, source=source, **loop)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(step_size), loss, metrics=["accuracy"])
    return learner


def train_job(config: Config, job: Job, blocks: int = BLOCKS) -> tuple[Any, dict]:
    """The learner after so many twentieths of its training, and what each twentieth was like."""
    import keras

    from gaml_utils.learners.data import as_dataset

    keras.backend.clear_session()
    keras.utils.set_random_seed(job["seed"])  # the same first parameters for every rule
    learner = make_learner(config, job["learner"], job["rule"], job["step_size"])
    setting, train = config["learners"][job["learner"]], episode_tasks("train", config["ways"])
    data = as_dataset(train, config["meta_batch"], setting["shots"], setting["queries"], seed=job["seed"])
    steps = config["iterations"] // BLOCKS
    return learner, learner.fit(data, epochs=blocks, steps_per_epoch=steps, verbose=0).history


def glyph_job(config: Config, job: Job) -> Run:
    """Train once; accuracies on validation and test scripts, (test shots, test steps); what the weights did."""
    import tensorflow as tf

    from gaml_utils.learners.accuracy import episode_accuracies

    try:
        learner, history = train_job(config, job)
    except tf.errors.InvalidArgumentError:  # diverged
        return job | {"validation_accuracy": None}
    result = {}
    plan = (
        ("validation", [1], config["validation_episodes"]),
        ("test", config["test_shots"], config["test_episodes"]),
    )
    for split, all_shots, count in plan:
        tasks = episode_tasks(split, config["ways"])
        accuracy = []
        for shots in all_shots:
            episodes = tasks.sample(np.random.default_rng(1_000), count, shots, config["test_queries"])
            accuracy.append([episode_accuracies(learner, episodes, k).mean() for k in config["test_steps"]])
        result[f"{split}_accuracy"] = rounded(accuracy)  # (shots, test steps); validation: one shot only
    names = {
        "train_accuracy": "accuracy",
        "negative_share": "negative_weights",
        "smallest_weight": "smallest_weight",
        "cosine_to_mean": "cosine_to_mean",
    }
    return job | result | {kept: rounded(history[name]) for kept, name in names.items()}
