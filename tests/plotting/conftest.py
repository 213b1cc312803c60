"""What the tests of figures share."""

import matplotlib.pyplot as plt
import pytest


@pytest.fixture
def two():
    fig, axes = plt.subplots(1, 2)
    yield axes
    plt.close(fig)
