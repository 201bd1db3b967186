"""FRED, the macro series of the St. Louis Fed, with their vintages: when each value, and each revision of it, came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from touchstone.errors import ConfigError, SourceError, name_few
from touchstone.market import Metadata
from touchstone.sources._registry import SourceRequest
from touchstone.sources.network import Fetch, Page, Policy, Unusable, Vendor
from touchstone.sources.vendors._payload import read_json

__all__ = ["Fred"]

_SERIES, _OBSERVATIONS = "/fred/series", "/fred/series/observations"
_LIMIT = 100_000
_FIRST, _LAST = "1776-07-04", "9999-12-31"
# Months from the first day of a period to its last month; days and weeks are dated by their end.
_MONTHS = {"M": 1, "Q": 3, "SA": 6, "A": 12}
# What a value may outlive its period by: three more of them, and ten days for daily values, which holidays interrupt.
_LIFE = {"D": pd.DateOffset(days=10), "W": pd.DateOffset(weeks=3), "BW": pd.DateOffset(weeks=6)} | {
    name: pd.DateOffset(months=3 * months) for name, months in _MONTHS.items()
}
_TYPES = {"series": "str", "period": "datetime64[us]", "value": "float64", "known_at": "datetime64[us]", "expires_at": "datetime64[us]"}


class Fred(Vendor):
    """Macro series; no bars.

    Options
    -------
    series : sequence of str
        FRED's names, such as ``CPIAUCSL``.
    lags : mapping, optional
        Days from the end of a period to the publication of its value, for a series of which FRED keeps no vintages, or for the time
        before it began to.

    A series is asked for in full each time: a vintage that began before the first day asked for would be dated by that day.
    """

    name = "fred"
    address = "https://api.stlouisfed.org"
    policy = Policy(requests_per_minute=100, connections=2, timeout_s=60.0)
    credentials = ("FRED_API_KEY",)
    options = ("series", "lags")

    def secrets(self, keys: Mapping[str, str]) -> Mapping[str, str]:
        """The key goes into the query."""
        return {"api_key": keys["FRED_API_KEY"]}

    def symbols(self, request: SourceRequest) -> tuple[str, ...]:
        """The series."""
        return request.symbols or tuple(request.options.get("series", ()))

    def plan(self, request: SourceRequest, known: Mapping[str, pd.Timestamp]) -> Sequence[Fetch]:  # noqa: ARG002 - always in full
        """What the series is; its observations follow.

        Raises
        ------
        ConfigError
            No start or end.
        """
        if request.start is None or request.end is None:
            raise ConfigError("FRED must be told a first and a last day: set data.start.")
        query = {"file_type": "json"}
        return [
            Fetch("macro", series, _SERIES, {"series_id": series, **query}, request.start, request.end) for series in self.symbols(request)
        ]

    def read(self, fetch: Fetch, payload: bytes) -> Page:
        """Read a description, or one page of observations."""
        content = read_json(payload, self.name)
        try:
            if fetch.path == _SERIES:
                frequency = str(content["seriess"][0]["frequency_short"])
                return Page(following=_first_observations(fetch, frequency))
            rows, count = content["observations"], int(content["count"])
            table = _observations(fetch, rows)
        except (KeyError, IndexError, TypeError, ValueError):
            raise Unusable("it is no answer about a series") from None
        read = int(fetch.query["offset"]) + len(rows)
        if read < count and not rows:
            raise Unusable(f"it is empty, but {count - read} observations are left")
        if read < count:
            return Page({"macro": table}, replace(fetch, query={**fetch.query, "offset": str(read)}, page=fetch.page + 1))
        return Page({"macro": table}, _next_window(fetch))

    def refused(self, fetch: Fetch, status: int, payload: bytes) -> Fetch:
        """Ask by spans of vintages when there are too many for one answer, and without vintages when there are none.

        Raises
        ------
        SourceError
            The series does not exist, or the key is refused.
        """
        said = payload.decode(errors="replace")
        if "realtime_start" in fetch.query and "vintage dates" in said and "windows" not in fetch.context:
            return _window(replace(fetch, context={**fetch.context, "windows": "yes"}), _FIRST)
        if "realtime_start" in fetch.query and "not exist in ALFRED" in said:
            return _next_window(fetch) or _without_vintages(fetch)
        if "api_key" in said:
            raise SourceError("FRED must accept the key, but refuses it: check FRED_API_KEY.")
        if "not exist" in said:
            raise SourceError(f"FRED must have the series, but has no '{fetch.symbol}': look its name up at fred.stlouisfed.org.")
        return super().refused(fetch, status, payload)

    def finish(self, request: SourceRequest, tables: Mapping[str, pd.DataFrame]) -> Mapping[str, pd.DataFrame]:
        """Date what was known before FRED kept vintages by the stated lags, and keep one row for each value that differs.

        Raises
        ------
        ConfigError
            A series without vintages and without a lag.
        """
        rows = tables["macro"]
        if rows.empty:
            return tables
        lags = request.options.get("lags", {})
        unstated = sorted(set(rows.loc[~rows["vintages"], "series"]) - set(lags))
        if unstated:
            raise ConfigError(
                f"A series without vintages needs a stated lag, but FRED keeps none of {name_few(unstated)}: "
                f"set data.fred.lags.{unstated[0]} to the days from the end of a period to its publication."
            )
        return {**tables, "macro": _dated(rows.sort_values(["series", "period", "known_at"], kind="stable"), lags)}

    def metadata(self, request: SourceRequest, tables: Mapping[str, pd.DataFrame]) -> Metadata:
        """Say which series are dated by a stated lag."""
        lags = request.options.get("lags", {})
        stated = [f"{name} {lags[name]}" for name in sorted(set(tables["macro"]["series"]) & set(lags))]
        caveat = (
            f"FRED: where no vintage tells when a value came out, a stated lag does (days from the end of the period: {name_few(stated)}); "
            "such a value is the one of a later revision."
        )
        return Metadata(
            source=self.name,
            adjustment="total_return",
            fields=tuple(tables["bars"].columns),
            calendar=request.calendar,
            timeframe=request.timeframe,
            caveats=(caveat,) if stated else (),
        )


def _first_observations(fetch: Fetch, frequency: str) -> Fetch:
    if frequency not in _LIFE:
        raise SourceError(
            f"A macro series must come at least once a year, but '{fetch.symbol}' has the frequency {frequency}: leave it out."
        )
    query = {**fetch.query, "realtime_start": _FIRST, "realtime_end": _LAST, "limit": str(_LIMIT), "offset": "0"}
    return replace(fetch, path=_OBSERVATIONS, query=query, page=fetch.page + 1, context={"frequency": frequency})


def _window(fetch: Fetch, start: str) -> Fetch:
    """Five years of vintages from a day on; an answer may hold 2000, which is eight years of daily ones."""
    year = max(int(start[:4]), 1990) // 5 * 5 + 4
    end = _LAST if year >= fetch.end.year else f"{year}-12-31"
    return replace(fetch, query={**fetch.query, "realtime_start": start, "realtime_end": end, "offset": "0"}, page=fetch.page + 1)


def _next_window(fetch: Fetch) -> Fetch | None:
    if "windows" not in fetch.context or fetch.query["realtime_end"] == _LAST:
        return None
    return _window(fetch, f"{int(fetch.query['realtime_end'][:4]) + 1}-01-01")


def _without_vintages(fetch: Fetch) -> Fetch:
    query = {name: value for name, value in fetch.query.items() if not name.startswith("realtime")}
    return replace(fetch, query=query, context={**fetch.context, "vintages": "no"})


def _observations(fetch: Fetch, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row a value, known from the day its vintage began, which is never before its period ended; '.' is no value."""
    frequency = fetch.context["frequency"]
    # By vintage: of two that came before the period was over the later one counts.
    given = sorted((row for row in rows if row["value"] != "."), key=lambda row: (row["date"], row["realtime_start"]))
    dates = pd.Series(pd.to_datetime([row["date"] for row in given], format="%Y-%m-%d"))
    since = pd.Series(pd.to_datetime([row["realtime_start"] for row in given], format="%Y-%m-%d"))
    period = dates
    if frequency in _MONTHS and len(dates):
        ends = dates + pd.DateOffset(months=_MONTHS[frequency]) - pd.Timedelta(days=1)
        period = ends.where(dates.dt.day == 1, dates)  # a fiscal year is dated by its last day
    table = pd.DataFrame(
        {
            "series": [fetch.symbol] * len(given),
            "period": period,
            "value": [float(row["value"]) for row in given],
            "known_at": since.where(since > period, period),
            "expires_at": period + _LIFE[frequency],
        }
    ).astype(_TYPES)
    return table.assign(vintages="vintages" not in fetch.context)


def _dated(rows: pd.DataFrame, lags: Mapping[str, int]) -> pd.DataFrame:
    """Rows sorted by series, period and publication → those of the data contract."""
    keys = ["series", "period"]
    same = (rows["value"] == rows["value"].shift()) & (rows[keys] == rows[keys].shift()).all(axis=1)
    rows = rows[~same]
    opening = rows.groupby("series")["known_at"].transform("min")
    unknown = ~rows.duplicated(keys) & (~rows["vintages"] | (rows["known_at"] == opening))
    lagged = rows["period"] + pd.to_timedelta(rows["series"].map(lags).astype("float64"), unit="D").astype("timedelta64[us]")
    by_lag = unknown & (lagged < rows["known_at"])
    dated = rows.assign(known_at=rows["known_at"].where(~by_lag, lagged))
    # Revised when nobody could use it any more: no decision sees such a row.
    alive = dated["known_at"] <= dated["expires_at"]
    return dated.loc[alive, list(_TYPES)].drop_duplicates([*keys, "known_at"], keep="last").reset_index(drop=True).astype(_TYPES)
