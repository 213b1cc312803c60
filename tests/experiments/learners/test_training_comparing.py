"""Trainings without labels and without an inner loop, in small: what is recorded, and that no label is asked for."""

import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.datasets.glyphs import load_glyphs
from gaml_utils.experiments.learners import CACTUS, IMITATION, METRIC, MUJOCO, SEMI_SUPERVISED
from gaml_utils.experiments.learners import training_unlabelled as unlabelled
from gaml_utils.experiments.learners.training import learner_job
from gaml_utils.experiments.records import job
from gaml_utils.tasks import ClusterTasks, EpisodeTasks, ReachTasks, ViewTasks, WithUnlabelled

SMALL = {
    "iterations": 3,
    "validation_tasks": 4,
    "test_tasks": 10,
    "meta_batch": 2,
    "filters": 2,
    "embedding_steps": 3,
    "clusters": 60,
}


def small(config):
    learners = {
        name: s | {"settings": {k: v for k, v in s["settings"].items() if k != "iterations"}}
        for name, s in config["learners"].items()
    }
    return config | SMALL | {"learners": learners}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where embeddings that are made once serve several tests."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(autouse=True)
def no_other_folder(kept, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(kept))


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """Embeddings are kept in a folder of the test's own."""
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("learner", [name for name in METRIC["learners"] if not name.endswith(("steps", "time"))])
def test_each_learner_is_trained_and_tested_at_one_and_five_shots(learner):
    s = METRIC["learners"][learner]
    value = METRIC["learners"]["MAML"]["inner"][0] if isinstance(s["inner"], str) else np.ravel(s["inner"])[0]
    part = f"{ {'temperature': 'temperature', 'strength': 'strength'}.get(s.get('tuned'), 'inner') } {value:g}"
    run = learner_job(small(METRIC), job(part, learner, s["rules"][-1], 0.003, 0))
    assert {"validation_error", "test_error", "test_worst"} <= set(run)
    assert ("test_error_5_shots" in run) == (s["rules"][-1] == "uniform")
    assert 0 <= run["test_error"] <= 1


def test_semi_supervised_prototypes_have_images_without_a_label_in_training_and_at_the_test(monkeypatch):
    seen = []

    class Watching(WithUnlabelled):
        def sample(self, rng, tasks, shots, queries):
            batch = super().sample(rng, tasks, shots, queries)
            seen.append((tasks, shots, int((batch.support_y[0] < 0).sum()), batch.support_y.shape[1]))
            return batch

    monkeypatch.setattr("gaml_utils.tasks.unlabelled.WithUnlabelled", Watching)
    run = learner_job(
        small(SEMI_SUPERVISED), job("temperature 10", "semi-supervised prototypical", "uniform", 0.003, 0)
    )
    assert {"validation_error", "test_error", "test_error_5_shots"} <= set(run)
    assert {(2, 1, 25, 30), (4, 1, 25, 30), (10, 1, 25, 30), (10, 5, 25, 50)} <= set(seen)


@pytest.mark.parametrize("source", ["labels", "instance", "denoising", "autoencoder", "pixels", "views", "shuffled"])
def test_training_tasks_are_of_the_training_scripts_and_of_their_own_kind(source):
    train, validation, about = unlabelled.training_tasks(small(CACTUS), source, 0)
    kind = {"labels": EpisodeTasks, "views": ViewTasks}.get(source, ClusterTasks)
    for tasks, split in ((train, "train"), (validation, "validation")):
        assert type(tasks) is kind
        np.testing.assert_array_equal(tasks.images, load_glyphs().part(split).images)
    assert set(about) == (set() if kind is not ClusterTasks else {"pair_share", "nmi"})
    if source == "shuffled":
        assert about["pair_share"] < 0.003


def test_labels_change_nothing_about_clusters(monkeypatch, own_folder):
    """Were a label looked at on the way to the tasks, other labels would give others."""
    config, glyphs = small(CACTUS), load_glyphs()
    before = unlabelled.training_tasks(config, "instance", 0)[0].partitions
    for file in own_folder.glob("gaml_embedding_*"):
        file.unlink()
    mixed = glyphs._replace(labels=np.random.default_rng(0).permutation(glyphs.labels))
    monkeypatch.setattr(unlabelled, "load_glyphs", lambda: mixed)
    np.testing.assert_array_equal(unlabelled.training_tasks(config, "instance", 0)[0].partitions, before)


def test_an_embedding_is_made_once_and_is_another_for_another_seed(monkeypatch, own_folder):
    config, made = small(CACTUS), []
    plain = unlabelled.blurred_pixels
    monkeypatch.setattr(unlabelled, "blurred_pixels", lambda *given: made.append(given[2]) or plain(*given))
    first, again = (unlabelled.embeddings("pixels", config, 0) for _ in range(2))
    assert made == [0] and set(first) == {"train", "validation"}
    np.testing.assert_array_equal(first["train"], again["train"])
    unlabelled.embeddings("pixels", config, 1)
    assert made == [0, 1]


def test_weights_are_related_to_purity_by_the_same_draws():
    """Weights that are the purities have a rank correlation of 1."""
    config, labels = small(CACTUS), load_glyphs().part("train").labels
    tasks = ClusterTasks(load_glyphs().part("train").images, np.arange(len(labels)) // 10 % 1500, 5)

    class ByPurity:
        calls = 0

        def meta_gradient(self, batch):
            k, size = self.calls, (config["meta_batch"], config["shots"], config["queries"])
            drawn = tasks.draw(np.random.default_rng([5_000, 3, k]), *size)
            self.calls += 1
            purity = unlabelled.task_purities(np.concatenate(drawn, axis=2), labels)
            return type("Result", (), {"weights": purity})

    assert unlabelled.purity_correlation(config, ByPurity(), tasks, 3, batches=10) > 0.999


def test_a_rule_on_clusters_records_its_correlation_with_purity():
    run = learner_job(small(CACTUS), job("temperature 10", "prototypical, instance", "power -1 of outer", 0.003, 0))
    assert -1 <= run["purity_correlation"] <= 1 and "pair_share" in run


@pytest.mark.parametrize("learner", IMITATION["learners"])
def test_each_policy_is_rolled_out(learner):
    config = IMITATION | {"iterations": 50, "validation_tasks": 5, "test_tasks": 8, "rollout": 3, "units": 4}
    s = IMITATION["learners"][learner]
    run = learner_job(config, job(f"inner {np.ravel(s['inner'])[0]:g}", learner, s["rules"][-1], 0.003, 0))
    assert 0 <= run["test_error"] <= run["test_error_closer"] <= 1 and run["test_median"] > 0
    learns = learner not in ("ignores the demonstration", "told the goal")
    assert ("test_before" in run) == (learns and s["rules"] == ["uniform"])


def test_who_is_told_the_goal_gets_there_and_who_ignores_the_demonstration_does_not():
    config = IMITATION | {"iterations": 300, "validation_tasks": 50, "test_tasks": 2, "units": 32}
    told, ignoring = (
        learner_job(config, job("inner 0", learner, "uniform", 0.01, 200))["validation_error"]
        for learner in ("told the goal", "ignores the demonstration")
    )
    assert told < 0.2 and ignoring > 0.8


def test_the_physics_engines_demonstrations_come_from_a_pool_that_is_drawn_once():
    from gaml_utils.experiments.learners.training_imitation import demonstrations

    config, tasks = MUJOCO | {"pool": 6, "meta_batch": 2}, ReachTasks()  # any arm that samples
    drawn = list(demonstrations(config, {"seed": 3}, tasks).take(3))
    pool = tasks.sample(np.random.default_rng(3), 6, 1, 1)
    found = np.concatenate([batch.query_x for batch in drawn])
    order = [int(np.abs(pool.query_x - one).sum(axis=(1, 2)).argmin()) for one in found]
    assert sorted(order) == list(range(6))
    np.testing.assert_allclose(found, pool.query_x[order], rtol=1e-6)


def test_features_come_back_in_the_order_of_the_images_and_are_made_in_another(monkeypatch):
    seen = []

    class Says:
        """Its features are the first pixel."""

        def __call__(self, x, training):
            assert training and x.dtype == np.float32
            seen.append(x[:, 0, 0, 0])
            return tf.constant(x[:, 0, :, 0])

    monkeypatch.setattr(unlabelled, "CHUNK", 10)
    images = np.tile(np.arange(45)[:, None, None], (1, 2, 3))
    np.testing.assert_array_equal(unlabelled.features_of(Says(), images), images[:, 0])
    assert max(map(len, seen)) <= 10 and (np.diff(np.concatenate(seen)) < 0).any()
