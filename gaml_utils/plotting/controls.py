"""Sliders beside what they move."""

from typing import Any

from IPython.display import Javascript, display

# A slider of ipywidgets has its description beside it, and a screen reader is not told. The widgets come to the page a
# moment after this does.
NAMES = """
(function name(times) {
  for (const slider of document.querySelectorAll(".widget-slider")) {
    const label = slider.querySelector("label"), handle = slider.querySelector("[role=slider]");
    if (label && handle) handle.setAttribute("aria-label", label.textContent);
  }
  if (times > 0) setTimeout(name, 250, times - 1);
})(40);
"""


def show_controls(*widgets: Any) -> None:
    """Display ipywidgets one below the other, each slider named by its description for who cannot see it."""
    display(*widgets, Javascript(NAMES))
