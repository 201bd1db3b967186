"""Findings of the quality checks as tables: by check, and every one of them."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

import pandas as pd

from touchstone import market
from touchstone.notebook import RunView
from touchstone.plots import number, percent
from touchstone.reports._blocks import Block, table
from touchstone.reports._data_facts import stamp

__all__ = ["coverage_table", "findings_list", "findings_table", "grid"]

_MEANINGS = {
    "close_outside_range": "close outside the day's range",
    "conflicting_duplicate": "another row for the same symbol and bar",
    "duplicate": "the same row again",
    "high_low": "high below, or low above, the row's other prices",
    "jump": "move far beyond the symbol's and the market's own; it stays",
    "missing_session": "no row where the calendar expects one",
    "missing_value": "a field without a number",
    "non_positive": "price of 0 or below, or volume below 0",
    "not_a_session": "a bar when the exchange was closed",
    "other_symbol": "fits another symbol's level better than its own",
    "out_of_order": "a row after a later one of its symbol",
    "repeated_row": "prices and volume of another date of the symbol, to the last digit",
    "reverting_jump": "a jump that is gone on the next bar",
    "scale_slip": "off by a power of ten",
    "stale_run": "the same price bar after bar",
    "suspected_action": "a jump by a plausible split ratio, with no action on record; never repaired",
    "time_travel": "a row that belongs to another time",
    "zero_volume_move": "a price that moved without volume",
}
_LISTED, _UNFOLDED = 400, 30
_GAPS = 12


def findings_table(view: RunView) -> Block:
    """Findings by check, the worst check first, with what became of them."""
    counts = market.count_findings(view.table("quality"))
    counted: Iterable[Any] = counts.itertuples()
    rows = [
        [
            row.check,
            _MEANINGS.get(row.check, ""),
            _pill(row.severity),
            *(_count(n) for n in (row.findings, row.quarantined, row.repaired, row.kept, row.symbols)),
            f"{row.first:%Y-%m-%d} to {row.last:%Y-%m-%d}",
        ]
        for row in counted
    ]
    header = ["Check", "What it finds", "Severity", "Findings", "Quarantined", "Repaired", "Kept", "Symbols", "When"]
    if not rows:
        return table(["Findings"], [["None: every row passed every check, and no session is missing."]])
    return table(header, rows, numbers=range(3, 9))


def findings_list(view: RunView) -> Block:
    """Every finding, folded by check; neighbouring bars of one symbol share a line."""
    quality = view.table("quality")
    times = grid(view, quality)
    order = market.count_findings(quality)["check"].unique()
    folds = [_fold(str(check), market.worst_first(quality[quality["check"] == check]), times) for check in order]
    return Block("".join(fold.html for fold in folds) or "<p>There is none.</p>")


def coverage_table(shares: pd.DataFrame) -> Block:
    """The symbols with the widest gaps (`shares` as `touchstone.market.coverage` gives them)."""
    lacking = (1.0 - shares).sum(axis=1)
    worst = lacking[lacking > 0].sort_values(ascending=False, kind="stable").head(_GAPS)
    if worst.empty:
        return table(["Symbols with gaps"], [["None: each has a clean bar wherever the calendar expects one, from its first to its last."]])
    rows = []
    for symbol in worst.index:
        of_symbol = shares.loc[symbol].dropna()
        low = of_symbol.idxmin()
        rows.append([str(symbol), number(int((of_symbol < 1.0).sum()), 0), percent(float(of_symbol.min()), 1), stamp(low)])
    more = int((lacking > 0).sum()) - len(rows)
    caption = "Symbols with gaps" + (f", the first {len(rows)} of {number(more + len(rows), 0)}" if more else "")
    return table(["Symbol", "Stretches with gaps", "Lowest share", "In the stretch from"], rows, numbers=(1, 2), caption=caption)


def grid(view: RunView, findings: pd.DataFrame) -> pd.DatetimeIndex:
    """Times of all bars the calendar expects, and of whatever else was there."""
    dates = pd.DatetimeIndex(view.table("bars", columns=[]).index.get_level_values("date")).unique()
    everything = dates.union(pd.DatetimeIndex(findings["date"].unique()))
    expected = market.bar_times(view.metadata["calendar"], everything.min(), everything.max(), view.metadata.get("timeframe", "1d"))
    return expected[(expected >= everything.min()) & (expected <= everything.max())].union(everything).rename("date")


def _fold(check: str, findings: pd.DataFrame, times: pd.DatetimeIndex) -> Block:
    numbered = findings.assign(stretch=market.episodes(findings, times)).sort_values(["stretch", "date"], kind="stable")
    grouped = numbered.groupby("stretch", sort=True)
    spans = grouped.agg(first=("date", "min"), last=("date", "max"), n=("date", "size"))
    told = grouped[["symbol", "action", "observed", "expected"]].first()
    lines: Iterable[Any] = told.join(spans).head(_LISTED).itertuples()
    rows = [[row.symbol, _when(row.first, row.last, row.n), row.action, row.observed, row.expected] for row in lines]
    rest = len(told) - len(rows)
    command = f"touchstone data preview quality --where check={escape(check)} --rows {len(findings)}"
    more = f"<p>{number(rest, 0)} more: <code>{command}</code></p>"
    listed = table(["Symbol", "When", "Action", "Observed", "Expected"], rows)
    count = f"{number(len(findings), 0)} finding{'s' if len(findings) > 1 else ''}"
    summary = f"<summary><strong>{escape(check)}</strong> <span>{count}</span></summary>"
    # What was set aside lies open, unless it fills the page.
    unfolded = " open" if (findings["severity"] == "error").any() and len(rows) <= _UNFOLDED else ""
    return Block(f"<details{unfolded}>{summary}{listed.html}{more if rest else ''}</details>")


def _count(n: Any) -> str:
    return number(n, 0) if n else "\N{EN DASH}"


def _when(first: pd.Timestamp, last: pd.Timestamp, n: int) -> str:
    return stamp(first) if first == last else f"{stamp(first)} to {stamp(last)} ({number(n, 0)})"


def _pill(severity: str) -> Block:
    return Block(f'<span class="pill {"failed" if severity == "error" else "not_applicable"}">{escape(severity)}</span>')
