"""Part I, NumPy by hand: the network, the inner loop, the outer directions, training."""

from gaml_utils.scratch.adaptation import adaptation_curve
from gaml_utils.scratch.caml import adapt_context, caml_direction, predict_in_context
from gaml_utils.scratch.inner_loop import adapt
from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.scratch.meta_sgd import meta_sgd_direction, with_rates
from gaml_utils.scratch.mlp import init_mlp
from gaml_utils.scratch.names import DIRECTIONS
from gaml_utils.scratch.optimizers import SGD, Adam
from gaml_utils.scratch.reptile import reptile_direction
from gaml_utils.scratch.training import History, train

__all__ = [
    "Adam",
    "DIRECTIONS",
    "History",
    "SGD",
    "adapt",
    "adapt_context",
    "adaptation_curve",
    "caml_direction",
    "init_mlp",
    "meta_gradient",
    "meta_sgd_direction",
    "predict_in_context",
    "reptile_direction",
    "train",
    "with_rates",
]
