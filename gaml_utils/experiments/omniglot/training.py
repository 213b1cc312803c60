"""One training of chapter 09's experiment: MAML whose classes start out equal."""

from typing import Any

from gaml_utils.checks import known
from gaml_utils.experiments.omniglot.episodes import HalfMixed, centred_batch
from gaml_utils.experiments.records import Config, Job, Run
from gaml_utils.experiments.trainings import rounded
from gaml_utils.tasks.augmentation import centred
from gaml_utils.weighting.names import RULES


def make_learner(config: Config, rule: str) -> Any:
    """Exact MAML around zero_head, one inner step of the head alone; Adam with a warm-up and a cosine decay."""
    import keras

    from gaml_utils.learners.maml import MAML
    from gaml_utils.networks.convolutional import zero_head

    model = zero_head(config["ways"], config["filters"])
    learner = MAML(model, config["inner_lr"], fast="head/*", weighting=known("rule", rule, RULES))
    step_size = warmed_up(config["step_size"], config["warmup"], config["iterations"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner.compile(keras.optimizers.Adam(step_size), loss, metrics=["accuracy"], diagnostics=False)
    return learner


def warmed_up(step_size: float, warmup: int, steps: int) -> Any:
    """The schedule of the challenge: up from 0 within `warmup` steps, then down to 0 along a cosine."""
    import keras

    return keras.optimizers.schedules.CosineDecay(0.0, steps - warmup, warmup_target=step_size, warmup_steps=warmup)


def train_job(config: Config, job: Job, tenths: int = 10) -> tuple[Any, dict]:
    """The learner after so many tenths of its training, and what each tenth was like."""
    import keras

    from gaml_utils.datasets.omniglot import load_omniglot
    from gaml_utils.learners.data import as_dataset

    keras.backend.clear_session()
    keras.utils.set_random_seed(job["seed"])
    learner, data = make_learner(config, job["rule"]), load_omniglot(job["part"])
    tasks = HalfMixed(data._replace(images=centred(data.images)), config["ways"])
    batches = as_dataset(tasks, config["meta_batch"], 1, config["queries"], seed=job["seed"])
    return learner, learner.fit(batches, epochs=tenths, steps_per_epoch=config["iterations"] // 10, verbose=0).history


def omniglot_job(config: Config, job: Job) -> Run:
    """Train once, then the 400 trials: percent error, of each run, and what each trial was taken for."""
    from gaml_utils.datasets.omniglot import omniglot_one_shot_runs
    from gaml_utils.experiments.omniglot.scoring import official_error
    from gaml_utils.learners.accuracy import episode_answers

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
