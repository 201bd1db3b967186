"""Prices adjusted forward from the first session, so that a later action changes no earlier value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from touchstone.errors import DataError, name_few
from touchstone.market._calendar import days
from touchstone.market._schemas import PRICE_FIELDS
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["adjust", "adjustment_factors"]

Kind = Literal["total_return", "split"]
_FACTORS = ("price", "volume")


def adjust(
    bars: pd.DataFrame,
    actions: pd.DataFrame,
    *,
    as_of: pd.Timestamp | str | None = None,
    kind: Kind = "total_return",
    base_factors: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Adjust prices forward from each symbol's first bar.

    Prices are multiplied, volumes divided by the factors of `adjustment_factors`. A value is known at its own bar: it
    depends on no later bar and on no action that was not known by then.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol), date-major
        Prices as traded; with other prices pass the matching, usually empty, actions.
    actions : DataFrame
        ``symbol, ex_date, kind, value, known_at``.
    as_of : Timestamp or str, optional
        Answer as on that day: later bars are left out. Actions known later change nothing by then.
    kind : {"total_return", "split"}
        ``split`` leaves dividends and spin-offs out of the prices.
    base_factors : DataFrame, optional
        The factors to start from, as in `adjustment_factors`.

    Returns
    -------
    DataFrame
        The bars' rows up to `as_of` and their columns, float64.

    Raises
    ------
    DataError
        `base_factors` without the columns ``price`` and ``volume``.
    """
    known = bars if as_of is None else bars.loc[bars.index.get_level_values("date") <= pd.Timestamp(as_of)]
    factors = adjustment_factors(known, actions, kind=kind, base_factors=base_factors)
    price, volume = factors["price"].to_numpy(), factors["volume"].to_numpy()
    return known.assign(
        **{field: known[field].to_numpy() * price if field in PRICE_FIELDS else known[field].to_numpy() / volume for field in known.columns}
    )


def adjustment_factors(
    bars: pd.DataFrame, actions: pd.DataFrame, *, kind: Kind = "total_return", base_factors: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Compute what prices are multiplied with and volumes are divided by.

    A factor is 1 at a symbol's first bar. An action counts from the symbol's first bar that is neither before its ex-date nor
    before it was known; one with an ex-date up to the first bar is in the prices already. A split of *v* new shares for an old
    one multiplies by *v*. A dividend or spin-off worth *d* a share multiplies the price by 1 + d / close: it buys shares at
    the close of that bar, so the adjusted return of an ex-date is (close + d) / previous close - 1. The dividend of a split's
    date is per new share. Delistings change no factor.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol), date-major
        Needs ``close`` as traded.
    actions : DataFrame
        ``symbol, ex_date, kind, value, known_at``.
    kind : {"total_return", "split"}
    base_factors : DataFrame, index symbol, columns ``price``, ``volume``, optional
        The factors at each symbol's first row of `bars`, when `bars` start in the middle of a history: a cross-section of what
        this function gave for all of it. Products are taken in date order, so the continued factors are equal to the bit.
        A symbol that is not listed starts at 1.

    Returns
    -------
    DataFrame, index of `bars`, columns ``price``, ``volume``, float64

    Raises
    ------
    DataError
        `base_factors` without the columns ``price`` and ``volume``.
    """
    panel = _Panel.of(bars)
    base, continued = _base(panel, base_factors)
    splits, payouts = _steps(panel, actions, continued)
    steps = {"price": splits * payouts if kind == "total_return" else splits, "volume": splits}
    return pd.DataFrame({name: panel.running_product(step, base[name]) for name, step in steps.items()}, index=bars.index)


@dataclass(frozen=True)
class _Panel:
    """Rows ordered by symbol, then date, and where each symbol starts."""

    symbols: pd.Index
    order: IntArray
    starts: IntArray
    dates: IntArray
    closes: FloatArray

    @classmethod
    def of(cls, bars: pd.DataFrame) -> _Panel:
        codes, symbols = pd.factorize(bars.index.get_level_values("symbol"), sort=True)
        dates = days(bars.index.get_level_values("date"))
        order = np.lexsort((dates, codes))
        starts = np.searchsorted(codes[order], np.arange(len(symbols) + 1))
        closes = bars["close"].to_numpy(dtype=np.float64)[order]
        return cls(pd.Index(symbols), order, starts, dates[order], closes)

    def row_at(self, symbol: int, day: int) -> int:
        """First row of the symbol whose date is not before the day; the row after its last where there is none."""
        lo, hi = self.starts[symbol], self.starts[symbol + 1]
        return int(lo + np.searchsorted(self.dates[lo:hi], day))

    def running_product(self, steps: FloatArray, base: FloatArray) -> FloatArray:
        """Multiply the steps of each symbol in date order from its base, and put the rows back into the bars' order."""
        result = np.empty(len(steps))
        for symbol, factor in enumerate(base):
            rows = slice(self.starts[symbol], self.starts[symbol + 1])
            factors = steps[rows].copy()
            factors[0] = factor
            result[self.order[rows]] = np.multiply.accumulate(factors)
        return result


def _base(panel: _Panel, base_factors: pd.DataFrame | None) -> tuple[dict[str, FloatArray], BoolArray]:
    """Each symbol's first factors, and whether they continue an earlier history."""
    if base_factors is None:
        return dict.fromkeys(_FACTORS, np.ones(len(panel.symbols))), np.zeros(len(panel.symbols), dtype=np.bool_)
    missing = [name for name in _FACTORS if name not in base_factors]
    if missing:
        raise DataError(f"base_factors must be rows of adjustment_factors with the columns price and volume, but lack {name_few(missing)}.")
    aligned = base_factors[list(_FACTORS)].reindex(panel.symbols)
    continued = aligned["price"].notna().to_numpy()
    return {name: aligned[name].fillna(1.0).to_numpy(dtype=np.float64) for name in _FACTORS}, continued


def _steps(panel: _Panel, actions: pd.DataFrame, continued: BoolArray) -> tuple[FloatArray, FloatArray]:
    """What each row's factor is multiplied with: by splits, and by what was paid out."""
    splits, payouts = np.ones(len(panel.order)), np.ones(len(panel.order))
    counted = actions[actions["kind"] != "delisting"]
    codes = panel.symbols.get_indexer(pd.Index(counted["symbol"]))
    ex_days, known_days = days(counted["ex_date"]), days(counted["known_at"])
    values, is_split = counted["value"].to_numpy(dtype=np.float64), (counted["kind"] == "split").to_numpy()
    # One order, so that products and sums are the same bits however the table is sorted.
    for k in np.lexsort((values, ~is_split, ex_days, codes)):
        symbol = int(codes[k])
        if symbol < 0:
            continue
        first, end = panel.starts[symbol], panel.starts[symbol + 1]
        row = panel.row_at(symbol, max(int(ex_days[k]), int(known_days[k])))
        in_the_prices = not continued[symbol] and ex_days[k] <= panel.dates[first]
        if row in (first, end) or in_the_prices:
            continue
        if is_split[k]:
            splits[row] *= values[k]
        else:
            payouts[row] += values[k] / panel.closes[row]
    return splits, payouts
