"""Chapter 08's learner by several workers, in small and alone: what is compared, printed, kept and stored."""

import json
import types

import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.experiments.glyphs import training_together as together
from gaml_utils.experiments.glyphs.plan import GLYPHS
from gaml_utils.learners import Workers

SMALL = GLYPHS | {"iterations": 20, "filters": 2, "test_episodes": 4, "meta_batch": 2, "seeds": [0]}


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Runs the command with these arguments in small; its results go to a folder of the test's own."""
    monkeypatch.setattr(together, "GLYPHS", SMALL)
    monkeypatch.setattr(together, "RESULTS", tmp_path)
    monkeypatch.setattr(together, "largest_difference", lambda *given: 1e-15)
    monkeypatch.delenv("TF_CONFIG", raising=False)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["training_together.py", "--folder", str(tmp_path / "kept"), *arguments])
        return together.main()

    return run


def test_the_command_compares_trains_keeps_and_stores(small, tmp_path, capsys, monkeypatch):
    assert small("--seeds", "0", "--store") == 1  # two filters and twenty steps are not as good as chapter 08
    said = capsys.readouterr().out
    assert "1 workers and one process differ by 1.0e-15, by no more than 1e-12: True" in said
    assert "within it: False" in said
    stored = json.loads((tmp_path / "glyphs_together.json").read_text())
    (run,) = stored["runs"]
    assert run["workers"] == 1 and run["seed"] == 0 and np.shape(run["test_accuracy"]) == (2, 1)
    monkeypatch.setattr(together, "train_job", lambda *given, **more: pytest.fail("trained again"))
    small("--seeds", "0")
    assert run["digest"] in capsys.readouterr().out  # what was done is kept
    monkeypatch.setattr(together, "code_digest", lambda: "another code")
    with pytest.raises(pytest.fail.Exception, match="trained again"):  # but not for other code
        small("--seeds", "0")


def test_the_largest_difference_is_between_the_workers_and_one_process(monkeypatch):
    ends = iter([[1.0, 2.0], [1.5, 1.8]])
    fake = lambda *given: (types.SimpleNamespace(outer_variables=[tf.constant(next(ends))]), {})  # noqa: E731
    monkeypatch.setattr(together, "train_job", fake)
    assert together.largest_difference(SMALL, {}, Workers(), 3) == pytest.approx(0.5)


def test_a_difference_above_rounding_is_an_error(small, monkeypatch, capsys):
    monkeypatch.setattr(together, "largest_difference", lambda *given: 2e-12)
    assert small("--steps", "3") == 1
    assert "3 outer steps" in capsys.readouterr().out


@pytest.mark.parametrize(("accuracy", "within"), [(0.5, True), (0.45, False), (0.55, False)])
def test_within_the_interval_or_not(accuracy, within, capsys):
    runs = [{"workers": 2, "test_accuracy": [[accuracy], [0.7]]}]
    stored = np.array([[0.49, 0.69], [0.5, 0.7], [0.51, 0.71]])
    assert together.compared(SMALL, runs, stored) is within
    assert "2 workers" in capsys.readouterr().out
