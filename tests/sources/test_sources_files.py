"""CSV and Parquet as people have them, and as nobody should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from touchstone.errors import ConfigError, SourceError
from touchstone.market import ingest
from touchstone.sources import load

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "sp500_5yr"
REAL_COLUMNS = {name: name for name in ("date", "open", "high", "low", "close", "volume")} | {"symbol": "Name"}

HEADER = "date,open,high,low,close,volume"
ROWS = ("2020-01-02,10,11,9,10.5,1000", "2020-01-03,10.5,12,10,11.5,1100", "2020-01-06,11.5,12,11,11,900")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for symbol in ("B", "A"):
        (tmp_path / f"{symbol}.csv").write_text("\n".join((HEADER, *ROWS)) + "\n")
    (tmp_path / "README.md").write_text("not bars")
    return tmp_path


def test_one_file_per_symbol_takes_the_symbol_from_the_name(folder: Path) -> None:
    data = load("files", path=folder)
    assert list(data.bars.index) == [(pd.Timestamp(row[:10]), symbol) for symbol in "AB" for row in ROWS]
    assert data.metadata.fields == ("open", "high", "low", "close", "volume")
    assert data.bars["close"].tolist() == [10.5, 11.5, 11.0] * 2
    assert len(ingest(data).bars) == 6


def test_a_long_table_with_columns_of_other_names(tmp_path: Path) -> None:
    table = tmp_path / "prices.csv"
    table.write_text("ticker,day,px,ignored\nA,2020-01-02,1.5,x\nB,2020-01-02,2.5,y\nA,2020-01-03,1.6,\n")
    data = load("files", path=str(table), columns={"date": "day", "symbol": "ticker", "close": "px"})
    assert list(data.bars.columns) == ["close"]
    assert data.bars["close"].to_dict() == {
        (pd.Timestamp("2020-01-02"), "A"): 1.5,
        (pd.Timestamp("2020-01-02"), "B"): 2.5,
        (pd.Timestamp("2020-01-03"), "A"): 1.6,
    }


def test_parquet_gives_the_same_as_csv(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("parquet")
    for symbol in ("A", "B"):
        table = pd.read_csv(folder / f"{symbol}.csv", parse_dates=["date"])
        table.to_parquet(other / f"{symbol}.parquet")
    pd.testing.assert_frame_equal(load("files", path=other).bars, load("files", path=folder).bars)


def test_parquet_of_a_clean_table_comes_back(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    clean = ingest(load("files", path=folder)).bars
    table = tmp_path_factory.mktemp("clean") / "bars.parquet"
    clean.to_parquet(table)
    pd.testing.assert_frame_equal(load("files", path=table).bars, clean)


def test_span_and_symbols_can_be_chosen(folder: Path) -> None:
    data = load("files", path=folder, start="2020-01-03", end="2020-01-03", symbols=["B"])
    assert list(data.bars.index) == [(pd.Timestamp("2020-01-03"), "B")]
    with pytest.raises(ConfigError, match=r"lacks 'C': it has A, B"):
        load("files", path=folder, symbols=["C"])


def test_missing_values_are_left_for_the_quality_checks(folder: Path) -> None:
    (folder / "A.csv").write_text("\n".join((HEADER, "2020-01-02,,11,9,10.5,1000", *ROWS[1:])))
    data = load("files", path=folder)
    assert np.isnan(data.bars["open"].iloc[0])
    done = ingest(data)
    assert done.quarantine[["symbol", "checks"]].to_numpy().tolist() == [["A", "missing_value"]]


def test_a_symbol_that_reads_like_a_missing_value_or_a_number_is_a_symbol(tmp_path: Path) -> None:
    table = tmp_path / "long.csv"
    table.write_text("symbol,date,close\nNA,2020-01-02,1\nNULL,2020-01-02,2\n0700,2020-01-02,3\nTRUE,2020-01-02,4\n")
    assert list(load("files", path=table).bars.index.get_level_values("symbol")) == ["NA", "NULL", "0700", "TRUE"]


def test_what_the_prices_are_is_said(folder: Path) -> None:
    assert "splits only" in load("files", path=folder, adjustment="split").metadata.caveats[0]
    assert "looks like a crash" in load("files", path=folder).metadata.caveats[0]
    assert not [c for c in load("files", path=folder, adjustment="total_return").metadata.caveats if "dividends" in c]
    with pytest.raises(ConfigError, match=r"got 'splits': did you mean 'split'"):
        load("files", path=folder, adjustment="splits")


def test_a_list_of_survivors_is_called_one(folder: Path) -> None:
    assert "All 2 symbols last until the end" in load("files", path=folder).metadata.caveats[-1]
    (folder / "A.csv").write_text("\n".join((HEADER, *ROWS[:2])))
    assert "survivors" not in " ".join(load("files", path=folder).metadata.caveats)


def test_options_that_do_not_fit(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"must be told where the files are"):
        load("files")
    with pytest.raises(ConfigError, match=r"got 'pth': did you mean 'path'"):
        load("files", pth=folder)
    with pytest.raises(ConfigError, match=r"got 'clsoe': did you mean 'close'"):
        load("files", path=folder, columns={"clsoe": "close"})


def test_a_mapping_must_name_date_and_close(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"must map date and close, but maps only open: add date, close"):
        load("files", path=folder, columns={"open": "open"})


def test_a_missing_column_names_the_file_and_the_nearest(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"column 'Close', but '.*A.csv' lacks it: did you mean 'close'"):
        load("files", path=folder, columns={"date": "date", "close": "Close"})
    (folder / "B.csv").write_text("date,open,high,low,price,volume\n2020-01-02,1,1,1,1,1\n")
    with pytest.raises(SourceError, match=r"column 'close', but '.*B.csv' lacks it"):
        load("files", path=folder)


def test_a_file_without_any_of_our_names_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "A.csv").write_text("day,px\n2020-01-02,1\n")
    with pytest.raises(SourceError, match=r"must have the column 'date'.*known: day, px"):
        load("files", path=tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "A.csv' is not .Empty CSV file"),
        (HEADER + "\n", "A.csv' is empty"),
        (HEADER + "\n2020-01-02,ten,11,9,10,1\n", "invalid value 'ten'"),
        (HEADER + "\n02/01/2020,10,11,9,10,1\n", "invalid value '02/01/2020'.*dates must be ISO 8601"),
        (HEADER + "\n2020-01-02T00:00:00Z,10,11,9,10,1\n", "zone"),
        (HEADER + "\n2020-01-02,10,11,9,10,1,7\n", "Expected 6 columns, got 7"),
        (HEADER + "\n,10,11,9,10,1\n", "Every row must have a date.*A.csv"),
    ],
)
def test_a_file_that_is_no_table_of_bars(folder: Path, text: str, sentence: str) -> None:
    (folder / "A.csv").write_text(text)
    with pytest.raises(SourceError, match=sentence):
        load("files", path=folder)


def test_a_row_without_a_symbol(tmp_path: Path) -> None:
    table = tmp_path / "long.csv"
    table.write_text("symbol,date,close\nA,2020-01-02,1\n,2020-01-02,2\n")
    with pytest.raises(SourceError, match=r"must have a symbol.*column 'symbol'"):
        load("files", path=table)


def test_parquet_that_is_broken_zoned_or_of_other_types(tmp_path: Path) -> None:
    broken = tmp_path / "A.parquet"
    broken.write_bytes(b"PAR1 but not really")
    with pytest.raises(SourceError, match=r"must be readable"):
        load("files", path=broken)
    pd.DataFrame({"date": ["soon"], "close": [1.0]}).to_parquet(broken)
    with pytest.raises(SourceError, match=r"must be readable.*soon"):
        load("files", path=broken)
    pd.DataFrame({"date": ["2020-01-02"], "close": ["1.5"]}).to_parquet(broken)
    assert load("files", path=broken).bars["close"].tolist() == [1.5]
    pd.DataFrame({"date": pd.to_datetime(["2020-01-02"], utc=True), "close": [1.0]}).to_parquet(broken)
    with pytest.raises(SourceError, match=r"must be readable.*zone"):
        load("files", path=broken)


def test_a_date_that_goes_backwards_names_the_row(folder: Path) -> None:
    (folder / "B.csv").write_text("\n".join((HEADER, ROWS[0], ROWS[2], ROWS[1])))
    with pytest.raises(SourceError, match=r"must not go backwards, but row 3 of '.*B.csv' \(B, 2020-01-03\)"):
        load("files", path=folder)


def test_equal_dates_are_duplicates_for_the_quality_checks(folder: Path) -> None:
    (folder / "B.csv").write_text("\n".join((HEADER, ROWS[0], ROWS[0], ROWS[1])))
    assert ingest(load("files", path=folder)).quality["check"].tolist() == ["duplicate"]


def test_a_path_that_is_not_there_or_holds_no_bars(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"'.*nowhere' does not exist"):
        load("files", path=tmp_path / "nowhere")
    with pytest.raises(SourceError, match=r"must hold files that end in .csv or .parquet"):
        load("files", path=tmp_path)
    (tmp_path / "bars.txt").write_text("date,close\n")
    with pytest.raises(SourceError, match=r"must hold files that end in .csv or .parquet"):
        load("files", path=tmp_path / "bars.txt")


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real prices in ../shared/data/sp500_5yr, which are not part of the project")
def test_the_real_folder_is_ingested_as_it_is() -> None:
    data = load("files", path=REAL, columns=REAL_COLUMNS, adjustment="split")
    assert len(data.bars) == 619_040
    assert data.bars.index.get_level_values("symbol").nunique() == 505
    done = ingest(data)
    assert len(done.bars) + len(done.quarantine) == 619_040
    assert "survivors" in " ".join(data.metadata.caveats)
