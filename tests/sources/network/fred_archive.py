"""A small FRED: series with vintages, some without, some with too many for one answer."""

from __future__ import annotations

import json
from typing import Any

from vendor_server import Answer, VendorServer

__all__ = ["FredArchive"]

# (date, realtime_start, realtime_end, value) as FRED writes them; the first is what it gives for GDP of 2014, to the shape.
Row = tuple[str, str, str, str]


class FredArchive:
    """What the server knows: by series the frequency and the rows; `plain` keeps no vintages, `crowded` has more than 2000."""

    def __init__(self, series: dict[str, tuple[str, list[Row]]], *, plain: tuple[str, ...] = (), crowded: tuple[str, ...] = ()) -> None:
        self.series, self.plain, self.crowded = series, plain, crowded
        self.today = "2024-03-01"
        self.limit = 100_000

    def serve(self) -> VendorServer:
        return VendorServer({"/fred/series": self.describe, "/fred/series/observations": self.observations})

    def describe(self, query: dict[str, str]) -> Any:
        if query["series_id"] not in self.series:
            return _no("Bad Request.  The series does not exist.")
        return {"seriess": [{"id": query["series_id"], "frequency_short": self.series[query["series_id"]][0]}]}

    def observations(self, query: dict[str, str]) -> Any:
        name = query["series_id"]
        start, end = query.get("realtime_start", self.today), query.get("realtime_end", self.today)
        if "realtime_start" in query and name in self.plain:
            return _no("Bad Request.  The series does not exist in ALFRED but may exist in FRED.")
        rows = [
            (date, max(since, start), until, value) for date, since, until, value in self.series[name][1] if since <= end and until >= start
        ]
        if "realtime_start" in query and name in self.crowded:
            if (start, end) == ("1776-07-04", "9999-12-31"):
                return _no(
                    "Bad Request.  The number of vintage dates in the real-time period exceeds the maximum number of vintage dates (2000)."
                )
            if not rows:
                return _no("Bad Request.  The series does not exist in ALFRED but may exist in FRED.")
        offset = int(query.get("offset", 0))
        shown = [dict(zip(("date", "realtime_start", "realtime_end", "value"), row, strict=True)) for row in rows]
        return {"count": len(shown), "offset": offset, "limit": self.limit, "observations": shown[offset : offset + self.limit]}


def _no(message: str) -> Answer:
    return Answer(json.dumps({"error_code": 400, "error_message": message}).encode(), 400)
