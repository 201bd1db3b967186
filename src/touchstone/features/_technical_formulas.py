"""The formulas of the technical indicators, as TA-Lib has them, over lines of a symbol's own bars.

Where TA-Lib gives a number in units of the price or of the volume, it is brought to a fraction, so that symbols compare. Where TA-Lib
answers 0 to a division by zero (nothing moved, nothing was traded), there is no value; only DI and DX are 0 then: no direction.
"""

from __future__ import annotations

import numpy as np

from touchstone.features import _technical_lines as lines
from touchstone.features._technical_lines import Line, combine, ratio
from touchstone.types import FloatArray

__all__ = [
    "accumulation",
    "aroon_down",
    "aroon_oscillator",
    "aroon_up",
    "average_directional_index",
    "average_true_range",
    "bollinger_position",
    "bollinger_width",
    "chaikin_oscillator",
    "commodity_channel",
    "directional",
    "exponential_distance",
    "macd",
    "macd_histogram",
    "macd_signal",
    "mean_distance",
    "money_flow",
    "on_balance",
    "rate_of_change",
    "relative_strength",
    "stochastic",
    "stochastic_strength",
    "trix",
    "true_range",
    "ultimate",
    "williams",
]

# Spans of prices and of their indicators below this share of the level are rounding, not moves.
_STILL = 1e-10


def relative_strength(close: Line, period: int) -> Line:
    """RSI, 0 to 100 (Wilder 1978)."""
    moves = lines.change(close)
    rise = lines.wilder(combine(lambda move: np.maximum(move, 0.0), moves), period)
    fall = lines.wilder(combine(lambda move: np.maximum(-move, 0.0), moves), period)
    return combine(lambda up, down: 100.0 * ratio(up, up + down), rise, fall)


def stochastic_strength(close: Line, period: int) -> Line:
    """Where RSI stands between its lowest and highest of the same number of bars, 0 to 100 (Chande and Kroll 1994)."""
    strength = relative_strength(close, period)
    return combine(_position, strength, lines.lowest(strength, period), lines.highest(strength, period))


def macd(close: Line, fast: int, slow: int) -> Line:
    """MACD over the close (Appel 1979)."""
    return combine(ratio, _macd(close, fast, slow), close)


def macd_signal(close: Line, fast: int, slow: int, smoothing: int) -> Line:
    """Exponential mean of MACD, over the close."""
    return combine(ratio, lines.exponential(_macd(close, fast, slow), smoothing), close)


def macd_histogram(close: Line, fast: int, slow: int, smoothing: int) -> Line:
    """MACD less its signal, over the close."""
    line = _macd(close, fast, slow)
    return combine(lambda macd, signal, price: ratio(macd - signal, price), line, lines.exponential(line, smoothing), close)


def _macd(close: Line, fast: int, slow: int) -> Line:
    # Both means begin at the same bar: the fast one is seeded with the bars just before it.
    late = Line(close.values, slow - fast, close.settled)
    return combine(np.subtract, lines.exponential(late, fast), lines.exponential(close, slow))


def trix(close: Line, period: int) -> Line:
    """Change of a mean of a mean of a mean of the close, as a fraction (Hutson 1983)."""
    share = 2.0 / (period + 1.0)

    def single(memory: int) -> Line:
        return lines.exponential(close, period, memory=memory)

    def double(memory: int) -> Line:
        return lines.chained(single, period, share=share, memory=memory)

    triple = lines.chained(double, period, share=share, memory=lines.memory_of(1.0 - share))
    return rate_of_change(triple, 1)


def rate_of_change(line: Line, period: int) -> Line:
    """Change over a number of bars, as a fraction."""
    return combine(lambda now, then: ratio(now, then) - 1.0, line, lines.earlier(line, period))


def mean_distance(close: Line, period: int) -> Line:
    """Close over its mean, less 1."""
    return combine(lambda price, mean: ratio(price, mean) - 1.0, close, lines.moving_mean(close, period))


def exponential_distance(close: Line, period: int) -> Line:
    """Close over its exponential mean, less 1."""
    return combine(lambda price, mean: ratio(price, mean) - 1.0, close, lines.exponential(close, period))


def bollinger_position(close: Line, period: int, width: float) -> Line:
    """Where the close stands between the bands: 0 on the lower, 1 on the upper (Bollinger 1983)."""
    mean, deviation = lines.moving_mean(close, period), lines.standard_deviation(close, period)
    return combine(lambda price, middle, unit: 0.5 + ratio(price - middle, 2.0 * width * _or_none(unit, middle)), close, mean, deviation)


def bollinger_width(close: Line, period: int, width: float) -> Line:
    """Distance of the bands, over their middle."""
    mean, deviation = lines.moving_mean(close, period), lines.standard_deviation(close, period)
    return combine(lambda middle, unit: ratio(2.0 * width * unit, middle), mean, deviation)


def true_range(high: Line, low: Line, close: Line) -> Line:
    """Range of the bar, the previous close included, over the close."""
    return combine(ratio, _true_range(high, low, close), close)


def average_true_range(high: Line, low: Line, close: Line, period: int) -> Line:
    """Wilder's mean of the true range, over the close (Wilder 1978)."""
    return combine(ratio, lines.wilder(_true_range(high, low, close), period), close)


def _true_range(high: Line, low: Line, close: Line) -> Line:
    return combine(lambda top, floor, before: np.maximum(top, before) - np.minimum(floor, before), high, low, lines.earlier(close, 1))


def stochastic(high: Line, low: Line, close: Line, *periods: int) -> Line:
    """%K over the first period, 0 to 100; each further period takes a mean: slow %K, then %D (Lane 1984)."""
    line = combine(_position, close, lines.lowest(low, periods[0]), lines.highest(high, periods[0]))
    for period in periods[1:]:
        line = lines.moving_mean(line, period)
    return line


def williams(high: Line, low: Line, close: Line, period: int) -> Line:
    """%R, -100 to 0 (Williams 1973)."""
    return combine(lambda k: k - 100.0, stochastic(high, low, close, period))


def _position(value: FloatArray, lowest: FloatArray, highest: FloatArray) -> FloatArray:
    return 100.0 * ratio(value - lowest, _or_none(highest - lowest, highest))


def _or_none(move: FloatArray, level: FloatArray) -> FloatArray:
    """Zero where a move is rounding."""
    return np.where(np.abs(move) > _STILL * np.abs(level), move, 0.0)


def commodity_channel(high: Line, low: Line, close: Line, period: int) -> Line:
    """CCI: typical price less its mean, over 0.015 of its mean absolute deviation (Lambert 1980)."""
    typical = _typical(high, low, close)
    mean, deviation = lines.moving_mean(typical, period), lines.mean_deviation(typical, period)
    return combine(lambda price, middle, unit: ratio(price - middle, 0.015 * _or_none(unit, middle)), typical, mean, deviation)


def _typical(high: Line, low: Line, close: Line) -> Line:
    return combine(lambda top, floor, last: (top + floor + last) / 3.0, high, low, close)


def directional(high: Line, low: Line, close: Line, period: int, sign: int) -> Line:
    """+DI or -DI, 0 to 100 (Wilder 1978)."""
    memory = lines.memory_of(1.0 - 1.0 / period)
    moved = lines.wilder_sum(_moved(high, low, sign), period, memory)
    ranged = lines.wilder_sum(_true_range(high, low, close), period, memory)
    return combine(lambda move, span: 100.0 * _or_zero(move, span), moved, ranged)


def average_directional_index(high: Line, low: Line, period: int) -> Line:
    """ADX: Wilder's mean of how far +DI and -DI differ, 0 to 100 (Wilder 1978)."""
    up, down = _moved(high, low, 1), _moved(high, low, -1)

    def index(memory: int) -> Line:
        # The sums of true ranges would cancel.
        sums = (lines.wilder_sum(move, period, memory) for move in (up, down))
        return combine(lambda rise, fall: 100.0 * _or_zero(np.abs(rise - fall), rise + fall), *sums)

    return lines.chained(index, period, share=1.0 / period, memory=lines.memory_of(1.0 - 1.0 / period))


def _moved(high: Line, low: Line, sign: int) -> Line:
    """How far the bar reached beyond the last one, on the side where it reached further."""
    rise, fall = lines.change(high), combine(np.negative, lines.change(low))
    ours, other = (rise, fall) if sign > 0 else (fall, rise)
    return combine(lambda one, two: np.where((one > 0.0) & (one > two), one, 0.0), ours, other)


def _or_zero(above: FloatArray, below: FloatArray) -> FloatArray:
    # A comparison with NaN is true: what is missing stays missing.
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0.0)


def aroon_up(high: Line, period: int) -> Line:
    """How near the high of the last ``period + 1`` bars is, 0 to 100 (Chande 1995)."""
    return combine(lambda bars: 100.0 * (period - bars) / period, lines.since(lines.highest(high, period + 1), high, period + 1))


def aroon_down(low: Line, period: int) -> Line:
    """How near the low of the last ``period + 1`` bars is, 0 to 100."""
    return combine(lambda bars: 100.0 * (period - bars) / period, lines.since(lines.lowest(low, period + 1), low, period + 1))


def aroon_oscillator(high: Line, low: Line, period: int) -> Line:
    """Aroon up less Aroon down, -100 to 100."""
    return combine(np.subtract, aroon_up(high, period), aroon_down(low, period))


def ultimate(high: Line, low: Line, close: Line, *periods: int) -> Line:
    """Buying pressure over true range, over three windows weighted 4, 2 and 1, 0 to 100 (Williams 1985)."""
    pressure = combine(lambda last, floor, before: last - np.minimum(floor, before), close, low, lines.earlier(close, 1))
    span = _true_range(high, low, close)
    shares = [combine(ratio, lines.moving_sum(pressure, period), lines.moving_sum(span, period)) for period in periods]
    return combine(lambda short, middle, long: 100.0 * (4.0 * short + 2.0 * middle + long) / 7.0, *shares)


def money_flow(high: Line, low: Line, close: Line, volume: Line, period: int) -> Line:
    """MFI: RSI's idea on typical price times volume, over a window, 0 to 100 (Quong and Soudack 1989)."""
    typical = _typical(high, low, close)
    moves, flow = combine(_or_none, lines.change(typical), typical), combine(np.multiply, typical, volume)
    up = lines.moving_sum(combine(lambda move, money: np.where(move > 0.0, money, 0.0), moves, flow), period)
    down = lines.moving_sum(combine(lambda move, money: np.where(move < 0.0, money, 0.0), moves, flow), period)
    return combine(lambda gained, lost: 100.0 * ratio(gained, gained + lost), up, down)


def on_balance(close: Line, volume: Line, period: int) -> Line:
    """Change of OBV over the window, over the volume traded in it, -1 to 1 (Granville 1963).

    OBV itself adds up since the first bar, wherever that is: its level says nothing, and no window holds it.
    """
    signed = combine(lambda move, traded: np.sign(move) * traded, lines.change(close), volume)
    return combine(ratio, lines.moving_sum(signed, period), lines.moving_sum(volume, period))


def accumulation(high: Line, low: Line, close: Line, volume: Line, period: int) -> Line:
    """Change of the accumulation/distribution line over the window, over its volume, -1 to 1: Chaikin's money flow.

    The line itself adds up since the first bar, like OBV.
    """
    return combine(ratio, lines.moving_sum(_accumulated(high, low, close, volume), period), lines.moving_sum(volume, period))


def chaikin_oscillator(high: Line, low: Line, close: Line, volume: Line, *periods: int) -> Line:
    """Fast less slow exponential mean of the accumulation/distribution line, over the mean volume of the slow period.

    The level of the line cancels: what is left is a sum of its changes, each weighted by how much more the slow mean lags behind it.
    """
    fast, slow = periods
    flow = _accumulated(high, low, close, volume)
    lead = combine(np.subtract, lines.lag_of_mean(flow, slow), lines.lag_of_mean(flow, fast))
    return combine(ratio, lead, lines.moving_mean(volume, slow))


def _accumulated(high: Line, low: Line, close: Line, volume: Line) -> Line:
    """Volume by where the close stands in the bar's range; a bar without a range adds nothing."""
    return combine(lambda top, floor, last, traded: _or_zero((last - floor) - (top - last), top - floor) * traded, high, low, close, volume)
