"""The long runs behind data/results: their stored results, and the trainings that made them."""

from gaml_utils.experiments.files import RESULTS, load
from gaml_utils.experiments.records import key
from gaml_utils.experiments.trainings import best_step_size, select

__all__ = [
    "RESULTS",
    "best_step_size",
    "key",
    "load",
    "select",
]
