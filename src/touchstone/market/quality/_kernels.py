"""Compiled loops of the quality checks over symbol-major panels: logs of prices, symbols one after the other, `starts` saying where.

Every symbol is judged by its own rows and by what is known of the whole market, never by another symbol of the same call: a market that is
handed over in blocks of symbols gets the same verdicts to the bit.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from touchstone.types import BoolArray, Float32Array, FloatArray, IntArray

__all__ = [
    "JUMP",
    "REVERTING",
    "SLIPPED",
    "bar_medians",
    "displaced_rows",
    "judge_moves",
    "matched_pairs",
    "moves_of",
    "own_scales",
    "running_shift",
    "still_runs",
]

JUMP, REVERTING, SLIPPED = 1, 2, 3
# Median absolute deviation to standard deviation, for the normal distribution.
_TO_DEVIATION = 1.4826
_FEWEST_MOVES = 10
_SMALLEST_SCALE = 1e-4
_NEIGHBOURS = 10  # moves before and after that say how volatile a symbol is just now
_FARTHEST = 5  # bars from a row to its neighbours; beyond, they say nothing about it
_SLIPS = np.log(np.array([10.0, 100.0, 1000.0]))
_LONGEST_SLIP = 5  # rows
_LOCAL_WEIGHT = 0.75
_STRONGEST = 7.0  # deviations: moves have fat tails, and beyond, a size proves nothing that volume could not outweigh
_ABSURD = 1.8  # log: no price goes and comes back by so much, however much is traded
_LEAST_SPREAD = 0.2  # of logs of volume: steadier volumes are taken to be no steadier


@njit(cache=True, nogil=True)
def _robust_scale(sizes: FloatArray) -> float:
    """Robust standard deviation of moves from their absolute sizes; NaN for too few; of those that moved if most did not."""
    if sizes.shape[0] < _FEWEST_MOVES:
        return np.nan
    middle = np.median(sizes)
    if middle <= 0.0:
        moved = sizes[sizes > 0.0]
        if moved.shape[0] < _FEWEST_MOVES:
            return np.nan
        middle = np.median(moved)
    return max(_TO_DEVIATION * middle, _SMALLEST_SCALE)


@njit(cache=True, nogil=True)
def own_scales(close: FloatArray, opened: FloatArray, starts: IntArray, is_border: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Robust scales of each symbol: of moves (columns: within sessions, across their border), and of gaps from a close to the next open."""
    n_symbols = starts.shape[0] - 1
    scale = np.full((n_symbols, 2), np.nan)
    gap = np.full(n_symbols, np.nan)
    for s in range(n_symbols):
        first, end = starts[s], starts[s + 1]
        if end - first < 2:
            continue
        moves = np.abs(close[first + 1 : end] - close[first : end - 1])
        across = is_border[first + 1 : end]
        scale[s, 0] = _robust_scale(moves[~across])
        scale[s, 1] = _robust_scale(moves[across])
        if np.isnan(scale[s, 1]):
            scale[s, 1] = scale[s, 0]
        gaps = np.abs(opened[first + 1 : end] - close[first : end - 1])
        # Where most bars open at the last close, the gaps that remain are nights and errors, and say nothing of the others.
        gap[s] = _robust_scale(gaps) if np.median(gaps) > 0.0 else scale[s, 0]
    return scale, gap


@njit(cache=True, nogil=True)
def running_shift(close: FloatArray, starts: IntArray, expected: FloatArray) -> FloatArray:
    """What to add to logs of prices so that expected moves vanish; an expectation that makes the move larger does not count."""
    shift = np.zeros(close.shape[0])
    for s in range(starts.shape[0] - 1):
        total = 0.0
        for t in range(starts[s] + 1, starts[s + 1]):
            if expected[t] != 0.0:
                move = close[t] - close[t - 1]
                if abs(move - expected[t]) < abs(move):
                    total -= expected[t]
            shift[t] = total
    return shift


@njit(cache=True, nogil=True)
def moves_of(close: FloatArray, starts: IntArray, bar: IntArray) -> Float32Array:
    """Moves between neighbouring bars; NaN at a symbol's first row and after a bar without a row."""
    moves = np.full(close.shape[0], np.nan, dtype=np.float32)
    for s in range(starts.shape[0] - 1):
        for t in range(starts[s] + 1, starts[s + 1]):
            if bar[t] == bar[t - 1] + 1:
                moves[t] = close[t] - close[t - 1]
    return moves


@njit(cache=True, nogil=True)
def bar_medians(moves: Float32Array, bounds: IntArray, fewest: int) -> tuple[FloatArray, FloatArray]:
    """Median and robust deviation of the moves of each bar, which stand between its bounds; NaN where they are fewer than `fewest`."""
    n_bars = bounds.shape[0] - 1
    middle = np.full(n_bars, np.nan)
    deviation = np.full(n_bars, np.nan)
    for b in range(n_bars):
        here = moves[bounds[b] : bounds[b + 1]].astype(np.float64)
        if here.shape[0] >= fewest:
            middle[b] = np.median(here)
            deviation[b] = _TO_DEVIATION * np.median(np.abs(here - middle[b]))
    return middle, deviation


@njit(cache=True, nogil=True)
def displaced_rows(
    close: FloatArray, opened: FloatArray, starts: IntArray, bar: IntArray, gap_scale: FloatArray, fewest: float, mean: float, apart: float
) -> tuple[IntArray, FloatArray]:
    """Rows that lie off both their neighbours in the same way, in scales of the symbol's gaps, and how far off (in logs)."""
    rows = []
    sizes = []
    for s in range(starts.shape[0] - 1):
        scale = gap_scale[s]
        for t in range(starts[s] + 1, starts[s + 1] - 1):
            before = opened[t] - close[t - 1]
            after = close[t] - opened[t + 1]
            least, most = min(abs(before), abs(after)), 0.5 * abs(before + after)
            if before * after <= 0.0 or least < fewest * scale or most < max(mean * scale, apart):
                continue
            if bar[t] - bar[t - 1] <= _FARTHEST and bar[t + 1] - bar[t] <= _FARTHEST:
                rows.append(t)
                sizes.append(0.5 * (before + after))
    return np.array(rows, dtype=np.int64), np.array(sizes, dtype=np.float64)


@njit(cache=True, nogil=True)
def _misfit(ends: FloatArray, refs: FloatArray, scale: FloatArray) -> float:
    """Squared distance of a row's open and close from the last close and the next open, in the scales of these two gaps."""
    before = (ends[0] - refs[0]) / scale[0]
    after = (ends[1] - refs[1]) / scale[1]
    misfit: float = before * before + after * after
    return misfit


@njit(cache=True, nogil=True)
def matched_pairs(bounds: IntArray, ends: FloatArray, refs: FloatArray, scale: FloatArray, better: float, worst: float) -> IntArray:
    """For each displaced row the one of the same bar it has changed places with, or -1; rows of a bar stand between its bounds.

    Two rows have changed places if each fits the other's neighbours: their misfit swapped is less than `better` times their misfit as they
    stand, and at most `worst`; and neither has a better partner.
    """
    partner = np.full(ends.shape[0], -1)
    lowest = np.full(ends.shape[0], np.inf)
    for b in range(bounds.shape[0] - 1):
        for i in range(bounds[b], bounds[b + 1]):
            for j in range(i + 1, bounds[b + 1]):
                swapped = _misfit(ends[i], refs[j], scale[j]) + _misfit(ends[j], refs[i], scale[i])
                stands = _misfit(ends[i], refs[i], scale[i]) + _misfit(ends[j], refs[j], scale[j])
                if swapped <= worst and swapped < better * stands and swapped < lowest[i] and swapped < lowest[j]:
                    for k in (i, j):
                        other = partner[k]
                        if other >= 0:
                            partner[other] = -1
                            lowest[other] = np.inf
                        lowest[k] = swapped
                    partner[i], partner[j] = j, i
    return partner


@njit(cache=True, nogil=True)
def _local_scale(close: FloatArray, first: int, end: int, t: int, is_border: BoolArray) -> float:
    """Robust deviation of the moves around a row, its own and the next one left out; nought for too few."""
    sizes = np.empty(2 * _NEIGHBOURS)
    count = 0
    for k in range(max(first + 1, t - _NEIGHBOURS), min(end, t + _NEIGHBOURS + 2)):
        if k != t and k != t + 1 and not is_border[k]:
            sizes[count] = abs(close[k] - close[k - 1])
            count += 1
    return _TO_DEVIATION * np.median(sizes[:count]) if count >= _NEIGHBOURS else 0.0


@njit(cache=True, nogil=True)
def _slip_length(close: FloatArray, base: float, t: int, end: int, scale: float) -> int:
    """Rows from `t` on that stand a power of ten off the level before, if the level then comes back; else nought."""
    for size in _SLIPS:
        for sign in (-1.0, 1.0):
            near = min(0.5, max(0.25, 5.0 * scale))
            if abs(close[t] - base - sign * size) > near:
                continue
            k = t
            while k < end and k - t <= _LONGEST_SLIP and abs(close[k] - base - sign * size) <= near:
                k += 1
            if k < end and k - t <= _LONGEST_SLIP and abs(close[k] - base) <= near:
                return k - t
    return 0


@njit(cache=True, nogil=True)
def _trading(volume: FloatArray, first: int, end: int, t: int, follows: int) -> float:
    """Robust deviations by which the logs of the volume of a row and of the next one lie above those around, added up.

    What happened is traded, when it goes and when it comes back; a wrong price is not.
    """
    around = np.empty(2 * _NEIGHBOURS)
    count = 0
    for k in range(max(first, t - _NEIGHBOURS), min(end, follows + _NEIGHBOURS)):
        if k != t and k != follows and volume[k] > 0.0 and count < 2 * _NEIGHBOURS:
            around[count] = np.log(volume[k])
            count += 1
    if count == 0:
        return 0.0
    usual = np.median(around[:count])
    spread = max(_TO_DEVIATION * np.median(np.abs(around[:count] - usual)), _LEAST_SPREAD)
    unusual = 0.0
    for k in (t, follows):
        if volume[k] > 0.0:
            unusual += max((np.log(volume[k]) - usual) / spread, 0.0)
    return unusual


@njit(cache=True, nogil=True)
def _strength(least: float, away: float, back: float, across: float, out: float, home: float) -> float:
    """How far off a row surely lies, in deviations of the ways out and home: its least distance, less what the distances differ by."""
    differ = 0.2 * abs(away - back) + 0.1 * abs(away - across)
    strength: float = least * np.sqrt(0.5 / out**2 + 0.5 / home**2) - differ / max(out, home)
    return strength


@njit(cache=True, nogil=True)
def _is_like(one: float, other: float, share: float) -> bool:
    """Whether two moves differ by no more than a share of the larger: a crash that half recovers does not come back."""
    like: bool = abs(one - other) <= share * max(abs(one), abs(other))
    return like


@njit(cache=True, nogil=True)
def _returns(away: float, part: float, back: float, across: float, out: float, home: float, need: float) -> bool:
    """Whether a jump comes back: `away`, `part` of it where the fault would lie, `back` over the next open, `across` over its close."""
    if away * back <= 0.0 or away * across <= 0.0 or not (_is_like(away, back, 0.4) and _is_like(away, across, 0.5)):
        return False
    least = min(abs(away), abs(back), part if away > 0.0 else -part)
    most = _STRONGEST if abs(away) < _ABSURD else np.inf
    returns: bool = min(_strength(least, away, back, across, out, home), most) >= need
    return returns


@njit(cache=True, nogil=True)
def _reverts(away: float, inside: float, back: float, across: float, scales: FloatArray, busy: float, needs: FloatArray) -> float:
    """Size of a jump that comes back, in scales; nought if it does not.

    `away` is the move to the close, `inside` the part of it since the row's own open, `back` the close over the next open, `across` the
    close over the next close; `scales` holds the deviations of the move to the row, of one within a session and of the move to the next
    row; `busy` is what `_trading` says. `needs` holds the least strength of a wrong close, of a row that is wrong as a whole, the least
    size, and by how much a deviation of volume raises the square of the strength. A close that is wrong on the first bar of a session
    is told from the open: the night before has nothing to do with it.
    """
    since = inside if scales[0] != scales[1] else away
    close_is_wrong = _returns(since, inside, back, across, scales[1], scales[2], np.sqrt(needs[0] ** 2 + needs[3] * busy))
    row_is_wrong = _returns(away, away - inside, back, across, scales[0], scales[2], np.sqrt(needs[1] ** 2 + needs[3] * busy))
    if close_is_wrong:
        size = 0.5 * (abs(since) + abs(back)) / scales[1]
    elif row_is_wrong:
        size = 0.5 * (abs(away) + abs(back)) / max(scales[0], scales[2])
    else:
        return 0.0
    return size if size >= needs[2] else 0.0


@njit(cache=True, nogil=True)
def _calm_scale(own: float, local: float) -> float:
    """Deviation that a move is measured by: near the local one where that is larger, near the symbol's own where it is not."""
    scale: float = own * max(local / own, 1.0) ** _LOCAL_WEIGHT
    return scale


@njit(cache=True, nogil=True)
def _market_since(market: FloatArray, bar: int, until: int) -> float:
    """Move of the market after a bar, added up anew each time: running sums would depend on where a block of symbols begins."""
    total = 0.0
    for k in range(bar + 1, until + 1):
        total += market[k]
    return total


@njit(cache=True, nogil=True)
def _noises(scales: FloatArray, opens: bool, closes: bool, unrest: float, local: float) -> FloatArray:
    """Deviations of the move to a row, of one within a session and of the move to the next row; a session may open or close there."""
    inner = scales[0] * unrest
    calm = _calm_scale(inner, local) / inner
    noises: FloatArray = np.array([scales[1 if opens else 0], scales[0], scales[1 if closes else 0]]) * (unrest * calm)
    return noises


@njit(cache=True, nogil=True)
def judge_moves(
    close: FloatArray,
    opened: FloatArray,
    volume: FloatArray,
    starts: IntArray,
    bar: IntArray,
    is_border: BoolArray,
    scales: FloatArray,
    market: FloatArray,
    unrest: FloatArray,
    skipped: BoolArray,
    least_jump: float,
    needs: FloatArray,
    verdict: IntArray,
    score: FloatArray,
    before: IntArray,
) -> None:
    """Judge the move to each row from the last row that stands.

    `market` and `unrest` hold the market's move and how much more than usual symbols differ, by bar; `volume` is nought where none is
    known; `verdict`, `score` and `before` (the row that the move starts from) are filled.
    """
    least = min(least_jump, needs[:3].min())
    for s in range(starts.shape[0] - 1):
        first, end = starts[s], starts[s + 1]
        last = -1
        t = first
        while t < end:
            if skipped[t] or last < 0:
                last = last if skipped[t] else t
                t += 1
                continue
            before[t] = last
            own = scales[s, 1 if is_border[t] else 0] * unrest[bar[t]]
            away = close[t] - close[last] - _market_since(market, bar[last], bar[t])
            inside = close[t] - opened[t]
            is_large = abs(away) >= least * own or (is_border[t] and abs(inside) >= least * scales[s, 0] * unrest[bar[t]])
            # A slip is one where every symbol has it, too: no market moves by so much.
            if not is_large and abs(close[t] - close[last]) < _ABSURD:
                last = t
                t += 1
                continue
            local = _local_scale(close, first, end, t, is_border)
            gap = min(bar[t] - bar[last], _FARTHEST)
            follows = t + 1
            while follows < end and skipped[follows]:
                follows += 1
            if follows < end and bar[t] - bar[last] <= _FARTHEST and bar[follows] - bar[t] <= _FARTHEST:
                scale = _calm_scale(own, local)
                length = _slip_length(close, close[last], t, end, scale)
                if length > 0:
                    verdict[t : t + length] = SLIPPED
                    score[t : t + length] = abs(away) / scale
                    before[t : t + length] = last
                    t += length
                    continue
                across = close[t] - close[follows] + _market_since(market, bar[t], bar[follows])
                noise = _noises(scales[s], is_border[t], is_border[follows], max(unrest[bar[t]], unrest[bar[follows]]), local)
                busy = _trading(volume, first, end, t, follows)
                size = _reverts(away, inside, close[t] - opened[follows], across, noise, busy, needs)
                if size > 0.0:
                    verdict[t] = REVERTING
                    score[t] = size
                    t += 1
                    continue
            size = abs(away) / (max(own, local) * np.sqrt(float(gap)))
            if size >= least_jump:
                verdict[t] = JUMP
                score[t] = size
            last = t
            t += 1


@njit(cache=True, nogil=True)
def still_runs(values: FloatArray, starts: IntArray, shortest: int, unlikely: float) -> tuple[IntArray, IntArray]:
    """First row and length of runs of equal rows (all columns) that are too long for the symbol.

    With a share `p` of a symbol's steps that are still, a run of `n` rows is found when it is at least `shortest` and the chance of one so
    long, at most (number of rows) ``p ** (n - 1)``, is below `unlikely`; `p` leaves out the run itself.
    """
    firsts = []
    lengths = []
    for s in range(starts.shape[0] - 1):
        first, end = starts[s], starts[s + 1]
        n_still = 0
        for t in range(first + 1, end):
            if (values[t] == values[t - 1]).all():
                n_still += 1
        t = first
        while t < end:
            k = t + 1
            while k < end and (values[k] == values[t]).all():
                k += 1
            if k - t >= shortest:
                usual = (n_still - (k - t - 1) + 1.0) / (end - first - (k - t - 1) + 1.0)
                if (end - first) * usual ** (k - t - 1) < unlikely:
                    firsts.append(t)
                    lengths.append(k - t)
            t = k
    return np.array(firsts, dtype=np.int64), np.array(lengths, dtype=np.int64)
