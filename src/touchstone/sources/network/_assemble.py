"""From pages to tables: of what came twice the later one counts, and what it changed is a revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.errors import SourceError
from touchstone.market import empty_table
from touchstone.sources.network._snapshots import Entry, SnapshotStore
from touchstone.sources.network._vendor import Unusable, Vendor

__all__ = ["Assembled", "assemble"]

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


def assemble(vendor: Vendor, store: SnapshotStore, entries: Sequence[Entry]) -> Assembled:
    """Read the pages of some entries again and put them together.

    Rows are sorted by symbol and date within a table, whatever order the symbols came in. A row that stands twice in one page
    stays twice: judging that is not the store's business.

    Raises
    ------
    SourceError
        A payload that is gone, changed, or cannot be read any more.
    """
    pages = _pages(vendor, store, sorted(entries, key=lambda entry: entry.symbol))
    tables, revisions = {}, [pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in _REVISION.items()})]
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
        kept = rows[last].drop(columns=["_page", "_seen"]).reset_index(drop=True)
        tables[name] = kept.set_index(["date", "symbol"]) if name == "bars" else kept
    changed = pd.concat(revisions, ignore_index=True)
    return Assembled(tables, changed.sort_values(["symbol", "seen_at", "date", "field"], kind="stable", ignore_index=True))


def _pages(vendor: Vendor, store: SnapshotStore, entries: Sequence[Entry]) -> list[dict[str, pd.DataFrame]]:
    """Tables of every page, each row with the page's number and the time it was seen."""
    found: list[dict[str, pd.DataFrame]] = []
    for entry in entries:
        for kept in entry.pages:
            payload = store.read(kept.sha256)
            try:
                page = vendor.read(kept.fetch, payload)
            except Unusable as problem:
                raise SourceError(f"A kept payload of '{store.source}' must be readable, but {kept.sha256} is not ({problem}).") from None
            flat = {name: rows.reset_index() if name == "bars" else rows for name, rows in page.tables.items()}
            found.append({name: rows.assign(_page=len(found), _seen=entry.retrieved_at) for name, rows in flat.items()})
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
