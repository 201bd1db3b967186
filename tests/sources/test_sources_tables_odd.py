"""Tables as people have them: dates with zones, names as numbers, headers twice, periods dated by their first day."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from touchstone.errors import DataError, SourceError
from touchstone.sources import join_tables, load, read_tables


def read(folder: Path, name: str, text: str, *, encoding: str = "utf-8") -> pd.DataFrame:
    (folder / f"{name}.csv").write_text(text, encoding=encoding)
    return read_tables(folder).tables[name]


def read_stored(folder: Path, name: str, frame: pd.DataFrame) -> pd.DataFrame:
    frame.to_parquet(folder / f"{name}.parquet")
    return read_tables(folder).tables[name]


@pytest.mark.parametrize(
    "day",
    ["2020-01-06", "20200106", "2020-01-06 00:00:00-05:00", "2020-01-06T00:00Z", "2020-01-06T00:00:00.000+09:00", " 2020-01-06 "],
)
def test_midnight_with_a_zone_is_the_date_that_it_shows(tmp_path: Path, day: str) -> None:
    # In UTC midnight of New York is five in the morning, after the stamp of the day's bar, and midnight of Tokyo the day before.
    table = read(tmp_path, "actions", f"symbol,ex_date,kind,value,known_at\nA,{day},split,2,{day}\n")
    assert table[["ex_date", "known_at"]].iloc[0].tolist() == [pd.Timestamp("2020-01-06")] * 2


def test_other_times_with_a_zone_are_moments(tmp_path: Path) -> None:
    table = read(tmp_path, "signals", "symbol,name,value,known_at\nA,s,1,2020-01-06T09:30:00-05:00\n")
    assert table["known_at"].tolist() == [pd.Timestamp("2020-01-06 14:30")]


def test_stored_dates_of_a_zone_are_read_alike(tmp_path: Path) -> None:
    days = pd.to_datetime(["2020-01-06 00:00", "2020-07-06 09:30"]).tz_localize("America/New_York")
    table = read_stored(tmp_path, "benchmark", pd.DataFrame({"date": days, "close": [1.0, 2.0]}))
    assert table.index.tolist() == [pd.Timestamp("2020-01-06"), pd.Timestamp("2020-07-06 13:30")]


@pytest.mark.parametrize("day", ["03/04/2015", "2015", "2015-03", "201503", "4 March 2015", "42067"])
def test_a_date_that_can_be_read_in_two_ways_or_is_none_is_refused(tmp_path: Path, day: str) -> None:
    with pytest.raises(DataError, match=rf"Column 'ex_date' .*must hold a date like 2020-01-31.*row 1 has '{day}'"):
        read(tmp_path, "actions", f"symbol,ex_date,kind,value\nA,{day},split,2\n")


def test_a_mark_of_byte_order_and_blanks_around_names_do_no_harm(tmp_path: Path) -> None:
    table = read(tmp_path, "actions", "symbol,ex_date,kind,value\n A ,2020-01-06, split,2\n", encoding="utf-8-sig")
    assert table[["symbol", "kind"]].iloc[0].tolist() == ["A", "split"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("symbol,ex_date,kind,value,value\nA,2020-01-06,split,2,3\n", r"must have each column once, but has 'value' twice: drop one"),
        ('symbol,ex_date,kind,value\nA,2020-01-06,dividend,"1,234"\n', r"Column 'value' .*must hold a number, but row 1 has '1,234'"),
        (
            "symbol,ex_date,kind,value\nA,2020-01-06,dividend,1\nA,2020-01-06,dividend,2\n",
            r"A 2020-01-06 00:00:00 dividend; keep one row, with the sum where they are two payouts",
        ),
    ],
)
def test_what_would_be_read_wrongly_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        read(tmp_path, "actions", text)


def test_an_empty_file_is_refused_and_one_with_a_header_alone_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path, "sectors", "symbol,sector,as_of\n").empty
    with pytest.raises(SourceError, match=r"Empty CSV"):
        read(tmp_path, "sectors", "")


def test_names_stored_as_numbers_with_a_fraction_match_nothing_and_are_refused(tmp_path: Path) -> None:
    rows = {"symbol": [600000.0], "start": ["2015-01-05"]}
    with pytest.raises(DataError, match=r"Column 'symbol' .*must hold names, but holds numbers like 600000\.0: write it as text"):
        read_stored(tmp_path, "universe", pd.DataFrame(rows))
    assert read_stored(tmp_path, "universe", pd.DataFrame(rows | {"symbol": [600000]}))["symbol"].tolist() == ["600000"]
    blank = pd.DataFrame({"symbol": ["A"], "exchange": [float("nan")]})
    assert read_stored(tmp_path, "assets", blank)["exchange"].tolist() == [""]


@pytest.mark.parametrize(("frequency", "is_refused"), [("MS", True), ("QS", True), ("YS", True), ("ME", False), ("W", False), ("B", False)])
def test_a_lag_does_not_count_from_the_first_day_of_a_month(tmp_path: Path, frequency: str, is_refused: bool) -> None:
    periods = pd.date_range("2015-01-01", periods=5, freq=frequency)
    text = "\n".join(["series,period,value,lag_days", *(f"cpi,{day:%Y-%m-%d},1,15" for day in periods)])
    if is_refused:
        with pytest.raises(DataError, match=r"A lag counts from the end of a period, but series 'cpi' .*first days of months"):
            read(tmp_path, "macro", text)
    else:
        assert (read(tmp_path, "macro", text)["known_at"] == periods + pd.Timedelta(days=15)).all()
    known = text.replace("lag_days", "known_at").replace(",15", ",2020-06-01")
    assert len(read(tmp_path, "macro", known)) == 5


def test_a_table_of_other_symbols_is_not_passed_over_without_a_word(tmp_path: Path) -> None:
    data = load("simulated", n_symbols=3, n_sessions=90, seed=1)
    read(tmp_path, "actions", "symbol,ex_date,kind,value\nS000.US,2003-01-06,dividend,1\n")
    read(tmp_path, "signals", "symbol,name,value,known_at\n*,s,1,2003-01-06\n")
    caveats = join_tables(data, read_tables(tmp_path)).metadata.caveats
    assert "No symbol of your table actions has bars: they are spelled otherwise, or it is meant for other bars." in caveats
    assert not any("table signals" in caveat for caveat in caveats)
