"""Chapter 14's own figures: accuracies by where the training tasks come from, and purity against accuracy."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from gaml_utils.intervals import mean_interval
from gaml_utils.plotting.style import BLACK, COLOURS, MARKERS


def plot_sources(ax: Axes, accuracies: Mapping[str, Mapping[str, np.ndarray]], chance: float) -> None:
    """{learner: {source: (seeds,)}}: a point with its 95% interval for each; a line at chance."""
    sources = list(dict.fromkeys(source for of in accuracies.values() for source in of))
    for k, (name, of) in enumerate(accuracies.items()):
        means = [mean_interval(values) for values in of.values()]
        middle = np.array([float(m.mean) for m in means])
        bars = np.array([[float(m.mean - m.low), float(m.high - m.mean)] for m in means]).T
        at = np.array([sources.index(source) for source in of]) + 0.15 * (k - (len(accuracies) - 1) / 2)
        ax.errorbar(middle, at, xerr=bars, fmt=MARKERS[k], color=COLOURS[k], capsize=2, label=name, linestyle="none")
    ax.axvline(chance, color=BLACK, lw=0.8, linestyle=":", label="chance")
    ax.set_yticks(range(len(sources)), sources)
    ax.invert_yaxis()
    ax.set(xlabel="accuracy on true classes of test scripts", xlim=(0, 1))
    ax.legend(fontsize=8, loc="lower right")


def plot_purity(ax: Axes, purities: Mapping[str, float], accuracies: Mapping[str, float]) -> None:
    """{source: value} each: a labelled point per source; purity on a logarithmic axis."""
    right_edge = 0.3
    for k, (source, purity) in enumerate(purities.items()):
        close = any(1 < other / purity < 1.3 for other in purities.values())  # to its right, where its name would stand
        ax.plot(purity, accuracies[source], MARKERS[k % len(MARKERS)], color=COLOURS[k % len(COLOURS)])
        side, shift = ("right", -6) if close or purity > right_edge else ("left", 6)
        at = (purity, accuracies[source])
        ax.annotate(source, at, xytext=(shift, 3), textcoords="offset points", fontsize=8, ha=side)
    ax.set(xscale="log", xlabel="pairs of a cluster that are of one character", ylabel="accuracy, 1 shot")
