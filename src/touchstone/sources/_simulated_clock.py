"""Which session each bar of a simulated market belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from touchstone.types import FloatArray, IntArray

__all__ = ["Clock"]


@dataclass(frozen=True, eq=False)
class Clock:
    """Bars in their sessions; a daily market has one bar a session.

    Attributes
    ----------
    session
        Number of the session of each bar, from 0, ascending; ``(n_bars,)``.
    """

    session: IntArray

    @classmethod
    def regular(cls, n_bars: int, *, bars_per_session: int = 1) -> Clock:
        """So many bars, of which every session has as many as the others, but for the last."""
        return cls(np.arange(n_bars, dtype=np.int64) // bars_per_session)

    @property
    def n_bars(self) -> int:
        return len(self.session)

    @property
    def n_sessions(self) -> int:
        return int(self.session[-1]) + 1

    @property
    def is_daily(self) -> bool:
        return self.n_bars == self.n_sessions

    @cached_property
    def first(self) -> IntArray:
        """Number of the first bar of each session, ``(n_sessions,)``."""
        return np.searchsorted(self.session, np.arange(self.n_sessions)).astype(np.int64)

    @cached_property
    def last(self) -> IntArray:
        """Number of the last bar of each session, ``(n_sessions,)``."""
        return np.append(self.first[1:], self.n_bars) - 1

    @cached_property
    def scale(self) -> FloatArray:
        """Volatility of a bar as a share of its session's, ``(n_bars, 1)``: variance runs evenly through the hours of trading."""
        in_session = np.bincount(self.session).astype(np.float64)
        return np.sqrt(1.0 / in_session[self.session])[:, None]
