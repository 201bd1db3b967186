"""An executed notebook as one HTML file that opens anywhere, with no network and no code in sight."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from touchstone.errors import ConfigError, name_few
from touchstone.reports._theme import PAGE, STYLE

if TYPE_CHECKING:
    import nbformat

__all__ = ["to_html"]

# What a page can show without scripts, best first; scripts and widgets need a network or a kernel.
_SHOWN = ["text/html", "image/svg+xml", "image/png", "image/jpeg", "text/markdown", "text/plain"]
_HEADING = re.compile(r"^#\s+(.+)$", re.MULTILINE)
_LOADING = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "image": "href",
    "img": "src",
    "link": "href",
    "object": "data",
    "script": "src",
    "source": "src",
    "video": "src",
}
_REMOTE = re.compile(r"^\s*(?:https?:)?//", re.IGNORECASE)
_STYLE_LOAD = re.compile(r"(?:url\(|@import)\s*['\"]?\s*((?:https?:)?//[^'\")\s;]+)", re.IGNORECASE)


def to_html(notebook: nbformat.NotebookNode, *, subtitle: str = "Touchstone") -> bytes:
    """Write an executed notebook as a page: text and outputs, no code, everything inside the one file.

    Parameters
    ----------
    notebook : an executed notebook (see `execute`); it is not changed.
    subtitle : follows the notebook's first top heading in the title of the page.

    Returns
    -------
    bytes
        UTF-8; the same notebook gives the same bytes.

    Raises
    ------
    ConfigError
        An output would load something from the network.
    """
    from nbconvert import HTMLExporter, TemplateExporter
    from nbconvert.filters import DataTypeFilter

    exporter = HTMLExporter(raw_template=PAGE, exclude_input=True, exclude_anchor_links=True, embed_images=True)
    shown = DataTypeFilter()
    shown.display_data_priority = _SHOWN
    exporter.register_filter("filter_data_type", shown)
    page = {"title": escape(f"{_heading(notebook)} \N{MIDDLE DOT} {subtitle}"), "style": STYLE}
    # HTMLExporter's own method would parse the page again, which writes SVG attributes in lower case and takes longest of all.
    body, _ = TemplateExporter.from_notebook_node(exporter, notebook, resources={"page": page})
    remote = remote_references(body)
    if remote:
        raise ConfigError(f"A report must open offline, but this one would load {name_few(remote)}: put it into the page instead.")
    return body.encode()


class _References(HTMLParser):
    """Collects the addresses that a browser fetches by itself; links that a reader may follow are no concern."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name.removeprefix("xlink:"): value or "" for name, value in attrs}
        wanted = values.get(_LOADING.get(tag, ""), "")
        if _REMOTE.match(wanted):
            self.found.add(wanted)


def remote_references(page: str) -> list[str]:
    """Addresses, sorted, that a page would load from the network by itself."""
    reader = _References()
    reader.feed(page)
    return sorted(reader.found | set(_STYLE_LOAD.findall(page)))


def _heading(notebook: nbformat.NotebookNode) -> str:
    headings = (_HEADING.search(cell.source) for cell in notebook.cells if cell.cell_type == "markdown")
    return next((found.group(1).strip() for found in headings if found), "Report")
