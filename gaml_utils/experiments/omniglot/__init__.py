"""Chapter 09's experiment: the official Omniglot challenge."""

from gaml_utils.experiments.omniglot.episodes import HalfMixed, augment, centred_batch
from gaml_utils.experiments.omniglot.plan import OMNIGLOT
from gaml_utils.experiments.omniglot.scoring import OfficialError, official_error
from gaml_utils.experiments.omniglot.training import make_learner

__all__ = [
    "HalfMixed",
    "OMNIGLOT",
    "OfficialError",
    "augment",
    "centred_batch",
    "make_learner",
    "official_error",
]
