"""Chapter 15's own figures: features of a few classes in a plane, and accuracy by the nth showing of a class."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from gaml_utils.intervals import mean_interval
from gaml_utils.plotting.style import BLACK, COLOURS, MARKERS


def plot_clouds(axes: Sequence[Axes], planes: Mapping[str, np.ndarray], classes: np.ndarray) -> None:
    """{title: (points, 2)}, one axes each: the points of a class in its colour and shape. classes: (points,)."""
    for ax, (title, points) in zip(axes, planes.items(), strict=True):
        for k, one in enumerate(np.unique(classes)):
            x, y = points[classes == one].T
            colour, marker = COLOURS[k % len(COLOURS)], MARKERS[k % len(MARKERS)]
            ax.plot(x, y, marker, color=colour, alpha=0.8, markersize=4)
        ax.set(title=title, xticks=[], yticks=[], xlabel="first component", ylabel="second component")


def plot_showings(ax: Axes, accuracies: np.ndarray, first: float, chance: float) -> None:
    """accuracies: (tasks, showings), a mean with its 95% interval each. first: accuracy at the very first point."""
    m = mean_interval(accuracies)
    at = np.arange(1, accuracies.shape[1] + 1)
    bars = np.stack([m.mean - m.low, m.high - m.mean])
    ax.errorbar(at, m.mean, yerr=bars, fmt=MARKERS[0], color=COLOURS[0], capsize=2, label="of each class")
    ax.plot(1, first, MARKERS[1], color=COLOURS[1], label="the very first point")
    ax.axhline(chance, color=BLACK, lw=0.8, linestyle=":", label="chance")
    ax.set(xlabel="showing of the class", ylabel="accuracy", xticks=at, ylim=(0, 1))
    ax.legend(fontsize=8, loc="lower right")
