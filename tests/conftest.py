"""Before any test module is imported: what makes numbers equal everywhere, as in the first cell of each chapter."""

import pytest

from gaml_utils import reproducible

reproducible()


@pytest.fixture
def ax():
    """Axes to draw on, closed in the end."""
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)
