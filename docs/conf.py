"""How Sphinx builds the site; `make docs` does it."""

from __future__ import annotations

import ghcrctl

project = "ghcrctl"
version = release = ghcrctl.__version__
html_title = f"ghcrctl {version}"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
# Prompts and output are not copied.
copybutton_prompt_text = "$ "
copybutton_exclude = ".linenos, .gp, .go"
copybutton_selector = "div:not(.highlight-text) > div.highlight pre"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
napoleon_numpy_docstring = False
# Only names of our own must lead somewhere: the site is built without asking other sites.
nitpick_ignore_regex = [(r"py:.*", r"(?!ghcrctl\.).*"), (r"py:.*", r"ghcrctl\.(?!errors\b).*")]
