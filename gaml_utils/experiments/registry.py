"""Every experiment by its name."""

from collections.abc import Callable
from dataclasses import dataclass

from gaml_utils.checks import known
from gaml_utils.experiments.glyphs.plan import GLYPHS, glyph_jobs
from gaml_utils.experiments.glyphs.training import glyph_job
from gaml_utils.experiments.learners.plan import LEARNERS_GLYPHS, LEARNERS_SINES, learner_jobs
from gaml_utils.experiments.learners.plan_comparing import CACTUS, METRIC, SEMI_SUPERVISED
from gaml_utils.experiments.learners.plan_imitation import IMITATION, MUJOCO
from gaml_utils.experiments.learners.training import learner_job
from gaml_utils.experiments.omniglot.plan import OMNIGLOT, omniglot_jobs
from gaml_utils.experiments.omniglot.plan_comparing import OMNIGLOT_COMPARING, comparing_jobs
from gaml_utils.experiments.omniglot.training import omniglot_job
from gaml_utils.experiments.omniglot.training_comparing import comparing_job
from gaml_utils.experiments.records import Config, Job, Run
from gaml_utils.experiments.sines.plan import SINE_NUMPY, SINE_VARIANTS, sine_numpy_jobs
from gaml_utils.experiments.sines.training import sine_numpy_job
from gaml_utils.experiments.study.grid import (
    STUDY,
    STUDY_H2,
    STUDY_LENGTHS,
    STUDY_LONG,
    STUDY_QUIET,
    STUDY_REPTILE,
    STUDY_RIDGE,
)
from gaml_utils.experiments.study.plan import study_jobs
from gaml_utils.experiments.study.training import study_job


@dataclass(frozen=True)
class Experiment:
    """What makes a file of results.

    config: what the trainings have in common; it is stored with them. jobs(config, done): the trainings wanted so far,
    each a Job, given those that are done. work(config, job): one training, the job and what came
    out of it. keras: its numbers depend on Keras and TensorFlow, so their versions are stored.
    """

    config: Config
    jobs: Callable[[Config, dict[tuple, Run]], list[Job]]
    work: Callable[[Config, Job], Run]
    keras: bool


EXPERIMENTS = {
    "sine_numpy": Experiment(SINE_NUMPY, sine_numpy_jobs, sine_numpy_job, keras=False),
    "sine_variants": Experiment(SINE_VARIANTS, sine_numpy_jobs, sine_numpy_job, keras=False),
    "glyphs": Experiment(GLYPHS, glyph_jobs, glyph_job, keras=True),
    "omniglot": Experiment(OMNIGLOT, omniglot_jobs, omniglot_job, keras=True),
    "omniglot_comparing": Experiment(OMNIGLOT_COMPARING, comparing_jobs, comparing_job, keras=True),
    "study": Experiment(STUDY, study_jobs, study_job, keras=True),
    "study_ridge": Experiment(STUDY_RIDGE, study_jobs, study_job, keras=False),
    "study_long": Experiment(STUDY_LONG, study_jobs, study_job, keras=False),
    "study_lengths": Experiment(STUDY_LENGTHS, study_jobs, study_job, keras=False),
    "study_quiet": Experiment(STUDY_QUIET, study_jobs, study_job, keras=False),
    "study_h2": Experiment(STUDY_H2, study_jobs, study_job, keras=False),
    "learners_sines": Experiment(LEARNERS_SINES, learner_jobs, learner_job, keras=True),
    "learners_glyphs": Experiment(LEARNERS_GLYPHS, learner_jobs, learner_job, keras=True),
    "cactus": Experiment(CACTUS, learner_jobs, learner_job, keras=True),
    "metric": Experiment(METRIC, learner_jobs, learner_job, keras=True),
    "semi_supervised": Experiment(SEMI_SUPERVISED, learner_jobs, learner_job, keras=True),
    "imitation": Experiment(IMITATION, learner_jobs, learner_job, keras=True),
    "imitation_mujoco": Experiment(MUJOCO, learner_jobs, learner_job, keras=True),
    "study_reptile": Experiment(STUDY_REPTILE, study_jobs, study_job, keras=False),
}


def experiment(name: str) -> Experiment:
    """The experiment of this name. Raises ValueError, with the known names, for another."""
    return known("name", name, EXPERIMENTS)
