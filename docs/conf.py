"""Sphinx: the documentation is markdown (MyST), built strictly.

sphinx-build -W --keep-going -b html docs site
"""

import re
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

# The pages are read on code hosts too: no directives. A picture that has a width is an `img`.
myst_enable_extensions = ["html_image"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"GenKit {release}".strip()
html_show_sourcelink = False
html_show_sphinx = False
html_static_path = ["static"]
html_css_files = ["pages.css"]
copybutton_exclude = ".linenos, .gp, .go"


def add_contents(_, page, source):
    """Let the links listed below each heading of a page `index` be the site's contents there."""
    if page.rpartition("/")[2] != "index":
        return
    for section in re.split(r"^##+ ", source[0], flags=re.MULTILINE)[1:] or [source[0]]:
        pages = re.findall(r"^- \[.+?\]\((\S+?)\.md\)", section, re.MULTILINE)
        caption = section.partition("\n")[0].removeprefix("# ")
        if pages:
            listed = "\n".join(pages)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n"


def setup(app):
    app.connect("source-read", add_contents)
