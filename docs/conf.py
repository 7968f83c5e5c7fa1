"""Sphinx's settings: MyST pages in furo's looks, built without the network."""

import subprocess
import sys
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.application import Sphinx

project = "cdp"
author = "The contributors"
copyright = "the contributors, Apache-2.0"
version = release = version_of("cdp-core")

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nitpicky = True
# Quotation marks in help texts are to be typed as they stand.
smartquotes = False
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"cdp {version}"
html_static_path = ["_static"]
html_copy_source = False


def _draw(app: Sphinx, fault: Exception | None) -> None:
    """The pictures of the terminal, drawn anew by what the commands say today."""
    if fault is None and app.builder.format == "html":
        script = Path(__file__).with_name("pictures.py")
        subprocess.run([sys.executable, str(script), str(Path(app.outdir) / "_images")], check=True)


def setup(app: Sphinx) -> None:
    app.connect("build-finished", _draw)
