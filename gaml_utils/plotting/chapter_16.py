"""Chapter 16's own figures: an arm, where its tip goes, how often it arrives, and how often each learner does."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from gaml_utils.intervals import mean_interval
from gaml_utils.plotting.style import BLACK, BLUE, COLOURS, DASHES, MARKERS, ORANGE, RED


def plot_arm(ax: Axes, joints: np.ndarray, alpha: float = 1.0) -> None:
    """joints: (3, 2), where shoulder, elbow and tip are: two links."""
    ax.plot(*joints.T, DASHES[0], color=BLACK, lw=3, alpha=alpha, solid_capstyle="round")
    ax.plot(*joints[:2].T, "o", color=BLACK, markersize=5, alpha=alpha)


def plot_reach(ax: Axes, shown: np.ndarray, goal: np.ndarray, path: np.ndarray | None = None) -> None:
    """Where the tip goes: in a demonstration, (steps, 2), and, where given, by a policy, (steps + 1, 2). goal: (2,)."""
    ax.plot(*shown.T, DASHES[1], color=ORANGE, label="demonstration")
    ax.plot(*shown[0], "o", color=ORANGE, markersize=5)
    if path is not None:
        ax.plot(*path.T, DASHES[0], color=BLUE, label="imitation")
        ax.plot(*path[0], "o", color=BLUE, markersize=5)
    ax.plot(*goal, "*", color=RED, markersize=12, label="goal", linestyle="none")
    ax.set(xlim=(-1.05, 1.05), ylim=(-0.35, 1.05), aspect="equal")
    ax.set_axis_off()


def plot_success(ax: Axes, steps: Sequence[int], success: Sequence[float], bounds: Mapping[str, float]) -> None:
    """Success after so many outer steps; {name: success} of bounds, each a horizontal line."""
    ax.plot(steps, success, MARKERS[0] + DASHES[0], color=BLUE, label="MIL, after one demonstration")
    for k, (name, value) in enumerate(bounds.items(), start=1):
        ax.axhline(value, color=COLOURS[k], linestyle=DASHES[k], label=name)
    ax.set(xlabel="outer steps", ylabel="goals reached", ylim=(-0.03, 1.05))
    ax.legend(fontsize=8, loc="lower right", bbox_to_anchor=(1, 0.1))


def plot_reached(ax: Axes, success: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """{within: {policy: (seeds,)}}: the share of goals reached, a point with its 95% interval each."""
    policies = list(dict.fromkeys(name for of in success.values() for name in of))
    for k, (within, of) in enumerate(success.items()):
        for name, values in of.items():
            m = mean_interval(values)
            bar = np.array([[m.mean - m.low], [m.high - m.mean]])
            at = policies.index(name) + 0.15 * (k - (len(success) - 1) / 2)
            label = within if name == next(iter(of)) else None
            ax.errorbar(m.mean, at, xerr=bar, fmt=MARKERS[k], color=COLOURS[k], capsize=2, label=label)
    ax.set_yticks(range(len(policies)), policies)
    ax.invert_yaxis()
    ax.set(xlabel="goals reached", xlim=(-0.03, 1.03))
    ax.legend(fontsize=8, loc="best")
