"""What the whole universe earned, held in equal parts: the benchmark that every source has."""

from __future__ import annotations

from collections.abc import Callable

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
    after *t - 1* counts with its delisting return. This is a daily rebalanced portfolio without costs.

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
    session, returns = _held(closes, members)
    gone_session, gone_returns = _delisted(closes, given, dates, members)
    session, returns = np.concatenate([session, gone_session]), np.concatenate([returns, gone_returns])
    total = np.bincount(session, weights=returns, minlength=len(dates))
    count = np.bincount(session, minlength=len(dates))
    mean = np.divide(total, count, out=np.full(len(dates), np.nan), where=count > 0)
    return pd.Series(mean[1:], index=dates[1:], name="equal_weighted")


Members = Callable[[pd.Index], BoolArray]


def _everyone(index: pd.Index) -> BoolArray:
    return np.ones(len(index), dtype=np.bool_)


def _held(closes: pd.Series, members: Members) -> tuple[IntArray, FloatArray]:
    """Session number and return of every symbol with a close on that session and the one before."""
    codes = pd.factorize(closes.index.get_level_values("symbol"), sort=True)[0]
    session = pd.factorize(closes.index.get_level_values("date"), sort=True)[0]
    order = np.lexsort((session, codes))
    before, after = order[:-1], order[1:]
    was_member = members(closes.index)[before]
    pairs = (codes[before] == codes[after]) & (session[after] == session[before] + 1) & was_member
    before, after = before[pairs], after[pairs]
    prices = closes.to_numpy()
    return session[after].astype(np.int64), prices[after] / prices[before] - 1.0


def _delisted(closes: pd.Series, actions: pd.DataFrame, dates: pd.DatetimeIndex, members: Members) -> tuple[IntArray, FloatArray]:
    """Session number and return of every member that was delisted, on the first session from its ex-date on."""
    gone = actions[actions["kind"] == "delisting"].sort_values(["symbol", "ex_date"])
    rows = closes.index.to_frame(index=False).drop_duplicates("symbol", keep="last").set_index("symbol")["date"]
    gone = gone[gone["symbol"].isin(rows.index)]
    last = pd.MultiIndex.from_arrays([rows.loc[gone["symbol"]], gone["symbol"]], names=["date", "symbol"])
    session = np.searchsorted(days(dates), days(gone["ex_date"]))
    counted = members(last) & (session < len(dates))
    return session[counted].astype(np.int64), gone["value"].to_numpy(dtype=np.float64)[counted]
