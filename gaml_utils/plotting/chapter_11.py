"""Chapter 11's own figures: the dial in two dimensions and in many, lines, memory."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from gaml_utils.plotting.style import BLACK, BLUE, COLOURS, MARKERS, RED


def plot_directions(ax: Axes, gradients: np.ndarray, directions: Mapping[str, np.ndarray]) -> None:
    """Tasks' gradients, (tasks, 2), as grey lines from 0, and labelled directions, (2,), as arrows of length 1."""
    for x, y in gradients:
        ax.plot([0, x], [0, y], color="#999999", linestyle="-", lw=1)
    for (label, d), colour in zip(directions.items(), (RED, BLACK, BLUE), strict=False):
        x, y = d / np.linalg.norm(d)
        ax.annotate("", (x, y), (0, 0), arrowprops={"color": colour, "width": 2, "headwidth": 8})
        ax.text(1.08 * x - 0.35 * (abs(x) < 0.2), 1.08 * y - 0.12 * (x > 0.9), label, color=colour)
    ax.set(aspect="equal", ylim=(-0.2, 1.4), xlabel="first parameter", ylabel="second")


def plot_dial(axes: Sequence[Axes], factors: Mapping[float, np.ndarray], shares: Mapping[float, np.ndarray]) -> None:
    """{p: (directions,)}: the factor of each singular direction; the step's share in the first k of them."""
    k = np.arange(1, len(next(iter(factors.values()))) + 1)
    styles: dict[float, dict[str, Any]] = {
        p: {"color": c, "marker": m, "markersize": 3, "label": f"p = {p:g}"}
        for p, c, m in zip(factors, COLOURS, MARKERS, strict=False)
    }
    for p, values in factors.items():
        axes[0].semilogy(k, values, **styles[p])
    for p, values in shares.items():
        axes[1].plot(k, values, **styles[p])
    axes[0].set(xlabel="singular direction, largest first", ylabel="factor", ylim=(1e-3, 30))
    axes[1].set(xlabel="k", ylabel="share of the step in the first k", ylim=(0, 1.05))
    axes[0].legend(fontsize=8, ncols=2)
    axes[1].legend(fontsize=8)


def plot_by_rank(axes: Sequence[Axes], heard: Mapping[str, np.ndarray], groups: Sequence[Sequence[str]]) -> None:
    """{rule: (batches, tasks)}, weights times T, tasks in order of length: their mean, one panel per group of rules."""
    for ax, names in zip(axes, groups, strict=True):
        for name in names:
            mean = heard[name].mean(axis=0)
            ax.plot(np.arange(1, len(mean) + 1), mean, label=name)
        ax.set(xlabel="rank of the gradient's length, shortest first", ylim=(-1, 5))
        ax.legend(fontsize=8, ncols=2)
    axes[0].set_ylabel("mean weight, uniform = 1")


def plot_lines(
    axes: Sequence[Axes], lines: Mapping[str, np.ndarray], ylabels: Sequence[str], log: Sequence[bool]
) -> None:
    """{label: (steps, columns)}: one panel per column, against the outer step."""
    for k, ax in enumerate(axes):
        for (label, values), colour in zip(lines.items(), (BLUE, RED), strict=True):
            ax.plot(values[:, k], color=colour, linestyle="-", label=label)
        ax.set(xlabel="outer step", ylabel=ylabels[k], yscale="log" if log[k] else "linear")
    axes[0].axhline(0, color=BLACK, lw=0.8, linestyle=":")
    axes[-1].legend(loc="upper left")


def plot_memory(ax: Axes, curve: dict) -> None:
    """Megabytes at the peak against the number of tasks, both logarithmic. curve: memory_curve.json."""
    for way, marker in (("direct", "o"), ("task by task", "s")):
        rows = [row for row in curve["rows"] if row["way"] == way]
        ax.loglog([row["tasks"] for row in rows], [row["megabytes"] for row in rows], marker=marker, label=way)
    ax.set(xlabel="tasks in a meta-batch", ylabel="MB at the peak")
    ax.set_xticks(curve["config"]["tasks"], curve["config"]["tasks"])
    ax.minorticks_off()
    ax.legend()
