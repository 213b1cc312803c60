"""Chapter 13's own figures: how unequal losses are, weights of losses, and what attacks leave of an accuracy."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from gaml_utils.intervals import mean_interval
from gaml_utils.plotting.style import BLACK, COLOURS, DASHES, MARKERS


def plot_lorenz(ax: Axes, losses: Mapping[str, np.ndarray]) -> None:
    """{name: (tasks,)}: the share of the loss that the tasks with the smallest losses have, and equality."""
    for name, values in losses.items():
        share = np.concatenate([[0], np.cumsum(np.sort(values)) / np.sum(values)])
        ax.plot(np.linspace(0, 1, len(share)), share, label=name)
    ax.plot([0, 1], [0, 1], color=BLACK, lw=0.8, linestyle=":", label="all losses equal")
    ax.set(xlabel="share of the tasks", ylabel="share of the loss", aspect="equal")
    ax.legend(fontsize=8, loc="upper left")


def plot_weights_of_losses(ax: Axes, losses: np.ndarray, weights: Mapping[str, np.ndarray]) -> None:
    """losses: (tasks,), ordered. {rule: (tasks,)}: one point per task, joined; a line at the uniform weight."""
    for k, (name, w) in enumerate(weights.items()):
        ax.plot(losses, w, MARKERS[k], color=COLOURS[k], linestyle=DASHES[k], lw=1, markersize=4, label=name)
    ax.axhline(0, color=BLACK, lw=0.8, linestyle="-")
    ax.axhline(1 / len(losses), color=BLACK, lw=0.8, linestyle=":", label="uniform")
    ax.axvline(np.mean(losses), color=BLACK, lw=0.8, linestyle="--", label="mean loss")
    ax.set(xlabel="loss of the task", ylabel="weight")
    ax.legend(fontsize=8)


def plot_sorted(ax: Axes, losses: Mapping[str, np.ndarray]) -> None:
    """{name: (tasks,)}: each learner's losses in order, on a logarithmic axis."""
    for name, values in losses.items():
        ax.plot(np.linspace(0, 100, len(values)), np.sort(values), label=name)
    ax.set(xlabel="tasks, from the best to the worst, in %", ylabel="loss", yscale="log")
    ax.legend(fontsize=8)


def plot_attacks(
    axes: Sequence[Axes], epsilons: Sequence[float], accuracies: Mapping[str, Mapping[str, np.ndarray]]
) -> None:
    """{what is attacked: {learner: (seeds, epsilons)}}, one panel each: the mean over seeds, with its 95% interval."""
    shift = 0.012 * (max(epsilons) - min(epsilons))
    for ax, (attacked, of) in zip(axes, accuracies.items(), strict=True):
        for k, (name, values) in enumerate(of.items()):
            mean, low, high = mean_interval(values)
            at = np.asarray(epsilons) + shift * (k - (len(of) - 1) / 2)
            bars = np.stack([mean - low, high - mean])
            ax.errorbar(at, mean, bars, marker=MARKERS[k], color=COLOURS[k], linestyle=DASHES[k], capsize=2, label=name)
        ax.set(title=f"{attacked} attacked", xlabel=r"$\epsilon$", xticks=list(epsilons), ylim=(0, 1))
    axes[0].set_ylabel("accuracy")
    axes[0].legend(fontsize=8, loc="lower left")
