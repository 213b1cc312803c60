"""The few figures that several chapters share."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from gaml_utils.intervals import Interval
from gaml_utils.plotting.style import BLACK, BLUE, COLOURS, DASHES, ORANGE, RED, SKY


def plot_curves(ax: Axes, curves: Mapping[str, Interval | np.ndarray], xlabel: str, ylabel: str) -> None:
    """One labelled line per curve against 0, 1, 2, ...; an Interval also gets its band."""
    for label, curve in curves.items():
        mean = curve.mean if isinstance(curve, Interval) else np.asarray(curve)
        (line,) = ax.plot(np.arange(len(mean)), mean, label=label)
        if isinstance(curve, Interval):
            ax.fill_between(np.arange(len(mean)), curve.low, curve.high, color=line.get_color(), alpha=0.2, lw=0)
    ax.locator_params(axis="x", integer=True)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()


def plot_adaptation(
    ax: Axes, x: np.ndarray, truth: np.ndarray, fits: Mapping[str, np.ndarray], support: tuple | None = None
) -> None:
    """The true curve, the support points, and one labelled line per fit. x, truth, each fit: (points,)."""
    ax.plot(x, truth, color=BLACK, linestyle="-", lw=1, label="true sine")
    for (label, y), colour, dash in zip(fits.items(), itertools.cycle(COLOURS), itertools.cycle(DASHES[1:])):
        ax.plot(x, y, color=colour, linestyle=dash, label=label)
    if support is not None:
        ax.plot(*support, "o", color=ORANGE, label="support points")
    ax.set(xlabel="x", ylabel="y")
    ax.legend(fontsize=8)


def plot_weights(ax: Axes, weights: Sequence[float], labels: Sequence[str] | None = None) -> None:
    """One bar per task; a negative weight is hatched as well as red."""
    heights = np.asarray(weights)
    bars = ax.bar(np.arange(len(heights)), heights, color=[RED if w < 0 else BLUE for w in heights])
    for bar, w in zip(bars, heights, strict=True):
        bar.set_hatch("//" if w < 0 else "")
    ax.axhline(0, color=BLACK, lw=0.8, linestyle="-")
    ax.axhline(1 / len(weights), color=BLACK, lw=0.8, linestyle=":", label="uniform")
    ax.set_xticks(np.arange(len(weights)), labels or [str(i + 1) for i in range(len(weights))])
    ax.set(xlabel="task", ylabel="weight")


def plot_bars(ax: Axes, groups: Mapping[str, Sequence[float]], labels: Sequence[str], xlabel: str, ylabel: str) -> None:
    """Bars side by side: one colour and hatch a group, one place a label."""
    places, width = np.arange(len(labels)), 0.8 / len(groups)
    for k, (name, heights) in enumerate(groups.items()):
        shift = (k - (len(groups) - 1) / 2) * width
        ax.bar(places + shift, heights, width, color=COLOURS[k], hatch=("", "//", "..")[k % 3], label=name)
    ax.set_xticks(places, labels)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if len(groups) > 1:
        ax.legend()


def smooth(values: Sequence[float], window: int = 50) -> np.ndarray:
    """Mean of each `window` neighbours, (values - window + 1,), to see a trend through the noise of meta-batches."""
    if not 1 <= window <= len(values):
        raise ValueError(f"window should be from 1 to {len(values)}, the number of values, got {window!r}")
    return np.convolve(values, np.ones(window) / window, mode="valid")


def plot_images(
    ax: Axes, images: np.ndarray, columns: int, wrong: Sequence[bool] | None = None, scale: float | None = None
) -> None:
    """Images (n, height, width) as a sheet, row by row, dark for high values; those that are `wrong` are crossed out.

    scale: the value that is black, its negative being white; if not given, the images' own lowest and highest.
    """
    images = np.asarray(images, dtype=np.float64)
    n, height, width = images.shape
    rows = -(-n // columns)
    cells = np.full((rows * columns, height + 2, width + 2), np.nan)
    cells[:n, 1:-1, 1:-1] = images
    sheet = cells.reshape(rows, columns, height + 2, width + 2).transpose(0, 2, 1, 3)
    limits = (-scale, scale) if scale else (images.min(), images.max())
    ax.imshow(sheet.reshape(rows * (height + 2), -1), cmap="Greys", vmin=limits[0], vmax=limits[1])
    for k in np.flatnonzero([] if wrong is None else wrong):
        left, top = k % columns * (width + 2), k // columns * (height + 2)
        for ends in ((top + 1, top + height), (top + height, top + 1)):
            ax.plot((left + 1, left + width), ends, color=RED, linestyle="-", lw=1.5)
    ax.set_facecolor(SKY)
    ax.grid(False)
    ax.set(xticks=[], yticks=[])
