"""The worst findings one by one: the bars around each, and its values beside sound ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone import market
from touchstone.notebook import RunView
from touchstone.plots import bars_around, number
from touchstone.reports._blocks import Block, beside, chart, table
from touchstone.reports._data_facts import stamp
from touchstone.reports._findings import grid

__all__ = ["worst_cases"]

_AROUND, _WIDEST = 20, 120
_TOLD, _SHOWN = 5, 2


@dataclass(frozen=True, eq=False)
class _Case:
    """Findings on neighbouring bars of one symbol, with the rows around them and the times of the stretch shown."""

    findings: pd.DataFrame
    rows: pd.DataFrame
    times: pd.DatetimeIndex

    @property
    def symbol(self) -> str:
        return str(self.findings["symbol"].iloc[0])

    @property
    def marked(self) -> pd.DatetimeIndex:
        return pd.DatetimeIndex(self.findings["date"].unique()).sort_values()


def worst_cases(view: RunView, *, n_cases: int = 20) -> Block:
    """The worst findings with a chart each; findings on neighbouring bars of one symbol are one case.

    Parameters
    ----------
    view : what ingestion left.
    n_cases : how many to show, in the order of `touchstone.market.worst_first`.
    """
    cases = _cases(view, n_cases)
    shown = [_shown(place, case) for place, case in enumerate(cases, start=1)]
    return Block("".join(block.html for block in shown) or "<p>There is no finding to show.</p>")


def _cases(view: RunView, n_cases: int) -> list[_Case]:
    findings = market.worst_first(view.table("quality"))
    if findings.empty:
        return []
    times = grid(view, findings)
    stretch = market.episodes(findings, times)
    chosen = findings[stretch < n_cases]
    rows = _rows_of(view, sorted(chosen["symbol"].unique()))
    return [_case(of_case, rows, times) for _, of_case in chosen.groupby(stretch[stretch < n_cases], sort=True)]


def _rows_of(view: RunView, symbols: list[str]) -> pd.DataFrame:
    """Raw rows of some symbols as the source gave them, `aside` where they were quarantined, by symbol and date."""
    only = [("symbol", "in", symbols)]
    raw = _numbered(view.table("raw_bars", filters=only).reset_index())
    quarantined = _numbered(view.table("quarantine", filters=only).drop(columns=["row", "checks"]))
    matched = raw.merge(quarantined, how="left", on=list(raw.columns), indicator="aside")
    rows = matched.drop(columns="copy").assign(aside=(matched["aside"] == "both").to_numpy())
    return rows.sort_values(["symbol", "date", "aside"], kind="stable").set_index("symbol")


def _numbered(rows: pd.DataFrame) -> pd.DataFrame:
    """Copies of the same row numbered, so that each is found once."""
    return rows.assign(copy=rows.groupby(list(rows.columns), dropna=False).cumcount().to_numpy())


def _case(findings: pd.DataFrame, rows: pd.DataFrame, times: pd.DatetimeIndex) -> _Case:
    dates = findings["date"]
    first, last = np.searchsorted(times.to_numpy(), [dates.min().to_datetime64(), dates.max().to_datetime64()])
    start = max(int(first) - _AROUND, 0)
    shown = times[start : min(int(last) + _AROUND + 1, start + _WIDEST)]
    symbol = str(findings["symbol"].iloc[0])
    own = rows.loc[[symbol]].set_index("date") if symbol in rows.index else rows.iloc[:0].set_index("date")
    return _Case(findings, own[(own.index >= shown[0]) & (own.index <= shown[-1])], shown)


def _shown(place: int, case: _Case) -> Block:
    title = f"{place}. {case.symbol}, {_span(case.marked)}"
    right = Block(_told(case).html + _values(case).html)
    if case.rows.empty:
        return Block(f"<h3>{title}</h3>{right.html}")
    drawn = chart(bars_around(case.rows, case.times, case.marked), title=title, note=_note(case))
    return Block(f'<div class="case">{beside(drawn, right, first_wider=True).html}</div>')


def _span(marked: pd.DatetimeIndex) -> str:
    return stamp(marked[0]) if len(marked) == 1 else f"{stamp(marked[0])} to {stamp(marked[-1])}"


def _note(case: _Case) -> str:
    actions = ", ".join(dict.fromkeys(case.findings["action"]))
    score = float(case.findings["score"].max()) if "score" in case.findings else 0.0
    return actions + (f"; {number(score, 1)} robust deviations" if score > 0.0 else "")


def _told(case: _Case) -> Block:
    many = len(case.marked) > 1
    told = case.findings.head(_TOLD)
    checks = [f"{check}, {stamp(date)}" if many else check for check, date in zip(told["check"], told["date"], strict=True)]
    rows = [list(cells) for cells in zip(checks, told["observed"], told["expected"], strict=True)]
    left = len(case.findings) - len(rows)
    return table(["Check", "Observed", "Expected"], rows + ([[f"and {number(left, 0)} more", "", ""]] if left else []))


def _values(case: _Case) -> Block:
    """The doubtful rows between the sound ones before and after them, a field a line."""
    rows, marked = case.rows, case.marked
    sound = rows[~rows["aside"] & ~rows.index.isin(marked)]
    before, after = sound[sound.index < marked[0]].tail(1), sound[sound.index > marked[-1]].head(1)
    doubtful = rows[rows.index.isin(marked)]
    columns = pd.concat([before, doubtful.head(_SHOWN), after])
    states = ["set aside" if aside else "kept" if date in marked else "sound" for date, aside in columns["aside"].items()]
    red = [state == "set aside" or (state == "kept" and "set aside" not in states) for state in states]
    fields = [field for field in columns.columns if field != "aside"]
    lines = [[field, *(_value(field, value, doubt=doubt) for value, doubt in zip(columns[field], red, strict=True))] for field in fields]
    left = len(doubtful) - _SHOWN
    caption = f"The first {_SHOWN} of {number(len(doubtful), 0)} rows, and their neighbours" if left > 0 else ""
    header = ["", *(_brief(date) for date in columns.index)]
    return table(header, [["row", *states], *lines], numbers=range(1, len(header)), caption=caption)


def _brief(time: pd.Timestamp) -> str:
    """The title says the year; columns of intraday times must be narrow."""
    return stamp(time) if time == time.normalize() else f"{time:%m-%d %H:%M}"


def _value(field: str, value: float, *, doubt: bool) -> Block | str:
    text = "missing" if value != value else number(value, 0) if field == "volume" else f"{value:,.6g}".replace("-", "\N{MINUS SIGN}")
    return Block(f'<span class="below">{text}</span>') if doubt else text
