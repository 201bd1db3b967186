"""The label of this house: the return of one position from its fill to the fill that closes it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.errors import ConfigError, DataError, nearest
from touchstone.labels._grid import Grid
from touchstone.labels._holding import Holding

__all__ = ["forward_return"]


@dataclass(frozen=True)
class _Fill:
    field: str
    lag: int


_FILLS = {"next_close": _Fill("close", 1), "next_open": _Fill("open", 1), "same_close": _Fill("close", 0)}


def forward_return(bars: pd.DataFrame, *, horizon: int, fill: str = "next_close", actions: pd.DataFrame | None = None) -> pd.DataFrame:
    r"""Total return of a position decided after the close of each session, from its fill to the fill `horizon` sessions later.

    A decision of session *t* is filled at session *s* and closed at session *e* = *s* + horizon, where *s* = *t* + 1 at the
    close (`next_close`) or open (`next_open`), and *s* = *t* at the close (`same_close`). With :math:`n` shares held at *e* per
    share bought at *s* and the cash :math:`D` paid on ex-dates in (s, e],

    .. math:: \text{label} = (n P_e + D) / P_s - 1.

    Cash is kept, not reinvested, as a backtest keeps it. A delisting in (s, e] ends the position at its ex-date with the last
    close times (1 + its value).

    Parameters
    ----------
    bars : DataFrame, shape (n_rows, n_fields)
        On (date, symbol), `close` always, `open` for `next_open`. Sessions are the sorted union of its dates: with shorter bars
        each of them is one, and an action counts from the first bar of its day once `market.at_bars` has set its date.
    horizon : int
        Sessions between the two fills, at least one.
    fill : {"next_close", "next_open", "same_close"}
        `same_close` trades at the price it decides on: for comparison with other tools only, it warns.
    actions : DataFrame, optional
        `symbol, ex_date, kind, value`, when prices are as traded. A dividend or spin-off is cash per share as traded on its
        ex-date, a split new shares per old. Without it the prices are taken as they are.

    Returns
    -------
    DataFrame, shape (n_rows, 3)
        On the index of `bars`: `label` (float64, simple return), `start` and `end` (fill sessions, both inclusive). NaN and NaT
        where the end is not known yet, or where the symbol has no bar at one of its fills. A label is known at its `end`.

    Raises
    ------
    ConfigError
        An unknown fill, or a horizon below one.
    DataError
        `next_open` on bars without opens, or bars without closes.
    """
    rule = _rule(bars, horizon, fill)
    grid = Grid.of(_index(bars))
    close = grid.scatter(bars["close"].to_numpy(np.float64))
    price = close if rule.field == "close" else grid.scatter(bars[rule.field].to_numpy(np.float64))
    holding = Holding.of(grid, close, actions)
    n_sessions = len(grid.dates)

    start = grid.session + rule.lag
    bought = np.minimum(start, n_sessions - 1)
    # A position bought on the last session has no session after it, and so no delisting to look up.
    delisted = np.where(start + 1 < n_sessions, holding.delisting[np.minimum(start + 1, n_sessions - 1), grid.asset], n_sessions)
    end = np.minimum(start + horizon, delisted)
    known = end < n_sessions
    sold = np.minimum(end, n_sessions - 1)
    paid = np.where(known & (end == delisted), holding.payoff[sold, grid.asset], price[sold, grid.asset])
    worth = paid * holding.shares[sold, grid.asset] + (holding.cash[sold, grid.asset] - holding.cash[bought, grid.asset])
    label = np.where(known, worth / (price[bought, grid.asset] * holding.shares[bought, grid.asset]) - 1.0, np.nan)

    spans = {
        "start": grid.dates.to_numpy()[bought],
        "end": grid.dates.to_numpy()[sold],
    }
    missing = np.isnan(label)
    return pd.DataFrame(
        {"label": label, **{name: np.where(missing, np.datetime64("NaT", "us"), dates) for name, dates in spans.items()}},
        index=bars.index,
    )


def _rule(bars: pd.DataFrame, horizon: int, fill: str) -> _Fill:
    if fill not in _FILLS:
        raise ConfigError(f"labels.fill must name a known fill, but got '{fill}': {nearest(fill, _FILLS)}.")
    if horizon < 1:
        raise ConfigError(f"labels.horizon must be at least 1 session, but got {horizon}: give a positive number of sessions.")
    rule = _FILLS[fill]
    if fill == "next_open" and "open" not in bars.columns:
        raise DataError(
            "Fill 'next_open' needs opens, but the bars carry only "
            f"{', '.join(map(str, bars.columns))}: set labels.fill and backtest.fill to next_close, or bring bars with opens."
        )
    if "close" not in bars.columns:
        raise DataError(f"Bars must carry 'close', but got {', '.join(map(str, bars.columns))}: add it or map it in data.files.columns.")
    if fill == "same_close":
        warnings.warn(
            "Fill 'same_close' trades at the close the decision is taken on; nobody can: use it only to compare with other tools.",
            stacklevel=3,
        )
    return rule


def _index(bars: pd.DataFrame) -> pd.MultiIndex:
    if not isinstance(bars.index, pd.MultiIndex) or list(bars.index.names) != ["date", "symbol"]:
        raise DataError(f"Bars must be indexed by (date, symbol), but got {list(bars.index.names)}: set that index.")
    return bars.index
