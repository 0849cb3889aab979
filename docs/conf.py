"""Sphinx: the documentation is markdown (MyST), built strictly.

sphinx-build -W --keep-going -b html docs site
"""

from importlib import metadata

project = "GenKit"
author = "The GenKit authors"
project_copyright = "The GenKit authors"
try:
    release = metadata.version("genkit-keras")
except metadata.PackageNotFoundError:
    release = ""

extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = ["samples"]
nitpicky = True

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"GenKit {release}".strip()
html_show_sourcelink = False
html_show_sphinx = False
copybutton_exclude = ".linenos, .gp, .go"
