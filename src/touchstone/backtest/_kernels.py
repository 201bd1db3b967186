"""The loop over sessions, compiled: one account, its shares and their marks.

No fastmath: sums run in symbol order, so that the same inputs give the same bits.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Columns of the daily account.
CASH, LONG, SHORT, PRICE_PNL, DIVIDENDS, COMMISSION, SPREAD, BORROW, TRADED, N_POSITIONS, EQUITY = range(11)
N_COLUMNS = 11
# Kinds of events, in the order they take effect on one session; the last is no corporate action but the end of a symbol's bars.
SPLIT, DIVIDEND, DELISTING, BARS_ENDED = range(4)
# Why a fill is in the record.
REBALANCE, CARRIED, NO_BAR, BY_DELISTING, BY_BARS_ENDED = range(5)


@njit(cache=True)
def _record(fills, n_fills, session, symbol, shares, price, reason):  # type: ignore[no-untyped-def]
    sessions, symbols, amounts, prices, reasons = fills
    sessions[n_fills] = session
    symbols[n_fills] = symbol
    amounts[n_fills] = shares
    prices[n_fills] = price
    reasons[n_fills] = reason
    return n_fills + 1


@njit(cache=True)
def _pay(day, change, price, commission_rate, spread_rate):  # type: ignore[no-untyped-def]
    notional = abs(change * price)
    day[CASH] -= change * price + notional * commission_rate + notional * spread_rate
    day[COMMISSION] += notional * commission_rate
    day[SPREAD] += notional * spread_rate
    day[TRADED] += notional


@njit(cache=True)
def _take_events(session, day, state, events, next_event, fills, n_fills, rates):  # type: ignore[no-untyped-def]
    """Splits, dividends and closings of a session, on what was held over night."""
    shares, marks, pending = state
    when, who, what, values = events
    while next_event < len(when) and when[next_event] == session:
        symbol, kind, value = who[next_event], what[next_event], values[next_event]
        next_event += 1
        if kind >= DELISTING:
            pending[symbol] = np.nan
        if shares[symbol] == 0.0:
            continue
        if kind == SPLIT:
            shares[symbol] *= value
            marks[symbol] /= value
        elif kind == DIVIDEND:
            day[CASH] += shares[symbol] * value
            day[DIVIDENDS] += shares[symbol] * value
        else:
            price = marks[symbol] * (1.0 + value)
            change = -shares[symbol]
            day[PRICE_PNL] += shares[symbol] * (price - marks[symbol])
            if kind == DELISTING:
                day[CASH] -= change * price
                n_fills = _record(fills, n_fills, session, symbol, change, price, BY_DELISTING)
            else:
                _pay(day, change, price, rates[0], rates[1])
                n_fills = _record(fills, n_fills, session, symbol, change, price, BY_BARS_ENDED)
            shares[symbol] = 0.0
    return next_event, n_fills


@njit(cache=True)
def _mark(day, state, prices):  # type: ignore[no-untyped-def]
    """Value every holding at the prices; a symbol without a bar keeps its last mark."""
    shares, marks, _ = state
    for symbol in range(len(shares)):
        price = prices[symbol]
        if not np.isnan(price):
            if shares[symbol] != 0.0:
                day[PRICE_PNL] += shares[symbol] * (price - marks[symbol])
            marks[symbol] = price


@njit(cache=True)
def _sum_up(day, state):  # type: ignore[no-untyped-def]
    shares, marks, _ = state
    day[LONG] = 0.0
    day[SHORT] = 0.0
    day[N_POSITIONS] = 0.0
    for symbol in range(len(shares)):
        held = shares[symbol]
        if held > 0.0:
            day[LONG] += held * marks[symbol]
        elif held < 0.0:
            day[SHORT] += held * marks[symbol]
        if held != 0.0:
            day[N_POSITIONS] += 1.0
    day[EQUITY] = day[CASH] + (day[LONG] + day[SHORT])


@njit(cache=True)
def _trade(session, day, state, prices, fresh, fills, n_fills, rates):  # type: ignore[no-untyped-def]
    """Bring every symbol with an order to its weight of the equity at the fill prices, before costs."""
    shares, marks, pending = state
    _sum_up(day, state)
    equity = day[EQUITY]
    n_waiting = 0
    for symbol in range(len(shares)):
        weight = pending[symbol]
        if np.isnan(weight):
            continue
        if weight == 0.0 and shares[symbol] == 0.0:
            pending[symbol] = np.nan
            continue
        price = prices[symbol]
        if np.isnan(price):
            n_waiting += 1
            if fresh:
                n_fills = _record(fills, n_fills, session, symbol, 0.0, np.nan, NO_BAR)
            continue
        pending[symbol] = np.nan
        change = weight * equity / price - shares[symbol]
        if change != 0.0:
            _pay(day, change, price, rates[0], rates[1])
            n_fills = _record(fills, n_fills, session, symbol, change, price, REBALANCE if fresh else CARRIED)
        # Zero exactly: shares + change may leave dust.
        shares[symbol] = 0.0 if weight == 0.0 else weight * equity / price
        marks[symbol] = price
    return n_waiting, n_fills


@njit(cache=True)
def run(close, fill, orders, weights, events, rates, initial_cash, fills):  # type: ignore[no-untyped-def]
    """Run the account over all sessions; row 0 is the session before the first fill.

    `close`, `fill`: (n_sessions, n_symbols) prices, NaN without a bar; the same array when fills happen at the close.
    `orders`: row of `weights` filled on each session, or -1. `rates`: commission, half-spread, borrow a session (fractions).
    Returns the daily account, the shares and marks at each close, the number of fills, and the session on which the
    equity was used up (-1: never).
    """
    n_sessions, n_symbols = close.shape
    at_close = fill is close
    account = np.zeros((n_sessions, N_COLUMNS))
    held = np.zeros((n_sessions, n_symbols))
    marked = np.full((n_sessions, n_symbols), np.nan)
    state = (np.zeros(n_symbols), np.full(n_symbols, np.nan), np.full(n_symbols, np.nan))
    account[0, CASH] = initial_cash
    account[0, EQUITY] = initial_cash
    next_event = 0
    n_fills = 0
    n_waiting = 0
    for session in range(1, n_sessions):
        day = account[session]
        day[CASH] = account[session - 1, CASH]
        day[BORROW] = -account[session - 1, SHORT] * rates[2]
        day[CASH] -= day[BORROW]
        next_event, n_fills = _take_events(session, day, state, events, next_event, fills, n_fills, rates)
        _mark(day, state, fill[session])
        fresh = orders[session] >= 0
        if fresh:
            state[2][:] = weights[orders[session]]
        if fresh or n_waiting > 0:
            n_waiting, n_fills = _trade(session, day, state, fill[session], fresh, fills, n_fills, rates)
            # Checked where it sizes orders too: an equity that is used up at the open must not be traded into the close.
            if not day[EQUITY] > 0.0:
                return account, held, marked, n_fills, session
        if not at_close:
            _mark(day, state, close[session])
        _sum_up(day, state)
        held[session] = state[0]
        marked[session] = state[1]
        if not day[EQUITY] > 0.0:
            return account, held, marked, n_fills, session
    return account, held, marked, n_fills, -1
