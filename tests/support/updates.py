"""Updates to try a rule on: what hypothesis draws."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7)
ANY_FINITE = arrays(np.float64, SHAPES, elements=st.floats(allow_nan=False, allow_infinity=False))
ORDINARY = st.floats(-10.0, 10.0).map(lambda v: round(v, 3))


def clear(updates):
    """Whether the scores are well above rounding, so that two ways to compute the weights must agree."""
    return np.sum(np.abs(updates @ updates.sum(0))) > 1e-3 * np.sum(updates**2) > 0


def always(test):
    return settings(derandomize=True, deadline=None, max_examples=100)(test)


CLEAR = arrays(np.float64, SHAPES, elements=ORDINARY).filter(clear)
