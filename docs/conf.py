"""Sphinx's settings for the site; build_site.py gives it the pages, and the address of the clone where it has one."""

import os

project = "Gradient agreement in meta-learning"
author = "The authors"
html_title = "Gradient agreement, step by step"
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
nb_execution_mode = "off"  # what is shown is what is stored
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
root_doc = "index"
suppress_warnings = ["myst.header"]  # CHANGELOG and README begin as they like

html_theme = "sphinx_book_theme"
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["../_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
mathjax_path = os.environ["SITE_MATHJAX"]
repository = os.environ["SITE_REPOSITORY"]  # "owner/name" on GitHub
html_theme_options = {
    "home_page_in_toc": True,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_navbar_depth": 1,
    "navbar_persistent": [],
}
if repository:
    html_theme_options |= {
        "repository_url": f"https://github.com/{repository}",
        "repository_branch": "HEAD",
        "path_to_docs": "",
        "use_repository_button": True,
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
            "notebook_interface": "jupyterlab",
        },
    }

default_role = "code"


def plain(app: object, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Docstrings are plain text with code between backticks: what would be markup elsewhere is a star or a bar."""
    lines[:] = [line.replace("*", r"\*").replace("|", r"\|") for line in lines]


def left_out(app: object, what: str, name: str, thing: object, skip: bool, options: object) -> bool | None:
    """The fields of a named tuple are told by its own docstring; Python's says "Alias for field number 0"."""
    return True if str(getattr(thing, "__doc__", "")).startswith("Alias for field number") else None


def to_colab(app: object, page: str, template: str, context: dict, tree: object) -> None:
    """Colab's buttons lead to the branch whose chapters install the package; see launch.py."""
    for button in context.get("header_buttons", []):
        for entry in button.get("buttons", []):
            if "colab" in str(entry.get("url")):
                entry["url"] = entry["url"].replace("/blob/HEAD/", "/blob/colab/")


def setup(app: object) -> None:
    """Called by Sphinx."""
    app.connect("html-page-context", to_colab, priority=900)  # type: ignore[attr-defined]
    app.connect("autodoc-skip-member", left_out)  # type: ignore[attr-defined]
    app.connect("autodoc-process-docstring", plain)  # type: ignore[attr-defined]
