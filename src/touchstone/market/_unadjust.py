"""From the adjusted prices that vendors give back to those that were traded."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.errors import DataError, name_few
from touchstone.market._adjust import KINDS, Kind, require_known, scaled
from touchstone.market._calendar import days
from touchstone.market._symbol_rows import SymbolRows
from touchstone.types import FloatArray, IntArray

__all__ = ["unadjust"]


def unadjust(bars: pd.DataFrame, actions: pd.DataFrame, *, kind: Kind = "split", as_of: pd.Timestamp | str | None = None) -> pd.DataFrame:
    """Take actions out of prices that were adjusted back from a day, which gives prices as traded.

    The inverse of ``adjust(..., anchor="last")``: ``adjust(unadjust(bars, actions, kind=kind), actions, kind=kind, anchor="last")``
    gives the bars back up to rounding. A price before the ex-date of a split of *v* new shares for an old one is multiplied by *v*,
    a volume divided. A dividend or spin-off worth *d* a share as traded multiplied the prices before it by 1 / (1 + d / close); where
    the first bar from its ex-date on comes after a later split, *d* is divided by that.

    The result knows the future only as far as its input did: which actions a vendor took into a price is known at `as_of`, the
    price as traded was known at its own bar.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol), date-major
        Prices and volumes adjusted for the actions, the last bar of each symbol as traded (but see `as_of`).
    actions : DataFrame
        ``symbol, ex_date, kind, value, known_at``: all that the prices hold, whenever known. Those up to a symbol's first bar and
        delistings change nothing.
    kind : {"split", "total_return"}
        What the prices are adjusted for; ``split`` leaves dividends and spin-offs alone.
    as_of : Timestamp or str, optional
        The day the vendor adjusted on. Splits after a symbol's last bar, up to that day, are in its prices then. By default
        nothing after the last bar is.

    Returns
    -------
    DataFrame
        The bars' rows and columns, float64.

    Raises
    ------
    ConfigError
        Unknown kind.
    DataError
        With ``total_return`` a dividend or spin-off between a symbol's last bar and `as_of`: no price says how much it took out.
    """
    require_known("kind", kind, KINDS)
    panel = SymbolRows.of(bars)
    counted = _in_the_prices(panel, actions, kind)
    price, volume = np.ones(len(panel.order)), np.ones(len(panel.order))
    for symbol in np.unique(counted["code"]):
        rows = slice(int(panel.starts[symbol]), int(panel.starts[symbol + 1]))
        own = counted[counted["code"] == symbol]
        price[rows], volume[rows] = _walk_back(panel.dates[rows], panel.closes[rows], own, as_of)
    back = np.empty_like(panel.order)
    back[panel.order] = np.arange(len(back))
    return scaled(bars, price[back], volume[back])


def _in_the_prices(panel: SymbolRows, actions: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """The actions of symbols that have bars, latest first, in one order whatever the table's."""
    taken = ("split",) if kind == "split" else ("split", "dividend", "spinoff")
    coded = actions.assign(code=panel.symbols.get_indexer(pd.Index(actions["symbol"])), day=days(actions["ex_date"]))
    kept = coded[coded["kind"].isin(taken) & (coded["code"] >= 0)]
    return kept.sort_values(["code", "day", "kind", "value"], ascending=False, kind="stable")


def _walk_back(
    dates: IntArray, closes: FloatArray, actions: pd.DataFrame, as_of: pd.Timestamp | str | None
) -> tuple[FloatArray, FloatArray]:
    """What prices are multiplied and volumes divided by, from one symbol's last bar to its first."""
    price, volume = np.ones(len(dates)), np.ones(len(dates))
    last_day = dates[-1] if as_of is None else days(pd.DatetimeIndex([pd.Timestamp(as_of)]))[0]
    counted = actions.assign(row=np.searchsorted(dates, actions["day"]))
    counted = counted[(counted["row"] > 0) & (counted["day"] <= last_day)]
    for row, together in counted.groupby("row", sort=False):
        is_split = (together["kind"] == "split").to_numpy()
        values, when = together["value"].to_numpy(dtype=np.float64), together["day"].to_numpy()
        ratio = float(np.prod(values[is_split]))
        # Per share of this bar: one of an earlier day is several by now if a split lies between.
        since = [float(np.prod(values[is_split & (when > day)])) for day in when[~is_split]]
        paid = float(np.sum(values[~is_split] / np.array(since)))
        if paid and row == len(dates):
            raise DataError(_no_price(together[~is_split]))
        # The close of this row is as traded by now: what came later is out of it.
        step = ratio * (1.0 + paid / (closes[row] * price[row])) if paid else ratio
        price[:row] *= step
        volume[:row] *= ratio
    return price, volume


def _no_price(payouts: pd.DataFrame) -> str:
    offenders = name_few(f"{row.symbol} {row.kind} {row.ex_date:%Y-%m-%d}" for row in payouts.itertuples())
    return f"A payout can be taken out of prices that reach its ex-date, but the bars end before {offenders}: bring later bars."
