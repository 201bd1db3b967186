"""FRED: known from the day a vintage began, one row a revision, and a stated lag where there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fred_archive import FredArchive
from vendor_server import VendorServer, status

from touchstone import sources
from touchstone.errors import ConfigError
from touchstone.market._moments import at_bars
from touchstone.sources.network import Policy, Refreshed, refresh

POLICY = Policy(requests_per_minute=60_000, timeout_s=2.0, attempts=2, backoff_s=0.001, backoff_max_s=0.01)
KEY = "0123456789abcdef0123456789abcdef"
END = "9999-12-31"
# Advance, second and third estimate of a quarter; a month whose first value came with a hole; a daily index that FRED does not archive.
SERIES = {
    "GDP": (
        "Q",
        [
            ("2023-07-01", "2023-10-26", "2023-11-28", "27623.5"),
            ("2023-07-01", "2023-11-29", "2023-12-20", "27644.5"),
            ("2023-07-01", "2023-12-21", END, "27610.1"),
            ("2023-10-01", "2024-01-25", END, "27938.8"),
        ],
    ),
    "UMICH": ("M", [("2024-01-01", "2024-01-12", "2024-01-31", "2.9"), ("2024-01-01", "2024-02-01", END, "3.0")]),
    "SP500": (
        "D",
        [
            ("2024-02-27", "2024-03-01", END, "5078.18"),
            ("2024-02-28", "2024-03-01", END, "."),
            ("2024-02-29", "2024-03-01", END, "5096.27"),
        ],
    ),
    "ICSA": ("W", [("2024-02-24", "2024-02-29", END, "215000")]),
    "FYFSD": ("A", [("2023-09-30", "2023-10-23", END, "-1695245")]),
    "DGS10": (
        "D",
        [
            ("1999-01-04", "2005-01-03", END, "4.69"),
            ("2004-12-31", "2005-01-03", END, "4.24"),
            ("2024-02-28", "2024-02-29", END, "4.27"),
        ],
    ),
}


@pytest.fixture(scope="module")
def archive() -> FredArchive:
    return FredArchive(SERIES, plain=("SP500",), crowded=("DGS10",))


@pytest.fixture(scope="module")
def served(archive: FredArchive) -> Iterator[VendorServer]:
    with archive.serve() as server:
        yield server


@pytest.fixture
def update(served: VendorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Refreshed]:
    served.recover()
    monkeypatch.setenv("TOUCHSTONE_FRED_URL", served.url)
    monkeypatch.setenv("FRED_API_KEY", KEY)

    def bring(*series: str, **more: Any) -> Refreshed:
        asked = {"now": pd.Timestamp("2024-03-01T22:00"), "snapshots": tmp_path, **more}
        options = {"series": series}
        return refresh("fred", start="2000-01-03", options=options, credentials=tmp_path / "none", policy=POLICY, **asked)

    return bring


def macro(folder: Path, *series: str, **more: Any) -> pd.DataFrame:
    return sources.load("fred", snapshots=str(folder), series=series, **more).macro


def rows(table: pd.DataFrame) -> list[tuple[Any, ...]]:
    return [(f"{row.period:%Y-%m-%d}", row.value, f"{row.known_at:%Y-%m-%d}", f"{row.expires_at:%Y-%m-%d}") for row in table.itertuples()]


def test_each_vintage_is_a_row_known_from_its_own_day(update: Callable[..., Refreshed], tmp_path: Path) -> None:
    done = update("GDP")
    assert done.new_rows == {"GDP": 4}
    assert rows(macro(tmp_path, "GDP")) == [
        ("2023-09-30", 27623.5, "2023-10-26", "2024-06-30"),
        ("2023-09-30", 27644.5, "2023-11-29", "2024-06-30"),
        ("2023-09-30", 27610.1, "2023-12-21", "2024-06-30"),
        ("2023-12-31", 27938.8, "2024-01-25", "2024-09-30"),
    ]


def test_nothing_is_known_before_its_period_is_over(update: Callable[..., Refreshed], tmp_path: Path) -> None:
    update("UMICH", "ICSA", "FYFSD")
    assert rows(macro(tmp_path, "UMICH")) == [
        ("2024-01-31", 2.9, "2024-01-31", "2024-04-30"),
        ("2024-01-31", 3.0, "2024-02-01", "2024-04-30"),
    ]
    assert rows(macro(tmp_path, "ICSA"))[0][:3] == ("2024-02-24", 215000.0, "2024-02-29"), "weeks are dated by their end"
    assert rows(macro(tmp_path, "FYFSD"))[0][:3] == ("2023-09-30", -1695245.0, "2023-10-23"), "and so are fiscal years"


def test_a_series_without_vintages_needs_a_lag_and_says_so(update: Callable[..., Refreshed], tmp_path: Path) -> None:
    update("SP500")
    with pytest.raises(ConfigError, match=r"set data\.fred\.lags\.SP500"):
        macro(tmp_path, "SP500")
    loaded = sources.load("fred", snapshots=str(tmp_path), series=("SP500",), lags={"SP500": 1})
    assert rows(loaded.macro) == [("2024-02-27", 5078.18, "2024-02-28", "2024-03-08"), ("2024-02-29", 5096.27, "2024-03-01", "2024-03-10")]
    assert "SP500 1" in loaded.metadata.caveats[0]
    assert loaded.bars.empty


def test_a_value_that_changed_without_vintages_is_known_when_it_was_seen(
    archive: FredArchive, update: Callable[..., Refreshed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update("SP500")
    changed = ("D", [("2024-02-27", "2024-03-04", END, "5078.19")])
    monkeypatch.setitem(archive.series, "SP500", changed)
    monkeypatch.setattr(archive, "today", "2024-03-04")
    update("SP500", now=pd.Timestamp("2024-03-04T22:00"))
    found = rows(macro(tmp_path, "SP500", lags={"SP500": 1}))
    assert found[0][:3] == ("2024-02-27", 5078.18, "2024-02-28")
    assert found[1][:3] == ("2024-02-27", 5078.19, "2024-03-04")


def test_too_many_vintages_are_asked_for_in_spans(served: VendorServer, update: Callable[..., Refreshed], tmp_path: Path) -> None:
    update("DGS10")
    spans = [(asked.query["realtime_start"], asked.query["realtime_end"]) for asked in served.asked if "realtime_start" in asked.query]
    assert spans[0] == ("1776-07-04", END)
    assert spans[1] == ("1776-07-04", "1994-12-31")
    assert spans[-1] == ("2020-01-01", END)
    assert rows(macro(tmp_path, "DGS10")) == [
        ("2004-12-31", 4.24, "2005-01-03", "2005-01-10"),
        ("2024-02-28", 4.27, "2024-02-29", "2024-03-09"),
    ], "what was archived years later was known to nobody by then"
    lagged = rows(macro(tmp_path, "DGS10", lags={"DGS10": 1}))
    assert lagged[0][:3] == ("1999-01-04", 4.69, "1999-01-05")
    assert lagged[1][:3] == ("2004-12-31", 4.24, "2005-01-01")
    assert lagged[2][:3] == ("2024-02-28", 4.27, "2024-02-29"), "a vintage is better than a lag"


def test_pages_are_followed(
    archive: FredArchive, update: Callable[..., Refreshed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "limit", 3)
    assert update("GDP").new_rows == {"GDP": 4}


def test_an_unknown_series_is_named(update: Callable[..., Refreshed]) -> None:
    done = update("GDP", "NOPE")
    assert done.failed == {"NOPE": "FRED must have the series, but has no 'NOPE': look its name up at fred.stlouisfed.org."}
    assert done.new_rows == {"GDP": 4}


def test_asking_again_changes_nothing(update: Callable[..., Refreshed], tmp_path: Path) -> None:
    update("GDP")
    before = macro(tmp_path, "GDP")
    done = update("GDP", now=pd.Timestamp("2024-03-04T22:00"))
    assert done.new_rows == {"GDP": 0}
    pd.testing.assert_frame_equal(macro(tmp_path, "GDP"), before)


def test_a_span_keeps_what_was_known_in_it(update: Callable[..., Refreshed], tmp_path: Path) -> None:
    update("GDP")
    found = rows(macro(tmp_path, "GDP", start="2023-11-01", end="2023-12-01"))
    assert [row[1] for row in found] == [27623.5, 27644.5]


def test_of_two_vintages_within_the_period_the_later_one_counts(
    archive: FredArchive, update: Callable[..., Refreshed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = [("2024-01-01", "2024-01-19", END, "2.8"), ("2024-01-01", "2024-01-12", "2024-01-18", "2.9")]
    monkeypatch.setitem(archive.series, "UMICH", ("M", early))
    update("UMICH")
    assert rows(macro(tmp_path, "UMICH")) == [("2024-01-31", 2.8, "2024-01-31", "2024-04-30")]


def test_a_release_is_known_at_the_close_of_its_day_and_not_before(update: Callable[..., Refreshed], tmp_path: Path) -> None:
    update("GDP")
    table = macro(tmp_path, "GDP")
    stamps = pd.DatetimeIndex(["2023-10-26 13:35", "2023-10-26 20:00", "2023-10-27 20:00"])
    known = at_bars(table, stamps, calendar="XNYS", timeframe="5m")["known_at"]
    assert known.iloc[0] == pd.Timestamp("2023-10-26 20:00"), "out at half past eight, counted from the close on: a date says no hour"


def test_spans_of_vintages_that_came_are_not_asked_for_again(
    served: VendorServer, update: Callable[..., Refreshed], tmp_path: Path
) -> None:
    update("DGS10")
    whole, n_whole = rows(macro(tmp_path, "DGS10")), len(served.asked)
    other = tmp_path / "other"
    served.recover()
    served.ail(*[lambda well, last: well] * 6, status(500), status(500))
    assert update("DGS10", snapshots=other).failed
    n_landed = len(served.asked) - 2
    served.recover()
    assert not update("DGS10", snapshots=other).failed
    assert len(served.asked) == n_whole - n_landed
    assert rows(macro(other, "DGS10")) == whole
