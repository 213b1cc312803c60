"""One training of the study on images, in Keras."""

import numpy as np

from gaml_utils.checks import known
from gaml_utils.experiments.records import Config, Job, Run
from gaml_utils.experiments.study.measures import error_summary, weighting_of
from gaml_utils.experiments.trainings import rounded
from gaml_utils.tasks.mixtures import Mislabelled, Mixture


def glyph_job(config: Config, job: Job) -> Run:
    """The same learners around conv4, on glyphs. Errors are shares of wrong answers, each query judged alone."""
    import keras
    import tensorflow as tf

    from gaml_utils.experiments.glyphs.training import episode_tasks, make_learner
    from gaml_utils.learners.accuracy import episode_accuracies
    from gaml_utils.learners.data import as_dataset

    keras.backend.clear_session()
    keras.utils.set_random_seed(job["seed"])  # the same first parameters for every rule
    setting, g = known("part", job["part"], config["settings"]), config["glyphs"]
    s = known("learner", job["learner"], config["learners"]["glyphs"])
    weighting, source = weighting_of(job["rule"])
    model = {"ways": g["ways"], "filters": g["filters"], "learners": {job["learner"]: s}}
    learner = make_learner(model, job["learner"], weighting, job["step_size"], source)
    tasks = episode_tasks("train", g["ways"])
    training = Mixture(tasks, Mislabelled(tasks), setting["share"])
    data = as_dataset(training, setting["meta_batch"], s["shots"], s["queries"], seed=job["seed"])
    try:
        history = learner.fit(data, epochs=2, steps_per_epoch=g["iterations"] // 2, verbose=0).history
    except tf.errors.InvalidArgumentError:  # diverged
        return {"validation_error": None}

    def errors(split: str, count: int) -> np.ndarray:
        episodes = episode_tasks(split, g["ways"]).sample(
            np.random.default_rng(1_000), count, 1, config["test_queries"]["glyphs"]
        )
        return 1 - episode_accuracies(learner, episodes, 5)

    validation = errors("validation", config["validation_tasks"]["glyphs"]).mean()
    tested = error_summary(errors("test", config["test_tasks"]["glyphs"]))
    weights = {"negative_share": rounded(history["negative_weights"][1])}
    return {"validation_error": rounded(validation)} | tested | weights
