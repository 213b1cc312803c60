"""Episodes: what they hold, that all classes and images have their chance, and what never meets in one."""

import itertools
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaml_utils.datasets.glyphs import load_glyphs
from gaml_utils.tasks.augmentation import affine_wobble
from gaml_utils.tasks.episodes import EpisodeTasks, within_class


def numbered(count, side=4):
    """Images that say their number in every pixel, but for the corner, which is 0."""
    images = np.tile(np.arange(1.0, count + 1)[:, None, None], (1, side, side))
    images[:, 0, 0] = 0
    return images


def numbers_of(x):
    return x[..., 1, 1, 0].astype(int) - 1


def small(classes=6, each=5, **kwargs):
    """`classes` classes of `each` images, in mixed order, so that place says nothing of class."""
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(classes) * 10 + 3, each))
    kwargs = {"ways": 3} | kwargs
    return EpisodeTasks(numbered(len(labels)), labels, **kwargs), labels


def test_a_batch_has_the_shapes_of_the_contract():
    tasks, _ = small()
    batch = tasks.sample(np.random.default_rng(0), tasks=7, shots=2, queries=3)
    assert [a.shape for a in batch] == [(7, 6, 4, 4, 1), (7, 6), (7, 9, 4, 4, 1), (7, 9)]
    assert [a.dtype for a in batch] == [np.float32, np.int32] * 2
    assert (batch.support_y == [0, 0, 1, 1, 2, 2]).all() and (batch.query_y == [0, 0, 0, 1, 1, 1, 2, 2, 2]).all()


def test_a_way_is_one_class_and_no_image_comes_twice():
    tasks, labels = small()
    batch = tasks.sample(np.random.default_rng(1), tasks=200, shots=2, queries=3)
    support, query = (numbers_of(x).reshape(200, 3, -1) for x in (batch.support_x, batch.query_x))
    classes = labels[np.concatenate([support, query], axis=2)]
    assert (classes == classes[:, :, :1]).all()
    assert all(len(set(row)) == 3 for row in classes[:, :, 0])
    assert all(len(set(row)) == 15 for row in np.concatenate([support, query], axis=2).reshape(200, -1))


def test_sample_shows_the_images_that_draw_names_and_leaves_them_as_they_are():
    tasks, _ = small()
    before = tasks.images.copy()
    support, query = tasks.draw(np.random.default_rng(5), 20, 1, 2)
    batch = tasks.sample(np.random.default_rng(5), 20, 1, 2)
    assert np.array_equal(numbers_of(batch.support_x), support.reshape(20, -1))
    assert np.array_equal(numbers_of(batch.query_x), query.reshape(20, -1))
    assert np.array_equal(tasks.images, before)


def test_the_same_generator_state_gives_the_same_batch():
    tasks, _ = small(rotations=True, augment=lambda rng, x: x + rng.normal(size=(len(x), 1, 1)))
    first, again, other = (tasks.sample(np.random.default_rng(s), 5, 1, 1) for s in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first.support_x, other.support_x)


def close_to_even(counts):
    """Chi-squared of counts that should be equal is below its 99.99% quantile, roughly: mean plus 5 deviations."""
    counts = np.asarray(counts, dtype=float)
    freedom = counts.size - 1
    return ((counts - counts.mean()) ** 2 / counts.mean()).sum() < freedom + 5 * np.sqrt(2 * freedom)


@pytest.mark.parametrize("with_hands", [False, True])
def test_each_class_each_number_and_each_image_is_equally_likely(with_hands):
    hands = np.arange(30) if with_hands else None
    tasks, labels = small(hands=hands)
    support, query = tasks.draw(np.random.default_rng(0), 20_000, 1, 2)
    by_way = np.array([np.bincount(labels[support[:, way, 0]] // 10, minlength=6) for way in range(3)])
    assert close_to_even(by_way.ravel())  # no class prefers a number
    assert close_to_even(np.bincount(support.ravel(), minlength=30))
    assert close_to_even(np.bincount(query.ravel(), minlength=30))


def test_all_ways_come_from_one_group_and_each_large_enough_group_is_equally_likely():
    sizes = {"large": 9, "small": 4, "exact": 3, "too small": 2}
    groups = np.repeat(np.repeat(list(sizes), list(sizes.values())), 2)
    labels = np.repeat(np.arange(18), 2)
    order = np.random.default_rng(0).permutation(36)
    tasks = EpisodeTasks(numbered(36), labels[order], 3, groups=groups[order])
    support, query = tasks.draw(np.random.default_rng(1), 6_000, 1, 1)
    found = groups[order][np.concatenate([support, query], axis=2)].reshape(6_000, -1)
    assert (found == found[:, :1]).all()
    names, counts = np.unique(found[:, 0], return_counts=True)
    assert set(names) == {"large", "small", "exact"} and close_to_even(counts)
    classes = np.bincount(labels[order][support[found[:, 0] == "large"]].ravel())
    assert close_to_even(classes[classes > 0]) and (classes > 0).sum() == 9


def drawable(counts, shots, queries):
    """Can whole hands be given to support and query so that both have enough? Tried one by one."""
    cuts = itertools.product((0, 1), repeat=len(counts))
    return any(np.dot(c, counts) >= shots and sum(counts) - np.dot(c, counts) >= queries for c in cuts)


@settings(deadline=None)
@given(
    counts=st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=5), min_size=2, max_size=4),
    shots=st.integers(1, 5),
    queries=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_no_hand_serves_support_and_query_or_it_is_refused(counts, shots, queries, seed):
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.full(sum(c), k) for k, c in enumerate(counts)])
    hands = np.concatenate([np.repeat(rng.choice(50, len(c), replace=False), c) for c in counts])
    order = rng.permutation(len(labels))
    labels, hands = labels[order], hands[order]
    tasks = EpisodeTasks(numbered(len(labels)), labels, 2, hands=hands)
    if not all(drawable(c, shots, queries) for c in counts):
        with pytest.raises(ValueError, match="images, which cannot give .* without a hand in both"):
            tasks.draw(rng, 3, shots, queries)
        return
    support, query = tasks.draw(rng, 40, shots, queries)
    for s, q in zip(support.reshape(-1, shots), query.reshape(-1, queries), strict=True):
        assert not set(hands[s]) & set(hands[q])
        assert len(set(s)) == shots and len(set(q)) == queries and len(set(labels[[*s, *q]])) == 1


def test_with_hands_every_image_has_its_turn_and_several_hands_share_a_support_set():
    labels, hands = np.repeat(np.arange(3), 20), np.tile(np.repeat(np.arange(5), 4), 3)
    tasks = EpisodeTasks(numbered(60), labels, 3, hands=hands)
    support, query = tasks.draw(np.random.default_rng(0), 2_000, 3, 5)
    assert all((np.bincount(drawn.ravel(), minlength=60) > 0).all() for drawn in (support, query))
    made_by = [len(set(row)) for row in hands[support.reshape(-1, 3)]]
    assert set(made_by) == {1, 2, 3}


def test_within_class_numbers_each_classs_hands_from_0():
    hands, classes = np.array([7, 9, 7, 9, 2, 2, 30]), np.array([0, 0, 0, 1, 1, 1, 1])
    assert within_class(hands, classes).tolist() == [0, 1, 0, 1, 0, 0, 2]


def test_rotations_turn_all_images_of_a_class_alike_and_each_turn_is_equally_likely():
    tasks, _ = small(rotations=True)
    batch = tasks.sample(np.random.default_rng(0), 2_000, 2, 3)
    plain = {turn: [(0, 0), (3, 0), (3, 3), (0, 3)][turn] for turn in range(4)}  # where the corner goes
    turns = []
    for x in (batch.support_x, batch.query_x):
        x = x.reshape(2_000, 3, -1, 4, 4)
        turns.append(np.argmax([x[..., i, j] == 0 for i, j in plain.values()], axis=0))
        assert (np.sum(x == 0, axis=(3, 4)) == 1).all()
        assert (numbers_of(x[..., None]) >= 0).all()
    both = np.concatenate(turns, axis=2)
    assert (both == both[:, :, :1]).all()
    assert close_to_even(np.bincount(both[:, :, 0].ravel(), minlength=4))
    assert len(np.unique(both[:, :, 0], axis=0)) == 64  # each way its own turn
    still, _ = small()
    assert (still.sample(np.random.default_rng(0), 200, 2, 3).query_x[..., 0, 0, 0] == 0).all()


def test_rotations_are_those_of_numpy():
    images = np.random.default_rng(0).random((40, 5, 5))
    labels = np.repeat(np.arange(8), 5)
    turned, plain = EpisodeTasks(images, labels, 2, rotations=True), EpisodeTasks(images, labels, 2)
    x = turned.sample(np.random.default_rng(1), 30, 1, 1).query_x[..., 0].reshape(-1, 5, 5)
    numbers = plain.draw(np.random.default_rng(1), 30, 1, 1)[1].ravel()
    seen = [
        next(t for t in range(4) if np.array_equal(a, np.rot90(images[n], t).astype(np.float32)))
        for a, n in zip(x, numbers, strict=True)
    ]
    assert set(seen) == {0, 1, 2, 3}


def test_augment_changes_every_image_and_must_keep_their_shape():
    seen = []

    def darker(rng, images):
        seen.append((images.shape, images.dtype))
        return images / 2

    tasks, _ = small(augment=darker)
    plain, _ = small()
    batch, other = (t.sample(np.random.default_rng(0), 4, 1, 2) for t in (tasks, plain))
    assert seen == [((12, 4, 4), np.float32), ((24, 4, 4), np.float32)]
    assert np.array_equal(batch.support_x, other.support_x / 2) and batch.query_x.dtype == np.float32
    tasks, _ = small(augment=lambda rng, images: images[:, :2])
    with pytest.raises(ValueError, match="augment should return images of shape"):
        tasks.sample(np.random.default_rng(0), 4, 1, 2)


@pytest.mark.parametrize(
    "kwargs", [{}, {"groups": True}, {"groups": True, "hands": True}, {"rotations": True}], ids=lambda k: " ".join(k)
)
def test_a_thousand_episodes_take_the_calls_of_ten(kwargs):
    """Whatever the number of episodes, as many calls of functions: no loop in Python goes over them.

    5 ways, 1 shot, 15 queries, from 1,000 classes of 20 images. Counted, not timed: machines differ.
    """
    labels = np.repeat(np.arange(1_000), 20)
    known = {"groups": labels // 25, "hands": np.arange(20_000) % 20 // 2}
    kwargs = {name: known.get(name, True) for name in kwargs}
    tasks = EpisodeTasks(np.ones((20_000, 28, 28), np.uint8), labels, 5, **kwargs)

    def calls(episodes):
        seen = []
        sys.setprofile(lambda frame, event, argument: seen.append(event))
        tasks.sample(np.random.default_rng(0), episodes, 1, 15)
        sys.setprofile(None)
        return seen.count("call") + seen.count("c_call")

    calls(10)  # what is imported, or kept, at the first call
    assert calls(1_000) <= 1.1 * calls(10)


def test_glyphs_never_share_a_class_between_splits_nor_a_font_within_an_episode():
    glyphs = load_glyphs()
    parts = {name: glyphs.part(name) for name in ("train", "validation", "test")}
    for a, b in itertools.combinations(parts.values(), 2):
        assert not set(a.labels) & set(b.labels) and not set(a.scripts) & set(b.scripts)
    test = parts["test"]
    tasks = EpisodeTasks(test.images, test.labels, 5, groups=test.scripts, hands=test.hands)
    for shots, queries in ((1, 5), (5, 5)):
        support, query = tasks.draw(np.random.default_rng(0), 1_000, shots, queries)
        made_by = test.hands[support][..., :, None] == test.hands[query][..., None, :]
        assert not made_by.any()
        assert (test.scripts[support] == test.scripts[support[:, :1, :1]]).all()


def test_a_wobble_is_gentle_and_each_image_has_its_own():
    image = np.zeros((28, 28), np.float32)
    image[8:20, 12:15] = 1
    images = np.tile(image, (200, 1, 1))
    wobbled = affine_wobble(np.random.default_rng(0), images)
    assert wobbled.shape == images.shape and wobbled.dtype == np.float32
    assert wobbled.min() >= 0 and wobbled.max() <= 1 + 1e-6
    assert len(np.unique(wobbled.reshape(200, -1), axis=0)) == 200
    assert abs(wobbled.sum(axis=(1, 2)).mean() / image.sum() - 1) < 0.1
    still = affine_wobble(np.random.default_rng(0), images, angle=0, stretch=0, shift=0)
    assert np.allclose(still, images, atol=1e-5)
    moved = affine_wobble(np.random.default_rng(0), images, angle=0, stretch=0, shift=2)
    grid = np.arange(28)
    centres = np.array([(moved.sum(axis=other) * grid).sum(axis=1) / moved.sum(axis=(1, 2)) for other in (2, 1)])
    own = np.array([(image.sum(axis=other) * grid).sum() / image.sum() for other in (1, 0)])
    assert np.allclose((centres - own[:, None]).std(axis=1), 2, rtol=0.2)


IMAGES, LABELS = np.zeros((6, 4, 4)), np.repeat([0, 1, 2], 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((6, 16))}, "images should be numbers"),
        ({"images": np.zeros((6, 4, 4), dtype=str)}, "images should be numbers"),
        ({"images": np.zeros((6, 4, 5)), "rotations": True}, "images should be square"),
        ({"labels": LABELS[:5]}, "labels should be one per image"),
        ({"groups": ["a"]}, "groups should be one per image"),
        ({"hands": [[1] * 6]}, "hands should be one per image"),
        ({"ways": 0}, "ways should be a whole number"),
        ({"ways": 2.0}, "ways should be a whole number"),
        ({"ways": 4}, "ways should be at most the classes there are, 3, got 4"),
        ({"groups": [0, 0, 0, 0, 1, 1], "ways": 3}, "ways should be at most the classes the largest group has, 2"),
        ({"groups": [0, 0, 0, 1, 1, 1]}, "groups should be the same for all images of a class"),
    ],
)
def test_bad_construction_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        EpisodeTasks(**{"images": IMAGES, "labels": LABELS, "ways": 2} | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rng": 0}, "rng should be"),
        ({"tasks": 0}, "tasks should be"),
        ({"shots": 0}, "shots should be"),
        ({"queries": 1.5}, "queries should be"),
        ({"queries": 2}, "class 0 has 2 images, which cannot give 1 and 2$"),
    ],
)
def test_bad_sizes_are_named(change, message):
    tasks = EpisodeTasks(IMAGES, LABELS, 2)
    with pytest.raises(ValueError, match=message):
        tasks.sample(**{"rng": np.random.default_rng(0), "tasks": 1, "shots": 1, "queries": 1} | change)
