"""Who asks: families of regression tasks, mixtures of them, and episodes of labelled images."""

from gaml_utils.tasks.augmentation import affine_wobble, centred, elastic_wobble
from gaml_utils.tasks.episodes import EpisodeTasks
from gaml_utils.tasks.mixtures import Mislabelled, Mixture
from gaml_utils.tasks.regression import LineTasks, NoiseTasks, SineTasks

__all__ = [
    "EpisodeTasks",
    "LineTasks",
    "Mislabelled",
    "Mixture",
    "NoiseTasks",
    "SineTasks",
    "affine_wobble",
    "centred",
    "elastic_wobble",
]
