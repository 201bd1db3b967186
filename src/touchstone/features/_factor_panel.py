"""A researcher's factor, evaluated so that no value depends on where the history that is given begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from touchstone.errors import DataError, name_few
from touchstone.features._feature import Factor
from touchstone.types import BoolArray, FloatArray, IntArray

__all__ = ["apply", "evaluate", "first_needed"]


# `Factor.history` adds to the lookback what the longest stretch holds. Each call costs pandas some 20 microseconds a column for every
# rolling window, however short the frame: a month at a time takes four times as long.
_QUARTER, _HOUR = 3, pd.Timedelta(hours=1)


def first_needed(factor: Factor, sessions: pd.DatetimeIndex, first: int) -> int:
    """Position of the first session that the rows from ``first`` on are evaluated on."""
    starts = _starts(sessions)
    return max(int(starts[starts <= first][-1]) - factor.lookback + 1, 0)


def evaluate(
    factor: Factor,
    frames: Mapping[str, pd.DataFrame],
    *,
    first: int = 0,
    born: IntArray | None = None,
    present: BoolArray | None = None,
) -> pd.DataFrame:
    """Evaluate a factor on one stretch of time after another: a calendar quarter, or an hour where sessions carry times.

    Each call of the function sees the stretch and the ``lookback - 1`` sessions before it, and answers for the stretch. A running
    sum of pandas differs in its last bits by where it begins: begun at the same session for everyone, it is the same to the bit in
    a long history and in a short one.

    Parameters
    ----------
    frames
        One frame for each field of the factor, sessions by symbols, NaN where there is no bar; all on the same axes.
    first
        First row that is wanted; those before it come out NaN.
    born
        Position of each symbol's first session, negative where it lies before the frames; ``None``: what the frames show.
    present
        Of a cross-sectional factor, who counts: (n_sessions - first, n_symbols). A symbol that does not is left out of what the
        function sees for that session, with all its past, so that who left long ago or is no member changes nothing. ``None``: all.

    Returns
    -------
    DataFrame
        float64 on the frames' axes, known at the close of each session. Unless the factor takes partial windows, NaN in stretches
        that do not have ``lookback - 1`` sessions before them, and before a symbol has as many sessions as the lookback.

    Raises
    ------
    DataError
        The function gives no frame of numbers on the axes of its inputs.
    """
    given = [frames[name] for name in factor.fields]
    sessions, symbols = pd.DatetimeIndex(given[0].index), given[0].columns
    values = [frame.to_numpy(np.float64) for frame in given]
    out = np.full((len(sessions), len(symbols)), np.nan)
    for anchor, start, stop in _parts(_starts(sessions), len(sessions), first, present if factor.cross_sectional else None):
        begin = anchor - factor.lookback + 1
        if begin < 0 and not factor.partial_windows:
            continue
        begin = max(begin, 0)
        asked = np.arange(len(symbols)) if present is None or not factor.cross_sectional else np.flatnonzero(present[start - first])
        # One layout of memory, whatever the caller's: numpy adds up in another order along another axis.
        seen = [
            pd.DataFrame(np.asfortranarray(part[begin:stop, asked]), index=sessions[begin:stop], columns=symbols[asked]) for part in values
        ]
        if len(asked):
            out[start:stop, asked] = apply(factor, seen)[start - begin :]
    if not factor.partial_windows:
        out[_is_young(factor, values[0], born)] = np.nan
    return pd.DataFrame(out, index=given[0].index, columns=symbols, copy=False)


def apply(factor: Factor, frames: Sequence[pd.DataFrame]) -> FloatArray:
    """Call the function once and hold it to what it must give.

    Raises
    ------
    DataError
        As `evaluate`.
    """
    given = factor.function(*frames)
    if not isinstance(given, pd.DataFrame):
        raise DataError(f"A factor must give a DataFrame, but '{factor.name}' gives {_said(given)}: return a frame like its inputs.")
    asked = frames[0]
    for axis, have, want in (("sessions", given.index, asked.index), ("symbols", given.columns, asked.columns)):
        if not have.equals(want):
            raise DataError(
                f"A factor must give a frame on the axes of its inputs, but '{factor.name}' gives {len(have)} {axis} "
                f"({_ends(have)}) for {len(want)} ({_ends(want)}): drop, add and sort nothing; leave NaN where there is no value."
            )
    odd = [f"{name} ({kind})" for name, kind in given.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if odd:
        raise DataError(f"A factor must give numbers, but '{factor.name}' gives {name_few(odd)}: turn what it gives into floats.")
    return np.asarray(given.to_numpy(np.float64, na_value=np.nan))


def _starts(sessions: pd.DatetimeIndex) -> IntArray:
    """Positions at which a stretch begins: by the date alone, so that everyone cuts at the same sessions."""
    stamps = sessions.to_numpy().astype("datetime64[us]")
    has_times = bool((stamps != stamps.astype("datetime64[D]")).any())
    months = stamps.astype("datetime64[M]").astype(np.int64)
    stretch = sessions.floor(_HOUR).to_numpy() if has_times else months // _QUARTER
    return np.append(0, np.flatnonzero(stretch[1:] != stretch[:-1]) + 1)


def _parts(starts: IntArray, n_sessions: int, first: int, present: BoolArray | None) -> Iterator[tuple[int, int, int]]:
    """What one call of the function answers: (beginning of its stretch, first row, end of the rows)."""
    borders = {first, n_sessions, *starts[starts > first].tolist()}
    if present is not None:
        borders |= {first + 1 + int(row) for row in np.flatnonzero((present[1:] != present[:-1]).any(axis=1))}
    for start, stop in pairwise(sorted(borders)):
        yield int(starts[np.searchsorted(starts, start, side="right") - 1]), start, stop


def _is_young(factor: Factor, values: FloatArray, born: IntArray | None) -> BoolArray:
    """Where a symbol has fewer sessions behind it than the lookback."""
    there = ~np.isnan(values)
    since = np.where(there.any(axis=0), there.argmax(axis=0), len(values)) if born is None else born
    return np.asarray(np.arange(len(values))[:, None] < since + factor.lookback - 1)


def _said(given: object) -> str:
    return "nothing" if given is None else f"a {type(given).__name__}"


def _ends(axis: pd.Index) -> str:
    shown = [str(value.date()) if isinstance(value, pd.Timestamp) else str(value) for value in (axis[:1].tolist() + axis[-1:].tolist())]
    return " to ".join(shown) or "none"
