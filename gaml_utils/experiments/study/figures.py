"""Pictures of the study: the map and the headlines (chapter 10)."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gaml_utils.experiments.records import SOURCES, Results, Weighing
from gaml_utils.experiments.study.plan import rules_of, seeds
from gaml_utils.experiments.study.tables import columns, diverged, effect, in_percent, settings
from gaml_utils.experiments.study.verdicts import headlines
from gaml_utils.plotting.style import BLACK, BLUE, RED

TICKS = (-50, -25, -10, 0, 10, 33, 100)  # percent, on the colour bar; the ends are half and double
GREY = "#767676"


def plot_heat_map(ax: Axes, results: Results, learner: str, field: str = "test_error") -> Any:
    """Rows: settings. Columns: rules and what they compare. Colour and number: the change against uniform weights.

    In percent; bold with a star where its 95% interval leaves out 0 (tables.effect_lines has the intervals), "div."
    where a training diverged, a dot where nothing was run. Blue is lower error; the full colours are half and double.
    Returns the image, for a colour bar.
    """
    rows, names = settings(results, learner), columns(results, learner)
    colours = np.full((len(rows), len(names)), np.nan)
    for i, part in enumerate(rows):
        there = rules_of(results["config"], part, learner)
        for j, rule in enumerate(names):
            text = "\u00b7"
            style: dict[str, Any] = {"color": GREY}
            if rule in there:
                e = effect(results, part, learner, rule, field)
                bold = e is None or e.found
                text = "div." if e is None else f"{e.change:+.0f}{'*' * e.found}"
                colours[i, j] = np.nan if e is None else np.log2(1 + e.change / 100)
                dark = abs(colours[i, j]) > 0.7
                style = {"color": "white" if dark else BLACK if bold else GREY, "weight": "bold" if bold else "normal"}
            ax.text(j, i, text, ha="center", va="center", fontsize=8, **style)
    image = ax.imshow(colours, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    ax.set_facecolor("#eeeeee")
    ax.grid(False)
    ax.set_yticks(range(len(rows)), rows)
    ax.set_xticks(range(len(names)), [Weighing.named(name).rule for name in names], rotation=30, ha="left", fontsize=8)
    ax.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    sources = [Weighing.named(name).source for name in names]
    first = sources.count(SOURCES[0])
    if 0 < first < len(names):
        ax.axvline(first - 0.5, color=BLACK, lw=1.5, linestyle="-")
    what = {"outer": "outer gradients compared", "updates": "updates compared"}
    for source, middle in (("outer", (first - 1) / 2), ("updates", (first + len(names) - 1) / 2)):
        if source in sources:
            ax.annotate(
                what[source],
                (middle, 0),
                (0, -4),
                ax.get_xaxis_transform(),
                "offset points",
                ha="center",
                va="top",
                fontsize=8,
            )
    return image


def plot_map(results: Results, learners: Sequence[str], field: str = "test_error") -> Figure:
    """A heat map of each of these learners, one below the other, with one colour bar: 670 pixels wide."""
    heights = [len(settings(results, name)) for name in learners]
    size = (7.45, 0.26 * sum(heights) + 1.3 * len(heights) + 0.7)
    fig, axes = plt.subplots(len(learners), figsize=size, height_ratios=heights, squeeze=False)
    for ax, learner in zip(axes[:, 0], learners, strict=True):
        image = plot_heat_map(ax, results, learner, field)
        ax.set_title(learner, loc="left", fontsize=11)
    label = "change against uniform weights, percent"
    bar = fig.colorbar(image, ax=axes[:, 0], extend="both", aspect=50, location="bottom", label=label)
    bar.set_ticks([np.log2(1 + tick / 100) for tick in TICKS], labels=[f"{tick:+d}" if tick else "0" for tick in TICKS])
    return fig


def plot_headlines(ax: Axes, results: Results) -> None:
    """One line per headline: the change in percent with its interval, corrected for the number of headlines.

    Filled where Holm's corrected p is below 0.05. Red circles: higher error; blue
    squares: lower; grey diamonds: neither shown.
    """
    found = headlines(results)
    for i, h in enumerate(found):
        e = in_percent(results, *h.cell[:2], h.comparison)
        if e is None:
            lost = diverged(results, *h.cell), len(seeds(results["config"], h.cell[0]))
            ax.text(0, i, "{} of {} trainings diverged".format(*lost), va="center", fontsize=8)
            continue
        colour, marker = {"worse": (RED, "o"), "better": (BLUE, "s")}.get(h.verdict, (GREY, "D"))
        ax.plot((e.low, e.high), (i, i), color=colour, linestyle="-", lw=1.5)
        face = colour if h.verdict in ("worse", "better") else "white"
        ax.plot(e.change, i, marker, color=colour, markerfacecolor=face)
    ax.axvline(0, color=BLACK, lw=0.8, linestyle="-")
    ax.set_yticks(range(len(found)), [f"{h.name}  {', '.join(h.cell)}" for h in found], fontsize=8)
    ax.set(ylim=(len(found) - 0.4, -0.6), xlabel="change of the test error against uniform weights, percent")
