"""Helpers for the gradient-agreement tutorials.

A meta-learner is an inner loop, an outer direction and one weight per task; gradient agreement
computes the weights (Eshratifar, Eigen and Pedram 2018, arXiv:1810.08178).

Importing this package never imports TensorFlow. It asks TensorFlow, should a later chapter import it,
for quiet and for the same arithmetic everywhere; values already set in the environment stand.

It also gives NumPy's matrix products one thread. The matrices of these chapters are small: on a busy machine
threads that wait for each other made a chapter many times slower. OPENBLAS_NUM_THREADS overrules it.
"""

import os

from threadpoolctl import threadpool_limits

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy  # noqa: F401, so that its matrix products are there to be limited

if "OPENBLAS_NUM_THREADS" not in os.environ:
    threadpool_limits(limits=1, user_api="blas")

from gaml_utils.tasks import MetaResult, NoiseTasks, SineTasks, TaskBatch
from gaml_utils.weight_family import cosine_weights, leave_one_out_weights, power_weights
from gaml_utils.weighting import agreement_weights, uniform_weights

__version__ = "0.1.0"
__all__ = [
    "MetaResult", "NoiseTasks", "SineTasks", "TaskBatch", "agreement_weights", "cosine_weights",
    "leave_one_out_weights", "power_weights", "uniform_weights",
]  # fmt: skip
