"""A researcher's factor, evaluated so that no value depends on where the history that is given begins."""

from __future__ import annotations

import numpy as np
import pandas as pd

from touchstone.features._feature import Factor

__all__ = ["evaluate", "first_needed"]


def first_needed(factor: Factor, sessions: pd.DatetimeIndex, first: int) -> int:
    """Position of the first session whose values the rows from ``first`` on can depend on."""
    return max(int(np.flatnonzero(_anchors(sessions) == _anchors(sessions)[first])[0]) - factor.lookback + 1, 0)


def evaluate(factor: Factor, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    raise NotImplementedError


def _anchors(sessions: pd.DatetimeIndex) -> np.ndarray:
    has_times = not sessions.equals(sessions.normalize())
    return (sessions.normalize() if has_times else sessions.to_period("M").to_timestamp()).to_numpy()
