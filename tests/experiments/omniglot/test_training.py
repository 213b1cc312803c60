"""The challenge's learner: a head from zero, one inner step of it; a tiny run."""

import json
import re

import keras
import numpy as np
import pytest

from gaml_utils.datasets.omniglot import load_omniglot, omniglot_one_shot_runs
from gaml_utils.experiments.files import RESULTS
from gaml_utils.experiments.omniglot.plan import OMNIGLOT
from gaml_utils.experiments.omniglot.training import make_learner, omniglot_job
from gaml_utils.learners.data import as_dataset
from gaml_utils.records import TaskBatch
from gaml_utils.weighting.agreement import agreement_weights
from tests.support.omniglot import needs_omniglot
from tests.support.plain_formulas import relative_error
from tests.support.scribbles import WAYS, features_of, scribbles

SMALL = OMNIGLOT | {"ways": WAYS, "filters": 4, "iterations": 60, "warmup": 5}


# ---------------------------------------------------------------- the network and its inner step


@pytest.fixture(scope="module")
def learner():
    keras.utils.set_random_seed(0)
    return make_learner(SMALL, "uniform")


class Scribbles:
    """Classes are scribbles; a query is its class with some pixels turned over."""

    def __init__(self, noise):
        self.noise = noise

    def sample(self, rng, tasks, shots, queries):
        x = scribbles(rng, tasks * WAYS).reshape(tasks, WAYS, 28, 28, 1)
        other = np.abs(x - (rng.random(x.shape) < self.noise)).astype(np.float32)
        y = np.tile(np.arange(WAYS, dtype=np.int32), (tasks, 1))
        return TaskBatch(x, y, other, y)


def episodes(rng, tasks=4, noise=0.02):
    return Scribbles(noise).sample(rng, tasks, 1, 1)


def train(learner, steps, noise=0.02, epochs=1):
    """The mean loss of each epoch."""
    batches = as_dataset(Scribbles(noise), 4, 1, 1)
    return learner.fit(batches, steps_per_epoch=steps, epochs=epochs, verbose=0).history["loss"]


def test_before_the_inner_loop_all_classes_are_equal_and_stay_so_in_training(learner):
    batch = episodes(np.random.default_rng(1))
    before = [v.numpy() for v in learner.model.trainable_variables]
    train(learner, 2)
    after = [v.numpy() for v in learner.model.trainable_variables]
    assert not after[-2].any() and not after[-1].any()
    assert any(np.abs(a - b).max() > 0 for a, b in zip(after[:-2], before[:-2], strict=True))
    assert not np.asarray(learner.model(batch.query_x[0], training=False)).any()


def test_one_step_from_zero_makes_row_c_its_images_less_the_mean_share(learner):
    batch = episodes(np.random.default_rng(2), tasks=1)
    x, y = batch.support_x[0], np.array([2, 0, 0], dtype=np.int32)  # class 1 has no image at all
    adapted = learner.adapt(x, y)
    f, lr = features_of(learner.model, x, training=True).astype(float), SMALL["inner_lr"]
    expected = lr / 3 * np.stack([f[y == c].sum(axis=0) - f.sum(axis=0) / WAYS for c in range(WAYS)], axis=1)
    kernel, bias = adapted.trainable_variables[-2:]
    assert relative_error([kernel.numpy()], [expected]) < 1e-4
    assert np.allclose(bias, lr / 3 * np.array([2 - 1, 0 - 1, 1 - 1]), rtol=1e-5, atol=1e-3)
    for mine, theirs in zip(adapted.trainable_variables[:-2], learner.model.trainable_variables[:-2], strict=True):
        assert np.array_equal(mine, theirs)


def test_the_model_is_saved_and_loaded_with_its_constraint(tmp_path, learner):
    learner.save(tmp_path / "learner.keras")
    again = keras.models.load_model(tmp_path / "learner.keras")
    assert again.fast == "head/*"
    train(again, 2)
    assert not again.model.trainable_variables[-1].numpy().any()


def test_the_numbering_of_the_classes_does_not_matter(learner):
    """The support set with its classes numbered otherwise: the answers are numbered likewise, and nothing else."""
    batch, new = episodes(np.random.default_rng(4)), np.array([2, 0, 1], dtype=np.int32)
    renamed = batch._replace(support_y=new[batch.support_y], query_y=new[batch.query_y])
    here, there = learner.meta_gradient(batch), learner.meta_gradient(renamed)
    assert np.allclose(here.query_losses, there.query_losses, rtol=1e-4, atol=1e-5)
    body = [[np.asarray(g) for g in result.gradient[:-2]] for result in (here, there)]
    assert relative_error(*body) < 1e-2 and max(np.abs(g).max() for g in body[0]) > 0


def test_the_learner_learns_scribbles():
    keras.utils.set_random_seed(1)
    learner = make_learner(SMALL, "agreement")
    losses = train(learner, 6, noise=0.1, epochs=10)
    assert learner.weighting is agreement_weights
    assert losses[-1] < 0.7 * losses[0]


@needs_omniglot
def test_a_tiny_run_over_the_official_trials_says_what_each_was_taken_for():
    config = json.loads(json.dumps(OMNIGLOT)) | {"filters": 4, "iterations": 20, "warmup": 2}
    job = {"part": "small1", "rule": "uniform", "seed": 3, "learner": "MAML", "step_size": config["step_size"]}
    found = json.loads(json.dumps(omniglot_job(config, job)))
    truth, answers = omniglot_one_shot_runs().query_y, np.array(found["answers"])
    assert {name: found[name] for name in job} == job
    assert answers.shape == (20, 20) and set(np.unique(answers)) <= set(range(20))
    wrong = answers != truth
    assert np.allclose(found["run_errors"], 100 * wrong.mean(axis=1)) and np.isclose(found["error"], 100 * wrong.mean())
    assert found["error"] < 90 and found["transductive_error"] < 90  # chance is 95
    assert len(found["train_accuracy"]) == len(found["negative_share"]) == 10


@needs_omniglot
def test_the_learner_meets_no_test_image_before_the_trials():
    runs = omniglot_one_shot_runs()
    images = np.concatenate([runs.support_x, runs.query_x]).reshape(-1, 28, 28).astype(np.uint8)
    trials = {image.tobytes() for image in images}
    for name in OMNIGLOT["training_sets"]:
        assert not trials & {image.tobytes() for image in load_omniglot(name).images}


# ---------------------------------------------------------------- what was tried


def test_the_list_of_trials_is_whole_and_names_its_alphabet():
    text = (RESULTS / "omniglot_trials.json").read_text(encoding="utf-8")
    stored = json.loads(text)
    keys = {"name", "changed", "cpu_minutes", "outer_steps", "one_view", "eight_views", "transductive"}
    assert all(set(trial) == keys for trial in stored["trials"]) and len(stored["trials"]) >= 15
    assert len({trial["name"] for trial in stored["trials"]}) == len(stored["trials"])
    for trial in stored["trials"]:
        assert all(0 < trial[name] < 95 for name in ("one_view", "eight_views", "transductive"))
        assert 0 < trial["cpu_minutes"] < 5 and trial["outer_steps"] > 100
    assert "Korean" in stored["validation"]
    assert not re.search(r"/(home|root|tmp|usr|work)/|\.py\b", text)
