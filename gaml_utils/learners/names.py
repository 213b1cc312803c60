"""Every Keras learner by its name."""

from collections.abc import Callable
from functools import partial

from gaml_utils.learners.adml import ADML
from gaml_utils.learners.caml import CAML
from gaml_utils.learners.maml import MAML
from gaml_utils.learners.memory import MANN
from gaml_utils.learners.meta_sgd import MetaSGD
from gaml_utils.learners.metric import (
    GaussianPrototypicalNetwork,
    MatchingNetwork,
    PrototypicalNetwork,
    RelationNetwork,
    SemiSupervisedPrototypicalNetwork,
    SiameseNetwork,
)
from gaml_utils.learners.mil import MIL
from gaml_utils.learners.reptile import Reptile
from gaml_utils.learners.taml import TAML

# name -> callable: (model, weighting=..., source=..., inner_lr=..., inner_steps=..., ...) -> learner;
# from the siamese network on, without an inner loop: (model, ways, weighting=..., source=..., ...) -> learner
LEARNERS: dict[str, Callable] = {
    "MAML": MAML,
    "first-order MAML": partial(MAML, first_order=True),
    "Reptile": Reptile,
    "Meta-SGD": MetaSGD,
    "CAML": CAML,
    "TAML": TAML,
    "ADML": ADML,
    "MIL": MIL,
    "siamese": SiameseNetwork,
    "prototypical": PrototypicalNetwork,
    "semi-supervised prototypical": SemiSupervisedPrototypicalNetwork,
    "Gaussian prototypical": GaussianPrototypicalNetwork,
    "relation": RelationNetwork,
    "matching": MatchingNetwork,
    "MANN": MANN,
}
