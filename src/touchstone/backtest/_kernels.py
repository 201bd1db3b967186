"""The loop over sessions, compiled: one account, its shares and their marks.

No fastmath: sums run in symbol order, so that the same inputs give the same bits.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = [
    "BARS_ENDED",
    "BORROW",
    "BY_BARS_ENDED",
    "BY_DELISTING",
    "CARRIED",
    "CASH",
    "COMMISSION",
    "DELISTING",
    "DIVIDEND",
    "DIVIDENDS",
    "EQUITY",
    "LONG",
    "NO_BAR",
    "N_POSITIONS",
    "PRICE_PNL",
    "REBALANCE",
    "SHORT",
    "SPLIT",
    "SPREAD",
    "TRADED",
    "run",
]

# Columns of the daily account.
CASH, LONG, SHORT, PRICE_PNL, DIVIDENDS, COMMISSION, SPREAD, BORROW, TRADED, N_POSITIONS, EQUITY = range(11)
N_COLUMNS = 11
# Kinds of events, in the order they take effect on one session; the last is no corporate action but the end of a symbol's bars.
SPLIT, DIVIDEND, DELISTING, BARS_ENDED = range(4)
# Why a fill is in the record.
REBALANCE, CARRIED, NO_BAR, BY_DELISTING, BY_BARS_ENDED = range(5)
# Where the loop stands.
_SESSION, _FRESH, _EVENT, _FILL, _WAITING = range(5)


@njit(cache=True)
def _record(fills, cursor, symbol, trade, reason):  # type: ignore[no-untyped-def]
    sessions, symbols, amounts, prices, reasons = fills
    row = cursor[_FILL]
    sessions[row] = cursor[_SESSION]
    symbols[row] = symbol
    amounts[row], prices[row] = trade
    reasons[row] = reason
    cursor[_FILL] = row + 1


@njit(cache=True)
def _pay(day, change, price, rates):  # type: ignore[no-untyped-def]
    notional = abs(change * price)
    commission = notional * rates[0]
    spread = notional * rates[1]
    day[CASH] -= change * price + commission + spread
    day[COMMISSION] += commission
    day[SPREAD] += spread
    day[TRADED] += notional


@njit(cache=True)
def _close_out(day, state, symbol, event, books):  # type: ignore[no-untyped-def]
    """End a holding at its last mark times (1 + value); a delisting is no trade and costs nothing beside its value."""
    shares, marks, _ = state
    _, fills, rates, cursor = books
    kind, value = event
    price = marks[symbol] * (1.0 + value)
    change = -shares[symbol]
    day[PRICE_PNL] += shares[symbol] * (price - marks[symbol])
    if kind == DELISTING:
        day[CASH] -= change * price
        _record(fills, cursor, symbol, (change, price), BY_DELISTING)
    else:
        _pay(day, change, price, rates)
        _record(fills, cursor, symbol, (change, price), BY_BARS_ENDED)
    shares[symbol] = 0.0


@njit(cache=True)
def _take_events(day, state, books):  # type: ignore[no-untyped-def]
    """Splits, dividends and closings of a session, on what was held over night."""
    shares, marks, pending = state
    when, who, what, values = books[0]
    cursor = books[3]
    while cursor[_EVENT] < len(when) and when[cursor[_EVENT]] == cursor[_SESSION]:
        event = cursor[_EVENT]
        cursor[_EVENT] += 1
        symbol = who[event]
        if what[event] >= DELISTING:
            pending[symbol] = np.nan
        if shares[symbol] == 0.0:
            continue
        if what[event] == SPLIT:
            shares[symbol] *= values[event]
            marks[symbol] /= values[event]
        elif what[event] == DIVIDEND:
            day[CASH] += shares[symbol] * values[event]
            day[DIVIDENDS] += shares[symbol] * values[event]
        else:
            _close_out(day, state, symbol, (what[event], values[event]), books)


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
def _trade(day, state, prices, books):  # type: ignore[no-untyped-def]
    """Bring every symbol with an order to its weight of the equity at the fill prices, before costs."""
    shares, marks, pending = state
    _, fills, rates, cursor = books
    _sum_up(day, state)
    equity = day[EQUITY]
    cursor[_WAITING] = 0
    for symbol in range(len(shares)):
        weight = pending[symbol]
        if np.isnan(weight):
            continue
        price = prices[symbol]
        if weight == 0.0 and shares[symbol] == 0.0:
            pending[symbol] = np.nan
        elif np.isnan(price):
            cursor[_WAITING] += 1
            if cursor[_FRESH]:
                _record(fills, cursor, symbol, (0.0, np.nan), NO_BAR)
        else:
            pending[symbol] = np.nan
            target = weight * equity / price
            change = target - shares[symbol]
            if change != 0.0:
                _pay(day, change, price, rates)
                _record(fills, cursor, symbol, (change, price), REBALANCE if cursor[_FRESH] else CARRIED)
            shares[symbol] = target
            marks[symbol] = price


@njit(cache=True)
def _run_session(day, state, prices, order, books):  # type: ignore[no-untyped-def]
    """One session: events, then the fills at the fill price, then the close. False when the equity is used up."""
    close, fill, fills_at_close = prices
    number, weights = order
    cursor = books[3]
    _take_events(day, state, books)
    _mark(day, state, fill)
    cursor[_FRESH] = number >= 0
    if number >= 0:
        state[2][:] = weights[number]
    if cursor[_FRESH] or cursor[_WAITING] > 0:
        _trade(day, state, fill, books)
        # Checked where orders are sized too: an equity used up at the open must not be traded into the close.
        if not day[EQUITY] > 0.0:
            return False
    if not fills_at_close:
        _mark(day, state, close)
    _sum_up(day, state)
    return day[EQUITY] > 0.0


@njit(cache=True)
def run(prices, orders, books, rates, initial_cash):  # type: ignore[no-untyped-def]
    """Run the account over all sessions; row 0 is the session before the first fill and nothing happens on it.

    `prices`: close and fill, each (n_sessions, n_symbols) with NaN for no bar, and whether fills happen at the close.
    `orders`: for each session the row of weights to fill, or -1; the weights, (n_orders, n_symbols).
    `books`: events (session, symbol, kind, value; sorted), and room for fills (session, symbol, shares, price, reason).
    `rates`: commission, half-spread, borrow a session, as fractions.
    Returns the daily account, the shares and the marks after each session, the number of fills, and the session on
    which the equity was used up (-1: never).
    """
    close, fill, fills_at_close = prices
    numbers, weights = orders
    n_sessions, n_symbols = close.shape
    account = np.zeros((n_sessions, N_COLUMNS))
    held = np.zeros((n_sessions, n_symbols))
    marked = np.full((n_sessions, n_symbols), np.nan)
    state = (np.zeros(n_symbols), np.full(n_symbols, np.nan), np.full(n_symbols, np.nan))
    cursor = np.zeros(5, dtype=np.int64)
    account[0, CASH] = initial_cash
    account[0, EQUITY] = initial_cash
    for session in range(1, n_sessions):
        cursor[_SESSION] = session
        day = account[session]
        day[BORROW] = abs(account[session - 1, SHORT]) * rates[2]
        day[CASH] = account[session - 1, CASH] - day[BORROW]
        today = (close[session], fill[session], fills_at_close)
        if not _run_session(day, state, today, (numbers[session], weights), (books[0], books[1], rates, cursor)):
            return account, held, marked, cursor[_FILL], session
        held[session] = state[0]
        marked[session] = state[1]
    return account, held, marked, cursor[_FILL], -1
