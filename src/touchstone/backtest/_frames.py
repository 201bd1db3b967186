"""The arrays of a run as tables under their names."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.backtest import _kernels
from touchstone.backtest import _round_trips_kernels as trips_of
from touchstone.backtest._limits import CLIPPING_COLUMNS
from touchstone.backtest._run import Run, charges_of
from touchstone.types import FloatArray, IntArray

__all__ = ["account_frame", "clippings_frame", "costs_frame", "fills_frame", "orders_frame", "positions_frame", "trades_frame"]

_REASONS = ("rebalance", "carried", "no_bar", "delisting", "bars_ended", "no_liquidity", "reduced")
_BASE = {
    "cash": _kernels.CASH,
    "positions_value": -1,
    "long_value": _kernels.LONG,
    "short_value": _kernels.SHORT,
    "price_pnl": _kernels.PRICE_PNL,
    "dividends": _kernels.DIVIDENDS,
    "commission": _kernels.COMMISSION,
    "spread": _kernels.SPREAD,
    "borrow": _kernels.BORROW,
}


def _switched_on(run: Run) -> dict[str, int]:
    """Costs and income that only some accounts have: a table has a column for each that is asked for."""
    rules = run.rules
    columns = {"slippage": _kernels.SLIPPAGE, "margin_interest": _kernels.MARGIN_INTEREST, "cash_interest": _kernels.CASH_INTEREST}
    asked = {"slippage": rules.slippage != _kernels.NO_SLIPPAGE, "margin_interest": rules.margin_rate > 0.0}
    asked["cash_interest"] = rules.cash_rate > 0.0
    return {name: column for name, column in columns.items() if asked[name]}


def account_frame(run: Run) -> pd.DataFrame:
    """The daily account."""
    account = run.account
    table = {"equity": account[:, _kernels.EQUITY]}
    table |= {name: account[:, column] for name, column in (_BASE | _switched_on(run)).items()}
    table["positions_value"] = account[:, _kernels.LONG] + account[:, _kernels.SHORT]
    table["traded"] = account[:, _kernels.TRADED]
    table["n_positions"] = account[:, _kernels.N_POSITIONS].astype(np.int64)
    before = np.concatenate([account[:1, _kernels.EQUITY], account[:-1, _kernels.EQUITY]])
    table["turnover"] = account[:, _kernels.TRADED] / before
    return pd.DataFrame(table, index=run.sessions)


def costs_frame(run: Run, equity: pd.DataFrame) -> pd.DataFrame:
    """What was paid a session, and its total."""
    kinds = ["commission", "spread", "borrow", *(name for name in _switched_on(run) if name != "cash_interest")]
    paid = equity[kinds]
    return paid.assign(total=paid.sum(axis=1))


def fills_frame(run: Run) -> pd.DataFrame:
    """The fills, with what each cost."""
    fills, charges = run.fills, charges_of(run)
    notional = np.where(np.isnan(fills.price), 0.0, fills.shares * fills.price)
    table = {
        "date": run.sessions.take(fills.session),
        "symbol": run.panels.symbols.take(fills.symbol),
        "shares": fills.shares,
        "price": fills.price,
        "notional": notional,
        "commission": charges[:, 0],
        "spread": charges[:, 1],
    }
    if "slippage" in _switched_on(run):
        table["slippage"] = charges[:, 2]
    table["reason"] = pd.Index(_REASONS, dtype="str").take(fills.reason)
    return pd.DataFrame(table)


def positions_frame(run: Run) -> pd.DataFrame:
    """The holdings after each session, one row each."""
    rows, columns = np.nonzero(run.held)
    shares, close = run.held[rows, columns], run.marked[rows, columns]
    names = {"date": run.sessions.take(rows), "symbol": run.panels.symbols.take(columns)}
    return pd.DataFrame({**names, "shares": shares, "close": close, "value": shares * close})


def orders_frame(run: Run) -> pd.DataFrame:
    """One row a symbol that a decision wanted to trade, with what came of it."""
    fills = run.fills
    of_decision = np.isin(fills.reason, (_kernels.REBALANCE, _kernels.CARRIED, _kernels.NO_BAR, _kernels.NO_LIQUIDITY))
    session, symbol = fills.session[of_decision].astype(np.int64), fills.symbol[of_decision].astype(np.int64)
    due = np.maximum.accumulate(np.where(run.orders.numbers >= 0, np.arange(len(run.sessions)), 0))[session]
    keys, place = np.unique(due * len(run.panels.symbols) + symbol, return_inverse=True)
    filled = np.bincount(place, fills.shares[of_decision], minlength=len(keys))
    n_fills = np.bincount(place, fills.shares[of_decision] != 0.0, minlength=len(keys)).astype(np.int64)
    last = np.zeros(len(keys), dtype=np.int64)
    last[place] = np.arange(len(place))
    whole = _whole(fills.left[of_decision] if len(fills.left) else None, fills.price[of_decision])[last]
    due, symbol = np.divmod(keys, len(run.panels.symbols))
    table = {
        "date": run.sessions.take(due),
        "symbol": run.panels.symbols.take(symbol),
        "weight": run.orders.weights[run.orders.numbers[due], symbol],
        "shares": filled,
        "n_fills": n_fills,
        "last_date": run.sessions.take(session[last]),
    }
    status = np.where(whole, 0, np.where(n_fills > 0, 1, 2))
    return pd.DataFrame({**table, "status": pd.Index(["filled", "partial", "unfilled"], dtype="str").take(status)})


def _whole(left: FloatArray | None, price: FloatArray) -> IntArray:
    """Whether a fill reached its weight."""
    reached = ~np.isnan(price)
    return (reached if left is None else reached & (left == 0.0)).astype(np.int64)


def trades_frame(run: Run) -> pd.DataFrame:
    """Round trips: from flat to flat, or to the other side."""
    borrow = run.panels.market.borrow
    rate = borrow if len(borrow) else np.full((1, 1), run.rules.borrow)
    trips = trips_of.round_trips(run.fills, charges_of(run), run.events, run.held, run.marked, rate)
    closed = trips[:, trips_of.CLOSED].astype(np.int64)
    when = pd.Series(run.sessions.take(np.maximum(closed, 0)))
    table = {
        "symbol": run.panels.symbols.take(trips[:, trips_of.SYMBOL].astype(np.int64)),
        "side": pd.Index(["short", "long"], dtype="str").take((trips[:, trips_of.SIDE] > 0.0).astype(np.int64)),
        "opened": run.sessions.take(trips[:, trips_of.OPENED].astype(np.int64)),
        "closed": when.where(closed >= 0),
        "shares": trips[:, trips_of.BOUGHT],
        "entry_price": trips[:, trips_of.PAID] / trips[:, trips_of.BOUGHT],
        "exit_price": _ratio(trips[:, trips_of.RECEIVED], trips[:, trips_of.SOLD]),
        "n_fills": trips[:, trips_of.N_FILLS].astype(np.int64),
        "dividends": trips[:, trips_of.DIVIDENDS],
        "commission": trips[:, trips_of.COMMISSION],
        "spread": trips[:, trips_of.SPREAD],
        "slippage": trips[:, trips_of.SLIPPAGE],
        "borrow": trips[:, trips_of.BORROW],
        "pnl": trips[:, trips_of.PNL],
    }
    return pd.DataFrame(table)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    ratio = np.full(len(above), np.nan)
    np.divide(above, below, out=ratio, where=below > 0.0)
    return ratio


def clippings_frame(run: Run) -> pd.DataFrame:
    """What the limits cut off: before trading by decision, in the loop by session."""
    found = [run.clippings] if len(run.clippings) else []
    for rule, column, limit in (
        ("turnover", _kernels.ASKED_TURNOVER, run.rules.turnover),
        ("leverage", _kernels.ASKED_LEVERAGE, run.rules.leverage),
    ):
        rows = np.flatnonzero(run.account[:, column])
        if len(rows):
            names = {"date": run.sessions.take(rows), "name": pd.Series([""] * len(rows), dtype="str"), "rule": rule}
            found.append(pd.DataFrame({**names, "asked": run.account[rows, column], "limit": limit}))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=CLIPPING_COLUMNS)
