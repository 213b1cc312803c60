"""The official Omniglot score: percent error over 400 trials (chapter 09)."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gaml_utils.datasets.omniglot import omniglot_one_shot_runs
from gaml_utils.records import TaskBatch

if TYPE_CHECKING:
    from gaml_utils.learners.base import MetaLearner


class OfficialError(NamedTuple):
    """Percent error over all trials, and of each run, (runs,)."""

    percent: float
    runs: np.ndarray


def official_error(
    learner: "MetaLearner", runs: TaskBatch | None = None, steps: int | None = None, transductive: bool = False
) -> OfficialError:
    """The official within-alphabet one-shot score: percent error of each run of 20 trials, and their mean.

    Lake, Salakhutdinov and Tenenbaum 2015, doi:10.1126/science.aab3050; 20 runs, 400 trials, chance is 95%.
    runs: as omniglot_one_shot_runs gives them; loaded if not given (FileNotFoundError where they are not to be had).
    Non-transductive, each trial is judged alone: nothing of the other trials of its run is used. With transductive=True
    the 20 queries of a run, one of each class, share their statistics: a different, easier problem, to be labelled so.
    """
    from gaml_utils.learners.accuracy import episode_accuracies  # here, for the plan needs no TensorFlow

    runs = omniglot_one_shot_runs() if runs is None else runs
    errors = 100.0 * (1.0 - episode_accuracies(learner, runs, steps, transductive))
    return OfficialError(float(errors.mean()), errors)
