"""What the keys of the rows betray: places taken twice, rows that stand elsewhere, sessions without a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.market._calendar import DAILY, bar_times
from touchstone.market.quality._findings import Found, fields_of
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["Keys", "judge_keys", "missing_sessions"]


@dataclass(frozen=True, eq=False)
class Keys:
    """Where each raw row belongs, as numbers.

    Attributes
    ----------
    times
        Every bar of the calendar from the first date to the last.
    symbols
        Names, sorted.
    code, bar, when
        Of each row: number of its symbol; of its bar in `times`, -1 where there is none; of its date among all dates of the rows.
    """

    calendar: str
    timeframe: str
    times: pd.DatetimeIndex
    symbols: pd.Index
    code: IntArray
    bar: IntArray
    when: IntArray

    @classmethod
    def of(cls, index: pd.MultiIndex, calendar: str, timeframe: str) -> Keys:
        """Number the rows by the levels of their index: names and dates are looked up once each, not once a row."""
        dates, symbols = (index.levels[index.names.index(name)] for name in ("date", "symbol"))
        date_code, symbol_code = (np.asarray(index.codes[index.names.index(name)], dtype=np.int64) for name in ("date", "symbol"))
        used = np.bincount(date_code, minlength=len(dates)) > 0
        times = _calendar_times(pd.DatetimeIndex(dates[used]), calendar, timeframe)
        order, names = _ranks(symbols)
        return cls(
            calendar=calendar,
            timeframe=timeframe,
            times=times,
            symbols=names,
            code=order[symbol_code],
            bar=times.get_indexer(pd.DatetimeIndex(dates)).astype(np.int64)[date_code],
            when=_ranks(dates)[0][date_code],
        )

    @property
    def key(self) -> IntArray:
        """One number for symbol and bar, ascending by symbol, then bar; of no use where there is no bar."""
        return self.code * (len(self.times) + 1) + self.bar


def _ranks(level: pd.Index) -> tuple[IntArray, pd.Index]:
    order = level.argsort()
    rank = np.empty(len(level), dtype=np.int64)
    rank[order] = np.arange(len(level))
    return rank, level[order]


def _calendar_times(dates: pd.DatetimeIndex, calendar: str, timeframe: str) -> pd.DatetimeIndex:
    # A bar shorter than a day may be stamped with the day before or after its session, in UTC.
    margin = pd.Timedelta(days=0 if timeframe == DAILY else 1)
    first, last = dates.min(), dates.max()
    times = bar_times(calendar, first - margin, last + margin, timeframe)
    return times[(times >= first) & (times <= last)] if timeframe != DAILY else times


def judge_keys(raw: pd.DataFrame, keys: Keys, is_sound: BoolArray) -> list[Found]:
    """Find rows stamped with an earlier session, rows that repeat a key and rows out of order; only the last may be unsound."""
    order = _in_symbol_order(keys)
    back, before = _out_of_order(keys, order)
    travelled, own = _travellers(keys, order, back[is_sound[back]])
    stays = ~np.isin(back, travelled)
    judged = is_sound.copy()
    judged[travelled] = False
    repeats, firsts = _repeats(keys, judged)
    same = np.all([(values[repeats] == values[firsts]) for values in fields_of(raw, list(raw.columns)).values()], axis=0)
    close = raw["close"].to_numpy()
    return [
        _repeated("duplicate", close, repeats[same], firsts[same]),
        _repeated("conflicting_duplicate", close, repeats[~same], firsts[~same]),
        _time_travel(close, travelled, keys.times[own]),
        _ordered(raw.index, back[stays], before[stays]),
    ]


def _repeats(keys: Keys, is_sound: BoolArray) -> tuple[IntArray, IntArray]:
    """Sound rows whose key a sound row above them has, and the first row with that key."""
    rows = np.flatnonzero(is_sound)
    key = keys.key[rows]
    if (np.diff(key) > 0).all():
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    order = np.argsort(key, kind="stable")
    key, rows = key[order], rows[order]
    is_first = np.diff(key, prepend=key[0] - 1) != 0
    first = rows[np.flatnonzero(is_first)[np.cumsum(is_first) - 1]]
    return rows[~is_first], first[~is_first]


def _in_symbol_order(keys: Keys) -> IntArray:
    return np.arange(len(keys.code)) if (np.diff(keys.code) >= 0).all() else np.argsort(keys.code, kind="stable")


def _out_of_order(keys: Keys, order: IntArray) -> tuple[IntArray, IntArray]:
    """Rows that stand after a later date of their symbol, ascending, and the row of that date."""
    key = keys.code[order] * (int(keys.when.max()) + 1) + keys.when[order]
    latest = np.maximum.accumulate(key)
    behind = np.flatnonzero(key < latest)
    rows, by = order[behind], order[np.searchsorted(latest, latest[behind])]
    ascending = np.argsort(rows)
    return rows[ascending], by[ascending]


def _travellers(keys: Keys, order: IntArray, back: IntArray) -> tuple[IntArray, IntArray]:
    """Of rows that go back to a session that has another row: those that stand where a session of their symbol has none, and its bar."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    back = back[place[back] < len(order) - 1]
    above, below = order[place[back] - 1], order[place[back] + 1]
    own = keys.bar[above] + 1
    at_a_gap = (
        (keys.code[above] == keys.code[back]) & (keys.code[below] == keys.code[back]) & (keys.bar[above] >= 0) & (keys.bar[below] > own)
    )
    back, own = back[at_a_gap], own[at_a_gap]
    if not len(back):
        return back, own
    others = np.ones(len(order), dtype=np.bool_)
    others[back] = False
    has_another = np.isin(keys.key[back], keys.key[others])
    return back[has_another], own[has_another]


def _repeated(check: str, close: FloatArray, rows: IntArray, firsts: IntArray) -> Found:
    observed = [f"close = {value:.10g}" for value in close[rows]]
    return Found(check, rows, observed, [f"one row, close = {value:.10g}" for value in close[firsts]])


def _time_travel(close: FloatArray, rows: IntArray, own: pd.DatetimeIndex) -> Found:
    observed = [f"a second row, close = {value:.10g}, after a later date" for value in close[rows]]
    return Found("time_travel", rows, observed, [f"the row of {_stamp(date)}, which has none" for date in own])


def _ordered(index: pd.Index, rows: IntArray, before: IntArray) -> Found:
    observed = [f"after {_stamp(date)}" for date in index[before].get_level_values("date")]
    return Found("out_of_order", rows, observed, ["dates that go forward"] * len(rows))


def _stamp(date: pd.Timestamp) -> str:
    return f"{date:%Y-%m-%d}" + (f" {date:%H:%M}" if date != date.normalize() else "")


def missing_sessions(keys: Keys, is_sound: BoolArray) -> Found:
    """Bars without a row between the first and the last sound row of each symbol; a run of bars shorter than a day is one finding."""
    n_bars = len(keys.times)
    first, last = np.full(len(keys.symbols), n_bars), np.full(len(keys.symbols), -1)
    np.minimum.at(first, keys.code[is_sound], keys.bar[is_sound])
    np.maximum.at(last, keys.code[is_sound], keys.bar[is_sound])
    alive = (keys.bar >= first[keys.code]) & (keys.bar <= last[keys.code]) & (keys.bar >= 0)
    present = keys.key[alive]
    if not (np.diff(present) > 0).all():
        present = np.unique(present)
    code, bar = np.divmod(present, n_bars + 1)
    gaps = np.where(code[1:] == code[:-1], np.diff(bar) - 1, 0)
    at = np.flatnonzero(gaps)
    code, bar, gaps = code[at], bar[at] + 1, gaps[at]
    if keys.timeframe == DAILY:
        starts = np.cumsum(gaps) - gaps
        code, bar = np.repeat(code, gaps), np.repeat(bar - starts, gaps) + np.arange(gaps.sum())
        observed = ["no row"] * len(bar)
    else:
        observed = [f"no row for {gap} bar{'s' if gap > 1 else ''}" for gap in gaps]
    absent = pd.MultiIndex.from_arrays([keys.times[bar], keys.symbols[code]], names=["date", "symbol"])
    return Found("missing_session", np.full(len(bar), -1), observed, ["one row"] * len(bar), absent=absent)
