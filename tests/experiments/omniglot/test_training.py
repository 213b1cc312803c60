"""The challenge's learner, episodes and augmentation: a head from zero, one inner step of it, images bent and moved."""

import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from gaml_utils.datasets.images import ImageSet
from gaml_utils.datasets.omniglot import load_omniglot, omniglot_one_shot_runs
from gaml_utils.experiments.files import RESULTS
from gaml_utils.experiments.omniglot import episodes as omniglot_episodes
from gaml_utils.experiments.omniglot.episodes import HalfMixed, augment, centred_batch
from gaml_utils.experiments.omniglot.plan import OMNIGLOT, omniglot_jobs
from gaml_utils.experiments.omniglot.training import make_learner, omniglot_job
from gaml_utils.learners.data import as_dataset
from gaml_utils.networks.convolutional import to_zero, zero_head
from gaml_utils.networks.inspection import inexact_layers
from gaml_utils.records import TaskBatch
from gaml_utils.tasks.augmentation import affine_wobble, centred, elastic_wobble, spread
from gaml_utils.weighting.agreement import agreement_weights
from tests.support.omniglot import needs_omniglot
from tests.support.plain_formulas import relative_error

WAYS = 3
SMALL = OMNIGLOT | {"ways": WAYS, "filters": 4, "iterations": 60, "warmup": 5}


# ---------------------------------------------------------------- the network and its inner step


@pytest.fixture(scope="module")
def learner():
    keras.utils.set_random_seed(0)
    return make_learner(SMALL, "uniform")


def scribbles(rng, n):
    return (rng.random((n, 28, 28)) < 0.1).astype(np.float32)


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


def features_of(model, x, training=False):
    return keras.Model(model.input, model.get_layer("length1").output)(x, training=training).numpy()


def test_features_have_length_1_and_are_not_cut_off_at_0():
    model = zero_head(WAYS, filters=4)
    features = features_of(model, scribbles(np.random.default_rng(0), 5)[..., None], training=True)
    assert features.shape == (5, 4 * 4 * 4)
    assert np.allclose(np.linalg.norm(features, axis=1), 1, rtol=0, atol=1e-5)
    assert features.min() < -0.01
    assert inexact_layers(model) == [] and model.layers[-1].name == "head"
    with pytest.raises(ValueError, match="ways should be"):
        zero_head(0)
    with pytest.raises(ValueError, match="filters should be"):
        zero_head(5, filters=0)


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


def test_the_constraint_sets_back_to_zero():
    assert not np.asarray(to_zero(tf.constant([1.0, -2.0]))).any()


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


# ---------------------------------------------------------------- more images out of those there are


def strokes(n=6, side=28):
    """A filled disc or bar each, away from the border: images with little at single pixels."""
    rows, columns = np.indices((side, side))
    middle = np.random.default_rng(5).integers(11, 17, size=(n, 2))
    return np.stack([np.hypot(rows - r, columns - c) < 5 for r, c in middle]).astype(np.float32)


def centre(images):
    return np.array([ndimage.center_of_mass(image) for image in images])


def test_the_bumps_of_every_pixel_have_length_1_and_belong_to_the_nearest_knot():
    bumps = spread(28, 5)
    assert bumps.shape == (28, 5) and bumps.dtype == np.float32
    assert np.allclose((bumps**2).sum(axis=1), 1, rtol=0, atol=1e-6)
    assert bumps.argmax(axis=1).tolist() == np.rint(np.linspace(0, 4, 28)).astype(int).tolist()


def test_a_bend_of_strength_0_changes_nothing():
    images = strokes()
    bent = elastic_wobble(np.random.default_rng(0), images, strength=0.0)
    assert bent.dtype == np.float32 and np.allclose(bent, images, rtol=0, atol=1e-5)


def test_the_displacement_has_the_strength_asked_for_everywhere():
    """Ramps show the move itself: the value read is the row, or the column, it was read at."""
    ramp = np.tile(np.indices((28, 28))[:, None], (1, 300, 1, 1)).astype(np.float32)
    moved = [elastic_wobble(np.random.default_rng(1), ramp[axis], strength=0.35) - ramp[axis] for axis in (0, 1)]
    for move in moved:
        inside = move[:, 3:-3, 3:-3]
        assert abs(inside.mean()) < 0.03
        assert np.allclose(inside.std(axis=0), 0.35, rtol=0.25, atol=0)
        assert np.abs(np.diff(inside, axis=1)).max() < 0.5  # neighbours move alike: strokes hold
    assert abs(np.corrcoef(moved[0][:, 14, 14], moved[1][:, 14, 14])[0, 1]) < 0.2


def test_bends_are_drawn_anew_for_each_image_and_from_the_generator_alone():
    images = np.repeat(strokes(1), 3, axis=0)
    one, two, three = elastic_wobble(np.random.default_rng(2), images)
    assert not np.array_equal(one, two) and not np.array_equal(two, three)
    assert np.array_equal(one, elastic_wobble(np.random.default_rng(2), images)[0])


def test_an_augmented_image_is_one_bit_again_and_still_the_same_drawing():
    images = strokes()
    new = augment(np.random.default_rng(3), images)
    assert new.dtype == np.float32 and set(np.unique(new)) == {0.0, 1.0}
    overlap = (new * images).sum(axis=(1, 2)) / np.maximum(new, images).sum(axis=(1, 2))
    assert (overlap > 0.4).all() and (overlap < 1).all()
    ink = augment(np.random.default_rng(4), np.repeat(images, 40, axis=0)).sum() / (40 * images.sum())
    assert 0.9 < ink < 1.2  # no thinner, no fatter
    wobbled = affine_wobble(np.random.default_rng(3), images, angle=5.0, stretch=0.075, shift=0.75)
    assert not np.array_equal(new, (wobbled > 0.45).astype(np.float32))  # bent as well


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, bool])
def test_a_centred_image_has_its_ink_in_the_middle_and_keeps_all_of_it(dtype):
    images = np.zeros((3, 28, 26), dtype=dtype)
    images[0, 2:9, 3:6], images[1, 15:27, 20:25], images[1, 15, 12:25] = 1, 1, 1
    moved = centred(images)
    assert moved.dtype == images.dtype and moved.shape == images.shape
    assert np.abs(centre(moved[:2].astype(float)) - [13.5, 12.5]).max() <= 0.5
    assert np.array_equal(moved.sum(axis=(1, 2)), images.sum(axis=(1, 2)))
    assert not moved[2].any()  # an empty sheet stays
    assert np.array_equal(centred(moved), moved)
    assert np.array_equal(moved[0], np.roll(images[0], (8, 8), axis=(0, 1)))


def test_darker_ink_counts_for_more():
    image = np.zeros((1, 9, 9), dtype=np.uint8)
    image[0, 4, 0], image[0, 4, 8] = 3, 1
    assert np.flatnonzero(centred(image)[0].any(axis=0)).tolist() == [1, 2]  # moved by 2: the far end comes round


def test_each_image_of_a_batch_is_centred_by_its_own_ink():
    rng = np.random.default_rng(6)
    x = np.roll(strokes(8), (3, -2), axis=(1, 2)).reshape(2, 4, 28, 28, 1)
    batch = TaskBatch(x, rng.integers(4, size=(2, 4)), x[::-1], rng.integers(4, size=(2, 4)))
    moved = centred_batch(batch)
    alone = centred_batch(batch._replace(support_x=x[:1, :1], query_x=x[1:, 3:]))
    assert np.array_equal(moved.support_x[0, 0], alone.support_x[0, 0])
    assert np.array_equal(moved.query_x, moved.support_x[::-1]) and moved.query_y is batch.query_y
    assert not np.array_equal(moved.support_x, x)


# ---------------------------------------------------------------- episodes


def alphabets(seed=0):
    """Three alphabets of four characters by three drawers; a character is a scribble, its drawings are alike."""
    rng = np.random.default_rng(seed)
    images = np.repeat(scribbles(rng, 12), 3, axis=0).astype(np.uint8)
    scripts = np.repeat(["Greek", "Latin", "Tagalog"], 12)
    return ImageSet(images, np.repeat(np.arange(12), 3), scripts, np.full(36, "train"), np.tile([1, 2, 3], 12))


def whose(data, image):
    """(character, which of the eight) of an image that nothing has changed."""
    for k, m in enumerate((image, image[:, ::-1])):
        for q in range(4):
            hit = (data.images == np.rot90(m, q)).all(axis=(1, 2))
            if hit.any():
                return int(data.labels[hit.argmax()]), 4 * k + q
    raise AssertionError("an image from nowhere")


def test_half_of_the_episodes_stay_within_an_alphabet_and_the_way_it_is_turned(monkeypatch):
    monkeypatch.setattr(omniglot_episodes, "augment", lambda rng, images: images)
    data = alphabets()
    batch = HalfMixed(data, WAYS).sample(np.random.default_rng(7), 40, 1, 1)
    assert batch.support_x.shape == (40, WAYS, 28, 28, 1) and batch.support_y.tolist() == 40 * [[0, 1, 2]]
    seen, within = set(), []
    for support, query in zip(batch.support_x[..., 0], batch.query_x[..., 0], strict=True):
        classes = [whose(data, image) for image in support]
        assert classes == [whose(data, image) for image in query]  # support and query of a class: one class
        assert len(set(classes)) == WAYS
        within.append(len({(data.scripts[3 * c], turn) for c, turn in classes}) == 1)
        seen |= {turn for _, turn in classes}
    assert all(within[:20]) and not any(within[20:])
    assert seen == set(range(8))


@pytest.mark.parametrize("tasks", [1, 5])
def test_an_odd_number_of_tasks_is_what_was_asked_for(tasks):
    batch = HalfMixed(alphabets(), WAYS).sample(np.random.default_rng(7), tasks, 1, 1)
    assert len(batch.support_x) == len(batch.query_y) == tasks


def test_training_images_are_augmented_and_a_seed_says_which():
    data = alphabets()
    one, two = (HalfMixed(data, WAYS).sample(np.random.default_rng(8), 2, 1, 1) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not any(
        (one.support_x[0, 0, ..., 0] == np.rot90(m, q)).all()
        for m in (*data.images, *data.images[:, :, ::-1])
        for q in range(4)
    )


# ---------------------------------------------------------------- the experiment


def test_jobs_are_every_rule_of_every_set_over_all_seeds():
    jobs = omniglot_jobs(OMNIGLOT, {})
    cells = {(job["part"], job["rule"]) for job in jobs}
    assert cells == {("small1", "uniform"), ("small1", "agreement"), ("small2", "uniform")}
    assert len(OMNIGLOT["seeds"]) >= 5 and len(jobs) == len(cells) * len(OMNIGLOT["seeds"])
    assert len({(j["part"], j["rule"], j["seed"]) for j in jobs}) == len(jobs)


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
