"""Chapter 17's own figures: whose rows the updates are, and how far a training can grow."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from gaml_utils.plotting.style import BLACK, COLOURS, DASHES, MARKERS


def plot_shares(ax: Axes, shares: Sequence[np.ndarray]) -> None:
    """The rows of each worker, (own tasks, parameters), one band below the other."""
    rows = np.concatenate(shares)
    largest = np.abs(rows).max()
    ax.imshow(rows, cmap="RdBu", vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest")
    ends = np.cumsum([len(share) for share in shares])
    for end in ends[:-1]:
        ax.axhline(end - 0.5, color=BLACK, lw=3)
    middles = [end - (len(share) + 1) / 2 for end, share in zip(ends, shares, strict=True)]
    ax.set_yticks(middles, [f"worker {k}" for k in range(len(shares))])
    ax.set(xlabel="parameter")
    ax.grid(False)


def plot_efficiency(ax: Axes, workers: Sequence[int], curves: Mapping[str, Sequence[float]], title: str) -> None:
    """{rule: efficiency for each number of workers}, the numbers on a scale of powers of two."""
    for k, (name, values) in enumerate(curves.items()):
        ax.plot(workers, values, marker=MARKERS[k], linestyle=DASHES[k], color=COLOURS[k], markersize=4, label=name)
    ax.set_xscale("log", base=2)
    ax.set(xlabel="workers", ylabel="part of a step that computes", ylim=(-0.03, 1.05), title=title)
    ax.legend(fontsize=8, loc="lower left")
