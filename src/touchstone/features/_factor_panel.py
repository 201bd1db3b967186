"""A researcher's factor, evaluated so that no value depends on where the history that is given begins."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from touchstone.errors import DataError
from touchstone.features._feature import Factor
from touchstone.types import IntArray

__all__ = ["evaluate", "first_needed"]

# No month has more sessions, no half hour more bars than `Factor.history` adds to the lookback.
_HALF_HOUR = pd.Timedelta(minutes=30)


def first_needed(factor: Factor, sessions: pd.DatetimeIndex, first: int) -> int:
    """Position of the first session that the rows from ``first`` on are evaluated on."""
    starts = _starts(sessions)
    return max(int(starts[starts <= first][-1]) - factor.lookback + 1, 0)


def evaluate(factor: Factor, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Call the function on one stretch of time after another: a calendar month, or half an hour of shorter bars.

    Each call sees the stretch and the ``lookback - 1`` sessions before it, and answers for the stretch. Running sums, as pandas
    keeps them, then begin at the same session for everyone who has that much history: the batch and the online form agree to the bit.

    Parameters
    ----------
    factor
        The function and its fields.
    frames
        One frame per field, sessions by symbols, NaN where a symbol has no bar.

    Returns
    -------
    DataFrame
        float64, on the axes of the frames.

    Raises
    ------
    DataError
        An answer that is no frame of numbers on the axes that the function was given.
    """
    given = [frames[name] for name in factor.fields]
    sessions = pd.DatetimeIndex(given[0].index)
    parts = [_part(factor, given, start, stop) for start, stop in pairwise([*_starts(sessions).tolist(), len(sessions)])]
    return pd.concat(parts)


def _part(factor: Factor, given: list[pd.DataFrame], start: int, stop: int) -> pd.DataFrame:
    begin = max(start - factor.lookback + 1, 0)
    # Copies: the function may write into what it is given, and the next stretch must not see it.
    seen = [frame.iloc[begin:stop].copy() for frame in given]
    answer = factor.function(*seen)
    if not isinstance(answer, pd.DataFrame) or not answer.index.equals(given[0].index[begin:stop]):
        what = f"{len(answer)} rows on another index" if isinstance(answer, pd.DataFrame) else type(answer).__name__
        raise DataError(
            f"A factor must give a frame on the sessions and symbols of its fields, but '{factor.name}' gave {what}: "
            "compute it from the frames, and drop no row."
        )
    if not answer.columns.equals(given[0].columns) or not all(np.issubdtype(kind, np.number) for kind in answer.dtypes):
        raise DataError(
            f"A factor must give one column of numbers for each symbol, but '{factor.name}' gave {len(answer.columns)} columns of "
            f"{', '.join(sorted({str(kind) for kind in answer.dtypes}))} for {len(given[0].columns)} symbols: keep the columns of its fields."
        )
    return answer.iloc[start - begin :].astype(np.float64)


def _starts(sessions: pd.DatetimeIndex) -> IntArray:
    """Positions at which a stretch begins: by the date alone, so that everyone cuts at the same sessions."""
    stamps = sessions.to_numpy().astype("datetime64[us]")
    has_times = bool((stamps != stamps.astype("datetime64[D]")).any())
    stretch = sessions.floor(_HALF_HOUR).to_numpy() if has_times else stamps.astype("datetime64[M]")
    return np.append(0, np.flatnonzero(stretch[1:] != stretch[:-1]) + 1)
