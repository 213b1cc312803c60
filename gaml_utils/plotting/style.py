"""The look of the figures: colours, dashes, and the one way a figure is shown.

Colours are those of Okabe and Ito, safe for colour-blind readers; lines differ in dash as well.
The background is opaque, so that the axes can be read in a dark theme.
"""

import base64
import html
import io

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

    As an image tag, for of all that a notebook can show it alone brings its text to JupyterLab, VS Code, nbconvert and
    the site; what shows no images shows the text. Raises ValueError if alt is empty.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(f"alt should say in words what the figure shows, got {alt!r}")
    picture = io.BytesIO()
    fig.savefig(picture, format="png", bbox_inches="tight")
    data = base64.b64encode(picture.getvalue()).decode("ascii")
    tag = f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt)}">'
    display({"text/html": tag, "text/plain": alt}, raw=True)
    plt.close(fig)


MARKERS = "osdv^"
