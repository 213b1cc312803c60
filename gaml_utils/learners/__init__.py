"""Meta-learners around any Keras model, their data, and how they are judged."""

import gaml_utils.networks  # noqa: F401, first: it says so where Keras does not run on TensorFlow
from gaml_utils.learners.accuracy import accuracy_interval, episode_accuracies, episode_answers, task_losses
from gaml_utils.learners.addressing import content_weights, interpolated, sharpened, shifted
from gaml_utils.learners.adml import ADML
from gaml_utils.learners.base import MetaLearner
from gaml_utils.learners.caml import CAML
from gaml_utils.learners.data import as_dataset
from gaml_utils.learners.engine.workers import WorkerLost, Workers, join_workers
from gaml_utils.learners.maml import MAML
from gaml_utils.learners.matrix_free import task_by_task
from gaml_utils.learners.memory import MANN
from gaml_utils.learners.meta_sgd import MetaSGD
from gaml_utils.learners.metric import (
    GaussianPrototypicalNetwork,
    MatchingNetwork,
    MetricLearner,
    PrototypicalNetwork,
    RelationNetwork,
    SemiSupervisedPrototypicalNetwork,
    SiameseNetwork,
    pair_cross_entropy,
    pair_squared_error,
)
from gaml_utils.learners.mil import MIL
from gaml_utils.learners.names import LEARNERS
from gaml_utils.learners.policies import policy_of
from gaml_utils.learners.reptile import Reptile
from gaml_utils.learners.robustness import attacked_accuracies
from gaml_utils.learners.second_derivative import SecondDerivative, check_second_derivative
from gaml_utils.learners.showings import accuracies_by_showing
from gaml_utils.learners.taml import TAML

__all__ = [
    "ADML",
    "CAML",
    "GaussianPrototypicalNetwork",
    "LEARNERS",
    "MAML",
    "MANN",
    "MIL",
    "MatchingNetwork",
    "MetaLearner",
    "MetaSGD",
    "MetricLearner",
    "PrototypicalNetwork",
    "RelationNetwork",
    "Reptile",
    "SecondDerivative",
    "SemiSupervisedPrototypicalNetwork",
    "SiameseNetwork",
    "TAML",
    "WorkerLost",
    "Workers",
    "accuracies_by_showing",
    "accuracy_interval",
    "as_dataset",
    "attacked_accuracies",
    "check_second_derivative",
    "content_weights",
    "episode_accuracies",
    "episode_answers",
    "interpolated",
    "join_workers",
    "pair_cross_entropy",
    "pair_squared_error",
    "policy_of",
    "sharpened",
    "shifted",
    "task_by_task",
    "task_losses",
]
