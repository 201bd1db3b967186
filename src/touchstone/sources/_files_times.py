"""What the times of a file mean: their zone, and which end of a bar they name."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from touchstone.errors import ConfigError, nearest
from touchstone.market import Timeframe, bar_times, session_of
from touchstone.sources._registry import SourceRequest
from touchstone.types import BoolArray

__all__ = ["Stamps"]

_STAMPS = ("close", "open")
_DAILY = "1d"


@dataclass(frozen=True)
class Stamps:
    """How the stamps of a file become those of the data contract.

    Attributes
    ----------
    timeframe, calendar
        Of the request.
    timezone : str
        Of times without a zone.
    stamp : {"close", "open"}
    """

    timeframe: Timeframe
    calendar: str
    timezone: str = "UTC"
    stamp: str = "close"

    @classmethod
    def of(cls, request: SourceRequest) -> Stamps:
        """Read the options `timezone` and `stamp`.

        Raises
        ------
        ConfigError
            An unknown zone, stamp or timeframe; either option with daily bars, which are dated by their session.
        """
        timezone, stamp = str(request.options.get("timezone", "UTC")), str(request.options.get("stamp", "close"))
        if request.timeframe not in get_args(Timeframe):
            raise ConfigError(
                f"data.timeframe must be known, but got '{request.timeframe}': {nearest(request.timeframe, get_args(Timeframe))}."
            )
        if stamp not in _STAMPS:
            raise ConfigError(f"data.files.stamp must say which end of a bar its time is, but got '{stamp}': {nearest(stamp, _STAMPS)}.")
        try:
            zoneinfo.ZoneInfo(timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            raise ConfigError(f"data.files.timezone must be a zone like America/New_York, but got '{timezone}': mend it.") from None
        if request.timeframe == _DAILY and (timezone, stamp) != ("UTC", "close"):
            raise ConfigError(
                "Daily bars are dated by their session, so data.files.timezone and data.files.stamp must be left alone, but got "
                f"'{timezone}' and '{stamp}': leave them out, or set data.timeframe."
            )
        return cls(request.timeframe, request.calendar, timezone, stamp)

    @property
    def is_daily(self) -> bool:
        """Whether a date is a session and not a moment."""
        return self.timeframe == _DAILY

    def in_utc(self, times: pa.ChunkedArray) -> pa.ChunkedArray:
        """Naive times in UTC, in microseconds; daily dates must come without a zone.

        Raises
        ------
        ArrowInvalid
            A daily date with a zone; a time that the zone does not have, or has twice.
        """
        has_zone = pa.types.is_timestamp(times.type) and times.type.tz is not None
        if self.is_daily and has_zone:
            raise pa.ArrowInvalid("its dates carry a time zone")
        naive = times if has_zone else times.cast(pa.timestamp("us"))
        moments = naive if has_zone or self.timezone == "UTC" else pc.assume_timezone(naive, self.timezone)
        return moments.cast(pa.timestamp("us"))

    def closes(self, times: pd.Series) -> pd.Series:
        """Stamp bars with their close: a bar that begins less than its width before the session ends, ends with it."""
        if self.stamp == "close" or self.is_daily or times.empty:
            return times
        width = pd.Timedelta(self.timeframe).to_timedelta64().astype("timedelta64[us]")
        codes, begun = pd.factorize(times)
        opens = begun.to_numpy().astype("datetime64[us]")
        day = np.timedelta64(1, "D")
        grid = bar_times(self.calendar, pd.Timestamp(opens.min() - day), pd.Timestamp(opens.max() + day), self.timeframe).to_numpy()
        if not len(grid):
            return pd.Series((opens + width)[codes], index=times.index)
        ends_session = np.append(np.diff(grid) > width, True)
        after = np.minimum(np.searchsorted(grid, opens, side="right"), len(grid) - 1)
        is_cut = ends_session[after] & (grid[after] > opens) & (grid[after] < opens + width)
        return pd.Series(np.where(is_cut, grid[after], opens + width)[codes], index=times.index)

    def inside(self, times: pd.Series, request: SourceRequest) -> BoolArray:
        """Tell which stamps lie in the span asked for: by session, or by day for a time outside every session."""
        if self.is_daily:
            return request.spans(times).to_numpy()
        codes, stamps = pd.factorize(times)
        owners = session_of(pd.DatetimeIndex(stamps), self.calendar, self.timeframe)
        sessions = owners.where(owners.notna(), pd.DatetimeIndex(stamps).normalize())
        return request.spans(sessions).to_numpy()[codes]
