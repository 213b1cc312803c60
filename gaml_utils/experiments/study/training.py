"""One training of the study, on numbers or on images, and what it cost."""

import time

from gaml_utils.experiments.records import Config, Job, Run
from gaml_utils.experiments.study.glyph_training import glyph_job
from gaml_utils.experiments.study.plan import engine
from gaml_utils.experiments.study.sine_training import sine_job


def study_job(config: Config, job: Job) -> Run:
    """Train once; errors on validation and test tasks; what the weights did; CPU seconds."""
    work = glyph_job if engine(config, job["part"]) == "glyphs" else sine_job
    start = time.process_time()
    result = work(config, job)
    return job | result | {"cpu_seconds": round(time.process_time() - start, 2)}
