"""Pieces of a page that a notebook shows: charts, cards, tables, notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from matplotlib.figure import Figure

from touchstone.errors import DataError
from touchstone.plots import to_svg

__all__ = ["Block", "Card", "beside", "cards", "chart", "notes", "table"]


@dataclass(frozen=True)
class Block:
    """A piece of a page; a notebook that ends a cell with one shows it."""

    html: str = field(repr=False)

    def _repr_html_(self) -> str:
        return self.html


@dataclass(frozen=True)
class Card:
    """One number to be seen first: its name, its text, and what puts it into proportion."""

    name: str
    value: str
    note: str = ""
    below: bool = False


def chart(figure: Figure, *, title: str, note: str = "") -> Block:
    """A figure with a title above it and a sentence on how to read it; drawn into the page, not linked."""
    svg = to_svg(figure).decode()
    drawing = svg[svg.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)
    caption = f"<strong>{escape(title)}</strong>" + (f"<span>{escape(note)}</span>" if note else "")
    return Block(f'<figure class="chart"><figcaption>{caption}</figcaption>{drawing}</figure>')


def beside(*blocks: Block, first_wider: bool = False) -> Block:
    """Blocks next to each other where the page is wide enough, one under another where it is not; the first may take three fifths."""
    kind = "beside leading" if first_wider else "beside"
    return Block(f'<div class="{kind}">' + "".join(f"<div>{block.html}</div>" for block in blocks) + "</div>")


def cards(shown: Sequence[Card]) -> Block:
    """Cards in rows of four."""
    return Block('<div class="cards">' + "".join(_card(card) for card in shown) + "</div>")


def notes(title: str, sentences: Sequence[str]) -> Block:
    """Sentences that a reader must not miss, as a list in a box."""
    return Block(
        f'<div class="caveats"><strong>{escape(title)}</strong><ul>'
        + "".join(f"<li>{escape(text)}</li>" for text in sentences)
        + "</ul></div>"
    )


def table(
    header: Sequence[str], rows: Sequence[Sequence[str | Block]], *, numbers: Sequence[int] = (), caption: str = "", lead: int | None = None
) -> Block:
    """A table of texts; the first column names the row.

    Parameters
    ----------
    header : texts of the columns.
    rows : cells by row: text, escaped here, or a block as it is.
    numbers : places of the columns that hold numbers, aligned right.
    caption : title above the table.
    lead : place of the row to stand out.

    Raises
    ------
    DataError
        A row has more or fewer cells than the header.
    """
    wrong = [place for place, row in enumerate(rows) if len(row) != len(header)]
    if wrong:
        raise DataError(
            f"Each row of a table has a cell for each of the {len(header)} columns, but row {wrong[0]} has {len(rows[wrong[0]])}."
        )
    kinds = ["number" if place in numbers else "name" if place == 0 and len(header) > 1 else "" for place in range(len(header))]
    top = "".join(f'<th class="{kind}">{escape(text)}</th>' for kind, text in zip(kinds, header, strict=True))
    body = "".join(_row(row, kinds, lead=place == lead) for place, row in enumerate(rows))
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return Block(f'<div class="wide"><table>{title}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>')


def _row(row: Sequence[str | Block], kinds: Sequence[str], *, lead: bool) -> str:
    cells = (
        f'<td class="{kind}">{cell.html if isinstance(cell, Block) else escape(cell)}</td>' for cell, kind in zip(row, kinds, strict=True)
    )
    return f"<tr{' class=' + chr(34) + 'lead' + chr(34) if lead else ''}>" + "".join(cells) + "</tr>"


def _card(card: Card) -> str:
    below = " below" if card.below else ""
    return (
        f'<div class="card"><div class="name">{escape(card.name)}</div><div class="value{below}">{escape(card.value)}</div>'
        f'<div class="note">{escape(card.note)}</div></div>'
    )
