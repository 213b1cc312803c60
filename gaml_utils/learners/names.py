"""Every Keras learner by its name."""

from collections.abc import Callable
from functools import partial

from gaml_utils.learners.maml import MAML
from gaml_utils.learners.reptile import Reptile

# name -> callable: (model, inner_lr, inner_steps, ..., weighting, source) -> learner
LEARNERS: dict[str, Callable] = {"MAML": MAML, "first-order MAML": partial(MAML, first_order=True), "Reptile": Reptile}
