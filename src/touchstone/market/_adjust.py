"""Views of adjusted prices: forward from the first session, where a later action changes no earlier value, or back from a day."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, DataError, name_few, nearest
from touchstone.market._calendar import days
from touchstone.market._schemas import PRICE_FIELDS
from touchstone.market._symbol_rows import SymbolRows
from touchstone.types import BoolArray, FloatArray

__all__ = ["KINDS", "Anchor", "Kind", "adjust", "adjustment_factors", "require_known", "scaled"]

Kind = Literal["total_return", "split"]
Anchor = Literal["first", "last"]
KINDS, _ANCHORS = ("total_return", "split"), ("first", "last")
_FACTORS = ("price", "volume")


def adjust(
    bars: pd.DataFrame,
    actions: pd.DataFrame,
    *,
    as_of: pd.Timestamp | str | None = None,
    kind: Kind = "total_return",
    anchor: Anchor = "first",
    base_factors: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Adjust prices as traded for splits and payouts, as seen on a day.

    Prices are multiplied, volumes divided by the factors of `adjustment_factors`.

    With ``anchor="first"`` each symbol's first bar is as traded. A value is known at its own bar: it depends on no later bar and
    on no action that was not known by then. Features use this view.

    With ``anchor="last"`` each symbol's last bar is as traded and what lies before it is adjusted back, as vendors do. Every action
    known by `as_of` counts from its ex-date, also one that was learned of late. The view is known at `as_of`, and not before: its
    early values move when an action comes. It is for looking at prices and for comparing them with a vendor's, not for features.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol), date-major
        Prices as traded; with other prices pass the matching, usually empty, actions.
    actions : DataFrame
        ``symbol, ex_date, kind, value, known_at``.
    as_of : Timestamp or str, optional
        Answer as on that day (that moment in UTC with intraday bars): later bars are left out, and actions that were known later or
        whose ex-date is later change nothing. By default the date of the last bar.
    kind : {"total_return", "split"}
        ``split`` leaves dividends and spin-offs out of the prices.
    anchor : {"first", "last"}
    base_factors : DataFrame, optional
        The factors to start from, as in `adjustment_factors`.

    Returns
    -------
    DataFrame
        The bars' rows up to `as_of` and their columns, float64.

    Raises
    ------
    ConfigError
        Unknown kind or anchor.
    DataError
        `base_factors` without the columns ``price`` and ``volume``.
    """
    require_known("anchor", anchor, _ANCHORS)
    known = bars if as_of is None else bars.loc[bars.index.get_level_values("date") <= pd.Timestamp(as_of)]
    seen = _seen(known, actions, as_of) if anchor == "last" else actions
    factors = adjustment_factors(known, seen, kind=kind, base_factors=base_factors)
    if anchor == "last":
        factors = factors / factors.groupby(level="symbol").transform("last")
    return scaled(known, factors["price"].to_numpy(), factors["volume"].to_numpy())


def scaled(bars: pd.DataFrame, price: FloatArray, volume: FloatArray) -> pd.DataFrame:
    """Multiply every price and divide the volume, row by row."""
    return bars.assign(
        **{field: bars[field].to_numpy() * price if field in PRICE_FIELDS else bars[field].to_numpy() / volume for field in bars.columns}
    )


def require_known(name: str, given: str, known: tuple[str, ...]) -> None:
    """Refuse a word that is none of those known."""
    if given not in known:
        raise ConfigError(f"The {name} of an adjustment must be {' or '.join(known)}, but got '{given}': {nearest(given, known)}.")


def _seen(bars: pd.DataFrame, actions: pd.DataFrame, as_of: pd.Timestamp | str | None) -> pd.DataFrame:
    """The actions known on the day, each in force from its ex-date: who looks back on that day knows when it was."""
    day = bars.index.get_level_values("date").max() if as_of is None else pd.Timestamp(as_of)
    known = actions[actions["known_at"] <= day]
    return known.assign(known_at=known["ex_date"])


def adjustment_factors(
    bars: pd.DataFrame, actions: pd.DataFrame, *, kind: Kind = "total_return", base_factors: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Compute what prices are multiplied with and volumes are divided by.

    A factor is 1 at a symbol's first bar. An action counts from the symbol's first bar that is neither before its ex-date nor
    before it was known; one with an ex-date up to the first bar is in the prices already. A split of *v* new shares for an old
    one multiplies by *v*. A dividend or spin-off worth *d* a share multiplies the price by 1 + d / close: it buys shares at
    the close of that bar, so the adjusted return of an ex-date is (close + d) / previous close - 1. A dividend is per share of its
    own ex-date, on a split's date per new share: where its bar comes after a later split, *d* is divided by that. Delistings
    change no factor.

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
    ConfigError
        Unknown kind.
    DataError
        `base_factors` without the columns ``price`` and ``volume``.
    """
    require_known("kind", kind, KINDS)
    panel = SymbolRows.of(bars)
    base, continued = _base(panel, base_factors)
    splits, payouts = _steps(panel, actions, continued)
    steps = {"price": splits * payouts if kind == "total_return" else splits, "volume": splits}
    return pd.DataFrame({name: panel.running_product(step, base[name]) for name, step in steps.items()}, index=bars.index)


def _base(panel: SymbolRows, base_factors: pd.DataFrame | None) -> tuple[dict[str, FloatArray], BoolArray]:
    """Each symbol's first factors, and whether they continue an earlier history."""
    if base_factors is None:
        return dict.fromkeys(_FACTORS, np.ones(len(panel.symbols))), np.zeros(len(panel.symbols), dtype=np.bool_)
    missing = [name for name in _FACTORS if name not in base_factors]
    if missing:
        raise DataError(f"base_factors must be rows of adjustment_factors with the columns price and volume, but lack {name_few(missing)}.")
    aligned = base_factors[list(_FACTORS)].reindex(panel.symbols)
    continued = aligned["price"].notna().to_numpy()
    return {name: aligned[name].fillna(1.0).to_numpy(dtype=np.float64) for name in _FACTORS}, continued


def _steps(panel: SymbolRows, actions: pd.DataFrame, continued: BoolArray) -> tuple[FloatArray, FloatArray]:
    """What each row's factor is multiplied with: by splits, and by what was paid out."""
    splits, payouts = np.ones(len(panel.order)), np.ones(len(panel.order))
    counted = actions[actions["kind"] != "delisting"]
    codes = panel.symbols.get_indexer(pd.Index(counted["symbol"]))
    ex_days, known_days = days(counted["ex_date"]), days(counted["known_at"])
    values, is_split = counted["value"].to_numpy(dtype=np.float64), (counted["kind"] == "split").to_numpy()
    split_of: dict[int, list[tuple[int, int, float]]] = {}
    # One order, so that products and sums are the same bits however the table is sorted; splits go first, payouts ask for them.
    for k in np.lexsort((values, ex_days, codes, ~is_split)):
        symbol, ex_day = int(codes[k]), int(ex_days[k])
        if symbol < 0:
            continue
        first, end = panel.starts[symbol], panel.starts[symbol + 1]
        row = panel.row_at(symbol, max(ex_day, int(known_days[k])))
        in_the_prices = not continued[symbol] and ex_day <= panel.dates[first]
        if row in (first, end) or in_the_prices:
            continue
        if is_split[k]:
            splits[row] *= values[k]
            split_of.setdefault(symbol, []).append((ex_day, row, values[k]))
        else:
            payouts[row] += values[k] / _shares_since(split_of.get(symbol, []), ex_day, row) / panel.closes[row]
    return splits, payouts


def _shares_since(splits: list[tuple[int, int, float]], ex_day: int, row: int) -> float:
    """Shares at a row for one on an ex-date before it: by the splits between the two that are counted by then."""
    return math.prod(value for day, counted_at, value in splits if day > ex_day and counted_at <= row)
