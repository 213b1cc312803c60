"""One training of one learner under one rule, on sines or on glyphs, and what came out of it."""

import time
from typing import Any

import numpy as np

from gaml_utils.checks import known
from gaml_utils.experiments.learners.plan import ATTACKED, UNIFORM, part_of
from gaml_utils.experiments.records import Job, Run
from gaml_utils.experiments.study.measures import error_summary, weighting_of
from gaml_utils.experiments.trainings import rounded


def learner_job(config: Any, job: Job) -> Run:
    """Train once; errors on validation and test tasks; CPU seconds. A training that diverges has no errors."""
    import keras

    start = time.process_time()
    keras.backend.clear_session()
    keras.utils.set_random_seed(job["seed"])  # the same first parameters for every rule
    work = known("family", config["family"], {"sines": sine_job, "glyphs": glyph_job})
    return job | work(config, job) | {"cpu_seconds": round(time.process_time() - start, 2)}


def make_learner(config: Any, job: Job, network: Any, loss: Any, **compiled: Any) -> Any:
    """The learner of a job around network(context), compiled with Adam."""
    import keras

    from gaml_utils.experiments.learners.training_controls import controls
    from gaml_utils.learners.names import LEARNERS

    s = known("learner", job["learner"], config["learners"])
    kinds = LEARNERS | controls()
    settings = {name: value for name, value in s["settings"].items() if name != "context"}
    weighting, source = weighting_of(job["rule"])
    inner_lr = float(job["part"].removeprefix(part_of(0)[:-1]))
    model = network(s["settings"].get("context", 0))
    learner = known("kind", s["kind"], kinds)(model, inner_lr=inner_lr, weighting=weighting, source=source, **settings)
    learner.compile(keras.optimizers.Adam(job["step_size"]), loss, **compiled)
    return learner


def sine_network(context: int) -> Any:
    """1-40-40-1, ReLU, with so many context numbers beside x."""
    import keras

    from gaml_utils.networks.context import Context

    layers = keras.layers
    beside = [Context(context)] if context else []
    hidden = [layers.Dense(40, "relu"), layers.Dense(40, "relu")]
    return keras.Sequential([keras.Input((1,)), *beside, *hidden, layers.Dense(1)])


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
    import keras
    import tensorflow as tf

    from gaml_utils.experiments.glyphs.training import episode_tasks
    from gaml_utils.learners.accuracy import episode_accuracies
    from gaml_utils.learners.data import as_dataset
    from gaml_utils.learners.robustness import attacked_accuracies
    from gaml_utils.networks.convolutional import conv4

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    learner = make_learner(config, job, lambda k: conv4(config["ways"], config["filters"], context=k), loss)
    train = episode_tasks("train", config["ways"])
    data = iter(as_dataset(train, config["meta_batch"], config["shots"], config["queries"], seed=job["seed"]))
    step = tf.function(learner.outer_step, autograph=False)  # `fit` without its metrics
    try:
        for _ in range(config["iterations"]):
            step(next(data))
    except tf.errors.InvalidArgumentError:  # diverged
        return {"validation_error": None}

    def episodes(split: str, seed: Any, count: int, shots: int) -> Any:
        drawn = episode_tasks(split, config["ways"])
        return drawn.sample(np.random.default_rng(seed), count, shots, config["test_queries"])

    validation = episodes("validation", 1_000, config["validation_tasks"], 1)
    result = {"validation_error": rounded(1 - episode_accuracies(learner, validation).mean())}
    if job["seed"] in config["tuning_seeds"]:
        return result
    test = episodes("test", [2_000, job["seed"]], config["test_tasks"], 1)
    result |= error_summary(1 - episode_accuracies(learner, test))
    if job["rule"] == UNIFORM:
        five = episodes("test", [3_000, job["seed"]], config["test_tasks"], 5)
        result["test_error_5_shots"] = rounded(1 - episode_accuracies(learner, five).mean())
    if job["rule"] == UNIFORM and job["learner"] in ATTACKED:
        for side in ("support", "query"):
            errors = [1 - attacked_accuracies(learner, test, **{f"{side}_epsilon": e}) for e in config["epsilons"]]
            result[f"{side}_attacked"] = rounded([e.mean() for e in errors])
    return result
