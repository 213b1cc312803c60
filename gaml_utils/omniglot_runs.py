"""The experiment behind chapter 09: the official Omniglot challenge, with MAML whose classes start out equal.

Meta-train on the five alphabets of one small set, test on the official 400 trials. Every choice below was made on
training alphabets held out (data/results/omniglot_trials.json). `python -m gaml_utils.experiments omniglot` runs it.
"""

import itertools
from typing import Any

import numpy as np

from gaml_utils.augmentation import affine_wobble, centred, elastic_wobble
from gaml_utils.episodes import EpisodeTasks
from gaml_utils.glyph_runs import RULES
from gaml_utils.sine_numpy import rounded
from gaml_utils.tasks import TaskBatch

OMNIGLOT = {
    "seeds": [0, 1, 2, 3, 4],
    "training_sets": {"small1": ["uniform", "agreement"], "small2": ["uniform"]},
    "ways": 20, "filters": 64, "meta_batch": 4, "queries": 1, "inner_lr": 600.0,
    "iterations": 2500, "warmup": 50, "step_size": 0.005,
}  # fmt: skip


def omniglot_jobs(config: dict, done: dict) -> list[dict]:
    """Each training set with its rules, over all seeds."""
    cells = [(name, rule) for name, rules in config["training_sets"].items() for rule in rules]
    fixed = {"learner": "MAML", "step_size": config["step_size"]}
    return [
        {"part": part, "rule": rule, "seed": seed} | fixed
        for (part, rule), seed in itertools.product(cells, config["seeds"])
    ]


def augment(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """As another hand might have drawn them: turned, stretched, moved and bent, and one bit a pixel again."""
    wobbled = affine_wobble(rng, images, angle=5.0, stretch=0.075, shift=0.75)
    return (elastic_wobble(rng, wobbled) > 0.45).astype(np.float32)


class HalfMixed:
    """Episodes of which every second takes its classes from one alphabet, the others from all.

    Each character gives eight classes: turned by quarters, and mirrored. data: an ImageSet, its images centred.
    """

    def __init__(self, data: Any, ways: int) -> None:
        turned = [np.rot90(m, q, axes=(1, 2)) for m in (data.images, data.images[:, :, ::-1]) for q in range(4)]
        labels = np.concatenate([data.labels + k * (data.labels.max() + 1) for k in range(8)])
        alphabets = np.concatenate([[f"{name} {k}" for name in data.scripts] for k in range(8)])
        images = np.concatenate(turned), labels, ways
        self.sources = EpisodeTasks(*images, groups=alphabets, augment=augment), EpisodeTasks(*images, augment=augment)

    def sample(self, rng: np.random.Generator, tasks: int, shots: int, queries: int) -> TaskBatch:
        """As EpisodeTasks.sample; tasks: an even number."""
        halves = [source.sample(rng, tasks // 2, shots, queries) for source in self.sources]
        return TaskBatch(*(np.concatenate(parts) for parts in zip(*halves, strict=True)))


def centred_batch(batch: TaskBatch) -> TaskBatch:
    """The batch with each image moved until its ink is in the middle: its own ink, and nothing of the other images."""
    moved = [centred(x.reshape(-1, *x.shape[2:4])).reshape(x.shape) for x in (batch.support_x, batch.query_x)]
    return batch._replace(support_x=moved[0], query_x=moved[1])


def make_learner(config: dict, rule: str) -> Any:
    """Exact MAML around models.zero_head, one inner step of the head alone; Adam with a warm-up and a cosine decay."""
    import keras

    from gaml_utils.keras_meta import MAML
    from gaml_utils.models import head_only, zero_head

    model = zero_head(config["ways"], config["filters"])
    learner = MAML(model, config["inner_lr"], inner_rule=head_only, weighting=RULES[rule])
    step_size = keras.optimizers.schedules.CosineDecay(
        0.0, config["iterations"] - config["warmup"], warmup_target=config["step_size"], warmup_steps=config["warmup"]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(step_size), loss, metrics=["accuracy"])
    return learner


def train_job(config: dict, job: dict, tenths: int = 10) -> tuple[Any, dict]:
    """The learner after so many tenths of its training, and what each tenth was like."""
    import keras

    from gaml_utils.keras_data import as_dataset
    from gaml_utils.omniglot import load_omniglot

    keras.backend.clear_session()
    keras.utils.set_random_seed(job["seed"])
    learner, data = make_learner(config, job["rule"]), load_omniglot(job["part"])
    tasks = HalfMixed(data._replace(images=centred(data.images)), config["ways"])
    batches = as_dataset(tasks, config["meta_batch"], 1, config["queries"], seed=job["seed"])
    return learner, learner.fit(batches, epochs=tenths, steps_per_epoch=config["iterations"] // 10, verbose=0).history


def omniglot_job(config: dict, job: dict) -> dict:
    """Train once, then the 400 trials: percent error, of each run, and what each trial was taken for."""
    from gaml_utils.image_evaluation import episode_answers, official_error
    from gaml_utils.omniglot import omniglot_one_shot_runs

    learner, history = train_job(config, job)
    runs = centred_batch(omniglot_one_shot_runs())
    error = official_error(learner, runs)
    return job | {
        "error": rounded(error.percent),
        "run_errors": rounded(error.runs),
        "transductive_error": rounded(official_error(learner, runs, transductive=True).percent),
        "answers": episode_answers(learner, runs).tolist(),
        "train_accuracy": rounded(history["accuracy"]),
        "negative_share": rounded(history["negative_weights"]),
    }
