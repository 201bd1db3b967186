"""The set `macro`: how what is known of each macro series has moved, and how unusual it is."""

from __future__ import annotations

from functools import partial

import numpy as np

from touchstone.features._feature import FeatureSet, SessionFeature, Sessions
from touchstone.features._joins import macro_by_session
from touchstone.types import FloatArray

__all__ = ["MACRO"]

_CHANGES = (21, 63)
_YEAR = 252
# A mean and a deviation of fewer values say little.
_ENOUGH = 60


def _of_series(series: str) -> tuple[SessionFeature, ...]:
    """Columns beside the level ``macro_<series>``, which is in every matrix."""
    return (
        *(SessionFeature(f"macro_{series}_change_{k}", k + 1, partial(_change, series=series, sessions=k)) for k in _CHANGES),
        SessionFeature(f"macro_{series}_zscore_{_YEAR}", _YEAR, partial(_zscore, series=series)),
    )


def _change(given: Sessions, *, series: str, sessions: int) -> FloatArray:
    """What is known now less what was known so many sessions ago: a revision since then is part of the change."""
    known = macro_by_session(given.macro, series, given.dates)
    change = np.full_like(known, np.nan)
    change[sessions:] = known[sessions:] - known[:-sessions]
    return change


def _zscore(given: Sessions, *, series: str) -> FloatArray:
    """Distance of what is known from the mean of what was known at each session of the year, in its standard deviations, ddof 1."""
    known = macro_by_session(given.macro, series, given.dates)
    score = np.full_like(known, np.nan)
    for t in range(_YEAR - 1, len(known)):
        window = known[t - _YEAR + 1 : t + 1]
        window = window[~np.isnan(window)]
        # A value that never moved has a deviation of rounding at most.
        if len(window) >= _ENOUGH and window.min() < window.max():
            score[t] = (known[t] - window.mean()) / window.std(ddof=1)
    return score


MACRO = FeatureSet("macro", of_series=_of_series)
