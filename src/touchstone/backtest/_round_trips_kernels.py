"""Fills put together again: what each holding earned and cost from flat to flat, in one pass over the sessions."""

from __future__ import annotations

import numpy as np
from numba import njit

from touchstone.backtest._books import Events, FillLog
from touchstone.backtest._kernels import BY_BARS_ENDED, BY_DELISTING, DELISTING, SPLIT
from touchstone.types import FloatArray, IntArray

__all__ = ["round_trips"]

# Columns of a round trip.
SYMBOL, SIDE, OPENED, CLOSED, BOUGHT, PAID, SOLD, RECEIVED, DIVIDENDS, COMMISSION, SPREAD, SLIPPAGE, BORROW, N_FILLS, PNL = range(15)
N_COLUMNS = 15


@njit(cache=True, nogil=True)
def _book(trip: FloatArray, change: float, price: float, charges: FloatArray, part: float) -> None:
    """Add a fill, or its part, to a trip: entries are in the trip's direction, exits against it."""
    if change * trip[SIDE] > 0.0:
        trip[BOUGHT] += abs(change)
        trip[PAID] += abs(change) * price
    else:
        trip[SOLD] += abs(change)
        trip[RECEIVED] += abs(change) * price
    for kind in range(3):
        trip[COMMISSION + kind] += charges[kind] * part
    trip[N_FILLS] += 1.0


@njit(cache=True, nogil=True)
def _open(trips: FloatArray, row: int, symbol: int, session: int, change: float) -> int:
    trips[row] = 0.0
    trips[row, SYMBOL] = symbol
    trips[row, SIDE] = 1.0 if change > 0.0 else -1.0
    trips[row, OPENED] = session
    trips[row, CLOSED] = -1.0
    return row


@njit(cache=True, nogil=True)
def _settle(trips: FloatArray, shares: FloatArray, marks: FloatArray) -> None:
    """Profit of every trip; one that is still open is valued at its last mark."""
    for row in range(len(trips)):
        trip = trips[row]
        symbol = int(trip[SYMBOL])
        value = shares[symbol] * marks[symbol] if trip[CLOSED] < 0.0 else 0.0
        paid = trip[COMMISSION] + trip[SPREAD] + trip[SLIPPAGE] + trip[BORROW]
        trip[PNL] = trip[SIDE] * (trip[RECEIVED] - trip[PAID]) + value + trip[DIVIDENDS] - paid


@njit(cache=True, nogil=True)
def _take_event(trip: FloatArray, shares: FloatArray, symbol: int, kind: int, value: float) -> None:
    """A split or dividend on a holding; prices and shares of the trip are in the shares of today."""
    if kind == SPLIT:
        shares[symbol] *= value
        trip[BOUGHT] *= value
        trip[SOLD] *= value
    else:
        trip[DIVIDENDS] += shares[symbol] * value


@njit(cache=True, nogil=True)
def _take_fill(
    trips: FloatArray, count: int, open_row: IntArray, fills: FillLog, row: int, charges: FloatArray, before: float, after: float
) -> int:
    """Book a fill that brings a holding from before to after; one through zero closes a trip and opens another. Returns the count."""
    symbol, change, price = fills.symbol[row], fills.shares[row], fills.price[row]
    flips = before * after < 0.0
    if before != 0.0:
        trip = trips[open_row[symbol]]
        part = -before / change if flips else 1.0
        _book(trip, change * part, price, charges[row], part)
        if flips or after == 0.0:
            trip[CLOSED] = fills.session[row]
    if before == 0.0 or flips:
        part = after / change
        open_row[symbol] = _open(trips, count, symbol, fills.session[row], change)
        _book(trips[count], change * part, price, charges[row], part)
        return count + 1
    return count


@njit(cache=True, nogil=True)
def round_trips(
    fills: FillLog, charges: FloatArray, events: Events, held: FloatArray, marked: FloatArray, borrow: FloatArray
) -> FloatArray:
    """One row a trip, in the order they were opened.

    `charges`: commission, spread and slippage of each fill. `borrow`: what one session costs a short, as a fraction of its value,
    (n_sessions, n_symbols), or (1, 1) for one rate.
    """
    n_sessions, n_symbols = held.shape
    trips = np.empty((len(fills.session), N_COLUMNS))
    open_row = np.full(n_symbols, -1)
    shares = np.zeros(n_symbols)
    count, fill, event = 0, 0, 0
    for session in range(1, n_sessions):
        for symbol in range(n_symbols):
            if shares[symbol] < 0.0:
                rate = borrow[0, 0] if borrow.size == 1 else borrow[session - 1, symbol]
                trips[open_row[symbol], BORROW] -= shares[symbol] * marked[session - 1, symbol] * rate
        while event < len(events.session) and events.session[event] <= session:
            symbol = events.symbol[event]
            if shares[symbol] != 0.0 and events.kind[event] < DELISTING:
                _take_event(trips[open_row[symbol]], shares, symbol, events.kind[event], events.value[event])
            event += 1
        while fill < len(fills.session) and fills.session[fill] == session:
            symbol = fills.symbol[fill]
            if fills.shares[fill] != 0.0:
                closing = fills.reason[fill] == BY_DELISTING or fills.reason[fill] == BY_BARS_ENDED
                after = 0.0 if closing else held[session, symbol]
                count = _take_fill(trips, count, open_row, fills, fill, charges, shares[symbol], after)
                shares[symbol] = after
            fill += 1
    _settle(trips[:count], held[-1], marked[-1])
    return trips[:count]
