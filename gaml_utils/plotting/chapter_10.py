"""Chapter 10's own figures: stopped trainings, predicted weights."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from gaml_utils.plotting.style import BLACK, BLUE, RED


def plot_stops(ax: Axes, stops: Sequence[int], curves: Mapping[str, Sequence[float]], ylabel: str) -> None:
    """One marked line per curve over outer steps at which a training was stopped, evenly spaced on the axis."""
    for (name, values), marker in zip(curves.items(), "osD^", strict=False):
        ax.plot(range(len(stops)), values, marker=marker, label=name)
    ax.set_xticks(range(len(stops)), [str(stop) for stop in stops])
    ax.set(xlabel="outer steps so far", ylabel=ylabel)
    if len(curves) > 1:
        ax.legend(fontsize=8)


def plot_predicted(ax: Axes, predicted: np.ndarray, got: np.ndarray, family: int, title: str) -> None:
    """Weights times T, predicted against got, a dot per task; (steps, tasks) each, the first `family` tasks in blue."""
    tasks = predicted.shape[1]
    for first, last, marker, label in ((0, family, "o", "of the family"), (family, tasks, "s", "outliers")):
        if first < last:
            dots = (tasks * values[:, first:last].ravel() for values in (predicted, got))
            ax.plot(*dots, marker, ms=2.5, alpha=0.5, label=label)
    ax.axline((1, 1), slope=1, color=BLACK, lw=1, linestyle=":")
    ax.set(xlabel="predicted weight x T", ylabel="weight x T", title=title)
    ax.legend(fontsize=8)


def plot_seeds(ax: Axes, guesses: Mapping[float, float], stored: Mapping[float, Sequence[float]], width: float) -> None:
    """At each place a bar for the prediction and a dot for every seed of the study."""
    for k, place in enumerate(guesses):
        ax.plot(
            (place - width, place + width),
            [guesses[place]] * 2,
            color=BLUE,
            linestyle="-",
            lw=3,
            label=None if k else "predicted",
        )
        dots = stored[place]
        ax.plot([place] * len(dots), dots, "o", color=RED, ms=4, label=None if k else "study, each seed")
    ax.legend(fontsize=8)
