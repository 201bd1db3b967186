"""Stooq's CSV: golden table, names of symbols, and the plain words with which Stooq says no."""

from __future__ import annotations

import pandas as pd
import pytest
from vendor_payloads import request, stooq_csv

from touchstone.errors import ConfigError, SourceError
from touchstone.market import validate
from touchstone.sources.network import Unusable
from touchstone.sources.vendors._stooq import Stooq

VENDOR = Stooq()
ROWS = [("2018-04-02", 167.88, 168.94, 164.47, 166.68, 37586791), ("2018-04-03", 167.64, 168.746, 164.88, 168.39, 30278046)]
ASKED = request("AAPL", "2018-04-02", "2018-04-03")
GOOD = stooq_csv(ROWS)


def page(asked=ASKED):
    (fetch,) = VENDOR.plan(asked, {})
    return fetch


def test_a_table_becomes_bars() -> None:
    bars = VENDOR.read(page(), GOOD.encode()).tables["bars"]
    dates = pd.DatetimeIndex(["2018-04-02", "2018-04-03"]).as_unit("us")
    expected = pd.DataFrame(
        [row[1:] for row in ROWS],
        columns=["open", "high", "low", "close", "volume"],
        index=pd.MultiIndex.from_arrays([dates, pd.Index(["AAPL"] * 2, dtype="str")], names=["date", "symbol"]),
    ).astype("float64")
    pd.testing.assert_frame_equal(validate("raw_bars", bars), expected, check_exact=True)


def test_an_index_has_no_volume_and_a_missing_value_stays_one() -> None:
    text = "Date,Open,High,Low,Close\n2018-04-02,1,2,0.5,1.5\n2018-04-03,,2,0.5,1.5\n2018-04-04,1,2,0.5,1.5\n"
    bars = VENDOR.read(page(request("^SPX", "2018-04-02", "2018-04-03")), text.encode()).tables["bars"]
    assert list(bars.columns) == ["open", "high", "low", "close"]
    assert len(bars) == 2
    assert pd.isna(bars["open"].iloc[1])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("AAPL", "aapl.us"), ("BRK.B", "brk-b.us"), ("TSCO.UK", "tsco.uk"), ("^SPX", "^spx"), ("US", "us.us"), ("ES.F", "es.f")],
)
def test_names_of_symbols(ours: str, theirs: str) -> None:
    query = page(request(ours, "2018-04-02", "2018-04-03")).query
    assert query == {"s": theirs, "i": "d", "d1": "20180402", "d2": "20180403"}
    assert VENDOR.secrets({"STOOQ_API_KEY": "k"}) == {"apikey": "k"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("No data", "bars of 'AAPL' .'aapl.us'. from 2018-04-02 to 2018-04-03, but says: No data"),
        ("Exceeded the daily hits limit", "go on tomorrow"),
        ("Get your apikey:\n\n1. Open https://stooq.com/q/d/?s=aapl.us&get_apikey", "set STOOQ_API_KEY"),
    ],
)
def test_stooq_says_no_in_plain_words(words: str, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        VENDOR.read(page(), words.encode())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must not be empty"),
        ("<html><body>This site requires JavaScript to verify your browser", "web page"),
        ("Symbol,Date\nAAPL,2018-04-02", "must start with Date,Open"),
        ("Date,Open,High,Low,Close,Volume\n", "must have rows"),
        (GOOD[:-20], "a value for every column"),
        (GOOD.replace("168.39", "n/a"), "dates and numbers"),
        (GOOD.replace("2018-04-03", "03.04.2018"), "dates and numbers"),
    ],
)
def test_broken_answers_may_be_asked_again(text: str, why: str) -> None:
    with pytest.raises(Unusable, match=why):
        VENDOR.read(page(), text.encode())


def test_only_daily_bars_without_options() -> None:
    with pytest.raises(ConfigError, match="1d, but got '5m'"):
        VENDOR.plan(request("AAPL", "2018-04-02", "2018-04-03", timeframe="5m"), {})
    with pytest.raises(ConfigError, match="it takes none"):
        VENDOR.plan(request("AAPL", "2018-04-02", "2018-04-03", options={"apikey": "x"}), {})


def test_the_metadata_say_what_the_prices_are() -> None:
    tables = VENDOR.read(page(), GOOD.encode()).tables
    told = VENDOR.metadata(ASKED, tables)
    assert (told.adjustment, told.currency) == ("total_return", "USD")
    assert "splits and dividends" in told.caveats[0]
    assert VENDOR.metadata(request("TSCO.UK", "2018-04-02", "2018-04-03"), tables).currency == ""
