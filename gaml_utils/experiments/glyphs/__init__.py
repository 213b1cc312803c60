"""Chapter 08's experiment: classification of characters, uniform weights against agreement."""

from gaml_utils.experiments.glyphs.plan import GLYPHS, tuned_step_size
from gaml_utils.experiments.glyphs.training import episode_tasks, make_learner

__all__ = [
    "GLYPHS",
    "episode_tasks",
    "make_learner",
    "tuned_step_size",
]
