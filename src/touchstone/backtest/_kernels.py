"""The loop over sessions, compiled: one account, its shares and their marks.

No fastmath: sums run in symbol order, so that the same inputs give the same bits.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from touchstone.backtest._books import Events, FillLog, Market, Orders, Rules, State
from touchstone.types import FloatArray, IntArray

__all__ = ["charge_all", "run"]

# Columns of the daily account.
CASH, LONG, SHORT, PRICE_PNL, DIVIDENDS, COMMISSION, SPREAD, BORROW, TRADED, N_POSITIONS, EQUITY = range(11)
SLIPPAGE, CASH_INTEREST, MARGIN_INTEREST, ASKED_TURNOVER, ASKED_LEVERAGE = range(11, 16)
N_COLUMNS = 16
# Kinds of events, in the order they take effect on one session; the last is no corporate action but the end of a symbol's bars.
SPLIT, DIVIDEND, DELISTING, BARS_ENDED = range(4)
# Why a fill is in the record.
REBALANCE, CARRIED, NO_BAR, BY_DELISTING, BY_BARS_ENDED, NO_LIQUIDITY, REDUCED = range(7)
# Slippage models.
NO_SLIPPAGE, SPREAD_PCT, PARTICIPATION_RATE, SQUARE_ROOT, VOLUME_SHARE = range(5)
# How the loop ended.
DONE, USED_UP, OVER_TURNOVER, OVER_LEVERAGE = range(4)
# Where the loop stands.
_SESSION, _WHY, _EVENT, _FILL, _WAITING = range(5)
# A limit is not broken by the last bits of a sum.
_ROUNDING = 1e-9


@njit(cache=True, nogil=True)
def _commission(rules: Rules, notional: float, change: float) -> float:
    commission = notional * rules.commission
    if rules.per_share > 0.0 or rules.minimum > 0.0:
        commission = max(commission + abs(change) * rules.per_share, rules.minimum)
    return commission


@njit(cache=True, nogil=True)
def _slippage(rules: Rules, change: float, half_spread: float, volume: float, volatility: float) -> float:
    """Fraction of the notional that a fill moves the price by; none where the bar has no volume to move."""
    if rules.slippage == NO_SLIPPAGE:
        return 0.0
    if rules.slippage == SPREAD_PCT:
        return rules.coefficient * 2.0 * half_spread
    if not volume > 0.0:
        return 0.0
    share = abs(change) / volume
    if rules.slippage == PARTICIPATION_RATE:
        return rules.coefficient * share
    if rules.slippage == SQUARE_ROOT:
        return rules.coefficient * volatility * float(share**rules.exponent)
    return rules.coefficient * share * share


@njit(cache=True, nogil=True)
def _at(panel: FloatArray, session: int, symbol: int, otherwise: float) -> float:
    """A value of a panel that may not be there."""
    if len(panel) > 0:
        return float(panel[session, symbol])
    return otherwise


@njit(cache=True, nogil=True)
def _take_events(
    day: FloatArray, state: State, half_spread: FloatArray, rules: Rules, events: Events, fills: FillLog, cursor: IntArray
) -> None:
    """Splits, dividends and closings of a session, on what was held over night.

    A closing ends the holding at its last mark times (1 + value); a delisting is no trade and costs nothing beside its value.
    """
    shares, marks, pending = state
    while cursor[_EVENT] < len(events.session) and events.session[cursor[_EVENT]] == cursor[_SESSION]:
        event = cursor[_EVENT]
        cursor[_EVENT] += 1
        symbol, kind, value = events.symbol[event], events.kind[event], events.value[event]
        if kind >= DELISTING:
            pending[symbol] = np.nan
        held = shares[symbol]
        if held == 0.0:
            continue
        if kind == SPLIT:
            shares[symbol] = held * value
            marks[symbol] /= value
            continue
        if kind == DIVIDEND:
            day[CASH] += held * value
            day[DIVIDENDS] += held * value
            continue
        price = marks[symbol] * (1.0 + value)
        day[PRICE_PNL] += held * (price - marks[symbol])
        commission, spread = 0.0, 0.0
        if kind == BARS_ENDED:
            notional = abs(held * price)
            commission = _commission(rules, notional, held)
            spread = notional * _at(half_spread, cursor[_SESSION], symbol, rules.half_spread)
            day[COMMISSION] += commission
            day[SPREAD] += spread
            day[TRADED] += notional
        day[CASH] -= -held * price + commission + spread
        shares[symbol] = 0.0
        row = cursor[_FILL]
        fills.session[row], fills.symbol[row], fills.shares[row], fills.price[row] = cursor[_SESSION], symbol, -held, price
        fills.reason[row] = BY_DELISTING if kind == DELISTING else BY_BARS_ENDED
        if len(fills.left) > 0:
            fills.left[row] = 0.0
        cursor[_FILL] = row + 1


@njit(cache=True, nogil=True)
def _value(day: FloatArray, state: State, prices: FloatArray) -> None:
    """Value every holding at the prices and sum up; a symbol without a bar keeps its last mark."""
    shares, marks, _ = state
    pnl, long, short, count = day[PRICE_PNL], 0.0, 0.0, 0
    for symbol in range(len(shares)):
        held = shares[symbol]
        price = prices[symbol]
        if not np.isnan(price):
            if held != 0.0:
                pnl += held * (price - marks[symbol])
            marks[symbol] = price
        if held > 0.0:
            long += held * marks[symbol]
            count += 1
        elif held < 0.0:
            short += held * marks[symbol]
            count += 1
    day[PRICE_PNL] = pnl
    day[LONG] = long
    day[SHORT] = short
    day[N_POSITIONS] = count
    day[EQUITY] = day[CASH] + (long + short)


@njit(cache=True, nogil=True)
def _weight_now(shares: float, mark: float, equity: float) -> float:
    """A symbol that was never held has no mark."""
    return shares * mark / equity if shares != 0.0 else 0.0


@njit(cache=True, nogil=True)
def _keep_turnover(day: FloatArray, state: State, rules: Rules) -> bool:
    """Shorten all orders of a decision alike when they trade too much of the equity. False when that is an error."""
    shares, marks, pending = state
    asked = 0.0
    for symbol in range(len(shares)):
        if not np.isnan(pending[symbol]):
            asked += abs(pending[symbol] - _weight_now(shares[symbol], marks[symbol], day[EQUITY]))
    if asked <= rules.turnover * (1.0 + _ROUNDING):
        return True
    day[ASKED_TURNOVER] = asked
    for symbol in range(len(shares)):
        if not np.isnan(pending[symbol]):
            now = _weight_now(shares[symbol], marks[symbol], day[EQUITY])
            pending[symbol] = now + (pending[symbol] - now) * (rules.turnover / asked)
    return rules.clip


@njit(cache=True, nogil=True)
def _keep_leverage(day: FloatArray, state: State, rules: Rules, cursor: IntArray) -> bool:
    """After the close, order a book that is too large back in proportion on the next session. False when that is an error."""
    gross = (day[LONG] - day[SHORT]) / day[EQUITY]
    if gross <= rules.leverage * (1.0 + _ROUNDING):
        return True
    day[ASKED_LEVERAGE] = gross
    for symbol in range(len(state.shares)):
        now = _weight_now(state.shares[symbol], state.marks[symbol], day[EQUITY])
        # A name that is not held gets 0: what waits for it would make the book larger, and is given up.
        state.pending[symbol] = now * (rules.leverage / gross)
    cursor[_WHY] = REDUCED
    cursor[_WAITING] += 1
    return rules.clip


@njit(cache=True, nogil=True)
def _in_lots(shares: float, lot: float) -> float:
    """Rounded towards zero, but for what is a whole lot up to rounding."""
    return float(np.trunc(shares / lot * (1.0 + 1e-12)) * lot)


@njit(cache=True, nogil=True)
def _obstacle(price: float, volume: float, volatility: float) -> int:
    """Why an order cannot be filled; REBALANCE when it can."""
    if np.isnan(price):
        return NO_BAR
    return REBALANCE if volume > 0.0 and not np.isnan(volatility) else NO_LIQUIDITY


@njit(cache=True, nogil=True)
def _reach(rules: Rules, held: float, target: float, volume: float) -> float:
    """What a session makes of a holding on its way to a target."""
    room = rules.cap * volume
    if abs(target - held) <= room:
        return target
    if rules.lot > 0.0:
        room = _in_lots(room, rules.lot)
    return held + room if target > held else held - room


@njit(cache=True, nogil=True)
def _trade(day: FloatArray, state: State, market: Market, rules: Rules, fills: FillLog, cursor: IntArray) -> None:
    """Bring every symbol with an order towards its weight of the equity at the fill prices, before costs."""
    shares, marks, pending = state
    session, why, row, waiting = cursor[_SESSION], cursor[_WHY], cursor[_FILL], 0
    equity, cash, commissions, spreads, slippages, traded = day[EQUITY], day[CASH], day[COMMISSION], day[SPREAD], 0.0, day[TRADED]
    for symbol in range(len(shares)):
        weight, held = pending[symbol], shares[symbol]
        if np.isnan(weight):
            continue
        if weight == 0.0 and held == 0.0:
            pending[symbol] = np.nan
            continue
        price = market.fill[session, symbol]
        volume, volatility = _at(market.volume, session, symbol, np.inf), _at(market.volatility, session - 1, symbol, 0.0)
        reason, change, left = _obstacle(price, volume, volatility), 0.0, np.nan
        if reason == REBALANCE:
            target = weight * equity / price
            if rules.lot > 0.0:
                target = _in_lots(target, rules.lot)
            new = _reach(rules, held, target, volume)
            change, left = new - held, target - new
            shares[symbol], marks[symbol] = new, price
            reason = why if change != 0.0 or left == 0.0 else NO_LIQUIDITY
        if change != 0.0:
            notional, half_spread = abs(change * price), _at(market.half_spread, session, symbol, rules.half_spread)
            commission, spread = _commission(rules, notional, change), notional * half_spread
            slippage = notional * _slippage(rules, change, half_spread, volume, volatility)
            cash -= change * price + commission + spread + slippage
            commissions, spreads, slippages, traded = commissions + commission, spreads + spread, slippages + slippage, traded + notional
        # A fill is recorded, and once for a decision that there was none.
        if change != 0.0 or (left != 0.0 and why == REBALANCE):
            fills.session[row], fills.symbol[row], fills.shares[row], fills.reason[row] = session, symbol, change, reason
            fills.price[row] = price if change != 0.0 else np.nan
            if len(fills.left) > 0:
                fills.left[row] = left
            row += 1
        if rules.carry and left != 0.0:
            waiting += 1
        else:
            pending[symbol] = np.nan
    cursor[_FILL], cursor[_WAITING] = row, waiting
    day[CASH], day[COMMISSION], day[SPREAD], day[SLIPPAGE], day[TRADED] = cash, commissions, spreads, slippages, traded


@njit(cache=True, nogil=True)
def _run_session(
    day: FloatArray, state: State, market: Market, orders: Orders, rules: Rules, events: Events, fills: FillLog, cursor: IntArray
) -> int:
    """One session: events, then the fills at the fill price, then the close. Anything but DONE ends the run."""
    session = cursor[_SESSION]
    number = orders.numbers[session]
    _take_events(day, state, market.half_spread, rules, events, fills, cursor)
    _value(day, state, market.fill[session])
    if number >= 0 or cursor[_WAITING] > 0:
        # Checked where orders are sized too: an equity used up at the open must not be traded into the close.
        if not day[EQUITY] > 0.0:
            return USED_UP
        if number >= 0:
            cursor[_WHY] = REBALANCE
            state.pending[:] = orders.weights[number]
            if rules.turnover < np.inf and not _keep_turnover(day, state, rules):
                return OVER_TURNOVER
        _trade(day, state, market, rules, fills, cursor)
    _value(day, state, market.close[session])
    if cursor[_WHY] == REBALANCE:
        cursor[_WHY] = CARRIED
    if not day[EQUITY] > 0.0:
        return USED_UP
    return DONE if rules.leverage == np.inf or _keep_leverage(day, state, rules, cursor) else OVER_LEVERAGE


@njit(cache=True, nogil=True)
def _over_night(day: FloatArray, before: FloatArray, state: State, borrow: FloatArray, rules: Rules, session: int) -> None:
    """What shorts and cash cost and earn since the last close."""
    fee = abs(before[SHORT]) * rules.borrow
    if len(borrow) > 0:
        fee = 0.0
        for symbol in range(len(state.shares)):
            if state.shares[symbol] < 0.0:
                fee -= state.shares[symbol] * state.marks[symbol] * borrow[session - 1, symbol]
    day[BORROW] = fee
    day[CASH_INTEREST] = max(before[CASH], 0.0) * rules.cash_rate
    day[MARGIN_INTEREST] = max(-before[CASH], 0.0) * rules.margin_rate
    day[CASH] = before[CASH] - fee + (day[CASH_INTEREST] - day[MARGIN_INTEREST])


@njit(cache=True, nogil=True)
def run(
    market: Market, orders: Orders, rules: Rules, events: Events, fills: FillLog, account: FloatArray, held: FloatArray, marked: FloatArray
) -> tuple[int, int, int]:
    """Run the account over all sessions; row 0 is the session before the first fill and nothing happens on it.

    Fills `account` from its row 1 on, `held` and `marked` (shares and marks after each session) and `fills`. Returns the number of
    fills, how the loop ended, and on which session.
    """
    n_sessions, n_symbols = market.close.shape
    state = State(np.zeros(n_symbols), np.full(n_symbols, np.nan), np.full(n_symbols, np.nan))
    cursor = np.zeros(5, dtype=np.int64)
    for session in range(1, n_sessions):
        cursor[_SESSION] = session
        day = account[session]
        _over_night(day, account[session - 1], state, market.borrow, rules, session)
        ended = _run_session(day, state, market, orders, rules, events, fills, cursor)
        if ended != DONE:
            return cursor[_FILL], ended, session
        held[session] = state.shares
        marked[session] = state.marks
    return cursor[_FILL], DONE, n_sessions - 1


@njit(cache=True, nogil=True)
def charge_all(market: Market, rules: Rules, fills: FillLog, out: FloatArray) -> None:
    """Commission, spread and slippage of every fill again; nothing for what is no trade."""
    for row in range(len(fills.session)):
        change, session, symbol = fills.shares[row], fills.session[row], fills.symbol[row]
        if change == 0.0 or fills.reason[row] == BY_DELISTING:
            continue
        notional, half_spread = abs(change * fills.price[row]), _at(market.half_spread, session, symbol, rules.half_spread)
        out[row, 0] = _commission(rules, notional, change)
        out[row, 1] = notional * half_spread
        if fills.reason[row] != BY_BARS_ENDED:
            volume, volatility = _at(market.volume, session, symbol, np.inf), _at(market.volatility, session - 1, symbol, 0.0)
            out[row, 2] = notional * _slippage(rules, change, half_spread, volume, volatility)
