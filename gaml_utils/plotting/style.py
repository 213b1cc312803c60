"""The look of the figures: colours, dashes, and the one way a figure is shown.

Colours are those of Okabe and Ito, safe for colour-blind readers; lines differ in dash as well.
The background is opaque, so that the axes can be read in a dark theme.
"""

import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure

BLACK, ORANGE, SKY, GREEN, BLUE, RED, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)


COLOURS = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK)
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), "-")


def use_style() -> None:
    """The look of the series, for every figure made from now on."""
    plt.rcParams.update(
        {
            "figure.figsize": (6.4, 3.6),
            "figure.dpi": 90,
            "savefig.facecolor": "white",
            "figure.facecolor": "white",
            "axes.facecolor": "white",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": "#dddddd",
            "axes.axisbelow": True,
            "legend.frameon": False,
            "figure.constrained_layout.use": True,
            "font.size": 10,
            "axes.prop_cycle": plt.cycler(color=COLOURS, linestyle=DASHES),
        }
    )


def show(fig: Figure, *, alt: str) -> None:
    """Display the figure with a text that says in words what it shows, and close it.

    Raises ValueError if alt is empty.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("alt should say in words what the figure shows")
    display(fig, metadata={"image/png": {"alt": alt}})
    plt.close(fig)


MARKERS = "osdv^"
