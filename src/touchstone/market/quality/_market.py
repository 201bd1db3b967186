"""What a row's verdict takes from the other symbols: how the market moved, and whose row it may be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchstone.market._calendar import DAILY
from touchstone.market.quality._findings import Found
from touchstone.market.quality._kernels import bar_medians, displaced_rows, matched_pairs, moves_of
from touchstone.market.quality._panel import Panel
from touchstone.market.quality._repeats import row_prints
from touchstone.market.quality._sound import Sound
from touchstone.types import BoolArray, Float32Array, FloatArray, IntArray

__all__ = ["MarketContext", "other_symbol"]

# Of fewer symbols the median move is as likely one of them as the market's.
_FEWEST_SYMBOLS = 8
# With this many the deviation among them says as much about the market as about themselves.
_FEW_SYMBOLS = 25.0
# A row is looked at when it lies off both neighbours by at least this, and by this on average, in robust deviations of overnight moves ...
_DISPLACED, _DISPLACED_MEAN = 2.0, 3.0
# ... and by this in logs: nobody can tell the rows of symbols apart that trade nearly at one price ...
_APART = 0.14
# ... has changed places if the misfit falls below this share, and to five deviations at most at each of its four ends ...
_BETTER, _WORST = 0.2, 100.0
# ... and is a copy, if another symbol's row is the same to the last digit and it lies off by this much.
_COPY_MEAN = 6.0
_USUAL_SCALE = 0.02  # where no symbol has enough moves


@dataclass(frozen=True, eq=False)
class MarketContext:
    """What the checks must know of the whole market, so that blocks of symbols get the verdicts they would get together.

    While it is built it keeps 12 bytes for each row, and 16 at the end; afterwards it holds nothing by row.

    Attributes
    ----------
    dates : DatetimeIndex
        Bars with at least eight symbols that moved from the bar before.
    move : array
        Median move (log) of these symbols, by date.
    unrest : array
        Robust deviation of their moves over its median over time, at least 1, by date; the first bars of sessions are a kind of their own.
    scale : array, (2,)
        Median over symbols of the robust deviation of their moves, within sessions and across their border: for symbols with few rows.
    strangers : DataFrame
        ``symbol, date, other, size``: rows that belong to another symbol, and how far off they lie (log).
    """

    dates: pd.DatetimeIndex
    move: FloatArray
    unrest: FloatArray
    scale: FloatArray
    strangers: pd.DataFrame

    @classmethod
    def build(
        cls, blocks: Iterable[pd.DataFrame], *, calendar: str, timeframe: str = DAILY, actions: pd.DataFrame | None = None
    ) -> MarketContext:
        """Go through raw bars once.

        A bar's `move` is known at the bar, a stranger at the next one; `scale` and `unrest` are relative to the whole time.

        Parameters
        ----------
        blocks : iterable of DataFrame, index (date, symbol)
            Raw bars. All rows of a symbol stand in one block, in the source's order.
        calendar, timeframe, actions
            As `check` takes them.

        Raises
        ------
        ConfigError
            Unknown calendar or timeframe.
        """
        return cls.of(_Share.of(Sound.of(block, calendar, timeframe, actions)) for block in blocks if len(block))

    @classmethod
    def of_one(cls, sound: Sound) -> MarketContext:
        """The context of bars that are the whole market."""
        return cls.of([_Share.of(sound)])

    @classmethod
    def of(cls, shares: Iterable[_Share]) -> MarketContext:
        """Put the shares of all blocks together."""
        kept = list(shares)
        dates = pd.DatetimeIndex(np.unique(np.concatenate([share.times.to_numpy() for share in kept])) if kept else [], name="date")
        for share in kept:
            share.number(dates)
        moves, bounds = _by_bar(kept, len(dates))
        middle, deviation = bar_medians(moves, bounds, _FEWEST_SYMBOLS)
        known = np.isfinite(middle)
        return cls(
            dates=dates[known],
            move=middle[known],
            unrest=_unrest(deviation[known], np.diff(bounds)[known], _opening(kept, dates)[known]),
            scale=_usual_scale(kept),
            strangers=_strangers(kept, dates),
        )

    def at(self, times: pd.DatetimeIndex) -> tuple[FloatArray, FloatArray]:
        """Move and unrest at other bars; 0 and 1 where nothing is known."""
        place = self.dates.get_indexer(times)
        known = place >= 0
        move, unrest = np.zeros(len(times)), np.ones(len(times))
        move[known], unrest[known] = self.move[place[known]], self.unrest[place[known]]
        return move, unrest

    def scales(self, panel: Panel) -> FloatArray:
        """Robust deviations of a panel's symbols, the market's usual one for those with few moves; (n_symbols, 2)."""
        return np.where(np.isfinite(panel.scale), panel.scale, self.scale)


@dataclass(eq=False)
class _Share:
    """What one block says about the market, by row of its panel, and its displaced rows."""

    times: pd.DatetimeIndex
    is_opening: BoolArray
    symbols: pd.Index
    starts: IntArray
    scale: FloatArray
    bar: np.ndarray
    move: Float32Array
    prints: np.ndarray | None
    displaced: pd.DataFrame
    ends: FloatArray
    refs: FloatArray
    noises: FloatArray

    @classmethod
    def of(cls, sound: Sound) -> _Share:
        panel = sound.panel
        gap_scale = np.where(np.isfinite(panel.gap_scale), panel.gap_scale, _USUAL_SCALE)
        rows, sizes = displaced_rows(panel.close, panel.open, panel.starts, panel.bar, gap_scale, _DISPLACED, _DISPLACED_MEAN, _APART)
        logs = np.log(sound.raw["close"].to_numpy()[panel.rows[rows]])
        shift = panel.close[rows] - logs
        code = panel.code[rows]
        prints = row_prints(sound)
        displaced = pd.DataFrame(
            {
                "bar": panel.bar[rows],
                "symbol": sound.keys.symbols[code],
                "size": sizes,
                "scale": gap_scale[code],
                "print": np.zeros(len(rows), dtype=np.uint32) if prints is None else prints[rows],
            }
        )
        return cls(
            times=sound.keys.times,
            is_opening=panel.is_opening,
            symbols=sound.keys.symbols,
            starts=panel.starts,
            scale=panel.scale,
            bar=panel.bar.astype(np.int32),
            move=moves_of(panel.close, panel.starts, panel.bar),
            prints=prints,
            displaced=displaced,
            ends=np.stack([panel.open[rows] - shift, logs], axis=1),
            refs=np.stack([panel.close[rows - 1] - shift, panel.open[rows + 1] - shift], axis=1),
            noises=np.stack([_gap_noise(panel, at, code, gap_scale) for at in (rows, rows + 1)], axis=1),
        )

    def number(self, dates: pd.DatetimeIndex) -> None:
        """Count bars by the dates of the whole market."""
        place = dates.get_indexer(self.times)
        self.bar = place[self.bar].astype(np.int32)
        self.displaced["bar"] = place[self.displaced["bar"]]


def _gap_noise(panel: Panel, rows: IntArray, code: IntArray, gap_scale: FloatArray) -> FloatArray:
    """Deviation of the gap before each row; a night between two sessions is as wild as the move that holds it."""
    nights = np.where(np.isfinite(panel.scale[:, 1]), panel.scale[:, 1], _USUAL_SCALE)
    return np.where(panel.is_border[rows], np.maximum(nights, gap_scale)[code], gap_scale[code])


def _by_bar(shares: list[_Share], n_bars: int) -> tuple[Float32Array, IntArray]:
    """All moves that there are, bar after bar, and where each bar begins."""
    moved = [np.isfinite(share.move) for share in shares]
    counts = sum(
        (np.bincount(share.bar[some], minlength=n_bars) for share, some in zip(shares, moved, strict=True)), np.zeros(n_bars, np.int64)
    )
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    moves, free = np.empty(bounds[-1], dtype=np.float32), bounds[:-1].copy()
    for share, some in zip(shares, moved, strict=True):
        bar = share.bar[some]
        order = np.argsort(bar, kind="stable")
        bar = bar[order]
        here = np.bincount(bar, minlength=n_bars)
        within = np.arange(len(bar)) - np.repeat(np.cumsum(here) - here, here)
        moves[free[bar] + within] = share.move[some][order]
        free += here
    return moves, bounds


def _opening(shares: list[_Share], dates: pd.DatetimeIndex) -> BoolArray:
    """Whether a bar is the first of its session."""
    is_opening = np.zeros(len(dates), dtype=np.bool_)
    for share in shares:
        is_opening[dates.get_indexer(share.times[share.is_opening])] = True
    return is_opening


def _unrest(deviation: FloatArray, n_symbols: IntArray, is_opening: BoolArray) -> FloatArray:
    """Deviation over its median, at least 1; drawn towards 1 (in logs) where few symbols tell it.

    Bars that hold a night are measured by their own kind: that nights are wilder the scales of the symbols say already.
    """
    unrest = np.ones(len(deviation))
    for kind in (is_opening, ~is_opening):
        usual = np.median(deviation[kind]) if kind.any() else 0.0
        if usual > 0.0:
            unrest[kind] = np.maximum(deviation[kind] / usual, 1.0) ** (n_symbols[kind] / (n_symbols[kind] + _FEW_SYMBOLS))
    return unrest


def _usual_scale(shares: list[_Share]) -> FloatArray:
    usual = np.full(2, _USUAL_SCALE)
    for column in range(2):
        known = np.concatenate([share.scale[:, column] for share in shares]) if shares else np.empty(0)
        known = known[np.isfinite(known)]
        if len(known):
            usual[column] = np.median(known)
    return usual


def _strangers(shares: list[_Share], dates: pd.DatetimeIndex) -> pd.DataFrame:
    displaced = pd.concat([share.displaced for share in shares], ignore_index=True) if shares else pd.DataFrame()
    if not len(displaced):
        return pd.DataFrame({"symbol": [], "date": dates[:0], "other": [], "size": []})
    # Symbols before all else: the order of blocks must not tell.
    order = np.lexsort((displaced["symbol"].to_numpy(), displaced["bar"].to_numpy()))
    ends, refs, noises = (np.concatenate([getattr(share, name) for share in shares])[order] for name in ("ends", "refs", "noises"))
    displaced = displaced.iloc[order].reset_index(drop=True)
    bounds = np.flatnonzero(np.diff(displaced["bar"], prepend=-1, append=len(dates) + 1)).astype(np.int64)
    partner = matched_pairs(bounds, ends, refs, noises, _BETTER, _WORST)
    swapped = partner >= 0
    symbols = displaced["symbol"].to_numpy()
    other = np.where(swapped, symbols[partner], "")
    single = ~swapped & (displaced["size"].abs() >= _COPY_MEAN * displaced["scale"]).to_numpy()
    other[single] = _owners(shares, displaced, single)
    found = displaced.assign(date=dates[displaced["bar"]], other=other)
    belong: pd.DataFrame = found.loc[other != "", ["symbol", "date", "other", "size"]].reset_index(drop=True)
    return belong


def _owners(shares: list[_Share], displaced: pd.DataFrame, is_single: BoolArray) -> np.ndarray:
    """For single rows the first other symbol, by name, that has the same row of the bar where it fits; empty where there is none.

    Two symbols that move as one, such as classes of a share, own none of each other's rows: both are displaced or neither is.
    """
    single = displaced[is_single]
    owners = np.full(len(single), "", dtype=object)
    wanted = single["bar"].to_numpy().astype(np.uint64) << np.uint64(32) | single["print"].to_numpy().astype(np.uint64)
    elsewhere = set(zip(displaced["bar"], displaced["symbol"], strict=True))
    for share in shares:
        if share.prints is None:
            continue
        keys = share.bar.astype(np.uint64) << np.uint64(32) | share.prints
        for row in np.flatnonzero(np.isin(keys, wanted) & (share.prints > 0)):
            symbol = share.symbols[int(np.searchsorted(share.starts, row, side="right")) - 1]
            if (int(share.bar[row]), symbol) in elsewhere:
                continue
            for place in np.flatnonzero(wanted == keys[row]):
                if not owners[place] or symbol < owners[place]:
                    owners[place] = symbol
    return owners


def other_symbol(context: MarketContext, sound: Sound, is_set_aside: BoolArray) -> tuple[Found, BoolArray]:
    """Rows of this block that belong to another symbol, and where they stand in its panel, added to those set aside before."""
    panel, keys = sound.panel, sound.keys
    is_stranger = np.zeros(len(panel.rows), dtype=np.bool_)
    code = keys.symbols.get_indexer(pd.Index(context.strangers["symbol"], dtype="str"))
    bar = keys.times.get_indexer(pd.DatetimeIndex(context.strangers["date"]))
    here = np.flatnonzero((code >= 0) & (bar >= 0))
    n_bars = len(keys.times) + 1
    line, wanted = panel.code * n_bars + panel.bar, code[here] * n_bars + bar[here]
    # An index may name symbols that have no rows here: they stand in another block.
    is_here = np.isin(wanted, line)
    here, place = here[is_here], np.searchsorted(line, wanted[is_here])
    here, place = here[~is_set_aside[place]], place[~is_set_aside[place]]
    is_stranger[place] = True
    sizes = context.strangers["size"].to_numpy()[here]
    rows = panel.rows[place]
    close = sound.raw["close"].to_numpy()[rows]
    others = context.strangers["other"].to_numpy()[here]
    observed = [f"close = {value:.10g}, which fits {other}" for value, other in zip(close, others, strict=True)]
    expected = [f"close near {value:.10g}" for value in close / np.exp(sizes)]
    scores = np.abs(sizes) / context.scales(panel)[code[here], 0]
    return Found("other_symbol", rows, observed, expected, scores), is_stranger | is_set_aside
