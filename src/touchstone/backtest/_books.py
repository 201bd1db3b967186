"""What the loop reads and writes: its arrays and numbers under their names."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from touchstone.types import FloatArray, IntArray

__all__ = ["Events", "FillLog", "Int32Array", "Market", "Orders", "ReasonArray", "Rules", "State"]

Int32Array: TypeAlias = NDArray[np.int32]
ReasonArray: TypeAlias = NDArray[np.int8]


class Market(NamedTuple):
    """Panels of shape (n_sessions, n_symbols), NaN where a symbol has no bar; shape (0, 0) where one is not used.

    Half-spread and borrow are fractions (borrow a session) and carried over missing bars.
    """

    close: FloatArray
    fill: FloatArray
    volume: FloatArray
    half_spread: FloatArray
    borrow: FloatArray
    volatility: FloatArray


class Orders(NamedTuple):
    """For every session the row of weights that is filled on it, -1 for none; and the weights."""

    numbers: IntArray
    weights: FloatArray


class Events(NamedTuple):
    """What happens to holdings over night, sorted by session, then kind."""

    session: IntArray
    symbol: IntArray
    kind: IntArray
    value: FloatArray


class Rules(NamedTuple):
    """Fractions, money and switches; infinite where there is no limit, rates a session."""

    fills_at_close: bool
    commission: float
    per_share: float
    minimum: float
    half_spread: float
    borrow: float
    cash_rate: float
    margin_rate: float
    slippage: int
    coefficient: float
    exponent: float
    cap: float
    carry: bool
    lot: float
    leverage: float
    turnover: float
    clip: bool


class State(NamedTuple):
    """One value a symbol: shares held, the price they were last valued at, and the weight that waits to be filled (NaN: none)."""

    shares: FloatArray
    marks: FloatArray
    pending: FloatArray


class FillLog(NamedTuple):
    """Room for the fills; `left` is the shares that a fill could not get, of length 0 where every fill is whole."""

    session: Int32Array
    symbol: Int32Array
    shares: FloatArray
    price: FloatArray
    reason: ReasonArray
    left: FloatArray
