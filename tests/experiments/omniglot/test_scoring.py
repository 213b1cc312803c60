"""The official error: the percentage of trials missed."""

import numpy as np
import pytest

from gaml_utils.experiments.omniglot import scoring
from gaml_utils.experiments.omniglot.scoring import official_error
from tests.support.episodes import WAYS, blobs, plain_accuracies, small_learner


@pytest.fixture(scope="module")
def learner():
    return small_learner()


def official_like(seed=9):
    """Four runs of three trials, each class once among the queries, in another order in each."""
    batch = blobs(seed, tasks=4, shots=1, queries=1, noise=0.7)
    order = np.array([np.random.default_rng(k).permutation(WAYS) for k in range(4)])
    rows = np.arange(4)[:, None]
    return batch._replace(query_x=batch.query_x[rows, order], query_y=batch.query_y[rows, order])


def test_the_official_error_is_the_percentage_of_trials_missed(learner):
    runs = official_like()
    found = official_error(learner, runs)
    missed = 100 * (1 - plain_accuracies(learner, runs))
    assert np.allclose(found.runs, missed, rtol=0, atol=1e-9) and np.isclose(found.percent, missed.mean())
    assert 0 < found.percent < 100
    backwards = runs._replace(query_x=runs.query_x[:, ::-1], query_y=runs.query_y[:, ::-1])
    assert np.array_equal(official_error(learner, backwards).runs, found.runs)
    by_hand = 100 * (1 - plain_accuracies(learner, runs, steps=2, alone=False))
    assert np.allclose(official_error(learner, runs, steps=2, transductive=True).runs, by_hand)


def test_the_official_runs_are_loaded_where_none_are_given(learner, monkeypatch):
    runs = official_like()
    monkeypatch.setattr(scoring, "omniglot_one_shot_runs", lambda: runs)
    assert official_error(learner).percent == official_error(learner, runs).percent
