"""One weight per task: every rule, (tasks, parameters) -> (tasks,), and the list of their names."""

from gaml_utils.weighting.ablations import fifteen_tasks_weights, positive_part_weights, squared_length_weights
from gaml_utils.weighting.agreement import agreement_weights, cosine_weights, leave_one_out_weights, uniform_weights
from gaml_utils.weighting.clipping import clipped_weights
from gaml_utils.weighting.gram import weights_of_gram
from gaml_utils.weighting.measures import inequality, inequality_slopes, inequality_weights
from gaml_utils.weighting.names import RULES
from gaml_utils.weighting.numpy_adapter import tensor_rule
from gaml_utils.weighting.powers import PowerWeights, diagonal_weights, power_weights

__all__ = [
    "PowerWeights",
    "RULES",
    "agreement_weights",
    "clipped_weights",
    "cosine_weights",
    "diagonal_weights",
    "fifteen_tasks_weights",
    "inequality",
    "inequality_slopes",
    "inequality_weights",
    "leave_one_out_weights",
    "positive_part_weights",
    "power_weights",
    "squared_length_weights",
    "tensor_rule",
    "uniform_weights",
    "weights_of_gram",
]
