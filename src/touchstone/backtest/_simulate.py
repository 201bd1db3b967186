"""The weights backtest."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd

from touchstone.backtest import _kernels
from touchstone.backtest._costs import Costs
from touchstone.backtest._panels import Events, Orders, Prices, plan_events, plan_orders, read_prices
from touchstone.backtest._result import Fills, Result, account_frame, positions_frame, trades_frame
from touchstone.errors import ConfigError, DataError, OrderError, moment, name_few
from touchstone.types import FloatArray

__all__ = ["simulate"]

_BPS = 1e-4
_DEFAULT_COSTS = Costs()


def simulate(
    bars: pd.DataFrame,
    target_weights: pd.DataFrame,
    *,
    fill: str = "next_close",
    costs: Costs = _DEFAULT_COSTS,
    actions: pd.DataFrame | None = None,
    initial_cash: float = 1e6,
    periods_per_year: int = 252,
) -> Result:
    """Trade a table of target weights through the bars, with costs.

    A decision of session t is filled at the close of the next session (``next_close``), at its open (``next_open``),
    or, for comparison with other tools only, at the close it was decided on (``same_close``, with a warning). Every
    order brings its symbol to ``weight * equity / fill price`` shares, where the equity is the account's at the fill
    prices before the costs of the fill; fractions of a share are held. Between decisions holdings drift.

    A session here is a bar of any width: with shorter ones each is decided on, filled and valued at its own stamp. Within one:
    the borrow fee on the shorts at the last close; splits, dividends and delistings on what was held
    over night; the fills; the valuation at the close. An action whose ex date is no session takes effect on the next
    one. A dividend or spin-off pays its value per share after that day's split and is charged to shorts. A delisting
    closes the holding at the last close times (1 + value). Cash earns nothing. A symbol without a bar keeps its last close,
    and its order waits for its next bar, or for the next decision, which replaces it. A holding whose bars end before
    the data does, without a delisting, is sold at its last close on the session after, at normal costs. A decision on
    the last session is not filled.

    Parameters
    ----------
    bars : DataFrame, index (date, symbol)
        `close`, and `open` for ``next_open``; positive. As traded when `actions` are given; adjusted prices must come
        without the actions they already hold. The sessions of the market are the dates on which any symbol has a bar.
    target_weights : DataFrame, index `date` (decision sessions, ascending), columns symbols
        Signed fractions of equity, known at the close of the index date; 0 closes a holding. Symbols that are not
        named are never held. No NaN: a decision speaks for all its symbols.
    fill : {"next_close", "next_open", "same_close"}
    costs : Costs
    actions : DataFrame, optional
        `symbol ex_date kind value`.
    initial_cash : float, positive
    periods_per_year : int
        Bars over which a year's borrow fee is spread; 252 for daily ones.

    Returns
    -------
    Result
        From the session before the first fill to the last session of the bars.

    Raises
    ------
    ConfigError
        An unknown fill, or cash or a year that is not positive.
    DataError
        Bars, weights or actions that break the contract; ``next_open`` without opens.
    OrderError
        The equity is used up, with the date.
    """
    if not (math.isfinite(initial_cash) and initial_cash > 0.0 and periods_per_year > 0):
        raise ConfigError(f"initial_cash and periods_per_year must be positive, but got {initial_cash} and {periods_per_year}.")
    weights = _checked_weights(target_weights)
    prices = read_prices(bars, weights.columns, fill)
    if fill == "same_close":
        warnings.warn("fill 'same_close' trades at the close a decision is made on; no one can: compare with it only.", stacklevel=2)
    orders = plan_orders(weights, prices.sessions, fill)
    first = int(np.argmax(orders.numbers >= 0)) - 1
    prices, orders = prices.since(first), Orders(orders.numbers[first:], orders.weights)
    rates = np.array([costs.commission_bps * _BPS, costs.half_spread_bps * _BPS, costs.borrow_bps_per_year * _BPS / periods_per_year])
    return _run(prices, orders, plan_events(actions, prices), rates, initial_cash)


def _run(prices: Prices, orders: Orders, events: Events, rates: FloatArray, initial_cash: float) -> Result:
    room = 2 * orders.weights.size + len(events.session)
    fills = (np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room), np.empty(room), np.empty(room, np.int64))
    account, held, marked, n_fills, used_up = _kernels.run(
        (prices.close, prices.fill, prices.fills_at_close), (orders.numbers, orders.weights), (tuple(events), fills), rates, initial_cash
    )
    if used_up >= 0:
        raise OrderError(
            f"Equity must stay above 0, but it is {account[used_up, _kernels.EQUITY]:,.2f} on {moment(prices.sessions[used_up])}: "
            "lower the weights or look at that session's prices and actions."
        )
    made = Fills(fills[0][:n_fills], fills[1][:n_fills], fills[2][:n_fills], fills[3][:n_fills], fills[4][:n_fills])
    equity = account_frame(account, prices.sessions)
    fees = equity[["commission", "spread", "borrow"]]
    return Result(
        equity=equity,
        trades=trades_frame(made, prices, rates),
        positions=positions_frame(held, marked, prices),
        costs=fees.assign(total=fees.sum(axis=1)),
    )


def _checked_weights(target_weights: pd.DataFrame) -> pd.DataFrame:
    if target_weights.empty:
        raise DataError("A backtest needs target weights, but got none: give one row per decision and one column per symbol.")
    index, columns = target_weights.index, target_weights.columns
    if not isinstance(index, pd.DatetimeIndex):
        raise DataError(f"Target weights must be indexed by date, but got {index.dtype}: set the decision sessions as index.")
    if not (index.is_monotonic_increasing and index.is_unique and columns.is_unique):
        raise DataError("Target weights must have ascending dates and one column per symbol, but some repeat or go backwards.")
    finite = np.isfinite(target_weights.to_numpy(dtype=np.float64)).all(axis=0)
    if not finite.all():
        raise DataError(f"Target weights must be finite, but {name_few(columns[~finite])} are not everywhere: write 0 for flat.")
    return target_weights
