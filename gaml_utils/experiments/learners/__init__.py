"""Part IV's question: does it matter, to other learners than MAML, how the tasks are weighed? Chapters 12 and 13."""

from gaml_utils.experiments.learners.plan import HEADLINES, LEARNERS_GLYPHS, LEARNERS_SINES, learner_jobs

__all__ = ["HEADLINES", "LEARNERS_GLYPHS", "LEARNERS_SINES", "learner_jobs"]
