"""The challenge's learners that compare: what they are trained on, what they are judged by."""

import numpy as np
import pytest

from gaml_utils.datasets.images import ImageSet
from gaml_utils.datasets.omniglot import load_omniglot
from gaml_utils.experiments.omniglot import training_comparing
from gaml_utils.experiments.omniglot.plan_comparing import OMNIGLOT_COMPARING
from gaml_utils.experiments.omniglot.training_comparing import comparing_job, comparing_learner, two_hands
from gaml_utils.experiments.records import job
from tests.support.omniglot import needs_omniglot

SMALL = OMNIGLOT_COMPARING | {"filters": 4, "iterations": 30, "tuning_iterations": 30, "warmup": 2}
KINDS = ["prototypical", "relation"]


def of(part, kind="prototypical", seed=3):
    return job(part, kind, "uniform", 0.01, seed)


def drawn(characters=6, hands=4):
    """Images that say who drew them and what: pixel 0 is the hand, pixel 1 the character."""
    labels, by = (a.ravel() for a in np.meshgrid(np.arange(characters), np.arange(hands), indexing="ij"))
    images = np.zeros((len(labels), 28, 28), dtype=np.uint8)
    images[:, 0, 0], images[:, 0, 1] = by + 1, labels + 1
    names = np.full(len(labels), "A")
    return ImageSet(images, labels, names, names, by)


def test_support_is_by_one_hand_and_queries_by_another_of_the_same_characters():
    batch = two_hands(np.random.default_rng(0), drawn(), 50, 5)
    assert batch.support_x.shape == batch.query_x.shape == (50, 5, 28, 28, 1)
    hands = [np.unique(x[:, :, 0, 0, 0], axis=1) for x in (batch.support_x, batch.query_x)]
    assert all(h.shape == (50, 1) for h in hands) and (hands[0] != hands[1]).all()
    assert np.array_equal(batch.support_x[:, :, 0, 1], batch.query_x[:, :, 0, 1])
    assert all(len(np.unique(classes)) == 5 for classes in batch.support_x[:, :, 0, 1, 0])
    assert np.array_equal(batch.support_y, batch.query_y) and batch.support_y.max() == 4


@pytest.mark.parametrize("kind", KINDS)
def test_the_body_is_chapter_09s_and_the_step_size_goes_up_and_then_down(kind):
    learner = comparing_learner(OMNIGLOT_COMPARING, of("small1", kind), 3.0, 100)
    convolutions = [layer for layer in learner.model.layers if "conv" in layer.name]
    assert [layer.strides[0] for layer in convolutions] == [2, 2, 2, 1]
    assert {layer.filters for layer in convolutions} == {64} and learner.temperature == 3.0
    sizes = [float(learner.optimizer._learning_rate(step)) for step in (0, 25, 50, 75, 100)]
    assert np.allclose(sizes, [0, 0.005, 0.01, 0.005, 0], atol=1e-7)


@needs_omniglot
def test_tuning_neither_trains_on_the_held_out_alphabet_nor_opens_the_trials(monkeypatch):
    seen = {}

    class Watching(training_comparing.HalfMixed):
        def __init__(self, data, ways):
            seen["scripts"] = set(data.scripts)
            super().__init__(data, ways)

    def opened():
        raise AssertionError("the 400 trials were opened")

    monkeypatch.setattr(training_comparing, "HalfMixed", Watching)
    monkeypatch.setattr("gaml_utils.datasets.omniglot.omniglot_one_shot_runs", opened)
    found = comparing_job(SMALL, of("tuning, temperature 300"))
    assert seen["scripts"] == set(load_omniglot("small1").scripts) - {"Korean"} and len(seen["scripts"]) == 4
    assert 5 < found["validation_error"] < 90  # chance is 95
    assert "error" not in found


@needs_omniglot
@pytest.mark.parametrize("kind", KINDS)
def test_a_tiny_run_over_the_official_trials(kind):
    found = comparing_job(SMALL, of("small2, temperature 1", kind))
    assert found["part"] == "small2, temperature 1" and "validation_error" not in found
    assert len(found["run_errors"]) == 20 and np.isclose(found["error"], np.mean(found["run_errors"]))
    assert 0 < found["error"] <= 100 and 0 < found["transductive_error"] <= 100
