"""What the tests of Part I's outer directions go over."""

from functools import partial

import numpy as np
import pytest

from gaml_utils.scratch.maml import meta_gradient
from gaml_utils.scratch.reptile import reptile_direction
from gaml_utils.weighting.agreement import uniform_weights
from tests.support.plain_formulas import (
    sine_problem,
    wide_problem,
)

activations = pytest.mark.parametrize("activation", ["relu", "tanh"])
problems = pytest.mark.parametrize(
    "problem",
    [sine_problem, wide_problem, partial(wide_problem, sizes=(1, 4, 5, 4, 2)), partial(sine_problem, tasks=1)],
    ids=["sines", "several outputs", "three hidden", "one task"],
)
directions = pytest.mark.parametrize("direction", [meta_gradient, reptile_direction])
GIVEN = np.array([0.5, -0.2, 1.5])


def given_weights(updates):
    """Weights that are neither equal nor all positive, whatever the updates."""
    return GIVEN


class Recorder:
    """A weighting that keeps the updates it was shown."""

    def __call__(self, updates):
        self.updates = updates.copy()
        return uniform_weights(updates)
