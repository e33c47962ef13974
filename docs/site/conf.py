"""The documentation as a site: `make docs` builds it from the documents where they are, with Sphinx.

A built page asks no other host for anything: no fonts, no programs, no figures of who reads what.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any, Final

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT: Final = Path(__file__).parents[2]

SECTIONS: Final = {
    "Start here": ("README", "docs/architecture", "docs/glossary", "CONTRIBUTING", "tests/README"),
    "Embed": (
        "docs/start",
        "docs/embedding",
        "docs/events",
        "docs/webhooks",
        "docs/site/api",
        "docs/api",
        "docs/problems",
        "deploy/example-host/README",
    ),
    "Operate": (
        "docs/production",
        "docs/operations",
        "deploy/kubernetes/README",
        "docs/export",
        "docs/profile",
        "docs/media",
        "SECURITY",
        "CHANGELOG",
    ),
    "Protocol": ("docs/protocol", "tests/vectors/README"),
    "Decide": ("docs/threat-model", "docs/decisions/README"),
}
DIAGRAMS: Final = ("mermaid.tiny.js", "diagrams.js")

project = "relay"
author = "The maintainers of relay"
html_title = "relay"
root_doc = "README"
include_patterns = [*(f"{name}.md" for names in SECTIONS.values() for name in names), "docs/**"]
exclude_patterns = [".*", "bench", "relay", "site", "web", "workers"]

extensions = ["myst_parser"]
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
highlight_language = "none"

html_theme = "furo"
html_static_path = ["static", str(ROOT / "web/node_modules/@mermaid-js/tiny/dist")]
templates_path = ["templates"]
html_additional_pages = {"index": "index.html"}
html_copy_source = False
html_show_search_summary = (
    False  # it reads pages again, which a browser forbids where they are files
)
html_show_copyright = False
html_show_sphinx = False
html_use_index = False


class Mermaid(SphinxDirective):
    """A diagram, drawn in the browser from the text that a forge draws it from as well."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The text, for the program of the page and for anyone who has it switched off."""
        text = escape("\n".join(self.content))
        return [nodes.raw("", f'<pre class="mermaid">{text}</pre>', format="html", diagram=True)]


def add_contents(_app: Sphinx, name: str, source: list[str]) -> None:
    """Hang the sections below the first page, and the decisions below their index: a forge needs neither."""
    if name == root_doc:
        for caption, names in SECTIONS.items():
            entries = "\n".join("self" if entry == name else f"/{entry}" for entry in names)
            source[0] += f"\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{entries}\n```\n"
    elif name == "docs/decisions/README":
        source[0] += "\n\n```{toctree}\n:hidden:\n:glob:\n\n[0-9]*\n```\n"


def add_diagrams(
    app: Sphinx, _name: str, _template: str, _context: dict[str, Any], tree: nodes.document | None
) -> None:
    """Only a page that has a diagram loads what draws it."""
    if tree is not None and any("diagram" in raw for raw in tree.findall(nodes.raw)):
        for file in DIAGRAMS:
            app.add_js_file(file)


def setup(app: Sphinx) -> None:
    """What Sphinx calls first."""
    app.add_directive("mermaid", Mermaid)
    app.connect("source-read", add_contents)
    app.connect("html-page-context", add_diagrams)
