"""How Sphinx builds the documentation: `make docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from generate import write_generated_pages
from sphinx.application import Sphinx

import broker_classifier

project = "broker-classifier"
author = "The broker-classifier authors"
version = release = broker_classifier.__version__

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
exclude_patterns = ["_build", "generated/*.part"]
autodoc_typehints = "none"
numpydoc_show_class_members = False
suppress_warnings = ["config.cache"]

html_theme = "pydata_sphinx_theme"
html_title = "broker-classifier"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_show_sourcelink = False


def setup(app: Sphinx) -> None:
    """Write the pages that are made of the code before any page is read."""
    app.connect("builder-inited", lambda app: write_generated_pages(Path(app.srcdir)))
