"""Pictures of the study along the dial p: tuning curves, and the error at each power (chapter 11)."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaml_utils.experiments.records import Results
from gaml_utils.experiments.study.plan import sources_of, step_sizes
from gaml_utils.experiments.study.power_tables import BLEW_UP, POWERS, of, tuning
from gaml_utils.experiments.study.tables import effect
from gaml_utils.plotting.style import BLACK, BLUE, MARKERS, RED

OFF_SCALE = 2.0  # times uniform: drawn as a cross on the upper edge


def plot_tuning(axes: Sequence[Axes], results: Results, cases: Sequence[tuple[str, str, str]]) -> None:
    """Validation error against step size, a curve per power, a panel per case: (setting, learner, what is compared).

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


def plot_powers(ax: Axes, results: Results, part: str, learner: str) -> None:
    """Error of each power, uniform being 1, with 95% intervals; a line for each kind of gradients compared."""
    tried = [r for r in POWERS if r == "uniform" or r in results["config"]["settings"][part]["rules"]]
    for k, source in enumerate(sources_of(learner)):
        found = {POWERS[r]: effect(results, part, learner, of(r, source)) for r in tried if r != "uniform"}
        shown = {p: [1 + v / 100 for v in f] for p, f in found.items() if f and 1 + f.change / 100 < OFF_SCALE}
        shift, colour = 0.06 * k, (BLUE, RED)[k]
        middle = {POWERS[r]: 1.0 if r == "uniform" else np.nan for r in tried}
        middle |= {p: ratio for p, (ratio, _, _) in shown.items()}
        ax.plot(
            np.array(list(middle)) + shift,
            list(middle.values()),
            "os"[k],
            linestyle="-",
            markersize=4,
            color=colour,
            label=f"of {source}",
        )
        for p, (_, low, high) in shown.items():
            ax.plot([p + shift] * 2, [low, high], color=colour, linestyle="-")
        off = [p + shift for p in found if p not in shown]
        ax.plot(off, [1.1 * OFF_SCALE] * len(off), "x", color=colour)
    ax.axhline(1, color=BLACK, lw=0.8, linestyle=":")
    ax.set_title(part, fontsize=9)
    ax.set(yscale="log", ylim=(0.35, 1.2 * OFF_SCALE), xticks=[-1, 0, 1])
    ax.set_yticks([0.5, 0.7, 1, 1.5, 2], ["0.5", "0.7", "1", "1.5", "2"])
    ax.minorticks_off()


def powers_figure(results: Results, learner: str, parts: Sequence[str], columns: int = 4) -> Figure:
    """plot_powers of all settings that the learner was trained in."""
    shown = [part for part in parts if learner in results["config"]["settings"][part]["learners"]]
    columns = min(columns, len(shown))
    rows = -(-len(shown) // columns)
    fig, axes = plt.subplots(rows, columns, figsize=(9, 2.2 * rows), sharex=True, sharey=True, squeeze=False)
    for ax, part in zip(axes.flat, shown, strict=False):
        plot_powers(ax, results, part, learner)
    for ax in axes.flat[len(shown) :]:
        ax.axis("off")
    axes[0, 0].legend(fontsize=7, loc="lower right")
    fig.supxlabel("p", fontsize=9)
    fig.supylabel("test error, the mean's = 1", fontsize=9)
    return fig
