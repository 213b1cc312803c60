"""The outer directions of Part I by the names of their learners."""

from collections.abc import Callable
from functools import partial

from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.scratch.reptile import reptile_direction

# name -> (params, batch, inner_lr, inner_steps, ..., weighting, source) -> MetaResult
DIRECTIONS: dict[str, Callable] = {
    "MAML": meta_gradient,
    "first-order MAML": partial(meta_gradient, first_order=True),
    "Reptile": reptile_direction,
}
