"""What the whole universe earned, held in equal parts: the benchmark that every source has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.market._adjust import adjust
from touchstone.market._calendar import days
from touchstone.market._schemas import empty_table
from touchstone.market._universe import Universe
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["equal_weighted"]


def equal_weighted(bars: pd.DataFrame, *, universe: pd.DataFrame | None = None, actions: pd.DataFrame | None = None) -> pd.Series:
    """Average the simple returns of the universe's members, session by session.

    The return of session *t* is the mean over the symbols that were members at session *t - 1* and have a close on both
    sessions; it is known at the close of *t*. Dividends and splits of `actions` are included. A symbol that was delisted
    after *t - 1* counts with its delisting return, and with that alone where it has a bar on its ex-date. This is a daily
    rebalanced portfolio without costs.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol), date-major
        Needs ``close``.
    universe : DataFrame, optional
        ``symbol, start, end``; every symbol of the bars when it is not given.
    actions : DataFrame, optional
        Only for prices as traded.

    Returns
    -------
    Series, index date, float64, name "equal_weighted"
        From the second session of the bars on; NaN where no member has a close on both sessions.
    """
    given = empty_table("actions") if actions is None else actions
    # Holders earn a dividend on its ex-date, however late a data vendor learned of it.
    closes = adjust(bars[["close"]], given.assign(known_at=given["ex_date"]))["close"]
    members = Universe(universe).mask if universe is not None else _everyone
    dates = pd.DatetimeIndex(bars.index.get_level_values("date").unique(), name="date")
    gone = _delistings(closes, given, dates)
    session, returns = _held(closes, members, gone)
    counted = members(gone.last)
    session, returns = np.concatenate([session, gone.session[counted]]), np.concatenate([returns, gone.returns[counted]])
    total = np.bincount(session, weights=returns, minlength=len(dates))
    count = np.bincount(session, minlength=len(dates))
    mean = np.divide(total, count, out=np.full(len(dates), np.nan), where=count > 0)
    return pd.Series(mean[1:], index=dates[1:], name="equal_weighted")


Members = Callable[[pd.Index], BoolArray]


def _everyone(index: pd.Index) -> BoolArray:
    return np.ones(len(index), dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class _Gone:
    """What was delisted: the row of its last bar before, the session number on which its holders were paid, and their return."""

    last: pd.Index
    session: IntArray
    returns: FloatArray


def _held(closes: pd.Series, members: Members, gone: _Gone) -> tuple[IntArray, FloatArray]:
    """Session number and return of every symbol with a close on that session and the one before, unless it was delisted on it."""
    codes, symbols = pd.factorize(closes.index.get_level_values("symbol"), sort=True)
    session, dates = pd.factorize(closes.index.get_level_values("date"), sort=True)
    order = np.lexsort((session, codes))
    before, after = order[:-1], order[1:]
    was_member = members(closes.index)[before]
    paid_off = symbols.get_indexer(gone.last.get_level_values("symbol")) * len(dates) + gone.session
    still_held = ~np.isin(codes[after] * len(dates) + session[after], paid_off)
    pairs = (codes[before] == codes[after]) & (session[after] == session[before] + 1) & was_member & still_held
    before, after = before[pairs], after[pairs]
    prices = closes.to_numpy()
    return session[after].astype(np.int64), prices[after] / prices[before] - 1.0


def _delistings(closes: pd.Series, actions: pd.DataFrame, dates: pd.DatetimeIndex) -> _Gone:
    """Delistings of symbols with a bar before, on the first session from their ex-date on."""
    listed = actions[actions["kind"] == "delisting"].sort_values(["symbol", "ex_date"])
    session = np.searchsorted(days(dates), days(listed["ex_date"])).astype(np.int64)
    bars, names = days(closes.index.get_level_values("date")), closes.index.get_level_values("symbol")
    rows, kept = [], []
    for number, symbol, ex_day in zip(range(len(listed)), listed["symbol"], days(listed["ex_date"]), strict=True):
        own = np.flatnonzero((names == symbol) & (bars < ex_day))
        if len(own) and session[number] < len(dates):
            rows.append(own[-1])
            kept.append(number)
    last = closes.index[np.array(rows, dtype=np.int64)]
    return _Gone(last, session[kept], listed["value"].to_numpy(dtype=np.float64)[kept])
