"""Chapter 05's experiment: is gradient agreement better than the plain mean on sines?"""

from gaml_utils.experiments.sines.plan import SINE_NUMPY, SINE_VARIANTS
from gaml_utils.experiments.sines.training import sine_numpy_job

__all__ = [
    "SINE_NUMPY",
    "SINE_VARIANTS",
    "sine_numpy_job",
]
