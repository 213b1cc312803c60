"""Chapter 11's figures: the dial in two dimensions and in many, and what the study found along it."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaml_utils.plotting import BLACK, BLUE, COLOURS, RED
from gaml_utils.power_results import BLEW_UP, POWERS, of, sources_of, tuning
from gaml_utils.study_runs import step_sizes
from gaml_utils.study_tables import effect

OFF_SCALE = 2.0                                              # times uniform: drawn as a cross on the upper edge
MARKERS = "osdv^"


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
    styles = {p: {"color": c, "marker": m, "markersize": 3, "label": f"p = {p:g}"}
              for p, c, m in zip(factors, COLOURS, MARKERS, strict=False)}  # fmt: skip
    for p, values in factors.items():
        axes[0].semilogy(k, values, **styles[p])
    for p, values in shares.items():
        axes[1].plot(k, values, **styles[p])
    axes[0].set(xlabel="singular direction, largest first", ylabel="factor", ylim=(1e-3, 30))
    axes[1].set(xlabel="k", ylabel="share of the step in the first k", ylim=(0, 1.05))
    axes[0].legend(fontsize=8, ncols=2)
    axes[1].legend(fontsize=8)


def plot_by_rank(axes: Sequence[Axes], heard: Mapping[str, np.ndarray], groups: Sequence[Sequence[str]]) -> None:
    """{rule: (batches, tasks)}, weights times T, tasks in order of length: their mean, a panel a group of rules."""
    for ax, names in zip(axes, groups, strict=True):
        for name in names:
            mean = heard[name].mean(axis=0)
            ax.plot(np.arange(1, len(mean) + 1), mean, label=name)
        ax.set(xlabel="rank of the gradient's length, shortest first", ylim=(-1, 5))
        ax.legend(fontsize=8, ncols=2)
    axes[0].set_ylabel("mean weight, uniform = 1")


def plot_tuning(axes: Sequence[Axes], results: dict, cases: Sequence[tuple[str, str, str]]) -> None:
    """Validation error against step size, a curve a power, a panel a case: (setting, learner, what is compared).

    What blew up is left out.
    """
    for ax, (part, learner, source) in zip(axes, cases, strict=True):
        sizes = step_sizes(results["config"], part, learner)
        for (rule, p), marker in zip(POWERS.items(), MARKERS, strict=True):
            errors = tuning(results, part, learner, of(rule, source))
            errors = np.where(errors < BLEW_UP * np.nanmin(errors), errors, np.nan)
            ax.loglog(sizes, errors, marker=marker, markersize=4, label=f"p = {p:g}")
        ax.set(xlabel="outer step size", title=f"{part}, {learner}", ylim=(0.25, 6))
        ax.set_yticks([0.3, 0.5, 1, 2, 4], ["0.3", "0.5", "1", "2", "4"])
        ax.minorticks_off()
    axes[0].set_ylabel("validation MSE")
    axes[0].legend(fontsize=8)


def plot_powers(ax: Axes, results: dict, part: str, learner: str) -> None:
    """Error of each power, uniform being 1, with 95% intervals; a line for each kind of gradients compared."""
    tried = [r for r in POWERS if r == "uniform" or r in results["config"]["settings"][part]["rules"]]
    for k, source in enumerate(sources_of(learner)):
        found = {POWERS[r]: effect(results, part, learner, of(r, source)) for r in tried if r != "uniform"}
        shown = {p: [1 + v / 100 for v in f] for p, f in found.items() if f and 1 + f.change / 100 < OFF_SCALE}
        shift, colour = 0.06 * k, (BLUE, RED)[k]
        middle = {POWERS[r]: 1.0 if r == "uniform" else np.nan for r in tried}
        middle |= {p: ratio for p, (ratio, _, _) in shown.items()}
        ax.plot(np.array(list(middle)) + shift, list(middle.values()), "os"[k], linestyle="-", markersize=4,
                color=colour, label=f"of {source}")  # fmt: skip
        for p, (_, low, high) in shown.items():
            ax.plot([p + shift] * 2, [low, high], color=colour, linestyle="-")
        off = [p + shift for p in found if p not in shown]
        ax.plot(off, [1.1 * OFF_SCALE] * len(off), "x", color=colour)
    ax.axhline(1, color=BLACK, lw=0.8, linestyle=":")
    ax.set_title(part, fontsize=9)
    ax.set(yscale="log", ylim=(0.35, 1.2 * OFF_SCALE), xticks=[-1, 0, 1])
    ax.set_yticks([0.5, 0.7, 1, 1.5, 2], ["0.5", "0.7", "1", "1.5", "2"])
    ax.minorticks_off()


def powers_figure(results: dict, learner: str, parts: Sequence[str], columns: int = 4) -> Figure:
    """plot_powers of all settings that the learner was trained in."""
    there = [part for part in parts if learner in results["config"]["settings"][part]["learners"]]
    columns = min(columns, len(there))
    rows = -(-len(there) // columns)
    fig, axes = plt.subplots(rows, columns, figsize=(9, 2.2 * rows), sharex=True, sharey=True, squeeze=False)
    for ax, part in zip(axes.flat, there, strict=False):
        plot_powers(ax, results, part, learner)
    for ax in axes.flat[len(there) :]:
        ax.axis("off")
    axes[0, 0].legend(fontsize=7, loc="lower right")
    fig.supxlabel("p", fontsize=9)
    fig.supylabel("test error, the mean's = 1", fontsize=9)
    return fig


def plot_lines(
    axes: Sequence[Axes], lines: Mapping[str, np.ndarray], ylabels: Sequence[str], log: Sequence[bool]
) -> None:
    """{label: (steps, columns)}: one panel a column, against the outer step."""
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
