"""What a backtest leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.backtest import _kernels
from touchstone.backtest._panels import Prices
from touchstone.types import FloatArray, IntArray

__all__ = ["Fills", "Result", "account_frame", "positions_frame", "trades_frame"]

_REASONS = np.array(["rebalance", "carried", "no_bar", "delisting", "bars_ended"])


@dataclass(frozen=True)
class Result:
    """The frozen outcome of `simulate`; money in the currency of the bars.

    Attributes
    ----------
    equity : DataFrame, index `date`, one row per session
        `equity cash positions_value long_value short_value price_pnl dividends commission spread borrow traded
        n_positions turnover`, float64 but for the integer n_positions, all after the session's close. The first row is
        the session before the first fill and holds the initial cash. On every later row
        ``equity = cash + positions_value``, ``positions_value = long_value + short_value`` (shorts are negative) and
        ``change of equity = price_pnl + dividends - commission - spread - borrow``. `traded` is the notional of all
        fills, buys plus sells; `turnover` is it over the equity of the session before, so that replacing the whole of
        a fully invested book reads 2.
    trades : DataFrame
        One row per fill in the order they happened: `date symbol shares price notional commission spread reason`;
        `shares` is signed, ``notional = shares * price``. `reason` is ``rebalance``; ``no_bar`` (0 shares, NaN price:
        the symbol had no bar on the fill session and the order waits); ``carried`` (the waiting order, filled on the
        first session with a bar); ``delisting`` (closed by the action, free of commission and spread); ``bars_ended``
        (sold because no bars follow).
    positions : DataFrame
        `date symbol shares close value` for every holding after every session, sorted; `close` is the last close seen.
    costs : DataFrame, index `date`
        `commission spread borrow total`, each ≥ 0.
    """

    equity: pd.DataFrame
    trades: pd.DataFrame
    positions: pd.DataFrame
    costs: pd.DataFrame

    @property
    def returns(self) -> pd.Series:
        """Simple net returns by session, from the first fill session on; known at that session's close."""
        values = self.equity["equity"].to_numpy()
        return pd.Series(values[1:] / values[:-1] - 1.0, index=self.equity.index[1:], name="return")


@dataclass(frozen=True)
class Fills:
    """Fills as the loop wrote them."""

    session: IntArray
    symbol: IntArray
    shares: FloatArray
    price: FloatArray
    reason: IntArray


def account_frame(account: FloatArray, sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """The daily account under its names."""
    frame = pd.DataFrame(index=sessions)
    frame["equity"] = account[:, _kernels.EQUITY]
    frame["cash"] = account[:, _kernels.CASH]
    frame["positions_value"] = account[:, _kernels.LONG] + account[:, _kernels.SHORT]
    frame["long_value"] = account[:, _kernels.LONG]
    frame["short_value"] = account[:, _kernels.SHORT]
    frame["price_pnl"] = account[:, _kernels.PRICE_PNL]
    frame["dividends"] = account[:, _kernels.DIVIDENDS]
    frame["commission"] = account[:, _kernels.COMMISSION]
    frame["spread"] = account[:, _kernels.SPREAD]
    frame["borrow"] = account[:, _kernels.BORROW]
    frame["traded"] = account[:, _kernels.TRADED]
    frame["n_positions"] = account[:, _kernels.N_POSITIONS].astype(np.int64)
    before = np.concatenate([account[:1, _kernels.EQUITY], account[:-1, _kernels.EQUITY]])
    frame["turnover"] = account[:, _kernels.TRADED] / before
    return frame


def trades_frame(fills: Fills, prices: Prices, rates: FloatArray) -> pd.DataFrame:
    """The fills under their names, with what each cost."""
    notional = np.where(fills.reason == _kernels.NO_BAR, 0.0, fills.shares * fills.price)
    charged = np.where(fills.reason == _kernels.BY_DELISTING, 0.0, np.abs(notional))
    return pd.DataFrame(
        {
            "date": prices.sessions.take(fills.session),
            "symbol": prices.symbols.take(fills.symbol),
            "shares": fills.shares,
            "price": fills.price,
            "notional": notional,
            "commission": charged * rates[0],
            "spread": charged * rates[1],
            "reason": pd.Series(_REASONS[fills.reason], dtype="str"),
        }
    )


def positions_frame(held: FloatArray, marked: FloatArray, prices: Prices) -> pd.DataFrame:
    """The holdings after each session, one row each."""
    rows, columns = np.nonzero(held)
    shares, close = held[rows, columns], marked[rows, columns]
    return pd.DataFrame(
        {
            "date": prices.sessions.take(rows),
            "symbol": prices.symbols.take(columns),
            "shares": shares,
            "close": close,
            "value": shares * close,
        }
    )
