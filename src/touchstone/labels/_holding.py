"""What one share bought at a session turns into: splits, cash and the end of a listing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.labels._grid import Grid
from touchstone.types import FloatArray, IntArray

__all__ = ["Holding"]

_CASH = ("dividend", "spinoff")


@dataclass(frozen=True)
class Holding:
    """One share of each symbol held from the first session on, grids of shape (n_sessions, n_symbols).

    Attributes
    ----------
    shares : shares it has become by each session, the splits of that session included.
    cash : cash it has paid by each session, that session's payments included; it is not reinvested.
    delisting : int64, first session at or after this one on which the symbol is delisted; n_sessions for none.
    payoff : what one share of a delisting session is paid on it; NaN elsewhere.
    """

    shares: FloatArray
    cash: FloatArray
    delisting: IntArray
    payoff: FloatArray

    @classmethod
    def of(cls, grid: Grid, close: FloatArray, actions: pd.DataFrame | None) -> Holding:
        known = _inside(grid, actions)
        shares = _shares(grid, known[known["kind"] == "split"])
        cash = _cash(grid, known[known["kind"].isin(_CASH)], shares)
        delisting, payoff = _delistings(grid, close, known[known["kind"] == "delisting"], shares)
        return cls(shares, cash, delisting, payoff)


def _inside(grid: Grid, actions: pd.DataFrame | None) -> pd.DataFrame:
    """Actions of the grid's symbols that fall after its first session and not after its last, with their cells."""
    if actions is None:
        return pd.DataFrame({"session": np.empty(0, np.int64), "asset": np.empty(0, np.int64), "kind": "", "value": np.empty(0)})
    placed = pd.DataFrame(
        {
            "session": grid.session_at_or_after(actions["ex_date"]),
            "asset": grid.symbols.get_indexer(pd.Index(actions["symbol"])),
            "kind": actions["kind"].to_numpy(),
            "value": actions["value"].to_numpy(np.float64),
        }
    )
    return placed[(placed["asset"] >= 0) & (placed["session"] > 0) & (placed["session"] < len(grid.dates))]


def _shares(grid: Grid, splits: pd.DataFrame) -> FloatArray:
    shares = np.ones(grid.shape)
    if splits.empty:
        return shares
    np.multiply.at(shares, (splits["session"].to_numpy(), splits["asset"].to_numpy()), splits["value"].to_numpy())
    return np.multiply.accumulate(shares, axis=0)


def _cash(grid: Grid, payments: pd.DataFrame, shares: FloatArray) -> FloatArray:
    cash = np.zeros(grid.shape)
    if payments.empty:
        return cash
    cells = payments["session"].to_numpy(), payments["asset"].to_numpy()
    np.add.at(cash, cells, payments["value"].to_numpy() * shares[cells])
    return np.add.accumulate(cash, axis=0)


def _delistings(grid: Grid, close: FloatArray, delistings: pd.DataFrame, shares: FloatArray) -> tuple[IntArray, FloatArray]:
    n_sessions = len(grid.dates)
    following = np.full(grid.shape, n_sessions, dtype=np.int64)
    payoff = np.full(grid.shape, np.nan)
    for session, asset, value in zip(delistings["session"], delistings["asset"], delistings["value"], strict=True):
        traded = np.flatnonzero(~np.isnan(close[:session, asset]))
        if traded.size:
            following[session, asset] = session
            # One share of the last bar may be several by now.
            last = close[traded[-1], asset] * (shares[traded[-1], asset] / shares[session, asset])
            payoff[session, asset] = last * (1.0 + value)
    return np.minimum.accumulate(following[::-1], axis=0)[::-1], payoff
