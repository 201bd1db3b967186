"""Moves that are too large: bad prices come back, corporate actions leave a quiet gap, and what really happened stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from touchstone.market.quality._findings import Found, fields_of
from touchstone.market.quality._kernels import JUMP, REVERTING, SLIPPED, judge_moves
from touchstone.market.quality._market import MarketContext
from touchstone.market.quality._sound import Sound
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["judge_jumps"]

# Robust deviations: of the symbol over its life or, if larger, over the ten moves before and after, times the market's unrest.
_JUMP = 8.0
# What a jump that comes back needs, as `_reverts` says; over closes alone a real fall and recovery look the same as a bad price.
# In turn: strength of a wrong close, that of a wrong row, size, and what a deviation of volume adds to the square of the strength.
_NEEDS_WITH_OPENS = np.array([3.8, 6.0, 5.0, 3.0])
_NEEDS_OF_CLOSES = np.array([6.0, 6.0, 8.0, 3.0])
# New shares for an old one, and old ones for a new one.
_WHOLE_SPLITS = (2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 100.0)
_SMALL_SPLITS = (1.25, 4.0 / 3.0, 1.5, 2.5)  # told from news by the open and the volume alone
# A split's move is the ratio times an ordinary day: this many deviations, and at most this log or, if larger, this share of the move's.
_ORDINARY, _ORDINARY_MOST, _ORDINARY_SHARE = 3.0, 0.08, 0.1
# A gap is quiet when neither the money traded nor the day's range exceeds this many times their median of the neighbours.
_QUIET_MONEY, _QUIET_RANGE = 4.0, 3.0
_VERY_QUIET_MONEY = 2.0
_AROUND = 10


@dataclass(frozen=True, eq=False)
class _Jumps:
    """Moves of one verdict: rows of the panel, the rows they start from, and their sizes."""

    at: IntArray
    before: IntArray
    scores: FloatArray

    def where(self, mask: BoolArray) -> _Jumps:
        return _Jumps(self.at[mask], self.before[mask], self.scores[mask])


def judge_jumps(sound: Sound, context: MarketContext, is_stranger: BoolArray) -> list[Found]:
    """Tell prices that are wrong, actions that were not recorded and moves that happened apart."""
    panel = sound.panel
    size = len(panel.rows)
    verdict, score, before = np.zeros(size, dtype=np.int64), np.zeros(size), np.full(size, -1)
    market, unrest = context.at(panel.keys.times)
    needs = _NEEDS_WITH_OPENS if panel.has_opens else _NEEDS_OF_CLOSES
    scales = context.scales(panel)
    volume = sound.raw["volume"].to_numpy()[panel.rows] if "volume" in sound.raw else np.zeros(size)
    fixed = (panel.close, panel.open, volume, panel.starts, panel.bar, panel.is_border, scales, market, unrest, is_stranger)
    judge_moves(*fixed, _JUMP, needs, verdict, score, before)
    slipped, reverting, jumps = (_chosen(verdict == kind, before, score) for kind in (SLIPPED, REVERTING, JUMP))
    ratio = _split_ratios(sound, jumps)
    quiet = (ratio == 0.0) & _is_quiet_fall(sound, jumps)
    suspected = (ratio > 0.0) | quiet
    return [
        _wrong(sound, "scale_slip", slipped),
        _wrong(sound, "reverting_jump", reverting),
        _suspected(sound, jumps.where(suspected), ratio[suspected]),
        _moved(sound, jumps.where(~suspected)),
    ]


def _chosen(mask: BoolArray, before: IntArray, score: FloatArray) -> _Jumps:
    at = np.flatnonzero(mask)
    return _Jumps(at, before[at], score[at])


def _wrong(sound: Sound, check: str, jumps: _Jumps) -> Found:
    panel = sound.panel
    close = sound.raw["close"].to_numpy()[panel.rows[jumps.at]]
    level = close * np.exp(panel.close[jumps.before] - panel.close[jumps.at])
    observed = [f"close = {value:.10g}" for value in close]
    return Found(check, panel.rows[jumps.at], observed, [f"close near {value:.10g}" for value in level], jumps.scores)


def _moved(sound: Sound, jumps: _Jumps) -> Found:
    move = np.expm1(sound.panel.close[jumps.at] - sound.panel.close[jumps.before])
    observed = [f"{value:+.1%} in one move" for value in move]
    expected = [f"{_JUMP:.0f} robust deviations at most, not {score:.1f}" for score in jumps.scores]
    return Found("jump", sound.panel.rows[jumps.at], observed, expected, jumps.scores)


def _suspected(sound: Sound, jumps: _Jumps, ratio: FloatArray) -> Found:
    move = np.expm1(sound.panel.close[jumps.at] - sound.panel.close[jumps.before])
    observed = [f"{value:+.1%} overnight, no action on record" for value in move]
    expected = [f"a recorded split of {value:.4g}" if value else "a recorded spin-off or dividend" for value in ratio]
    return Found("suspected_action", sound.panel.rows[jumps.at], observed, expected, jumps.scores)


def _split_ratios(sound: Sound, jumps: _Jumps) -> FloatArray:
    """New shares for an old one that would make the move an ordinary one on an ordinary day; nought where no usual ratio does."""
    panel = sound.panel
    small = _SMALL_SPLITS if panel.has_opens and "volume" in sound.raw else ()
    usual = np.array([*_WHOLE_SPLITS, *(1.0 / split for split in _WHOLE_SPLITS), *small])
    move = panel.close[jumps.at] - panel.close[jumps.before]
    gap = panel.open[jumps.at] - panel.close[jumps.before]
    best = np.abs(move[:, None] + np.log(usual)).argmin(axis=1) if len(move) else np.empty(0, dtype=np.int64)
    log_ratio = -np.log(usual[best])
    near = _ordinary_move(move, jumps.scores)
    fits = (np.abs(move - log_ratio) <= near) & (np.abs(gap - log_ratio) <= near)
    return np.where(fits & _is_quiet(sound, jumps, _QUIET_MONEY), usual[best], 0.0)


def _ordinary_move(move: FloatArray, scores: FloatArray) -> FloatArray:
    """Largest move of an ordinary day, in logs, from a jump and its size in deviations."""
    return np.minimum(_ORDINARY * np.abs(move) / scores, np.maximum(_ORDINARY_SHARE * np.abs(move), _ORDINARY_MOST))


def _is_quiet_fall(sound: Sound, jumps: _Jumps) -> BoolArray:
    """Prices that fell overnight on an ordinary day, as when a part of the company was handed out; needs opens and volumes."""
    panel = sound.panel
    if not panel.has_opens or "volume" not in sound.raw:
        return np.zeros(len(jumps.at), dtype=np.bool_)
    move = panel.close[jumps.at] - panel.close[jumps.before]
    gap = panel.open[jumps.at] - panel.close[jumps.before]
    near = _ordinary_move(move, jumps.scores)
    return (move < 0.0) & (np.abs(move - gap) <= near) & _is_quiet(sound, jumps, _VERY_QUIET_MONEY)


def _is_quiet(sound: Sound, jumps: _Jumps, most_money: float) -> BoolArray:
    rows = sound.panel.rows
    fields = {name: values[rows] for name, values in fields_of(sound.raw, ("close", "high", "low", "volume")).items()}
    quiet = np.ones(len(jumps.at), dtype=np.bool_)
    if "volume" in fields:
        quiet &= _times_usual(sound, jumps, fields["close"] * fields["volume"]) <= most_money
    if "high" in fields and "low" in fields:
        quiet &= _times_usual(sound, jumps, np.log(fields["high"]) - np.log(fields["low"])) <= _QUIET_RANGE
    return quiet


def _times_usual(sound: Sound, jumps: _Jumps, values: FloatArray) -> FloatArray:
    """Value of each jump's row over the median of its neighbours' in the symbol; `values` by row of the panel."""
    panel = sound.panel
    first, end = (panel.starts[panel.code[jumps.at] + k] for k in range(2))
    times = np.empty(len(jumps.at))
    for k, (at, low, high) in enumerate(zip(jumps.at, first, end, strict=True)):
        around = np.r_[max(low, at - _AROUND) : at, at + 1 : min(high, at + 1 + _AROUND)]
        usual = np.median(values[around])
        times[k] = values[at] / usual if usual > 0.0 else np.inf
    return times
