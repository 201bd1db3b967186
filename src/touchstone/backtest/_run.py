"""One pass of the loop, kept whole: everything a result tells is read from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.backtest import _kernels
from touchstone.backtest._books import Events, FillLog, Orders, Rules
from touchstone.backtest._panels import Panels
from touchstone.errors import OrderError, moment
from touchstone.types import FloatArray

__all__ = ["Run", "charges_of", "run_account"]


@dataclass(frozen=True, eq=False)
class Run:
    """What went into the loop and what came out; shapes as the loop has them."""

    panels: Panels
    orders: Orders
    rules: Rules
    events: Events
    fills: FillLog
    account: FloatArray
    held: FloatArray
    marked: FloatArray
    clippings: pd.DataFrame

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Row 0 is the session before the first fill."""
        return self.panels.sessions


def run_account(panels: Panels, orders: Orders, rules: Rules, events: Events, *, initial_cash: float, clippings: pd.DataFrame) -> Run:
    """Run the loop; raises `OrderError` with the date when it cannot go on."""
    shape = panels.market.close.shape
    # A symbol is traded or noted once a session, and closed once an event. Memory that is never written is never taken.
    log = _empty_log(shape[0] * shape[1] + len(events.session), partial=rules.cap < np.inf)
    account = np.zeros((shape[0], _kernels.N_COLUMNS))
    account[0, _kernels.CASH] = account[0, _kernels.EQUITY] = initial_cash
    held, marked = np.empty(shape), np.empty(shape)
    held[0], marked[0] = 0.0, np.nan
    n_fills, ended, session = _kernels.run(panels.market, orders, rules, events, log, account, held, marked)
    if ended != _kernels.DONE:
        raise _error(ended, account[session], moment(panels.sessions[session]), rules)
    return Run(panels, orders, rules, events, _first(log, n_fills), account, held, marked, clippings)


def _empty_log(room: int, *, partial: bool) -> FillLog:
    return FillLog(
        session=np.empty(room, np.int32),
        symbol=np.empty(room, np.int32),
        shares=np.empty(room),
        price=np.empty(room),
        reason=np.empty(room, np.int8),
        left=np.empty(room if partial else 0),
    )


def _first(log: FillLog, n: int) -> FillLog:
    return FillLog(log.session[:n], log.symbol[:n], log.shares[:n], log.price[:n], log.reason[:n], log.left[:n])


def _error(ended: int, day: FloatArray, date: str, rules: Rules) -> OrderError:
    if ended == _kernels.OVER_TURNOVER:
        asked = day[_kernels.ASKED_TURNOVER]
        rule = f"A decision must trade at most {rules.turnover:g} of the equity, but it asks for {asked:.4g}"
    elif ended == _kernels.OVER_LEVERAGE:
        gross = day[_kernels.ASKED_LEVERAGE]
        rule = f"The gross value held must stay within {rules.leverage:g} of the equity, but it is {gross:.4g}"
    else:
        equity = day[_kernels.EQUITY]
        return OrderError(
            f"Equity must stay above 0, but it is {equity:,.2f} on {date}: lower the weights or look at that session's prices and actions."
        )
    return OrderError(f"{rule} on {date}: lower the weights or set on_violation='clip'.")


def charges_of(run: Run) -> FloatArray:
    """Commission, spread and slippage of each fill, shape (n_fills, 3), by the rule that the loop paid them."""
    out = np.zeros((len(run.fills.session), 3))
    _kernels.charge_all(run.panels.market, run.rules, run.fills, out)
    return out
