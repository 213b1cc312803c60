"""Part IV's question: does it matter, to other learners than MAML, how the tasks are weighed? Chapters 12 and 13."""

from gaml_utils.experiments.learners.plan import HEADLINES, LEARNERS_GLYPHS, LEARNERS_SINES, learner_jobs
from gaml_utils.experiments.learners.plan_comparing import CACTUS, METRIC, SEMI_SUPERVISED
from gaml_utils.experiments.learners.plan_imitation import IMITATION, MUJOCO
from gaml_utils.experiments.learners.tables import (
    accuracies_under_attack,
    against,
    aligned,
    cell,
    change,
    headline_table,
    headlines,
    learner_table,
    step_sizes,
    verdict,
)
from gaml_utils.experiments.learners.training_unlabelled import blurred_pixels, instance_features, wobbled

__all__ = [
    "CACTUS",
    "HEADLINES",
    "IMITATION",
    "LEARNERS_GLYPHS",
    "LEARNERS_SINES",
    "METRIC",
    "MUJOCO",
    "SEMI_SUPERVISED",
    "accuracies_under_attack",
    "against",
    "aligned",
    "blurred_pixels",
    "cell",
    "change",
    "headline_table",
    "headlines",
    "instance_features",
    "learner_jobs",
    "learner_table",
    "step_sizes",
    "verdict",
    "wobbled",
]
