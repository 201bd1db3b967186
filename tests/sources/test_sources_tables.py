"""A person's own tables: read strictly, joined by stated rules, and their gaps told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from touchstone.errors import DataError, SourceError, TouchstoneError
from touchstone.market import Sectors, declare, ingest
from touchstone.sources import join_tables, load, read_tables

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
HEADER = "date,open,high,low,close,volume"
DAYS = ("2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07")


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    folder = tmp_path / "prices"
    folder.mkdir()
    for symbol in ("A", "B"):
        rows = (f"{day},10,11,9,{10 + number / 4},1000" for number, day in enumerate(DAYS))
        (folder / f"{symbol}.csv").write_text("\n".join((HEADER, *rows)) + "\n")
    return folder


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "README.md").write_text("notes")
    (folder / ".gitkeep").touch()
    return folder


def write(folder: Path, name: str, *lines: str) -> None:
    (folder / name).write_text("\n".join(lines) + "\n")


def test_an_empty_folder_changes_nothing(prices: Path, tables: Path) -> None:
    plain, joined = load("files", path=prices), load("files", path=prices, tables=tables)
    pd.testing.assert_frame_equal(joined.bars, plain.bars)
    assert joined.metadata == plain.metadata


def test_every_table_is_read_and_joined(prices: Path, tables: Path) -> None:
    write(tables, "actions.csv", "symbol,ex_date,kind,value,known_at", "A,2020-01-06,dividend,0.5,2020-01-02")
    write(tables, "universe.csv", "symbol,start,end", "A,2020-01-02,", "B,2020-01-02,2020-01-06")
    write(tables, "assets.csv", "symbol,currency,name", "A,USD,Alpha", "B,USD,")
    write(tables, "sectors.csv", "symbol,sector,start,end", "A,Energy,2019-01-01,2020-01-03", "A,Utilities,2020-01-04,")
    write(tables, "macro.csv", "series,period,value,known_at,expires_at", "cpi,2019-12-31,2.5,2020-01-03,2020-03-01")
    write(tables, "signals.csv", "symbol,name,value,known_at", "*,mood,1.5,2020-01-03", "A,news,0.1,2020-01-03T14:00:00-05:00")
    write(tables, "rates.csv", "base,quote,date,rate,known_at", "EUR,USD,2020-01-02,1.1,2020-01-02")
    write(tables, "benchmark.csv", "date,close,name", *(f"{day},100,My index" for day in DAYS))
    data = load("files", path=prices, tables=tables)
    assert data.actions[["symbol", "kind", "value"]].to_numpy().tolist() == [["A", "dividend", 0.5]]
    assert data.universe["end"].tolist() == [pd.Timestamp("2261-12-31"), pd.Timestamp("2020-01-06")]
    assert data.assets[["name", "exchange", "currency"]].to_numpy().tolist() == [["Alpha", "", "USD"], ["", "", "USD"]]
    assert data.signals["known_at"].tolist() == [pd.Timestamp("2020-01-03"), pd.Timestamp("2020-01-03 19:00")]
    assert data.signals["period"].equals(data.signals["known_at"])
    assert (len(data.sectors), len(data.macro), len(data.rates), len(data.benchmark)) == (2, 1, 1, 4)
    assert data.metadata.benchmark_name == "My index"
    assert data.metadata.caveats[0] == "Prices are as traded and no splits are given: unless there were none, a split looks like a crash."


def test_parquet_says_the_same(prices: Path, tables: Path) -> None:
    frame = pd.DataFrame({"symbol": ["A"], "ex_date": pd.to_datetime(["2020-01-06"], utc=True), "kind": ["split"], "value": [2]})
    frame.assign(known_at="2020-01-02").to_parquet(tables / "actions.parquet")
    row = load("files", path=prices, tables=tables).actions.iloc[0]
    assert row.to_list() == ["A", pd.Timestamp("2020-01-06"), "split", 2.0, pd.Timestamp("2020-01-02")]
    write(tables, "actions.csv", "symbol,ex_date,kind,value")
    with pytest.raises(SourceError, match=r"given once, but '.*actions.csv' and '.*actions.parquet' both hold actions"):
        read_tables(tables)


@pytest.mark.parametrize(
    ("name", "lines", "sentence"),
    [
        ("action.csv", ["symbol"], r"named by what it holds.*action.csv' is not: did you mean 'actions'"),
        ("actions.xlsx", ["symbol"], r"end in .csv or .parquet, but '.*actions.xlsx'"),
        ("actions.csv", ["symbol,exdate,kind,value"], r"actions.csv' must have the column 'ex_date'.*did you mean 'exdate'"),
        ("actions.csv", ["symbol,ex_date,kind,value,currncy"], r"known columns only, but has 'currncy'"),
        (
            "actions.csv",
            ["symbol,ex_date,kind,value", "A,06/01/2020,split,2"],
            r"'ex_date' of '.*' must hold a date.*row 1 has '06/01/2020'",
        ),
        (
            "actions.csv",
            ["symbol,ex_date,kind,value", "A,2020-01-06,split,two"],
            r"'value' of '.*' must hold a number, but row 1 has 'two'",
        ),
        ("actions.csv", ["symbol,ex_date,kind,value", "A,2020-01-06,split,"], r"'value' of '.*' must have a value in every row.*in row 1"),
        ("actions.csv", ["symbol,ex_date,kind,value", ",2020-01-06,split,2"], r"'symbol' of '.*' must have a value in every row"),
        (
            "actions.csv",
            ["symbol,ex_date,kind,value", "A,2020-01-06,merger,2"],
            r"actions.csv' breaks the data contract.*must be one of split",
        ),
        ("actions.csv", ["symbol,ex_date,kind,value"] + ["A,2020-01-06,split,2"] * 2, r"once, but these stand twice: A 2020-01-06"),
        ("sectors.csv", ["symbol,sector", "A,Energy"], r"must date its sectors with start and end, or say of which day.*as_of"),
        ("sectors.csv", ["symbol,sector,start,end", "A,X,2020-01-01,2020-02-01", "A,Y,2020-02-01,"], r"start must lie after the end.*A"),
        ("macro.csv", ["series,period,value", "cpi,2020-01-31,1"], r"say when each value was known: add the column known_at.*lag_days"),
        ("macro.csv", ["series,period,value,lag_days", "cpi,2020-01-31,1,-3"], r"'lag_days' of '.*' must be 0 or more, but is -3"),
        (
            "macro.csv",
            ["series,period,value,lag_days", "cpi,2020-01-31,1,12"],
            r"series 'cpi' has one period only: add the column expires_at",
        ),
        (
            "macro.csv",
            ["series,period,value,known_at", "cpi,2020-01-31,1,2020-01-30", "cpi,2020-02-29,1,2020-03-30"],
            r"known_at must not lie before period",
        ),
        ("benchmark.csv", ["date,close,name", "2020-01-02,1,X", "2020-01-03,1,Y"], r"must name one benchmark, but has X, Y"),
        ("rates.csv", ["base,quote,date,rate,known_at", "EUR,USD,2020-01-02,0,2020-01-02"], r"rates.csv' breaks.*'rate' .* above 0"),
        ("assets.csv", ["symbol,currency", "A,USD", "A,EUR"], r"assets.* stand twice: A"),
    ],
)
def test_a_table_that_does_not_fit_names_file_column_and_fix(tables: Path, name: str, lines: list[str], sentence: str) -> None:
    write(tables, name, *lines)
    with pytest.raises(TouchstoneError, match=sentence):
        read_tables(tables)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"must be a folder of tables, but '.*nowhere' is none"):
        load("sample", tables=tmp_path / "nowhere")


def test_what_both_give_is_told_apart(tables: Path) -> None:
    market = load("simulated", n_symbols=2, n_sessions=20)
    write(tables, "universe.csv", "symbol,start", "S000,2010-01-04")
    with pytest.raises(DataError, match=r"Only one universe may be given, but the source 'simulated' has its own: take it out"):
        join_tables(market, read_tables(tables))
    (tables / "universe.csv").unlink()
    symbol, day = market.signals["symbol"].iloc[0], market.signals["known_at"].iloc[0]
    write(tables, "signals.csv", "symbol,name,value,known_at", f"{symbol},planted,3.0,{day:%Y-%m-%d}")
    with pytest.raises(DataError, match=rf"Each row of signals may be given once.*planted {symbol} {day:%Y-%m-%d}"):
        join_tables(market, read_tables(tables))
    write(tables, "signals.csv", "symbol,name,value,known_at", f"{symbol},other,3.0,{day:%Y-%m-%d}")
    assert len(join_tables(market, read_tables(tables)).signals) == len(market.signals) + 1


def test_assets_of_both_must_agree_and_fill_each_other(tables: Path) -> None:
    market = load("simulated", n_symbols=2, n_sessions=20)
    write(tables, "assets.csv", "symbol,currency", "S000,", "S001,USD", "S009,EUR")
    joined = join_tables(market, read_tables(tables)).assets.set_index("symbol")
    assert joined["currency"].to_dict() == {"S000": "USD", "S001": "USD", "S009": "EUR"}
    assert joined.loc["S001", "name"] == market.assets.set_index("symbol").loc["S001", "name"]
    write(tables, "assets.csv", "symbol,currency", "S000,CHF")
    with pytest.raises(DataError, match=r"must agree, but for S000 the source says currency 'USD' and your table 'CHF'"):
        join_tables(market, read_tables(tables))


@pytest.mark.parametrize(
    ("adjustment", "kind", "refused"),
    [
        ("split", "split", True),
        ("split", "dividend", False),
        ("total_return", "dividend", True),
        ("total_return", "delisting", False),
    ],
)
def test_adjusted_prices_come_without_the_actions_they_hold(prices: Path, tables: Path, adjustment: str, kind: str, refused: bool) -> None:
    write(tables, "actions.csv", "symbol,ex_date,kind,value,known_at", f"A,2020-01-06,{kind},0.5,2020-01-02")
    if refused:
        with pytest.raises(DataError, match=rf"adjusted for '{adjustment}' hold these actions already.*A {kind} 2020-01-06"):
            load("files", path=prices, adjustment=adjustment, tables=tables)
        return
    caveats = load("files", path=prices, adjustment=adjustment, tables=tables).metadata.caveats
    assert any("one share of these adjusted prices" in caveat for caveat in caveats) == (kind == "dividend")
    assert not any("leave dividends out" in caveat for caveat in caveats)


def test_actions_without_an_announcement_count_from_their_ex_date(prices: Path, tables: Path) -> None:
    write(tables, "actions.csv", "symbol,ex_date,kind,value", "A,2020-01-06,split,2")
    data = load("files", path=prices, tables=tables)
    assert data.actions["known_at"].tolist() == [pd.Timestamp("2020-01-06")]
    assert "actions.csv does not say when actions were announced: each counts as known on its ex-date." in data.metadata.caveats


def test_an_undated_list_of_sectors_says_how_far_it_can_be_trusted(prices: Path, tables: Path) -> None:
    write(tables, "sectors.csv", "symbol,sector,as_of", "A,Energy,2026-01-31", "Z,Utilities,2026-01-31")
    data = load("files", path=prices, tables=tables)
    assert data.metadata.caveats[-1] == (
        "Sectors are a list of 2026-01-31, used for every date: look-ahead, and biased to what was listed then; "
        "it covers 1 of the 2 symbols, the others are unknown."
    )
    assert Sectors(data.sectors).at(data.bars.index).tolist() == ["Energy"] * 4 + ["unknown"] * 4


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the constituents in ../shared/data, which are not part of the project")
def test_the_constituents_of_2026_cover_355_of_the_505(tables: Path) -> None:
    listed = pd.read_csv(SHARED / "sp500_constituents_2026.csv")
    sectors = listed[["Symbol", "GICS Sector"]].set_axis(["symbol", "sector"], axis=1).assign(as_of="2026-06-30")
    sectors.to_csv(tables / "sectors.csv", index=False)
    columns = {name: name for name in ("date", "close")} | {"symbol": "Name"}
    data = load("files", path=SHARED / "sp500_5yr", columns=columns, adjustment="split", tables=tables)
    assert "it covers 355 of the 505 symbols" in data.metadata.caveats[-1]


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the macro series in ../shared/data, which are not part of the project")
def test_real_series_without_vintages_get_their_stated_lag(prices: Path, tables: Path) -> None:
    rates = pd.read_csv(SHARED / "macro" / "us_treasury_10y_monthly.csv", parse_dates=["Date"])
    vix = pd.read_csv(SHARED / "macro" / "vix_daily.csv", parse_dates=["DATE"])
    monthly = pd.DataFrame({"series": "ten_year", "period": rates["Date"] + pd.offsets.MonthEnd(0), "value": rates["Rate"], "lag_days": 5})
    daily = pd.DataFrame({"series": "vix", "period": vix["DATE"], "value": vix["CLOSE"], "lag_days": 1})
    pd.concat([monthly, daily]).to_csv(tables / "macro.csv", index=False)
    data = load("files", path=prices, tables=tables)
    assert data.metadata.caveats[-1] == (
        "macro.csv has no vintages: values are those of their last revision, known a stated lag in days after their period "
        "(ten_year 5, vix 1)."
    )
    ten_year = data.macro[data.macro["series"] == "ten_year"].set_index("period")
    assert len(ten_year) == len(rates)
    row = ten_year.loc["2019-12-31"]
    assert (row["value"], row["known_at"]) == (pytest.approx(1.86), pd.Timestamp("2020-01-05"))
    # Three months of 31 days after it was known; the daily series lives a week.
    assert row["expires_at"] - row["known_at"] == pd.Timedelta(days=93)
    day = data.macro[data.macro["series"] == "vix"].iloc[0]
    assert day["expires_at"] - day["known_at"] == pd.Timedelta(days=7)


def test_prices_of_two_currencies_are_refused_until_rates_are_given(prices: Path, tables: Path) -> None:
    write(tables, "assets.csv", "symbol,currency", "A,USD", "B,EUR")
    data = load("files", path=prices, tables=tables)
    with pytest.raises(DataError, match=r"one currency, but the assets state EUR \(B\), USD \(A\): set data.currency and bring a table"):
        declare(data)
    with pytest.raises(DataError, match=r"Prices in EUR need rates into USD, but the table of rates has no rows"):
        declare(data, currency="USD")
    write(tables, "rates.csv", "base,quote,date,rate,lag_days", "EUR,USD,2020-01-01,1.5,0", "EUR,USD,2020-01-03,2.0,0")
    told = declare(load("files", path=prices, tables=tables), currency="USD", derived=["vwap_hlc3"])
    assert told.metadata.currency == "USD"
    assert told.metadata.derived == ("vwap_hlc3",)
    assert told.metadata.caveats[-2:] == (
        "Prices in EUR are converted into USD with the last rate known at each bar.",
        "Computed, not observed: vwap = (high + low + close) / 3.",
    )
    done = ingest(told).bars
    np.testing.assert_allclose(done["close"].xs("B", level="symbol"), [15.0, 20.5, 21.0, 21.5])
    assert done["close"].xs("A", level="symbol").tolist() == [10.0, 10.25, 10.5, 10.75]
    np.testing.assert_allclose(done["vwap"].xs("B", level="symbol").iloc[0], 15.0)
    pd.testing.assert_frame_equal(told.bars, data.bars)
