"""Every rule by its name: the one list that experiments, saved learners and tests read."""

from collections.abc import Callable
from functools import partial

from gaml_utils.weighting.ablations import fifteen_tasks_weights, positive_part_weights, squared_length_weights
from gaml_utils.weighting.agreement import agreement_weights, cosine_weights, leave_one_out_weights, uniform_weights
from gaml_utils.weighting.clipping import clipped_weights
from gaml_utils.weighting.powers import diagonal_weights, power_weights

# name -> rule. The last five are written for NumPy alone; tensor_rule makes them serve tensors.
RULES: dict[str, Callable] = {
    "uniform": uniform_weights,
    "agreement": agreement_weights,
    "cosine": cosine_weights,
    "leave one out": leave_one_out_weights,
    "clipped": clipped_weights,
    "power -1": power_weights(-1),
    "power -0.5": power_weights(-0.5),
    "power 0.5": power_weights(0.5),
    "power -1, ridge 0.01": power_weights(-1, 0.01),
    "power -1, ridge 1": power_weights(-1, 1.0),
    "diagonal -1": diagonal_weights,
    "diagonal -0.5": partial(diagonal_weights, p=-0.5),
    "squared length": squared_length_weights,
    "positive part": positive_part_weights,
    "15 tasks": fifteen_tasks_weights,
}
