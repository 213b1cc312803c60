"""One training of the study: what its tasks are, the rule, and how well each test task came out."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gaml_utils.evaluation import adaptation_curve
from gaml_utils.mixtures import LineTasks, Mislabelled, Mixture
from gaml_utils.mlp import init_mlp
from gaml_utils.numpy_meta import SGD, Adam, meta_gradient, reptile_direction, train
from gaml_utils.sine_numpy import diagonal_weights, rounded
from gaml_utils.study_runs import engine
from gaml_utils.tasks import NoiseTasks, SineTasks
from gaml_utils.weight_family import cosine_weights, leave_one_out_weights, power_weights
from gaml_utils.weighting import agreement_weights, uniform_weights

RULES = {
    "uniform": uniform_weights, "agreement": agreement_weights, "cosine": cosine_weights,
    "leave one out": leave_one_out_weights, "power -1": power_weights(-1), "power -0.5": power_weights(-0.5),
    "power 0.5": power_weights(0.5), "power -1, ridge 0.01": power_weights(-1, 0.01),
    "power -1, ridge 1": power_weights(-1, 1.0), "diagonal -1": diagonal_weights,
    "diagonal -0.5": partial(diagonal_weights, p=-0.5),
}  # fmt: skip

SINES = SineTasks()
OTHERS = {                                                   # who the share of a setting comes from
    "sines": SINES,
    "shifted phase": SineTasks(phase=(np.pi, 2 * np.pi)),    # y -> -y: gradients as long as the family's
    "noise": NoiseTasks(std=5.0),                            # gradients several times as long
    "two modes": LineTasks(),
}


def study_job(config: dict, job: dict) -> dict:
    """Train once; errors on validation and test tasks; what the weights did; CPU seconds."""
    work = glyph_job if engine(config, job["part"]) == "glyphs" else sine_job
    start = time.process_time()
    result = work(config, job)
    return job | result | {"cpu_seconds": round(time.process_time() - start, 2)}


def weighting_of(rule: str) -> tuple[Callable, str]:
    """"agreement of outer" -> (agreement_weights, "outer"); "uniform" compares nothing."""
    name, _, source = rule.partition(" of ")
    return RULES[name], source or "updates"


def error_summary(errors: np.ndarray) -> dict:
    """errors: (tasks,). Its mean and median, and the mean over the worst tenth: who is left behind."""
    worst = np.sort(errors)[-max(1, len(errors) // 10) :]
    return {"test_error": rounded(errors.mean()), "test_median": rounded(np.median(errors)),
            "test_worst": rounded(worst.mean())}  # fmt: skip


def weight_record(weights: np.ndarray, others: int) -> dict:
    """weights: (outer steps, tasks). Of the second half of a training: negative share, effective tasks, the others.

    others: how many of the last tasks are not of the family; their mean weight is given times T, so 1 is uniform.
    """
    late = weights[len(weights) // 2 :]
    outliers = late[:, late.shape[1] - others :].mean() * late.shape[1] if others else None
    return {"negative_share": rounded((late < 0).mean()), "effective_tasks": rounded((1 / (late**2).sum(1)).mean()),
            "others_weight": None if outliers is None else rounded(outliers)}  # fmt: skip


def sine_tasks(family: str, share: float) -> tuple[Any, Any]:
    """(training tasks, tasks of validation and test). Outliers are in training alone; two modes are in both."""
    if family == "nothing to learn":
        return NoiseTasks(), NoiseTasks()
    mixed = Mixture(SINES, OTHERS[family], share)
    return mixed, mixed if family == "two modes" else SINES


def sine_job(config: dict, job: dict) -> dict:
    """MAML, first-order MAML or Reptile in NumPy, on numbers. Errors are query MSE after the inner loop."""
    setting, s = config["settings"][job["part"]], config["learners"]["sines"][job["learner"]]
    weighting, source = weighting_of(job["rule"])
    direction = partial(
        reptile_direction if job["learner"] == "Reptile" else meta_gradient, weighting=weighting, source=source,
        **{name: s[name] for name in ("inner_lr", "inner_steps", "activation")},
    )  # fmt: skip
    if job["learner"] == "first-order MAML":
        direction = partial(direction, first_order=True)
    training, testing = sine_tasks(setting["family"], setting["share"])
    params = init_mlp(np.random.default_rng([job["seed"], 1]), s["sizes"])      # the same for every rule
    try:
        params, history = train(
            params, training, direction, (Adam if s["optimizer"] == "Adam" else SGD)(job["step_size"]),
            s["iterations"], meta_batch=setting["meta_batch"], shots=config["shots"], queries=config["queries"],
            seed=job["seed"], progress=False,
        )  # fmt: skip
    except FloatingPointError:
        return {"validation_error": None}

    def errors(seed: int, tasks: int, queries: int) -> np.ndarray:
        batch = testing.sample(np.random.default_rng(seed), tasks, config["shots"], queries)
        with np.errstate(over="ignore", invalid="ignore"):
            return adaptation_curve(params, batch, s["inner_lr"], s["inner_steps"], s["activation"])[:, -1]

    validation = errors(1_000, config["validation_tasks"]["sines"], config["queries"])
    tested = error_summary(errors(2_000, config["test_tasks"]["sines"], config["test_queries"]["sines"]))
    others = round(setting["share"] * setting["meta_batch"])
    return {"validation_error": rounded(validation.mean())} | tested | weight_record(history.weights, others)


def glyph_job(config: dict, job: dict) -> dict:
    """The same learners around conv4, on glyphs. Errors are shares of wrong answers, each query judged alone."""
    import keras
    import tensorflow as tf

    from gaml_utils.glyph_runs import episode_tasks, make_learner
    from gaml_utils.image_evaluation import episode_accuracies
    from gaml_utils.keras_data import as_dataset

    keras.backend.clear_session()
    keras.utils.set_random_seed(job["seed"])                 # the same first parameters for every rule
    setting, s, g = config["settings"][job["part"]], config["learners"]["glyphs"][job["learner"]], config["glyphs"]
    weighting, source = weighting_of(job["rule"])
    model = {"ways": g["ways"], "filters": g["filters"], "learners": {job["learner"]: s}}
    learner = make_learner(model, job["learner"], weighting, job["step_size"], source)
    tasks = episode_tasks("train", g["ways"])
    training = Mixture(tasks, Mislabelled(tasks), setting["share"])
    data = as_dataset(training, setting["meta_batch"], s["shots"], s["queries"], seed=job["seed"])
    try:
        history = learner.fit(data, epochs=2, steps_per_epoch=g["iterations"] // 2, verbose=0).history
    except tf.errors.InvalidArgumentError:                   # diverged
        return {"validation_error": None}

    def errors(split: str, count: int) -> np.ndarray:
        episodes = episode_tasks(split, g["ways"]).sample(
            np.random.default_rng(1_000), count, 1, config["test_queries"]["glyphs"])  # fmt: skip
        return 1 - episode_accuracies(learner, episodes, 5)

    validation = errors("validation", config["validation_tasks"]["glyphs"]).mean()
    tested = error_summary(errors("test", config["test_tasks"]["glyphs"]))
    weights = {"negative_share": rounded(history["negative_weights"][1])}
    return {"validation_error": rounded(validation)} | tested | weights
