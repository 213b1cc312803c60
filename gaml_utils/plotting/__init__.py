"""The look of the figures, those that several chapters share, and those of one chapter."""

from gaml_utils.plotting.chapter_10 import plot_predicted, plot_seeds, plot_stops
from gaml_utils.plotting.chapter_11 import plot_by_rank, plot_dial, plot_directions, plot_lines, plot_memory
from gaml_utils.plotting.chapter_12 import plot_effects, plot_planes, plot_rates, plot_weights_in_plane
from gaml_utils.plotting.chapter_13 import plot_attacks, plot_lorenz, plot_sorted, plot_weights_of_losses
from gaml_utils.plotting.chapter_14 import plot_purity, plot_sources
from gaml_utils.plotting.chapter_15 import plot_clouds, plot_showings
from gaml_utils.plotting.chapter_16 import plot_arm, plot_reach, plot_reached, plot_success
from gaml_utils.plotting.chapter_17 import plot_efficiency, plot_shares
from gaml_utils.plotting.charts import plot_adaptation, plot_bars, plot_curves, plot_images, plot_weights, smooth
from gaml_utils.plotting.controls import show_controls
from gaml_utils.plotting.style import (
    BLACK,
    BLUE,
    COLOURS,
    DASHES,
    GREEN,
    MARKERS,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    show,
    use_style,
)

__all__ = [
    "BLACK",
    "BLUE",
    "COLOURS",
    "DASHES",
    "GREEN",
    "MARKERS",
    "ORANGE",
    "PURPLE",
    "RED",
    "SKY",
    "plot_adaptation",
    "plot_arm",
    "plot_attacks",
    "plot_bars",
    "plot_by_rank",
    "plot_clouds",
    "plot_curves",
    "plot_dial",
    "plot_effects",
    "plot_efficiency",
    "plot_directions",
    "plot_images",
    "plot_lines",
    "plot_lorenz",
    "plot_memory",
    "plot_planes",
    "plot_predicted",
    "plot_purity",
    "plot_rates",
    "plot_reach",
    "plot_reached",
    "plot_seeds",
    "plot_shares",
    "plot_showings",
    "plot_sorted",
    "plot_sources",
    "plot_stops",
    "plot_success",
    "plot_weights",
    "plot_weights_in_plane",
    "plot_weights_of_losses",
    "show",
    "show_controls",
    "smooth",
    "use_style",
]
