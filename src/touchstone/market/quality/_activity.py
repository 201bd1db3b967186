"""Prices that stand still too long, and prices that move without a trade."""

from __future__ import annotations

import numpy as np

from touchstone.market.quality._findings import Found, fields_of
from touchstone.market.quality._kernels import still_runs
from touchstone.market.quality._market import MarketContext
from touchstone.market.quality._sound import Sound
from touchstone.types import FloatArray, IntArray

__all__ = ["stale_runs", "zero_volume_moves"]

_SHORTEST_RANGES, _SHORTEST_CLOSES = 3, 5  # rows
_UNLIKELY = 1e-3  # chance of one such run in the life of the symbol
_STILL = 1e-6  # log; below, a price did not move


def stale_runs(sound: Sound) -> list[Found]:
    """Runs of rows with the same prices, and of rows with the same close on days with trades; one finding for a run, on its first row."""
    panel = sound.panel
    prices = fields_of(sound.raw, ("open", "high", "low", "close"))
    volume = fields_of(sound.raw, ("volume",)).get("volume")
    found = []
    covered = np.zeros(len(panel.rows), dtype=np.bool_)
    for names, shortest in ((tuple(prices), _SHORTEST_RANGES), (("close",), _SHORTEST_CLOSES)):
        if len(names) > 1 or shortest == _SHORTEST_CLOSES:
            values = np.stack([prices[name][panel.rows] for name in names], axis=1)
            firsts, lengths = still_runs(values, panel.starts, shortest, _UNLIKELY)
            firsts, lengths = _traded(firsts, lengths, None if volume is None else volume[panel.rows])
            new = ~covered[firsts]
            found.append(_stale(sound, firsts[new], lengths[new], ", ".join(names)))
            for first, length in zip(firsts, lengths, strict=True):
                covered[first : first + length] = True
    return found


def _traded(firsts: IntArray, lengths: IntArray, volume: FloatArray | None) -> tuple[IntArray, IntArray]:
    """Leave out runs without a trade: there the price cannot move."""
    if volume is None or not len(firsts):
        return firsts, lengths
    traded = np.array([volume[first + 1 : first + length].any() for first, length in zip(firsts, lengths, strict=True)])
    return firsts[traded], lengths[traded]


def _stale(sound: Sound, firsts: IntArray, lengths: IntArray, what: str) -> Found:
    rows = sound.panel.rows[firsts]
    observed = [f"the same {what} for {length} rows" for length in lengths]
    return Found("stale_run", rows, observed, ["prices that move"] * len(rows))


def zero_volume_moves(sound: Sound, context: MarketContext) -> list[Found]:
    """Closes that moved on a row without volume, of symbols that have some on most rows."""
    panel = sound.panel
    if "volume" not in sound.raw:
        return []
    volume = sound.raw["volume"].to_numpy()[panel.rows]
    at = np.flatnonzero(volume == 0.0)
    at = at[~np.isin(at, panel.starts)]
    none = np.bincount(panel.code[at], minlength=len(panel.starts) - 1)
    rare = 2 * none < np.diff(panel.starts)
    move = panel.close[at] - panel.close[at - 1]
    moved = rare[panel.code[at]] & (np.abs(move) > _STILL)
    at, move = at[moved], move[moved]
    observed = [f"{value:+.2%} on no volume" for value in np.expm1(move)]
    scores = np.abs(move) / context.scales(panel)[panel.code[at], panel.is_border[at].astype(np.int64)]
    return [Found("zero_volume_move", panel.rows[at], observed, ["volume > 0 on a move"] * len(at), scores)]
