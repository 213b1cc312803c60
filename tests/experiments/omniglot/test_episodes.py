"""The challenge's episodes: half of them within one alphabet, the images augmented and centred."""

import numpy as np
import pytest

from gaml_utils.datasets.images import ImageSet
from gaml_utils.experiments.omniglot import episodes as omniglot_episodes
from gaml_utils.experiments.omniglot.episodes import HalfMixed, augment, centred_batch
from gaml_utils.records import TaskBatch
from gaml_utils.tasks.augmentation import affine_wobble
from tests.support.scribbles import WAYS, scribbles, strokes


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
