"""What stands in for the columns that a person's own table leaves out, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from touchstone.errors import DataError, name_few

__all__ = ["COMPLETE", "OPEN_END", "Completed"]

# A span that has not ended; inside what a nanosecond timestamp can hold, as some libraries still ask.
OPEN_END = pd.Timestamp("2261-12-31").as_unit("us")
_ALWAYS = pd.Timestamp("1900-01-01").as_unit("us")
# A value is worth reading for this many periods of its series, unless the table says when it expires.
_MAX_AGE_PERIODS = 3
_LEAST_AGE = pd.Timedelta(days=7)
_A_MONTH = pd.Timedelta(days=28)


@dataclass(frozen=True, eq=False)
class Completed:
    """A table of the data contract and what to say about it.

    ``as_of`` is the day of undated sectors, ``title`` the name of a benchmark.
    """

    frame: pd.DataFrame
    caveats: tuple[str, ...] = ()
    as_of: str = ""
    title: str = ""


def _actions(path: Path, given: pd.DataFrame) -> Completed:
    if "known_at" in given:
        return Completed(given)
    caveat = f"{path.name} does not say when actions were announced: each counts as known on its ex-date."
    return Completed(given.assign(known_at=given["ex_date"]), (caveat,))


def _universe(_: Path, given: pd.DataFrame) -> Completed:
    return Completed(_ended(given)[["symbol", "start", "end"]])


def _assets(_: Path, given: pd.DataFrame) -> Completed:
    columns = ("symbol", "name", "exchange", "calendar", "currency", "asset_class")
    silent = pd.Series([""] * len(given), dtype="str")
    return Completed(pd.DataFrame({column: given.get(column, silent) for column in columns}))


def _sectors(path: Path, given: pd.DataFrame) -> Completed:
    if "as_of" in given and not {"start", "end"} & set(given):
        days = sorted(given["as_of"].dt.strftime("%Y-%m-%d").unique())
        if len(days) > 1:
            raise DataError(f"Column 'as_of' of '{path}' must name one day for the whole table, but has {name_few(days)}: keep one.")
        return Completed(given.assign(start=_ALWAYS, end=OPEN_END)[["symbol", "sector", "start", "end"]], as_of="".join(days))
    if "start" not in given or "as_of" in given:
        raise DataError(
            f"'{path}' must date its sectors with start and end, or say of which day an undated list is with as_of, but has "
            f"{', '.join(given.columns)}: add one of the two."
        )
    return Completed(_ended(given)[["symbol", "sector", "start", "end"]])


def _rates(path: Path, given: pd.DataFrame) -> Completed:
    known, caveats = _known(path, given, of="date", keys=["base", "quote"])
    return Completed(known[["base", "quote", "date", "rate", "known_at"]], caveats)


def _macro(path: Path, given: pd.DataFrame) -> Completed:
    known, caveats = _known(path, given, of="period", keys=["series"])
    if "expires_at" not in known:
        known = known.assign(expires_at=_expiry(path, known))
    return Completed(known[["series", "period", "value", "known_at", "expires_at"]], caveats)


def _signals(_: Path, given: pd.DataFrame) -> Completed:
    dated = given if "period" in given else given.assign(period=given["known_at"])
    return Completed(dated[["name", "symbol", "period", "value", "known_at", *dated.columns.intersection(["expires_at"])]])


def _benchmark(path: Path, given: pd.DataFrame) -> Completed:
    names = sorted(given["name"].unique()) if "name" in given else [path.name]
    if len(names) > 1:
        raise DataError(f"Column 'name' of '{path}' must name one benchmark, but has {name_few(names)}: keep one.")
    return Completed(given.set_index("date")[["close"]].sort_index(), title="".join(names))


COMPLETE: dict[str, Callable[[Path, pd.DataFrame], Completed]] = {
    "actions": _actions,
    "universe": _universe,
    "assets": _assets,
    "sectors": _sectors,
    "rates": _rates,
    "macro": _macro,
    "signals": _signals,
    "benchmark": _benchmark,
}


def _ended(given: pd.DataFrame) -> pd.DataFrame:
    """Spans with an end: one that is blank or left out has not ended."""
    ends = given["end"].fillna(OPEN_END) if "end" in given else pd.Series(OPEN_END, index=given.index)
    return given.assign(end=ends.astype("datetime64[us]"))


def _known(path: Path, given: pd.DataFrame, *, of: str, keys: list[str]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """When each value was known: as the table says, or a stated lag after its date, and then say that it is no vintage."""
    if "known_at" in given and "lag_days" in given:
        raise DataError(f"'{path}' must say when values were known in one way, but has known_at and lag_days: drop one of the two.")
    if "known_at" in given:
        return given, ()
    if "lag_days" not in given:
        raise DataError(
            f"'{path}' must say when each value was known: add the column known_at, or, where no record of that exists, lag_days, "
            f"the days from {of} until a value was published."
        )
    if not (np.isfinite(given["lag_days"]) & (given["lag_days"] >= 0.0)).all():
        raise DataError(f"Column 'lag_days' of '{path}' must be 0 or more, but is {given['lag_days'].min():g} in a row: mend it.")
    if of == "period":
        _refuse_beginnings(path, given)
    known = given[of] + pd.to_timedelta(given["lag_days"], unit="D").astype("timedelta64[us]")
    lags = given.groupby(keys)["lag_days"].max()
    shown = name_few(f"{'/'.join(key) if isinstance(key, tuple) else key} {lag:g}" for key, lag in lags.items())
    caveat = f"{path.name} has no vintages: values are those of their last revision, known a stated lag in days after their {of} ({shown})."
    return given.assign(known_at=known), (caveat,)


def _refuse_beginnings(path: Path, macro: pd.DataFrame) -> None:
    """A lag from the first day of a month or quarter would make its value known before the period is over."""
    for series, rows in macro.groupby("series"):
        periods = rows["period"].drop_duplicates().sort_values()
        steps = periods.diff().dropna()
        if len(steps) and (periods.dt.day == 1).all() and (steps >= _A_MONTH).all():
            raise DataError(
                f"A lag counts from the end of a period, but series '{series}' of '{path}' is dated by first days of months, as of "
                f"{periods.iloc[0]:%Y-%m-%d}: date each value by the last day that it speaks of, or say when it came out (known_at)."
            )


def _expiry(path: Path, macro: pd.DataFrame) -> pd.Series:
    """Three periods after a value was known, a period being the usual step of its series; a week at least."""
    steps = {}
    for series, rows in macro.groupby("series"):
        periods = rows["period"].drop_duplicates().sort_values()
        if len(periods) < 2:
            raise DataError(
                f"'{path}' must let the width of a period be seen, but series '{series}' has one period only: add the column expires_at."
            )
        steps[series] = max(_MAX_AGE_PERIODS * periods.diff().median(), _LEAST_AGE)
    return macro["known_at"] + macro["series"].map(steps).astype("timedelta64[us]")
