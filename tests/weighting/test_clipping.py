"""Clipping at the batch's median length."""

import numpy as np
import pytest
import tensorflow as tf

from gaml_utils.weighting import clipped_weights


@pytest.mark.parametrize("tasks", [1, 2, 5, 6])
@pytest.mark.parametrize("kind", [np.array, np.float32, tf.constant])
def test_no_update_counts_as_longer_than_the_median(tasks, kind):
    g = np.random.default_rng(0).normal(size=(tasks, 7)) * 10.0 ** np.arange(tasks)[:, None]
    n = np.linalg.norm(g, axis=1)
    expected = np.minimum(1, np.median(n) / n) / tasks
    np.testing.assert_allclose(clipped_weights(kind(g)), expected, rtol=1e-5)


def test_scale_does_not_matter_and_zeros_are_safe():
    g = np.random.default_rng(1).normal(size=(5, 4))
    for scale in (1e-300, 1e300):
        np.testing.assert_allclose(clipped_weights(scale * g), clipped_weights(g), rtol=1e-12)
    np.testing.assert_allclose(clipped_weights(0 * g), 0.2)
    one = np.zeros((5, 4))
    one[0] = 1.0
    np.testing.assert_allclose(clipped_weights(one), [0, 0.2, 0.2, 0.2, 0.2])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="updates should hold finite numbers"):
        clipped_weights(np.array([[1.0, bad], [0.0, 1.0]]))
