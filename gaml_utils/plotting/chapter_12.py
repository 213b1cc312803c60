"""Chapter 12's own figures: learned rates, and tasks in the plane of their contexts."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from gaml_utils.plotting.style import BLACK, BLUE, COLOURS, MARKERS, RED


def plot_rates(axes: Sequence[Axes], steps: Sequence[int], rates: Mapping[str, np.ndarray]) -> None:
    """{layer: (moments, rates)}, one panel each: median, the middle half and the middle nine tenths over a training."""
    for ax, (name, values) in zip(axes, rates.items(), strict=True):
        low, quarter, middle, three, high = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95], axis=1)
        ax.fill_between(steps, low, high, color=BLUE, alpha=0.2, lw=0, label="nine tenths")
        ax.fill_between(steps, quarter, three, color=BLUE, alpha=0.4, lw=0, label="half")
        ax.plot(steps, middle, color=BLUE, linestyle="-", label="median")
        ax.axhline(0, color=BLACK, lw=0.8, linestyle="-")
        ax.set(title=name, xlabel="outer step")
    axes[0].set_ylabel("rate")
    axes[0].legend(fontsize=8, loc="upper left")


def plot_planes(
    axes: Sequence[Axes], planes: Mapping[str, np.ndarray], groups: np.ndarray, names: Sequence[str]
) -> None:
    """{title: (tasks, 2)}: the same tasks as points in several planes. groups: (tasks,), which of `names` each is."""
    for ax, (title, points) in zip(axes, planes.items(), strict=True):
        for k, name in enumerate(names):
            mine = points[groups == k]
            ax.plot(*mine.T, MARKERS[k], color=COLOURS[k], markersize=4, linestyle="", label=name)
        ax.set(title=title, aspect="equal")
    axes[-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5))


def plot_weights_in_plane(axes: Sequence[Axes], points: np.ndarray, weights: Mapping[str, np.ndarray]) -> None:
    """points: (tasks, 2), the tasks' updates. {rule: (tasks,)}: a weight is the size of a disc; a cross is negative.

    An arrow shows the way, not the length, of the mean update.
    """
    for ax, (name, w) in zip(axes, weights.items(), strict=True):
        size = 25 * len(w) * np.abs(w)
        for sign, marker, colour in ((w >= 0, "o", BLUE), (w < 0, "X", RED)):
            ax.scatter(points[sign, 0], points[sign, 1], size[sign], marker=marker, color=colour, alpha=0.75, lw=0)
        arrow = points.mean(0) / np.linalg.norm(points.mean(0)) * np.abs(points).max() / 2
        ax.annotate("", arrow, (0, 0), arrowprops={"color": BLACK, "width": 1, "headwidth": 7})
        ax.axhline(0, color=BLACK, lw=0.5, linestyle=":")
        ax.axvline(0, color=BLACK, lw=0.5, linestyle=":")
        ax.set(title=name, aspect="equal", xlabel="first number")
    axes[0].set_ylabel("second number")


def plot_effects(ax: Axes, effects: Mapping[str, Mapping[str, tuple | None]], limit: float) -> None:
    """{learner: {rule: (change, low, high) in percent}}: a point with its interval, rule by rule.

    An interval that goes beyond `limit` ends in an arrow, with its change written beside it.
    """
    rules = list(dict.fromkeys(rule for of in effects.values() for rule in of))
    for k, (learner, of) in enumerate(effects.items()):
        for j, rule in enumerate(rules):
            found = of.get(rule)
            if found is None:
                continue
            y, colour = -j - 0.22 * (k - (len(effects) - 1) / 2), COLOURS[k]
            change, low, high = found
            label = learner if j == 0 else None
            if change > limit:
                ax.plot([limit], [y], ">", color=colour, label=label)
                ax.annotate(
                    f"{change:+.0f}%",
                    (limit, y),
                    (-6, 0),
                    textcoords="offset points",
                    ha="right",
                    va="center",
                    fontsize=8,
                )
                continue
            ax.plot([low, min(high, limit)], [y, y], color=colour, linestyle="-", lw=1.5)
            ax.plot([change], [y], MARKERS[k], color=colour, markersize=5, label=label)
    ax.axvline(0, color=BLACK, lw=0.8, linestyle="-")
    ax.set_yticks([-j for j in range(len(rules))], rules)
    ax.set(xlabel="error against uniform weights of the same learner, in %", xlim=(None, 1.05 * limit))
    ax.legend(fontsize=8)
