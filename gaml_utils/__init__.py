"""Helpers for the gradient-agreement tutorials.

A meta-learner learns from a support set and answers queries; the tasks' directions are added up with one weight per
task; gradient agreement computes the weights (Eshratifar, Eigen and Pedram 2018, arXiv:1810.08178).

Importing this package changes nothing in the process and never imports TensorFlow. `reproducible()` makes the outputs
of a chapter the same everywhere. Part I needs NumPy alone; TensorFlow is the extra `keras`.
"""

from gaml_utils.records import MetaResult, TaskBatch, Weighted
from gaml_utils.reproducibility import reproducible
from gaml_utils.tasks import NoiseTasks, SineTasks
from gaml_utils.weighting import (
    agreement_weights,
    cosine_weights,
    leave_one_out_weights,
    power_weights,
    uniform_weights,
)

__version__ = "0.1.0"
__all__ = [
    "MetaResult",
    "NoiseTasks",
    "SineTasks",
    "TaskBatch",
    "Weighted",
    "agreement_weights",
    "cosine_weights",
    "leave_one_out_weights",
    "power_weights",
    "reproducible",
    "uniform_weights",
]
