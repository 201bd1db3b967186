"""Rows that a symbol has twice, on different dates: a row that a vendor stamped with another session."""

from __future__ import annotations

import numpy as np

from touchstone.market.quality._findings import Found, fields_of
from touchstone.market.quality._kernels import displaced_rows
from touchstone.market.quality._sound import Sound
from touchstone.types import BoolArray, IntArray

__all__ = ["repeated_rows", "row_prints"]

_PRICES = ("open", "high", "low", "close")
_FEWEST_FIELDS = 3  # prices; closes alone are often equal
# A row does not fit where it stands when it lies off both neighbours by at least this, and by this on average, in robust deviations of
# overnight moves.
_DISPLACED, _DISPLACED_MEAN = 2.0, 4.0


def row_prints(sound: Sound) -> np.ndarray | None:
    """32 bits for prices and volume of each row of the panel, nought without a trade; None where there is no volume or too few prices.

    Of two symbols prices alone say little: those of cheap shares take few values and are often equal.
    """
    if "volume" not in sound.raw or len(fields_of(sound.raw, _PRICES)) < _FEWEST_FIELDS:
        return None
    volume = sound.raw["volume"].to_numpy()[sound.panel.rows]
    return np.where(volume > 0.0, _prints(sound, (*_PRICES, "volume")), np.uint32(0))


def _price_prints(sound: Sound) -> np.ndarray | None:
    """32 bits for the prices of each row of the panel; None for too few fields."""
    return _prints(sound, _PRICES) if len(fields_of(sound.raw, _PRICES)) >= _FEWEST_FIELDS else None


def _prints(sound: Sound, names: tuple[str, ...]) -> np.ndarray:
    """32 bits for some fields of each row of the panel: equal rows have equal ones, others hardly ever."""
    mixed = np.zeros(len(sound.panel.rows), dtype=np.uint64)
    for values in fields_of(sound.raw, names).values():
        mixed = (mixed ^ values[sound.panel.rows].view(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return (mixed >> np.uint64(32)).astype(np.uint32)


def repeated_rows(sound: Sound) -> tuple[list[Found], BoolArray]:
    """Rows that fit another date of their symbol and not their own; rows that repeat one and fit both; where the first kind stands."""
    panel = sound.panel
    is_traveller = np.zeros(len(panel.rows), dtype=np.bool_)
    prints = _price_prints(sound)
    if prints is None:
        return [], is_traveller
    earlier, later = _pairs(sound, prints)
    is_off = _displaced(sound)
    wrong = np.concatenate([earlier[is_off[earlier] & ~is_off[later]], later[is_off[later] & ~is_off[earlier]]])
    right = np.concatenate([later[is_off[earlier] & ~is_off[later]], earlier[is_off[later] & ~is_off[earlier]]])
    wrong, first = np.unique(wrong, return_index=True)
    is_traveller[wrong] = True
    both_fit = ~is_off[earlier] & ~is_off[later] & _same_volume(sound, earlier, later)
    return [_travelled(sound, wrong, right[first]), _repeated(sound, later[both_fit], earlier[both_fit])], is_traveller


def _pairs(sound: Sound, prints: np.ndarray) -> tuple[IntArray, IntArray]:
    """Rows of the panel with the same prices in the same symbol, the earlier one and the next; a row without a range tells nothing."""
    panel = sound.panel
    key = panel.code.astype(np.uint64) << np.uint64(32) | prints
    order = np.argsort(key, kind="stable")
    again = np.flatnonzero(key[order[1:]] == key[order[:-1]])
    earlier, later = order[again], order[again + 1]
    prices = np.stack(list(fields_of(sound.raw, _PRICES).values()))
    one, other = prices[:, panel.rows[earlier]], prices[:, panel.rows[later]]
    same = (one == other).all(axis=0) & (one.max(axis=0) > one.min(axis=0))
    return earlier[same], later[same]


def _displaced(sound: Sound) -> BoolArray:
    panel = sound.panel
    is_off = np.zeros(len(panel.rows), dtype=np.bool_)
    # Nothing lies off in a symbol with too few rows to say how it moves.
    scale = np.where(np.isfinite(panel.gap_scale), panel.gap_scale, np.inf)
    is_off[displaced_rows(panel.close, panel.open, panel.starts, panel.bar, scale, _DISPLACED, _DISPLACED_MEAN, 0.0)[0]] = True
    return is_off


def _same_volume(sound: Sound, earlier: IntArray, later: IntArray) -> BoolArray:
    if "volume" not in sound.raw:
        return np.zeros(len(earlier), dtype=np.bool_)
    volume, rows = sound.raw["volume"].to_numpy(), sound.panel.rows
    same: BoolArray = (volume[rows[earlier]] == volume[rows[later]]) & (volume[rows[later]] > 0.0)
    return same


def _travelled(sound: Sound, wrong: IntArray, right: IntArray) -> Found:
    panel = sound.panel
    close = sound.raw["close"].to_numpy()[panel.rows[wrong]]
    size = np.abs(panel.close[wrong] - panel.close[wrong - 1])
    observed = [f"close = {value:.10g}, the row of {_date(sound, row)}" for value, row in zip(close, right, strict=True)]
    expected = [f"close near {value:.10g}" for value in close * np.exp(panel.close[wrong - 1] - panel.close[wrong])]
    return Found("time_travel", panel.rows[wrong], observed, expected, size / panel.scale[panel.code[wrong], 0])


def _repeated(sound: Sound, later: IntArray, earlier: IntArray) -> Found:
    observed = [f"prices and volume of {_date(sound, row)}" for row in earlier]
    return Found("repeated_row", sound.panel.rows[later], observed, ["a row of its own"] * len(later))


def _date(sound: Sound, row: int) -> str:
    return f"{sound.keys.times[sound.panel.bar[row]]:%Y-%m-%d %H:%M}".replace(" 00:00", "")
