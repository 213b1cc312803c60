"""Clusters in place of classes: the episodes of true labels where they are these, and no image twice."""

import numpy as np
import pytest
import sklearn.cluster

from gaml_utils.tasks import ClusterTasks, EpisodeTasks, ViewTasks, WithUnlabelled, affine_wobble
from gaml_utils.tasks.clusters import cluster, same_label_pairs, task_purities
from tests.support.plain_formulas import same
from tests.tasks.test_episodes import numbered, numbers_of, small


def rng(seed=0):
    return np.random.default_rng(seed)


def of_sizes(*sizes):
    """Cluster k has sizes[k] images, in mixed order."""
    return rng(5).permutation(np.repeat(np.arange(len(sizes)), sizes))


@pytest.mark.parametrize("settings", [{}, {"rotations": True}, {"augment": affine_wobble}])
def test_with_the_true_labels_the_episodes_are_those_of_episode_tasks(settings):
    _, labels = small()
    images = rng(1).random((len(labels), 4, 4))
    ours, theirs = ClusterTasks(images, labels, 3, **settings), EpisodeTasks(images, labels, 3, **settings)
    assert same(list(ours.sample(rng(), 7, 2, 3)), list(theirs.sample(rng(), 7, 2, 3)))


def test_small_clusters_are_dropped_and_the_others_drawn_alike_whatever_their_size():
    clusters = of_sizes(3, 4, 40, 5, 2)
    tasks = ClusterTasks(numbered(len(clusters)), clusters, 2)
    support, query = tasks.draw(rng(), 3000, 1, 3)
    of = clusters[np.concatenate([support, query], axis=2)]
    assert (of == of[..., :1]).all()  # a class is one cluster
    counts = np.bincount(of[..., 0].ravel(), minlength=5)
    assert counts[0] == counts[4] == 0
    assert (np.abs(counts[1:4] - 2000) < 200).all()
    drawn = np.sort(np.concatenate([support, query], axis=2).reshape(3000, -1), axis=1)
    assert (np.diff(drawn, axis=1) > 0).all()  # no image twice
    assert np.array_equal(np.unique(tasks.large_enough(4)), [False, True])


def test_the_numbering_is_anew_in_each_episode():
    clusters = of_sizes(4, 4)
    support, _ = ClusterTasks(numbered(8), clusters, 2).draw(rng(), 400, 1, 1)
    first = clusters[support[:, 0, 0]]
    assert abs(first.mean() - 0.5) < 0.1


def test_of_several_partitions_each_episode_takes_one():
    partitions = np.stack([np.repeat([0, 1], 4), np.tile([0, 1], 4)])
    support, query = ClusterTasks(numbered(8), partitions, 2).draw(rng(), 500, 2, 2)
    members = np.concatenate([support, query], axis=2)
    fits = [(p[members] == p[members][..., :1]).all(axis=(1, 2)) for p in partitions]
    assert (fits[0] ^ fits[1]).all() and 0.4 < fits[0].mean() < 0.6


def test_an_image_in_no_cluster_is_never_drawn():
    clusters = of_sizes(4, 4, 6) - 1
    support, query = ClusterTasks(numbered(14), clusters, 2).draw(rng(), 200, 1, 3)
    assert (clusters[np.concatenate([support, query], axis=2)] >= 0).all()


def test_pictures_are_those_of_the_numbers_drawn():
    clusters = of_sizes(3, 5, 9, 2)
    tasks = ClusterTasks(numbered(len(clusters)), clusters, 2)
    drawn, batch = tasks.draw(rng(3), 5, 2, 3), tasks.sample(rng(3), 5, 2, 3)
    for numbers, x in zip(drawn, (batch.support_x, batch.query_x), strict=True):
        np.testing.assert_array_equal(numbers_of(x), numbers.reshape(5, -1))


def test_clusters_too_few_or_not_whole_numbers_are_refused():
    with pytest.raises(ValueError, match=r"clusters should have at least 2 \(the ways\) with 5 images"):
        ClusterTasks(numbered(8), of_sizes(4, 4), 2).sample(rng(), 1, 2, 3)
    for bad in (np.arange(8.0), np.zeros((2, 2, 2), int), np.zeros(0, int), np.ma.masked_equal(np.arange(8), 3)):
        with pytest.raises(ValueError, match="clusters should"):
            ClusterTasks(numbered(8), bad, 2)
    with pytest.raises(ValueError, match="labels should be one per image"):
        ClusterTasks(numbered(8), np.zeros(7, int), 2)
    with pytest.raises(ValueError, match="ways should"):
        ClusterTasks(numbered(8), of_sizes(4, 4), 3)
    tasks = ClusterTasks(numbered(8), of_sizes(4, 4), 2)
    for name, sizes in {"tasks": (0, 1, 1), "shots": (1, 0, 1), "queries": (1, 1, 0)}.items():
        with pytest.raises(ValueError, match=f"{name} should be"):
            tasks.draw(rng(), *sizes)


def groups(seed=0):
    """Three far groups of 10 points."""
    return np.repeat(10.0 * np.eye(3), 10, axis=0) + 0.1 * rng(seed).normal(size=(30, 3))


def test_k_means_finds_groups_and_starts_from_its_rng():
    found = cluster(groups(), 3, rng=rng())
    assert found.shape == (30,) and same_label_pairs(found, np.repeat(np.arange(3), 10)) == 1
    noise = rng(1).normal(size=(200, 4))
    assert same([cluster(noise, 10, rng=rng(2))], [cluster(noise, 10, rng=rng(2))])
    assert not same([cluster(noise, 10, rng=rng(2))], [cluster(noise, 10, rng=rng(3))])


def test_several_partitions_scale_the_axes_each_in_its_own_way(monkeypatch):
    seen, noise = [], rng(1).normal(size=(20, 4))

    class Recorded(sklearn.cluster.KMeans):
        def fit_predict(self, x):
            seen.append(x / noise)
            return super().fit_predict(x)

    monkeypatch.setattr(sklearn.cluster, "KMeans", Recorded)
    found = cluster(noise, 5, 6, rng(0))
    assert found.shape == (6, 20) and len({tuple(row) for row in found}) > 1
    for scale in seen:
        np.testing.assert_allclose(scale, np.tile(scale[:1], (20, 1)))
    scales = np.array([scale[0] for scale in seen])
    assert (scales > 0).all() and (scales < 1).all() and len(np.unique(scales)) == 24
    cluster(noise, 5, 1, rng(0))
    np.testing.assert_allclose(seen[-1], 1)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((np.zeros(5), 2), "embedding"),
        ((np.full((5, 2), np.nan), 2), "embedding"),
        ((np.array([["a"]] * 5), 2), "embedding"),
        ((np.zeros((5, 2)), 6), "k"),
        ((np.zeros((5, 2)), 1), "k"),
        ((np.zeros((5, 2)), 2, 0), "partitions"),
        ((np.zeros((5, 2)), 2, 1, 3), "rng"),
    ],
)
def test_cluster_checks_its_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"{name} should be"):
        cluster(*arguments)


def test_pairs_of_one_label_by_hand():
    assert same_label_pairs(np.array([0, 0, 0, 1, 1]), np.array([7, 7, 8, 9, 9])) == (1 + 1) / (3 + 1)
    assert same_label_pairs(np.array([4, 4, 4]), np.array([1, 1, 1])) == 1
    assert np.isnan(same_label_pairs(np.arange(3), np.arange(3)))
    numbers = np.array([[[0, 1, 2], [3, 4, 5]]])
    np.testing.assert_allclose(task_purities(numbers, np.array([1, 1, 2, 3, 3, 3])), [(1 + 3) / 6])


def test_a_view_is_of_its_image_and_no_two_classes_are_of_one():
    tasks = ViewTasks(numbered(20), 4, lambda rng, x: x)
    support, query = tasks.draw(rng(), 50, 2, 3)
    assert support.shape == (50, 4, 2) and query.shape == (50, 4, 3)
    assert (np.concatenate([support, query], axis=2) == support[..., :1]).all()
    assert (np.diff(np.sort(support[..., 0], axis=1), axis=1) > 0).all()
    batch = ViewTasks(rng(1).random((20, 8, 8)), 4, affine_wobble).sample(rng(), 2, 1, 1)
    assert np.abs(batch.support_x - batch.query_x).max() > 0.01  # views differ
    with pytest.raises(ValueError, match="augment should be a function"):
        ViewTasks(numbered(20), 4, None)
    with pytest.raises(ValueError, match="ways should be at most"):
        ViewTasks(numbered(3), 4, affine_wobble)
    with pytest.raises(ValueError, match="shots should be"):
        tasks.draw(rng(), 1, 0, 1)


def test_unlabelled_images_are_more_images_of_the_class_without_its_label():
    tasks, _ = small()
    batch = WithUnlabelled(tasks, 2).sample(rng(), 4, 1, 2)
    plain = tasks.sample(rng(), 4, 3, 2)
    assert same([batch.support_x, batch.query_x, batch.query_y], [plain.support_x, plain.query_x, plain.query_y])
    np.testing.assert_array_equal(batch.support_y, np.tile([0, -1, -1, 1, -1, -1, 2, -1, -1], (4, 1)))
    assert batch.support_y.dtype == np.int32
    with pytest.raises(ValueError, match="unlabelled should be"):
        WithUnlabelled(tasks, -1)
