"""One training of chapter 08's experiment."""

from collections.abc import Callable, Mapping, Sequence
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


def make_learner(
    config: Mapping, name: str, rule: str | Callable, step_size: float, source: str = "updates", **compiled: Any
) -> Any:
    """MAML, first-order MAML or Reptile around conv4, compiled; Adam takes the outer step for all of them.

    rule: a name in RULES, or any weighting. compiled: further arguments of `compile`. config may name a dtype.
    """
    import keras

    from gaml_utils.learners.names import LEARNERS
    from gaml_utils.networks.convolutional import conv4

    setting, dtype = known("learner", name, config["learners"]), config.get("dtype", "float32")
    model = conv4(config["ways"], config["filters"], dtype=dtype)
    loop = {key: value for key, value in setting.items() if key in ("inner_lr", "inner_steps", "batch_size")}
    weighting = known("rule", rule, RULES) if isinstance(rule, str) else rule
    learner = known("learner", name, LEARNERS)(model, weighting=weighting, source=source, **loop)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=dtype)
    learner.compile(keras.optimizers.Adam(step_size), loss, metrics=["accuracy"], **compiled)
    return learner


def train_job(
    config: Config, job: Job, blocks: int = BLOCKS, workers: Any = None, callbacks: Sequence = ()
) -> tuple[Any, dict]:
    """The learner after so many twentieths of its training, and what each twentieth was like.

    workers: who train it together; one process if None. callbacks: of `fit`.
    """
    import keras

    from gaml_utils.learners.data import as_dataset
    from gaml_utils.learners.workers import Workers

    keras.backend.clear_session()
    keras.utils.set_random_seed(job["seed"])  # the same first parameters for every rule
    workers = workers or Workers()
    learner = make_learner(config, job["learner"], job["rule"], job["step_size"], workers=workers)
    setting, train = config["learners"][job["learner"]], episode_tasks("train", config["ways"])
    sizes = config["meta_batch"], setting["shots"], setting["queries"]
    dtype = learner.variable_dtype
    data = as_dataset(train, *sizes, seed=job["seed"], dtype=dtype, learner=learner, workers=workers)
    steps = config["iterations"] // BLOCKS
    fitted = learner.fit(data, epochs=blocks, steps_per_epoch=steps, callbacks=list(callbacks), verbose=0)
    return learner, fitted.history


def accuracies(config: Config, learner: Any, split: str, all_shots: Sequence[int], episodes: int) -> list:
    """Of a trained learner on so many episodes of one split, (shots, test steps)."""
    from gaml_utils.learners.accuracy import episode_accuracies

    tasks, found = episode_tasks(split, config["ways"]), []
    for shots in all_shots:
        batch = tasks.sample(np.random.default_rng(1_000), episodes, shots, config["test_queries"])
        found.append([episode_accuracies(learner, batch, k).mean() for k in config["test_steps"]])
    return rounded(found)


def glyph_job(config: Config, job: Job) -> Run:
    """Train once; accuracies on validation and test scripts, (test shots, test steps); what the weights did."""
    import tensorflow as tf

    try:
        learner, history = train_job(config, job)
    except tf.errors.InvalidArgumentError:  # diverged
        return job | {"validation_accuracy": None}
    result = {  # (shots, test steps); validation: one shot only
        "validation_accuracy": accuracies(config, learner, "validation", [1], config["validation_episodes"]),
        "test_accuracy": accuracies(config, learner, "test", config["test_shots"], config["test_episodes"]),
    }
    names = {
        "train_accuracy": "accuracy",
        "negative_share": "negative_weights",
        "smallest_weight": "smallest_weight",
        "cosine_to_mean": "cosine_to_mean",
    }
    return job | result | {kept: rounded(history[name]) for kept, name in names.items()}
