"""One training of a learner without an inner loop on the episodes of chapter 09, and its error."""

from typing import Any

import numpy as np

from gaml_utils.datasets.images import ImageSet
from gaml_utils.experiments.omniglot.episodes import HalfMixed, centred_batch
from gaml_utils.experiments.omniglot.plan_comparing import TUNING
from gaml_utils.experiments.omniglot.scoring import official_error
from gaml_utils.experiments.omniglot.training import warmed_up
from gaml_utils.experiments.records import Job, Run
from gaml_utils.experiments.trainings import rounded
from gaml_utils.records import TaskBatch
from gaml_utils.tasks.augmentation import centred


def comparing_job(config: Any, job: Job) -> Run:
    """Train once; then percent error on episodes of the held-out alphabet, or on the 400 trials."""
    import keras

    from gaml_utils.datasets.omniglot import load_omniglot, omniglot_one_shot_runs
    from gaml_utils.learners.accuracy import episode_accuracies
    from gaml_utils.learners.data import as_dataset

    keras.backend.clear_session()
    keras.utils.set_random_seed(job["seed"])
    part, temperature = job["part"].split(", temperature ")
    data = load_omniglot(config["training_sets"][0] if part == TUNING else part)
    data = data._replace(images=centred(data.images))
    held_out = data.scripts == config["held_out"] if part == TUNING else np.zeros(len(data.labels), dtype=bool)
    steps = config["tuning_iterations"] if part == TUNING else config["iterations"]
    learner = comparing_learner(config, job, float(temperature), steps)
    tasks = HalfMixed(ImageSet(*(array[~held_out] for array in data)), config["ways"])
    learner.fit(
        as_dataset(tasks, config["meta_batch"], 1, config["queries"], seed=job["seed"]),
        steps_per_epoch=steps,
        verbose=0,
    )
    if part == TUNING:
        asked = ImageSet(*(array[held_out] for array in data))
        episodes = two_hands(np.random.default_rng(0), asked, config["validation_episodes"], config["ways"])
        return job | {"validation_error": rounded(100 * (1 - episode_accuracies(learner, episodes).mean()))}
    runs = centred_batch(omniglot_one_shot_runs())
    error = official_error(learner, runs)
    shared = official_error(learner, runs, transductive=True)
    return job | {
        "error": rounded(error.percent),
        "run_errors": rounded(error.runs),
        "transductive_error": rounded(shared.percent),
    }


def comparing_learner(config: Any, job: Job, temperature: float, steps: int) -> Any:
    """The body of chapter 09's network up to its features, and a comparison; Adam on chapter 09's schedule."""
    import keras

    from gaml_utils.learners.metric import PrototypicalNetwork, RelationNetwork
    from gaml_utils.networks import encoder, relation_module

    ways, filters = config["ways"], config["filters"]
    relates = job["learner"] == "relation"
    body = encoder(filters, strides=tuple(config["strides"]), flat=not relates)
    if relates:
        height, width, channels = body.output_shape[1:]
        relation = relation_module(filters, shape=(height, width, 2 * channels))
        learner = RelationNetwork(body, ways, relation, temperature=temperature)
    else:
        learner = PrototypicalNetwork(body, ways, temperature=temperature)
    step_size = warmed_up(job["step_size"], config["warmup"], steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(step_size), loss, diagnostics=False)
    return learner


def two_hands(rng: np.random.Generator, data: ImageSet, episodes: int, ways: int) -> TaskBatch:
    """One-shot episodes whose support images are by one hand and whose queries, one a class, are by another."""
    drawn = {(c, hand): image for image, c, hand in zip(data.images, data.labels, data.hands, strict=True)}

    def episode() -> np.ndarray:
        classes = rng.choice(np.unique(data.labels), ways, replace=False)
        hands = rng.choice(np.unique(data.hands), 2, replace=False)
        return np.array([[drawn[c, hand] for c in classes] for hand in hands])

    images = np.stack([episode() for _ in range(episodes)])[..., None].astype(np.float32)
    labels = np.tile(np.arange(ways, dtype=np.int32), (episodes, 1))
    return TaskBatch(images[:, 0], labels, images[:, 1], labels)
