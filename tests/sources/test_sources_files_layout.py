"""Intraday stamps, time zones and partitioned folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from touchstone.errors import ConfigError, SourceError
from touchstone.market import bar_times
from touchstone.sources import load
from touchstone.sources._files_columns import Columns

CLOSES = bar_times("XNYS", "2020-07-02", "2020-07-06", "1h")


def write(path: Path, stamps: list[str], *, symbol: str = "A") -> None:
    rows = (f"{stamp},{symbol},{10 + number}" for number, stamp in enumerate(stamps))
    path.write_text("\n".join(("date,symbol,close", *rows)) + "\n")


def stamps_of(path: Path, **options: object) -> list[pd.Timestamp]:
    bars = load("files", path=path, timeframe="1h", **options).bars
    return list(bars.index.get_level_values("date"))


def test_closes_with_a_zone_without_one_and_in_another_are_the_same(tmp_path: Path) -> None:
    utc, zoned, local = tmp_path / "utc.csv", tmp_path / "zoned.csv", tmp_path / "local.csv"
    write(utc, [f"{close:%Y-%m-%dT%H:%M:%S}" for close in CLOSES])
    write(zoned, [f"{close - pd.Timedelta(hours=4):%Y-%m-%dT%H:%M:%S}-04:00" for close in CLOSES])
    write(local, [f"{close - pd.Timedelta(hours=4):%Y-%m-%d %H:%M:%S}" for close in CLOSES])
    assert stamps_of(utc) == list(CLOSES)
    assert stamps_of(zoned) == list(CLOSES)
    assert stamps_of(local, timezone="America/New_York") == list(CLOSES)
    assert load("files", path=utc, timeframe="1h").metadata.timeframe == "1h"
    table = tmp_path / "zoned.parquet"
    pd.DataFrame({"date": CLOSES.tz_localize("UTC").tz_convert("Asia/Tokyo"), "symbol": "A", "close": 1.0}).to_parquet(table)
    assert stamps_of(table) == list(CLOSES)


def test_bars_stamped_by_their_open_are_stamped_by_their_close(tmp_path: Path) -> None:
    # Seven bars a session: six whole hours from 09:30 and the half hour before 16:00 in New York.
    opens = [pd.Timestamp(day) + pd.Timedelta(hours=hour) for day in ("2020-07-02 09:30", "2020-07-06 09:30") for hour in range(7)]
    write(tmp_path / "A.csv", [f"{stamp:%Y-%m-%d %H:%M}" for stamp in opens])
    got = stamps_of(tmp_path / "A.csv", timezone="America/New_York", stamp="open")
    assert got == list(CLOSES)
    assert got[6] == pd.Timestamp("2020-07-02 20:00")


def test_a_bar_outside_the_session_keeps_its_width_for_the_quality_checks(tmp_path: Path) -> None:
    write(tmp_path / "A.csv", ["2020-07-02T11:30", "2020-07-02T19:45"])
    assert stamps_of(tmp_path / "A.csv", stamp="open") == [pd.Timestamp("2020-07-02 12:30"), pd.Timestamp("2020-07-02 20:00")]


def test_a_span_of_intraday_bars_counts_in_sessions(tmp_path: Path) -> None:
    write(tmp_path / "A.csv", [f"{close:%Y-%m-%dT%H:%M:%S}" for close in CLOSES])
    assert stamps_of(tmp_path / "A.csv", start="2020-07-06", end="2020-07-06") == list(CLOSES[CLOSES >= "2020-07-06"])
    assert stamps_of(tmp_path / "A.csv", end="2020-07-02") == list(CLOSES[CLOSES < "2020-07-03"])


def test_times_that_cannot_be_placed(tmp_path: Path) -> None:
    write(tmp_path / "A.csv", ["2020-11-01 01:30:00"])
    with pytest.raises(SourceError, match=r"A.csv' is not \(.*ambiguous"):
        stamps_of(tmp_path / "A.csv", timezone="America/New_York")
    with pytest.raises(ConfigError, match=r"must be a zone like America/New_York, but got 'New York'"):
        stamps_of(tmp_path / "A.csv", timezone="New York")
    with pytest.raises(ConfigError, match=r"which end of a bar its time is, but got 'opne': did you mean 'open'"):
        stamps_of(tmp_path / "A.csv", stamp="opne")
    with pytest.raises(ConfigError, match=r"Daily bars are dated by their session.*got 'UTC' and 'open'"):
        load("files", path=tmp_path / "A.csv", stamp="open")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    dates = pd.bdate_range("2019-12-16", periods=20, name="date").as_unit("us")
    index = pd.MultiIndex.from_product([["0700", "A", "B"], dates], names=["symbol", "date"])
    rng = np.random.default_rng(3)
    return pd.DataFrame({"close": rng.uniform(1, 9, len(index)), "volume": 5.0}, index=index).reset_index()


@pytest.mark.parametrize("keys", [["symbol"], ["year"], ["symbol", "year"]])
def test_a_partitioned_folder_is_one_table(tmp_path: Path, table: pd.DataFrame, keys: list[str]) -> None:
    table.assign(year=table["date"].dt.year).to_parquet(tmp_path / "bars", partition_cols=keys)
    bars = load("files", path=tmp_path / "bars").bars
    expected = table.set_index(["date", "symbol"])
    pd.testing.assert_frame_equal(bars.sort_index(), expected.sort_index(), check_exact=True)
    some = load("files", path=tmp_path / "bars", symbols=["0700"], start="2019-12-30", end="2020-01-03").bars
    pd.testing.assert_frame_equal(some, expected.xs("0700", level="symbol", drop_level=False)["2019-12-30":"2020-01-03"], check_exact=True)
    with pytest.raises(ConfigError, match=r"lacks 'C': it has 0700, A, B"):
        load("files", path=tmp_path / "bars", symbols=["C"])


def test_parts_and_rows_that_were_not_asked_for_are_not_read(tmp_path: Path, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    table.to_parquet(tmp_path / "bars", partition_cols=["symbol"])
    read: dict[str, int] = {}
    whole = Columns.read

    def counted(self: Columns, path: Path, *rest: object) -> object:
        rows = whole(self, path, *rest)  # type: ignore[arg-type]
        read[path.parent.name] = rows.num_rows
        return rows

    monkeypatch.setattr(Columns, "read", counted)
    load("files", path=tmp_path / "bars", symbols=["A"], end="2019-12-16")
    # Two days of slack for zones, whatever the file's zone is.
    assert read == {"symbol=A": 3}


def test_partitions_of_two_kinds_are_refused(tmp_path: Path, table: pd.DataFrame) -> None:
    table.to_parquet(tmp_path / "bars", partition_cols=["symbol"])
    (tmp_path / "bars" / "year=2019").mkdir()
    table.to_parquet(tmp_path / "bars" / "year=2019" / "part.parquet")
    with pytest.raises(SourceError, match=r"partitioned alike everywhere, but .* lies under \(symbol\) and .* under \(year\): move one"):
        load("files", path=tmp_path / "bars")
