"""What a backtest leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from touchstone.backtest import _frames
from touchstone.backtest._run import Run

__all__ = ["Result"]


@dataclass(frozen=True, eq=False)
class Result:
    """The frozen outcome of `simulate`; money in the currency of the bars. Each table is made when it is first read.

    Attributes
    ----------
    equity : DataFrame, index `date`, one row per session
        `equity cash positions_value long_value short_value price_pnl dividends commission spread borrow`, then those of `slippage
        margin_interest cash_interest` that were switched on, then `traded n_positions turnover`; float64 but for the integer
        n_positions, all after the session's close. The first row is the session before the first fill and holds the initial cash.
        On every later row ``equity = cash + positions_value``, ``positions_value = long_value + short_value`` (shorts are negative)
        and ``change of equity = price_pnl + dividends + cash_interest - commission - spread - slippage - borrow -
        margin_interest``. `traded` is the notional of all fills, buys plus sells; `turnover` is it over the equity of the session
        before, so that replacing the whole of a fully invested book reads 2.
    cash, turnover : Series, index `date`
        Those columns alone.
    exposures : DataFrame, index `date`
        `long short gross net` as fractions of the equity at the close (short is negative), and `n_positions`.
    costs : DataFrame, index `date`
        `commission spread borrow`, `slippage margin_interest` where switched on, and `total`, each ≥ 0.
    orders : DataFrame
        One row per symbol that a decision had to trade: `date` (the session it was due) `symbol weight shares` (filled, signed)
        `n_fills last_date` (of its last fill or note) `status`: ``filled`` (the weight, shortened by the
        turnover limit or not, was reached), ``partial``, ``unfilled``.
    fills : DataFrame
        One row per fill in the order they happened: `date symbol shares price notional commission spread [slippage] reason`;
        `shares` is signed, ``notional = shares * price``. `reason` is ``rebalance``; ``no_bar`` (0 shares, NaN price:
        the symbol had no bar on the fill session and the order waits); ``no_liquidity`` (so too: the bar had no volume, less than
        a lot was to be had, or no volatility was known yet); ``carried`` (the waiting order or the rest of one, filled on a later
        session); ``reduced`` (back to the largest leverage); ``delisting`` (closed by the action, free of costs); ``bars_ended``
        (sold because no bars follow; pays commission and half-spread).
    trades : DataFrame
        Round trips, from flat to flat or through zero, in the order they were opened: `symbol side opened closed shares entry_price
        exit_price n_fills dividends commission spread slippage borrow pnl`. `closed` is NaT for what is still held, and its `pnl`
        is at the last close. Shares and prices are in shares of the trip's end. A fill through zero shares its costs by shares. The
        sum of `pnl` is the change of equity but for interest.
    positions : DataFrame
        `date symbol shares close value` for every holding after every session, sorted; `close` is the last close seen.
    clippings : DataFrame
        `date name rule asked limit`, one row per limit that was broken and clipped; `name` is a symbol, a sector or empty for the
        book, `date` the decision, for turnover its fill session, for leverage the close.
    """

    run: Run

    @cached_property
    def equity(self) -> pd.DataFrame:
        """The daily account."""
        return _frames.account_frame(self.run)

    @property
    def cash(self) -> pd.Series:
        """Cash after each session."""
        return self.equity["cash"]

    @property
    def turnover(self) -> pd.Series:
        """Notional traded over the equity of the session before."""
        return self.equity["turnover"]

    @property
    def returns(self) -> pd.Series:
        """Simple net returns by session, from the first fill session on; known at that session's close."""
        values = self.equity["equity"].to_numpy()
        return pd.Series(values[1:] / values[:-1] - 1.0, index=self.equity.index[1:], name="return")

    @cached_property
    def exposures(self) -> pd.DataFrame:
        """Fractions of equity held."""
        equity = self.equity["equity"]
        long, short = self.equity["long_value"] / equity, self.equity["short_value"] / equity
        parts = {"long": long, "short": short, "gross": long - short, "net": long + short}
        return pd.DataFrame({**parts, "n_positions": self.equity["n_positions"]})

    @cached_property
    def costs(self) -> pd.DataFrame:
        """What was paid a session."""
        return _frames.costs_frame(self.run, self.equity)

    @cached_property
    def orders(self) -> pd.DataFrame:
        """What the decisions asked for and what came of it."""
        return _frames.orders_frame(self.run)

    @cached_property
    def fills(self) -> pd.DataFrame:
        """Every fill."""
        return _frames.fills_frame(self.run)

    @cached_property
    def trades(self) -> pd.DataFrame:
        """Round trips."""
        return _frames.trades_frame(self.run)

    @cached_property
    def positions(self) -> pd.DataFrame:
        """Every holding after every session."""
        return _frames.positions_frame(self.run)

    @cached_property
    def clippings(self) -> pd.DataFrame:
        """What the limits cut off."""
        return _frames.clippings_frame(self.run)
