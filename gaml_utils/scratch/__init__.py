"""Part I, NumPy by hand: the network, the inner loop, the outer directions, training."""

from gaml_utils.scratch.adaptation import adaptation_curve
from gaml_utils.scratch.inner_loop import adapt
from gaml_utils.scratch.maml import meta_gradient
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
    "adaptation_curve",
    "init_mlp",
    "meta_gradient",
    "reptile_direction",
    "train",
]
