"""From pages to tables: of what came twice the later one counts, and what it changed is a revision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from touchstone.market import empty_table
from touchstone.sources.network._snapshots import Entry, Kept, current
from touchstone.sources.network._vendor import Page

__all__ = ["Assembled", "assemble", "no_revisions"]

_KEYS = {
    "bars": ("date", "symbol"),
    "actions": ("symbol", "ex_date", "kind"),
    "assets": ("symbol",),
    "macro": ("series", "period", "known_at"),
}
# Where a revision of the table says its symbol and date; what is known of an asset has no date, and the last word counts.
_WHO_AND_WHEN = {"bars": ("symbol", "date"), "actions": ("symbol", "ex_date"), "macro": ("series", "period")}
_REVISION = {
    "symbol": "str",
    "date": "datetime64[us]",
    "field": "str",
    "before": "float64",
    "after": "float64",
    "seen_at": "datetime64[us]",
}


@dataclass(frozen=True, eq=False)
class Assembled:
    """All that a store knows.

    Parameters
    ----------
    tables : mapping
        ``bars`` (as ``raw_bars``), ``actions``, ``assets``, ``macro``; a table that the vendor lacks is empty.
    revisions : DataFrame
        ``symbol, date, field, before, after, seen_at``: a value that came twice and differed; sorted by symbol, then as they came.
    """

    tables: Mapping[str, pd.DataFrame]
    revisions: pd.DataFrame


def assemble(page_of: Callable[[Kept], Page], entries: Sequence[Entry]) -> Assembled:
    """Put the pages of some entries together.

    Rows are sorted by symbol and date within a table, whatever order the symbols came in. A row that stands twice in one page
    stays twice: judging that is not the store's business. A row that an entry which stands in the place of all before it does not
    have any more is gone: beside restated prices an old one would be a leap that never was.

    Parameters
    ----------
    page_of : callable
        From a kept page to what it says; called once for each. What it raises ends the work.
    entries : sequence of Entry
        Oldest first within a symbol.
    """
    pages = _pages(page_of, sorted(entries, key=lambda entry: entry.symbol))
    tables, revisions = {}, [no_revisions()]
    for name, keys in _KEYS.items():
        parts = [page[name] for page in pages if name in page and not page[name].empty]
        if not parts:
            tables[name] = empty_table("raw_bars" if name == "bars" else name)
            continue
        rows = pd.concat(parts, ignore_index=True).sort_values(
            [*reversed(keys), "_page"] if name == "bars" else [*keys, "_page"], kind="stable"
        )
        revisions += [_revisions(rows, keys, *_WHO_AND_WHEN[name])] if name in _WHO_AND_WHEN else []
        last = rows["_page"] == rows.groupby(list(keys), sort=False)["_page"].transform("max")
        kept = rows[last & rows["_counts"]].drop(columns=["_page", "_seen", "_counts"]).reset_index(drop=True)
        tables[name] = kept.set_index(["date", "symbol"]) if name == "bars" else kept
    changed = pd.concat(revisions, ignore_index=True)
    return Assembled(tables, changed.sort_values(["symbol", "seen_at", "date", "field"], kind="stable", ignore_index=True))


def no_revisions() -> pd.DataFrame:
    """Revisions, of which there are none."""
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in _REVISION.items()})


def _pages(page_of: Callable[[Kept], Page], entries: Sequence[Entry]) -> list[dict[str, pd.DataFrame]]:
    """Tables of every page, each row with the page's number, the time it was seen, and whether it may count."""
    counting = {id(entry) for entry in current(entries)}
    found: list[dict[str, pd.DataFrame]] = []
    for entry in entries:
        for kept in entry.pages:
            flat = {name: rows.reset_index() if name == "bars" else rows for name, rows in page_of(kept).tables.items()}
            more: dict[str, Any] = {"_page": len(found), "_seen": entry.retrieved_at, "_counts": id(entry) in counting}
            found.append({name: rows.assign(**more) for name, rows in flat.items()})
    return found


def _revisions(rows: pd.DataFrame, keys: Sequence[str], who: str, when: str) -> pd.DataFrame:
    """Values that differ from those of the page before that had the same key; `rows` are sorted by key and page."""
    by_page = rows.drop_duplicates([*keys, "_page"], keep="last")
    again = by_page.duplicated(list(keys)).to_numpy()
    places = np.flatnonzero(again)
    fields = [name for name in by_page.columns if by_page[name].dtype == np.float64]
    found: list[pd.DataFrame] = []
    for name in fields:
        values = by_page[name].to_numpy()
        before, after = values[places - 1], values[places]
        differs = (before != after) & ~(np.isnan(before) & np.isnan(after))
        at = by_page.iloc[places[differs]]
        found.append(
            pd.DataFrame(
                {
                    "symbol": at[who].astype("str"),
                    "date": at[when],
                    "field": pd.array([name] * len(at), dtype="str"),
                    "before": before[differs],
                    "after": after[differs],
                    "seen_at": at["_seen"],
                }
            )
        )
    return pd.concat(found, ignore_index=True).astype(_REVISION)
