"""Returns that were known at a decision."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.errors import DataError, moment, name_few
from touchstone.portfolio._options import at_least
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["decision_rows", "history", "session_returns", "trailing_volatility"]


def session_returns(bars: pd.DataFrame) -> pd.DataFrame:
    """Simple returns from session to session, as a panel.

    A session without a bar moves nothing that anybody knows: its return is 0, and the next bar has the whole move. Nothing is
    carried before a symbol's first bar.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol)
        Needs ``close``, adjusted for splits and dividends (`touchstone.market.adjust`): as traded, a split is a loss. A frame of
        returns on (date) x symbols is given back as it is.

    Returns
    -------
    DataFrame, shape (n_sessions, n_symbols), float64
        Index `date`, columns the sorted symbols; NaN up to and on a symbol's first bar. Known at the close of its date.

    Raises
    ------
    DataError
        Bars without ``close`` or with a row twice, a close that is not above zero, or returns that are infinite or on dates that
        do not rise.
    """
    returns = _of_closes(bars) if isinstance(bars.index, pd.MultiIndex) else bars.astype(np.float64)
    if not (returns.index.is_monotonic_increasing and returns.index.is_unique and returns.columns.is_unique):
        raise DataError("Returns must be on rising dates and different symbols, but some repeat or fall back: sort and drop repeats.")
    infinite = np.isinf(returns.to_numpy())
    if infinite.any():
        raise DataError(f"Returns must be finite or NaN, but got infinite ones of {name_few(_cells(returns, infinite))}: mend the prices.")
    return returns


def trailing_volatility(
    bars: pd.DataFrame, decisions: pd.DatetimeIndex, *, lookback: int = 60, periods_per_year: int = 252
) -> pd.DataFrame:
    """Annual volatility of each symbol over the last sessions before each decision.

    Parameters
    ----------
    bars : DataFrame
        Bars or returns, as `session_returns` takes them.
    decisions : DatetimeIndex
        Sessions of `bars`, such as the index of a frame of weights.
    lookback : int, at least 2
        Returns in the window, the decision's own included.
    periods_per_year : int
        Sessions in a year.

    Returns
    -------
    DataFrame, shape (n_decisions, n_symbols), float64
        Standard deviation (ddof 1) times the root of `periods_per_year`; NaN where a return of the window is missing. Known at
        the close of the index date.

    Raises
    ------
    ConfigError
        A number out of its range.
    DataError
        As `session_returns`, or a decision on no session of the bars.
    """
    at_least("lookback", lookback, 2)
    returns = session_returns(bars)
    values = returns.to_numpy()
    out = np.full((len(decisions), values.shape[1]), np.nan)
    for row, end in enumerate(decision_rows(returns, decisions)):
        window = history(values, end, lookback)
        if len(window) == lookback:
            out[row] = np.std(window, axis=0, ddof=1) * np.sqrt(periods_per_year)
    return pd.DataFrame(out, index=decisions, columns=returns.columns)


def decision_rows(returns: pd.DataFrame, decisions: pd.Index) -> IntArray:
    """Row of each decision in the returns."""
    rows = returns.index.get_indexer(decisions)
    if (rows < 0).any():
        strays = name_few(moment(date) for date in decisions[rows < 0])
        raise DataError(f"Decisions must fall on sessions of the bars, but got {strays}: move them to a session or bring its bars.")
    return np.asarray(rows, dtype=np.int64)


def history(values: FloatArray, row: int, lookback: int) -> FloatArray:
    """The last returns up to a row, that row's included."""
    return values[max(0, row + 1 - lookback) : row + 1]


def _of_closes(bars: pd.DataFrame) -> pd.DataFrame:
    if list(bars.index.names) != ["date", "symbol"] or "close" not in bars:
        raise DataError(
            f"Bars must be indexed by (date, symbol) and carry 'close', but got {list(bars.index.names)} and {name_few(bars.columns)}: "
            "set that index and bring closes."
        )
    if not bars.index.is_unique:
        raise DataError(f"Bars must be unique by (date, symbol), but got {name_few(bars.index[bars.index.duplicated()])} twice: keep one.")
    bad = bars["close"].to_numpy() <= 0.0
    if bad.any():
        raise DataError(f"Closes must be above zero, but are not at {name_few(bars.index[bad])}: ingest the bars first.")
    closes = bars["close"].astype(np.float64).unstack("symbol").sort_index(axis=0).sort_index(axis=1).ffill()  # noqa: PD010 - keys are unique
    return closes / closes.shift(1) - 1.0


def _cells(frame: pd.DataFrame, where: BoolArray) -> list[str]:
    return [f"{frame.columns[column]} on {moment(frame.index[row])}" for row, column in np.argwhere(where)]
