"""One training of one learner under one rule, on sines or on glyphs, and what came out of it."""

import time
from typing import Any

import numpy as np

from gaml_utils.checks import known
from gaml_utils.experiments.learners.plan import ATTACKED, UNIFORM, tuned
from gaml_utils.experiments.learners.training_imitation import imitation_job
from gaml_utils.experiments.records import Job, Run
from gaml_utils.experiments.study.measures import error_summary, weighting_of
from gaml_utils.experiments.trainings import rounded

OF_TRAINING = (
    "context",
    "network",
    "loss",
    "iterations",
    "shots",
    "queries",
    "tasks",
    "unlabelled",
)  # not of its class


def learner_job(config: Any, job: Job) -> Run:
    """Train once; errors on validation and test tasks; CPU seconds. A training that diverges has no errors."""
    import keras

    start = time.process_time()
    keras.backend.clear_session()
    keras.utils.set_random_seed(job["seed"])  # the same first parameters for every rule
    on_images = dict.fromkeys(("glyphs", "metric", "semi_supervised", "cactus"), glyph_job)
    of_arms = dict.fromkeys(("imitation", "imitation_mujoco"), imitation_job)
    work = known("family", config["family"], {"sines": sine_job} | on_images | of_arms)
    return job | work(config, job) | {"cpu_seconds": round(time.process_time() - start, 2)}


def make_learner(config: Any, job: Job, network: Any, loss: Any, **compiled: Any) -> Any:
    """The learner of a job around network(settings), compiled with Adam."""
    import keras

    from gaml_utils.experiments.learners.training_controls import controls
    from gaml_utils.learners.names import LEARNERS
    from gaml_utils.learners.without_inner_loop import WithoutInnerLoop

    s, kinds = known("learner", job["learner"], config["learners"]), LEARNERS | controls()
    settings = {name: value for name, value in s["settings"].items() if name not in OF_TRAINING}
    settings[tuned(config, job["learner"])] = float(job["part"].split()[-1])
    kind = s["kind"] if s["kind"] in kinds else s["kind"].split(",")[0]  # one of several ways to train it
    make: Any = known("kind", kind, kinds)
    if isinstance(make, type) and issubclass(make, WithoutInnerLoop):
        settings["ways"] = config["ways"]
    weighting, source = weighting_of(job["rule"])
    model, more = network(s["settings"])
    learner = make(model, weighting=weighting, source=source, **settings | more)
    learner.compile(keras.optimizers.Adam(job["step_size"]), loss, diagnostics=False, **compiled)
    return learner


def sine_network(settings: dict) -> tuple[Any, dict]:
    """1-40-40-1, ReLU, with so many context numbers beside x; a learner needs nothing more."""
    import keras

    from gaml_utils.networks.context import Context

    layers = keras.layers
    beside = [Context(settings["context"])] if "context" in settings else []
    hidden = [layers.Dense(40, "relu"), layers.Dense(40, "relu")]
    return keras.Sequential([keras.Input((1,)), *beside, *hidden, layers.Dense(1)]), {}


def sine_job(config: Any, job: Job) -> Run:
    """On sines: query MSE after the inner steps of the training; of the test tasks also before, and after five."""
    import tensorflow as tf

    from gaml_utils.learners.accuracy import task_losses
    from gaml_utils.learners.data import as_dataset
    from gaml_utils.tasks.regression import SineTasks
    from gaml_utils.weighting.measures import inequality

    tasks = SineTasks()
    learner = make_learner(config, job, sine_network, "mse", jit_compile=True, steps_per_execution=50)
    data = as_dataset(tasks, config["meta_batch"], config["shots"], config["queries"], seed=job["seed"])
    try:
        history = learner.fit(data, epochs=2, steps_per_epoch=config["iterations"] // 2, verbose=0).history
    except tf.errors.InvalidArgumentError:  # diverged
        return {"validation_error": None}

    def losses(seed: Any, count: int, queries: int, steps: int | None = None) -> np.ndarray:
        batch = tasks.sample(np.random.default_rng(seed), count, config["shots"], queries)
        return task_losses(learner, batch, steps).astype(np.float64)

    validation = losses(1_000, config["validation_tasks"], config["queries"]).mean()
    result = {"validation_error": rounded(validation), "negative_share": rounded(history["negative_weights"][1])}
    if not np.isfinite(validation) or job["seed"] in config["tuning_seeds"]:
        return result
    test = [2_000, job["seed"]], config["test_tasks"], config["test_queries"]
    after, before = losses(*test), losses(*test, 0)
    result |= error_summary(after) | {
        "test_before": rounded(before.mean()),
        "test_five_steps": rounded(losses(*test, 5).mean()),
        "theil_before": rounded(inequality(before)),
        "theil_after": rounded(inequality(after)) if np.isfinite(after).all() else None,
    }
    if hasattr(learner, "rates"):
        rates = np.concatenate([np.ravel(rate) for rate in learner.rates])
        result["negative_rates"] = rounded((rates < 0).mean())
    return result


def glyph_job(config: Any, job: Job) -> Run:
    """On glyphs: shares of wrong answers after the inner steps of the training, each query judged alone."""
    import tensorflow as tf

    from gaml_utils.experiments.glyphs.training import episode_tasks
    from gaml_utils.experiments.learners.training_images import image_loss, image_network
    from gaml_utils.experiments.learners.training_unlabelled import purity_correlation, training_tasks
    from gaml_utils.learners.accuracy import episode_accuracies
    from gaml_utils.learners.data import as_dataset
    from gaml_utils.learners.robustness import attacked_accuracies
    from gaml_utils.tasks.unlabelled import WithUnlabelled

    settings = config["learners"][job["learner"]]["settings"]
    learner = make_learner(config, job, lambda s: image_network(config, s), image_loss(settings))
    train, validating, about = training_tasks(config, settings.get("tasks", "labels"), job["seed"])
    unlabelled = settings.get("unlabelled", 0)
    if unlabelled:
        train, validating = WithUnlabelled(train, unlabelled), WithUnlabelled(validating, unlabelled)
    size = [settings.get(name, config[name]) for name in ("meta_batch", "shots", "queries")]
    data = iter(as_dataset(train, *size, seed=job["seed"]))
    step = tf.function(learner.outer_step, autograph=False)  # `fit` without its metrics
    try:
        for _ in range(settings.get("iterations", config["iterations"])):
            step(next(data))
    except tf.errors.InvalidArgumentError:  # diverged
        return {"validation_error": None}

    def episodes(split: str, seed: Any, count: int, shots: int) -> Any:
        drawn = episode_tasks(split, config["ways"])
        drawn = WithUnlabelled(drawn, unlabelled) if unlabelled else drawn
        return drawn.sample(np.random.default_rng(seed), count, shots, config["test_queries"])

    validation = validating.sample(np.random.default_rng(1_000), config["validation_tasks"], 1, config["test_queries"])
    result = {"validation_error": rounded(1 - episode_accuracies(learner, validation).mean())}
    if job["seed"] in config["tuning_seeds"]:
        return result
    test = episodes("test", [2_000, job["seed"]], config["test_tasks"], 1)
    result |= error_summary(1 - episode_accuracies(learner, test))
    result |= about
    if "tasks" in settings and job["rule"] != UNIFORM:
        result["purity_correlation"] = rounded(purity_correlation(config, learner, train, job["seed"]))
    if job["rule"] == UNIFORM:
        five = episodes("test", [3_000, job["seed"]], config["test_tasks"], 5)
        result["test_error_5_shots"] = rounded(1 - episode_accuracies(learner, five).mean())
    if job["rule"] == UNIFORM and job["learner"] in ATTACKED and "epsilons" in config:
        for side in ("support", "query"):
            errors = [1 - attacked_accuracies(learner, test, **{f"{side}_epsilon": e}) for e in config["epsilons"]]
            result[f"{side}_attacked"] = rounded([e.mean() for e in errors])
    return result
