"""The weights backtest."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd

from touchstone.backtest._books import Orders, Rules
from touchstone.backtest._costs import SLIPPAGE_MODELS, Costs
from touchstone.backtest._execution import Execution
from touchstone.backtest._limits import Limits, limit_weights
from touchstone.backtest._panels import Panels, read_panels
from touchstone.backtest._plan import known_actions, plan_events, plan_orders, splits_between
from touchstone.backtest._result import Result
from touchstone.backtest._run import run_account
from touchstone.backtest._volatility_kernels import ewma_volatility
from touchstone.errors import ConfigError, DataError, name_few
from touchstone.market import Sectors

__all__ = ["simulate"]

_BPS = 1e-4
_DEFAULT_COSTS = Costs()
_FREE_HAND = Execution()
_NO_LIMITS = Limits()


def simulate(
    bars: pd.DataFrame,
    target_weights: pd.DataFrame,
    *,
    fill: str = "next_close",
    costs: Costs = _DEFAULT_COSTS,
    execution: Execution = _FREE_HAND,
    limits: Limits = _NO_LIMITS,
    sectors: Sectors | None = None,
    actions: pd.DataFrame | None = None,
    initial_cash: float = 1e6,
    periods_per_year: int = 252,
) -> Result:
    """Trade a table of target weights through the bars, with costs.

    A decision of session t is filled at the close of the next session (``next_close``), at its open (``next_open``),
    or, for comparison with other tools only, at the close it was decided on (``same_close``, with a warning). Every
    order brings its symbol to ``weight * equity / fill price`` shares, where the equity is the account's at the fill
    prices before the costs of the fill; fractions of a share are held unless `execution` says otherwise. Between decisions
    holdings drift.

    A session here is a bar of any width: with shorter ones each is decided on, filled and valued at its own stamp. Within one:
    the borrow fee on the shorts and the interest on cash at the last close; splits, dividends and delistings on what was held
    over night; the fills; the valuation at the close. An action whose ex date is no session takes effect on the next
    one. A dividend or spin-off pays its value per share after that day's split and is charged to shorts. A delisting
    closes the holding at the last close times (1 + value). A symbol without a bar keeps its last close,
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
    execution : Execution
        Share of the volume that a fill may take, what becomes of the rest, lots.
    limits : Limits
        Bounds on the book; what breaks one is an error or a row of `Result.clippings`.
    sectors : Sectors, optional
        For ``limits.per_sector``; as of the decision.
    actions : DataFrame, optional
        `symbol ex_date kind value`.
    initial_cash : float, positive
    periods_per_year : int
        Bars over which a year's fees and interest are spread; 252 for daily ones.

    Returns
    -------
    Result
        From the session before the first fill to the last session of the bars.

    Raises
    ------
    ConfigError
        An unknown fill, cash or a year that is not positive, or a limit by sector without sectors.
    DataError
        Bars, weights or actions that break the contract; ``next_open`` without opens; a column that an option needs and the bars lack.
    OrderError
        The equity is used up, or a limit is broken that is not to be clipped, with symbols and dates.
    """
    if not (math.isfinite(initial_cash) and initial_cash > 0.0 and periods_per_year > 0):
        raise ConfigError(f"initial_cash and periods_per_year must be positive, but got {initial_cash} and {periods_per_year}.")
    limited = limit_weights(_checked_weights(target_weights), limits, sectors)
    needs_volume = costs.slippage.needs_volume or execution.participation_cap is not None
    panels = read_panels(bars, limited.weights.columns, fill, costs, volume=needs_volume, periods_per_year=periods_per_year)
    if fill == "same_close":
        warnings.warn("fill 'same_close' trades at the close a decision is made on; no one can: compare with it only.", stacklevel=2)
    orders = plan_orders(limited.weights, panels.sessions, fill)
    table = known_actions(actions, panels.symbols)
    panels = _with_volatility(panels, table, costs)
    first = int(np.argmax(orders.numbers >= 0)) - 1
    panels, orders = panels.since(first), Orders(orders.numbers[first:], orders.weights)
    rules = _rules(costs, execution, limits, fills_at_close=fill != "next_open", periods_per_year=periods_per_year)
    events = plan_events(table, panels)
    return Result(run_account(panels, orders, rules, events, initial_cash=initial_cash, clippings=limited.clippings))


def _with_volatility(panels: Panels, actions: pd.DataFrame, costs: Costs) -> Panels:
    """The volatility that slippage asks for, from all of the history."""
    if costs.slippage.model != "square_root" or costs.slippage.volatility_column:
        return panels
    volatility = ewma_volatility(panels.market.close, splits_between(actions, panels))
    return Panels(panels.sessions, panels.symbols, panels.market._replace(volatility=volatility))


def _rules(costs: Costs, execution: Execution, limits: Limits, *, fills_at_close: bool, periods_per_year: int) -> Rules:
    return Rules(
        fills_at_close=fills_at_close,
        commission=float(costs.commission_bps * _BPS),
        per_share=float(costs.commission_per_share),
        minimum=float(costs.commission_minimum),
        half_spread=float(costs.half_spread_bps * _BPS),
        borrow=float(costs.borrow_bps_per_year * _BPS / periods_per_year),
        cash_rate=float(costs.cash_bps_per_year * _BPS / periods_per_year),
        margin_rate=float(costs.margin_bps_per_year * _BPS / periods_per_year),
        slippage=SLIPPAGE_MODELS.index(costs.slippage.model),
        coefficient=float(costs.slippage.coefficient),
        exponent=float(costs.slippage.exponent),
        cap=_bound(execution.participation_cap),
        carry=execution.unfilled == "carry",
        lot=float(execution.lot_size),
        leverage=_bound(limits.leverage),
        turnover=_bound(limits.turnover),
        clip=limits.clips,
    )


def _bound(limit: float | None) -> float:
    return math.inf if limit is None else float(limit)


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
