"""Which bars a span of sessions means, and where an update takes up again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from touchstone.errors import ConfigError, moment
from touchstone.market import bar_times, last_complete_bar, session_of
from touchstone.sources._registry import SourceRequest
from touchstone.sources.network._snapshots import Entry

__all__ = ["Piece", "check_span", "covered", "first_bar", "inside", "last_bar", "missing"]

# No exchange was closed for longer, but once in 1914.
_LONGEST_CLOSURE = pd.Timedelta(days=30)


@dataclass(frozen=True)
class Piece:
    """A part of a span to ask for in one go.

    Parameters
    ----------
    start, end : Timestamp
        First bar wanted at all, and last bar of this piece.
    known : Timestamp or None
        The bar from which on to ask; None for the start.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    known: pd.Timestamp | None = None

    @property
    def since(self) -> pd.Timestamp:
        """First bar of this piece."""
        return self.start if self.known is None else self.known


def first_bar(calendar: str, timeframe: str, start: pd.Timestamp) -> pd.Timestamp:
    """Stamp of the first bar of the first session on or after a date; a daily bar's stamp is the date that was given."""
    day = start.normalize()
    return day if timeframe == "1d" else bar_times(calendar, day, day + _LONGEST_CLOSURE, timeframe)[0]


def last_bar(calendar: str, timeframe: str, end: pd.Timestamp | None, now: pd.Timestamp) -> pd.Timestamp:
    """Stamp of the last bar of the last session up to a date that is over by now.

    Raises
    ------
    ConfigError
        Unknown calendar or timeframe.
    """
    over = last_complete_bar(calendar, timeframe, now)
    if end is None or end.normalize() > over:
        return over
    day = end.normalize()
    return min(over, day if timeframe == "1d" else bar_times(calendar, day - _LONGEST_CLOSURE, day, timeframe)[-1])


def inside(dates: pd.DatetimeIndex, request: SourceRequest) -> pd.Series:
    """Tell which bars belong to the sessions asked for; one outside of every session counts by its own day."""
    days = pd.Series(dates)
    if request.timeframe != "1d":
        days = pd.Series(session_of(dates, request.calendar, request.timeframe)).fillna(days.dt.normalize())
    return request.spans(days)


def covered(entries: Iterable[Entry]) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """The spans that entries cover together, in order, none touching the next."""
    spans: list[tuple[pd.Timestamp, pd.Timestamp]] = []
    for start, end in sorted((entry.start, entry.end) for entry in entries):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return spans


def missing(entries: Iterable[Entry], dates: pd.DatetimeIndex, *, start: pd.Timestamp, end: pd.Timestamp, overlap: int) -> list[Piece]:
    """Find what to ask for: what was never fetched, and the last bars again.

    Parameters
    ----------
    entries : iterable of Entry
        What was fetched for the symbol.
    dates : DatetimeIndex
        The bars that came, sorted.
    start, end : Timestamp
        The span wanted.
    overlap : int
        Known bars to ask for again.

    Returns
    -------
    list of Piece
        In order. Each holds a bar that is known, where there is one: an answer without rows is then never a healthy one.
    """
    pieces: list[Piece] = []
    known: pd.Timestamp | None = None
    for since, until in covered(entries):
        held = dates[(dates >= since) & (dates <= min(until, end))]
        if until < start or not len(held):
            continue
        if since > start:
            pieces.append(Piece(start, held[0], known))
        known = held[max(0, len(held) - max(1, overlap))]
    return [*pieces, Piece(start, end, known)]


def check_span(start: pd.Timestamp, end: pd.Timestamp) -> None:
    """Refuse a span without a bar that is over."""
    if start > end:
        raise ConfigError(
            f"A span to fetch must hold a bar that is over, but {moment(start)} comes after the last one, {moment(end)}: "
            "choose an earlier start."
        )
