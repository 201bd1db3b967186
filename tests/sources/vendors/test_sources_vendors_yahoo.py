"""Yahoo's charts: golden tables from payloads in the recorded shape, and what the dialect refuses."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vendor_payloads import as_bytes, request, seconds, yahoo_chart

from touchstone.errors import ConfigError, SourceError
from touchstone.market import Metadata, adjust, validate
from touchstone.sources import SourceRequest
from touchstone.sources.network import Unusable
from touchstone.sources.vendors._yahoo import Yahoo

VENDOR = Yahoo()
# AAPL around its 4:1 split of 2020-08-31, as Yahoo writes it (single precision, split-adjusted). As traded: 499.23 on the 28th,
# 46,907,500 shares; 0.82 paid a share on the 7th, 0.205 on November 6 (AAPL's own record).
ROWS = [
    ("2020-08-07 13:30", 113.20500183105469, 113.67500305175781, 110.29249572753906, 111.11250305175781, 198045600),
    ("2020-08-28 13:30", 126.01249694824219, 126.44249725341797, 124.57749938964844, 124.80750274658203, 187630000),
    ("2020-08-31 13:30", 127.58000183105469, 131.0, 126.0, 129.0399932861328, 225702700),
    ("2020-09-01 13:30", 132.75999450683594, 134.8000030517578, 130.52999877929688, 134.17999267578125, 151948100),
]
SPLIT = {"date": seconds("2020-08-31 13:30"), "numerator": 4, "denominator": 1, "splitRatio": "4:1"}
EVENTS = {
    "splits": {str(SPLIT["date"]): SPLIT},
    "dividends": {
        str(seconds("2020-11-06 14:30")): {"amount": 0.205, "date": seconds("2020-11-06 14:30")},
        str(seconds("2020-08-07 13:30")): {"amount": 0.205, "date": seconds("2020-08-07 13:30")},
    },
}


def plan(symbol: str = "AAPL", start: str = "2020-08-07", end: str = "2020-09-01", **given):
    (fetch,) = VENDOR.plan(request(symbol, start, end, **given), {})
    return fetch


def test_daily_prices_are_given_as_traded_with_the_actions_beside_them() -> None:
    page = VENDOR.read(plan(), as_bytes(yahoo_chart("AAPL", ROWS, events=EVENTS)))
    dates = pd.DatetimeIndex(["2020-08-07", "2020-08-28", "2020-08-31", "2020-09-01"]).as_unit("us")
    expected = pd.DataFrame(
        {
            "open": [452.82, 504.05, 127.58, 132.76],
            "high": [454.70, 505.77, 131.0, 134.80],
            "low": [441.17, 498.31, 126.0, 130.53],
            "close": [444.45, 499.23, 129.04, 134.18],
            "volume": [49511400.0, 46907500.0, 225702700.0, 151948100.0],
        },
        index=pd.MultiIndex.from_arrays([dates, pd.Index(["AAPL"] * 4, dtype="str")], names=["date", "symbol"]),
    )
    pd.testing.assert_frame_equal(page.tables["bars"], expected, check_exact=True)
    # The dividend of November is after the span; that of August was paid on shares before the split.
    actions = validate("actions", page.tables["actions"])
    assert actions[["kind", "value"]].to_numpy().tolist() == [["dividend", 0.82], ["split", 4.0]]
    assert actions["ex_date"].tolist() == actions["known_at"].tolist() == [pd.Timestamp("2020-08-07"), pd.Timestamp("2020-08-31")]
    asset = validate("assets", page.tables["assets"]).iloc[0].to_dict()
    assert asset == {
        "symbol": "AAPL", "name": "Apple Inc.", "exchange": "NasdaqGS", "calendar": "XNYS", "currency": "USD", "asset_class": "equity",
    }  # fmt: skip
    assert page.following is None


def test_as_traded_prices_and_their_splits_give_yahoos_own_series_back() -> None:
    tables = VENDOR.read(plan(), as_bytes(yahoo_chart("AAPL", ROWS, events=EVENTS))).tables
    adjusted = adjust(tables["bars"], tables["actions"], kind="split")["close"].to_numpy() / 4.0
    assert adjusted == pytest.approx([row[4] for row in ROWS], rel=2e-7)


def test_a_split_after_the_span_is_taken_out_of_the_prices_and_not_told_before_its_day() -> None:
    fetch = plan(end="2020-08-28")
    assert fetch.query["period2"] == "9999999999"
    page = VENDOR.read(fetch, as_bytes(yahoo_chart("AAPL", ROWS, events=EVENTS)))
    assert page.tables["bars"]["close"].tolist() == [444.45, 499.23]
    assert page.tables["actions"]["kind"].tolist() == ["dividend"]


def test_two_splits_multiply_and_a_reverse_one_divides() -> None:
    reverse = {"date": seconds("2020-09-01 13:30"), "numerator": 1, "denominator": 10, "splitRatio": "1:10"}
    events = {"splits": {"a": SPLIT, "b": reverse}}
    page = VENDOR.read(plan(), as_bytes(yahoo_chart("AAPL", ROWS, events=events)))
    assert page.tables["bars"]["close"].tolist() == [44.445, 49.923, 12.904, 134.18]
    assert page.tables["bars"]["volume"].tolist() == pytest.approx([495114000.0, 469075000.0, 2257027000.0, 151948100.0], rel=1e-12)


def test_rows_without_any_value_go_and_half_rows_stay_for_the_quality_checks() -> None:
    rows = [ROWS[0], ("2020-08-28 13:30", None, None, None, None, None), ("2020-08-31 13:30", None, 131.0, 126.0, 129.04, 1)]
    bars = VENDOR.read(plan(), as_bytes(yahoo_chart("AAPL", rows))).tables["bars"]
    assert len(bars) == 2
    assert pd.isna(bars["open"].iloc[1])
    validate("raw_bars", bars)


LIVE = {
    "regularMarketTime": seconds("2020-09-01 18:00"),
    "currentTradingPeriod": {"regular": {"start": seconds("2020-09-01 13:30"), "end": seconds("2020-09-01 20:00")}},
}


def test_the_session_under_way_is_left_out_and_once_it_is_over_its_second_row_counts() -> None:
    under_way = VENDOR.read(plan(), as_bytes(yahoo_chart("AAPL", ROWS, meta=LIVE))).tables["bars"]
    assert under_way.index.get_level_values("date").max() == pd.Timestamp("2020-08-31")
    twice = [*ROWS, ("2020-09-01 20:00:02", 132.76, 134.8, 130.53, 134.5, 152000000)]
    over = VENDOR.read(plan(), as_bytes(yahoo_chart("AAPL", twice, meta={**LIVE, "regularMarketTime": seconds("2020-09-01 20:00:02")})))
    assert over.tables["bars"]["close"].iloc[-1] == 134.5
    assert over.tables["bars"].index.is_unique


def test_intraday_bars_are_stamped_by_their_close_through_a_change_of_the_clock() -> None:
    # The clocks of New York went back on 2026-11-01: sessions open at 13:30 UTC before and at 14:30 after.
    rows = [(time, 10.0, 11.0, 9.0, 10.5, 5) for time in ("2026-10-30 13:30", "2026-10-30 19:55", "2026-11-02 14:30", "2026-11-02 20:55")]
    fetch = plan(start="2026-10-30 13:35", end="2026-11-02 21:00", timeframe="5m")
    bars = VENDOR.read(fetch, as_bytes(yahoo_chart("AAPL", rows, meta={"dataGranularity": "5m", "regularMarketTime": None}))).tables["bars"]
    stamps = ["2026-10-30 13:35", "2026-10-30 20:00", "2026-11-02 14:35", "2026-11-02 21:00"]
    assert bars.index.get_level_values("date").tolist() == [pd.Timestamp(stamp) for stamp in stamps]


def test_the_last_hour_of_a_session_is_half_a_one_and_what_is_live_or_outside_the_hours_goes() -> None:
    rows = [
        (time, 10.0, 11.0, 9.0, 10.5, 5) for time in ("2026-10-30 12:30", "2026-10-30 13:30", "2026-10-30 19:30", "2026-10-30 19:47:13")
    ]
    fetch = plan(start="2026-10-30 13:00", end="2026-10-30 20:00", timeframe="1h")
    chart = yahoo_chart("AAPL", rows, meta={"dataGranularity": "1h", "regularMarketTime": None})
    stamps = VENDOR.read(fetch, as_bytes(chart)).tables["bars"].index.get_level_values("date")
    assert stamps.tolist() == [pd.Timestamp("2026-10-30 14:30"), pd.Timestamp("2026-10-30 20:00")]


def test_an_unfinished_intraday_bar_is_left_out() -> None:
    session = {"regular": {"start": seconds("2026-10-30 13:30"), "end": seconds("2026-10-30 20:00")}}
    meta = {"dataGranularity": "5m", "regularMarketTime": seconds("2026-10-30 13:39"), "currentTradingPeriod": session}
    rows = [("2026-10-30 13:30", 1.0, 1.0, 1.0, 1.0, 1), ("2026-10-30 13:35", 1.0, 1.0, 1.0, 1.0, 1)]
    fetch = plan(start="2026-10-30 13:35", end="2026-10-30 20:00", timeframe="5m")
    assert len(VENDOR.read(fetch, as_bytes(yahoo_chart("AAPL", rows, meta=meta))).tables["bars"]) == 1


def test_intraday_prices_stay_split_adjusted_and_say_so() -> None:
    rows = [("2020-08-28 13:30", 1.0, 1.0, 1.0, 1.0, 4)]
    fetch = plan(start="2020-08-28 13:35", end="2020-08-31 20:00", timeframe="5m")
    tables = VENDOR.read(fetch, as_bytes(yahoo_chart("AAPL", rows, events=EVENTS, meta={"dataGranularity": "5m"}))).tables
    assert tables["bars"]["volume"].tolist() == [4.0]
    assert "split" not in tables["actions"]["kind"].tolist()
    told = VENDOR.metadata(request("AAPL", "2020-08-28", "2020-08-31", timeframe="5m"), tables)
    assert told.adjustment == "split"
    assert "adjusted for splits" in told.caveats[0]


def test_london_is_quoted_in_pence_and_may_pay_in_pounds() -> None:
    meta = {"currency": "GBp", "symbol": "VOD.L", "exchangeTimezoneName": "Europe/London", "fullExchangeName": "LSE"}
    day = seconds("2020-08-28 07:00")
    for paid, said in ((4.5, "GBp"), (0.045, "GBP"), (4.5, "")):
        events = {"dividends": {"1": {"amount": paid, "date": day, "currency": said}}}
        chart = yahoo_chart("VOD.L", [("2020-08-28 07:00", 110.0, 112.0, 109.0, 111.25, 7)], events=events, meta=meta)
        tables = VENDOR.read(plan("VOD.L", calendar="XLON"), as_bytes(chart)).tables
        assert tables["bars"]["close"].tolist() == [1.1125]
        assert tables["assets"]["currency"].tolist() == ["GBP"]
        assert tables["actions"]["value"].tolist() == pytest.approx([0.045])
    chart["chart"]["result"][0]["events"]["dividends"]["1"]["currency"] = "USD"
    with pytest.raises(SourceError, match=r"'VOD.L' is quoted in GBp and was paid USD on 2020-08-28"):
        VENDOR.read(plan("VOD.L", calendar="XLON"), as_bytes(chart))


def test_sessions_east_of_greenwich_keep_their_date() -> None:
    meta = {"symbol": "BHP.AX", "exchangeTimezoneName": "Australia/Sydney", "currency": "AUD"}
    chart = yahoo_chart("BHP.AX", [("2021-01-03 23:00", 42.0, 43.0, 41.0, 42.5, 9)], meta=meta)
    fetch = plan("BHP.AX", start="2021-01-04", end="2021-01-04", calendar="XASX")
    assert int(fetch.query["period1"]) <= seconds("2021-01-03 23:00")
    assert VENDOR.read(fetch, as_bytes(chart)).tables["bars"].index.tolist() == [(pd.Timestamp("2021-01-04"), "BHP.AX")]


def test_a_symbol_that_yahoo_does_not_know() -> None:
    no = {"chart": {"result": None, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}}
    with pytest.raises(SourceError, match=r"bars of 'NOSUCH', but says Not Found: No data found"):
        VENDOR.read(plan("NOSUCH"), as_bytes(no))
    with pytest.raises(SourceError, match="No data found"):
        VENDOR.refused(plan("NOSUCH"), 404, as_bytes(no))
    with pytest.raises(SourceError, match="404"):
        VENDOR.refused(plan("NOSUCH"), 404, b"<html>")


GOOD = as_bytes(yahoo_chart("AAPL", ROWS))


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "must not be empty"),
        (b"<!DOCTYPE html><html>Will be right back", "web page"),
        (b"\xff\xfe\x00", "UTF-8"),
        (GOOD[:-30], "whole JSON"),
        (b"[]", "must hold a chart"),
        (b'{"chart": {"result": [], "error": null}}', "one result"),
        (as_bytes({"chart": {"result": None, "error": {"code": "Internal Server Error", "description": "x"}}}), "Internal Server Error"),
        (as_bytes({"finance": {"result": None, "error": {"code": "Too Many Requests", "description": "x"}}}), "Too Many Requests"),
        (as_bytes(yahoo_chart("MSFT", ROWS)), "about 'AAPL', but is about 'MSFT'"),
        (as_bytes(yahoo_chart("AAPL", [])), "must not be empty for a span in which 'AAPL' was listed"),
        (GOOD.replace(b", 134.17999267578125", b""), "open, high, low, close and volume for every time"),
        (GOOD.replace(b"134.17999267578125", b'"n/a"'), "readable by yfinance"),
        (GOOD.replace(b"134.17999267578125", b"NaN"), "whole JSON"),
    ],
)  # fmt: skip
def test_broken_answers_may_be_asked_again(payload: bytes, why: str) -> None:
    with pytest.raises(Unusable, match=why):
        VENDOR.read(plan(), payload)


def test_no_bars_before_the_listing_is_an_answer() -> None:
    chart = yahoo_chart("AAPL", [], meta={"firstTradeDate": seconds("2021-01-04")})
    assert VENDOR.read(plan(), as_bytes(chart)).tables["bars"].empty


def test_bars_of_another_width_than_asked_for_are_refused() -> None:
    with pytest.raises(SourceError, match="bars of 1d, but sent 1mo"):
        VENDOR.read(plan(), as_bytes(yahoo_chart("AAPL", ROWS, meta={"dataGranularity": "1mo"})))


def test_what_yahoo_does_not_keep_is_refused_before_asking() -> None:
    with pytest.raises(ConfigError, match=r"1m for 30 days, .* AAPL from 2020-07-01"):
        VENDOR.plan(request("AAPL", "2020-07-01", "2020-09-01", timeframe="1m"), {})
    with pytest.raises(ConfigError, match="got '30m'"):
        VENDOR.plan(request("AAPL", "2020-08-31", "2020-09-01", timeframe="30m"), {})
    with pytest.raises(ConfigError, match="at least one symbol"):
        VENDOR.plan(SourceRequest(), {})
    with pytest.raises(ConfigError, match="got 'feed'"):
        VENDOR.plan(request("AAPL", "2020-08-31", "2020-09-01", options={"feed": "x"}), {})


def test_minutes_are_asked_for_a_week_at_a_time_without_a_gap() -> None:
    fetches = VENDOR.plan(request("^GSPC", "2020-08-03 13:31", "2020-08-20 20:00", timeframe="1m"), {})
    assert [fetch.start for fetch in fetches[1:]] == [fetch.end for fetch in fetches[:-1]]
    assert all(int(fetch.query["period2"]) - int(fetch.query["period1"]) <= 8 * 86400 for fetch in fetches)
    assert fetches[0].path == "/v8/finance/chart/%5EGSPC"
    assert fetches[-1].end == pd.Timestamp("2020-08-20 20:00")


def test_an_update_asks_from_the_last_known_bar_on() -> None:
    (fetch,) = VENDOR.plan(request("AAPL", "2010-01-04", "2020-09-01"), {"AAPL": pd.Timestamp("2020-08-25")})
    assert fetch.start == pd.Timestamp("2020-08-25")


def test_the_metadata_say_what_the_prices_are() -> None:
    tables = VENDOR.read(plan(), GOOD).tables
    told = VENDOR.metadata(request("AAPL", "2020-08-07", "2020-09-01"), tables)
    assert (told.source, told.adjustment, told.currency, told.calendar) == ("yahoo", "none", "USD", "XNYS")
    assert any("ex-dates" in caveat for caveat in told.caveats)
    assert isinstance(told, Metadata)
    assert "Mozilla" in VENDOR.headers({})["User-Agent"]


_KEYS = st.sampled_from(["chart", "result", "error", "meta", "code"])
_JSON = st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner))


@settings(max_examples=40)
@given(st.binary(max_size=200) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_comes_is_read_or_refused_in_words(payload: bytes) -> None:
    with pytest.raises((Unusable, SourceError)):
        VENDOR.read(plan(), payload)
