"""Before any test module is imported: what makes numbers equal everywhere, as in the first cell of each chapter."""

import gc
import os
import sys

if "PYTEST_XDIST_WORKER" in os.environ:  # the cores have a process each: further threads would wait for one another
    for library in ("TF_NUM_INTRAOP", "TF_NUM_INTEROP", "OMP_NUM"):
        os.environ.setdefault(f"{library}_THREADS", "1")

import pytest

from gaml_utils import reproducible

reproducible()
gc.set_threshold(50_000, 10, 10)  # graphs are many small objects that stay: looking at them took 7% of tracing


def pytest_collection_finish(session):
    """No dataset is tuned while it is iterated over, also none that Keras makes of arrays for itself.

    Letting go of the iterator of a tuned one takes up to 80 seconds, by chance (`engine.batches.untuned` says why).
    """
    if "tensorflow" not in sys.modules:
        return
    import tensorflow as tf

    from gaml_utils.learners.engine.batches import untuned

    iterate = tf.data.Dataset.__iter__
    tf.data.Dataset.__iter__ = lambda dataset: iterate(untuned(dataset))


@pytest.fixture
def ax():
    """Axes to draw on, closed in the end."""
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)
