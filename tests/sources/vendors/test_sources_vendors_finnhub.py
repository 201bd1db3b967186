"""Finnhub's candles, actions and profiles: golden tables from payloads in the documented shape, and what the dialect refuses."""

from __future__ import annotations

import pandas as pd
import pytest
from vendor_payloads import as_bytes, finnhub_candles, only, request

from touchstone.errors import ConfigError, SourceError
from touchstone.market import validate
from touchstone.sources.network import Unusable
from touchstone.sources.vendors._finnhub import Finnhub

VENDOR = Finnhub()
# Finnhub's documentation has both: midnight in New York (1569297600) and, elsewhere, midnight in UTC.
ROWS = [
    ("2019-09-24 04:00", 221.03, 222.49, 217.19, 217.68, 33463820),
    ("2019-09-25 00:00", 218.55, 221.5, 217.1402, 221.03, 24018876),
]
ASKED = request("AAPL", "2019-09-24", "2019-09-25")
PROFILE = {"country": "US", "currency": "USD", "exchange": "NASDAQ NMS - GLOBAL MARKET", "name": "Apple Inc", "ticker": "AAPL"}
DIVIDENDS = [
    {"symbol": "AAPL", "date": "2019-08-09", "amount": 0.77, "adjustedAmount": 0.1925, "declarationDate": "2019-07-30", "currency": "USD"},
    {"symbol": "AAPL", "date": "2019-11-07", "amount": 0.77, "adjustedAmount": 0.1925, "declarationDate": "", "currency": "USD"},
    {"symbol": "AAPL", "date": "2020-02-07", "amount": 0.77, "adjustedAmount": 0.1925, "declarationDate": "2020-02-10", "currency": "USD"},
]


def page(kind: str = "bars", asked=ASKED):
    return only(VENDOR.plan(asked, {}), kind)


def test_daily_candles_are_dated_by_their_session_whichever_midnight_they_carry() -> None:
    bars = VENDOR.read(page(), as_bytes(finnhub_candles(ROWS))).tables["bars"]
    dates = pd.DatetimeIndex(["2019-09-24", "2019-09-25"]).as_unit("us")
    expected = pd.DataFrame(
        [row[1:] for row in ROWS],
        columns=["open", "high", "low", "close", "volume"],
        index=pd.MultiIndex.from_arrays([dates, pd.Index(["AAPL"] * 2, dtype="str")], names=["date", "symbol"]),
    ).astype("float64")
    pd.testing.assert_frame_equal(validate("raw_bars", bars), expected, check_exact=True)


def test_intraday_candles_are_stamped_by_their_close_through_a_change_of_the_clock() -> None:
    rows = [(time, 1.0, 1.0, 1.0, 1.0, 1) for time in ("2019-11-01 13:30", "2019-11-01 19:45", "2019-11-04 14:30", "2019-11-04 21:00")]
    fetch = page(asked=request("AAPL", "2019-11-01 13:45", "2019-11-04 21:00", timeframe="15m"))
    bars = VENDOR.read(fetch, as_bytes(finnhub_candles(rows))).tables["bars"]
    stamps = ["2019-11-01 13:45", "2019-11-01 20:00", "2019-11-04 14:45"]
    assert bars.index.get_level_values("date").tolist() == [pd.Timestamp(stamp) for stamp in stamps]


def test_dividends_stand_on_the_footing_of_the_prices() -> None:
    daily = validate("actions", VENDOR.read(page("actions"), as_bytes(DIVIDENDS)).tables["actions"])
    assert daily["value"].tolist() == [0.1925] * 3
    # Known when declared; without a date, or with one after the ex-date, from the ex-date.
    assert daily["known_at"].tolist() == [pd.Timestamp("2019-07-30"), pd.Timestamp("2019-11-07"), pd.Timestamp("2020-02-07")]
    pages = VENDOR.plan(request("AAPL", "2019-09-24 13:35", "2019-09-25 20:00", timeframe="5m"), {})
    dividends, splits = [fetch for fetch in pages if fetch.kind == "actions"]
    assert VENDOR.read(dividends, as_bytes(DIVIDENDS)).tables["actions"]["value"].tolist() == [0.77] * 3
    split = [{"symbol": "AAPL", "date": "2020-08-31", "fromFactor": 1, "toFactor": 4}]
    assert VENDOR.read(splits, as_bytes(split)).tables["actions"].to_numpy().tolist() == [
        ["AAPL", pd.Timestamp("2020-08-31"), "split", 4.0, pd.Timestamp("2020-08-31")]
    ]
    assert VENDOR.read(splits, b"[]").tables["actions"].empty


def test_a_profile_is_an_asset_and_an_empty_one_an_unknown_symbol() -> None:
    asset = validate("assets", VENDOR.read(page("assets"), as_bytes(PROFILE)).tables["assets"]).iloc[0]
    assert asset.tolist() == ["AAPL", "Apple Inc", "NASDAQ NMS - GLOBAL MARKET", "XNYS", "USD", "equity"]
    with pytest.raises(SourceError, match="know the symbol 'AAPL', but has no profile"):
        VENDOR.read(page("assets"), b"{}")


def test_a_plan_asks_for_shorter_bars_by_the_month_and_splits_only_where_prices_are_as_traded() -> None:
    assert [fetch.path.rpartition("/")[2] for fetch in VENDOR.plan(ASKED, {})] == ["profile2", "candle", "dividend"]
    pages = VENDOR.plan(request("AAPL", "2019-09-02 13:31", "2019-11-29 18:00", timeframe="1m"), {})
    candles = [fetch for fetch in pages if fetch.kind == "bars"]
    assert [fetch.start for fetch in candles[1:]] == [fetch.end for fetch in candles[:-1]]
    assert all(int(fetch.query["to"]) - int(fetch.query["from"]) <= 30 * 86400 for fetch in candles)
    assert candles[0].query["resolution"] == "1"
    assert {"split", "dividend"} <= {fetch.path.rpartition("/")[2] for fetch in pages}
    bare = VENDOR.plan(request("AAPL", "2019-09-24", "2019-09-25", options={"actions": False}), {})
    assert {fetch.kind for fetch in bare} == {"assets", "bars"}
    assert VENDOR.headers({"FINNHUB_API_KEY": "k"}) == {"X-Finnhub-Token": "k"}
    assert all("token" not in fetch.query for fetch in pages)


def test_an_update_asks_for_new_candles_and_for_all_actions() -> None:
    pages = VENDOR.plan(ASKED, {"AAPL": pd.Timestamp("2019-09-25")})
    assert only(pages, "bars").start == pd.Timestamp("2019-09-25")
    assert only(pages, "actions").query["from"] == "2019-09-24"


def test_no_data_is_an_answer_for_a_piece_and_none_for_a_span_of_days() -> None:
    with pytest.raises(SourceError, match="bars of 'AAPL' from 2019-09-24 to 2019-09-25, but has none"):
        VENDOR.read(page(), as_bytes(finnhub_candles([])))
    fetch = page(asked=request("AAPL", "2019-09-24 13:35", "2019-09-25 20:00", timeframe="5m"))
    assert VENDOR.read(fetch, as_bytes(finnhub_candles([]))).tables["bars"].empty


GOOD = as_bytes(finnhub_candles(ROWS))


@pytest.mark.parametrize(
    ("kind", "payload", "why"),
    [
        ("bars", GOOD[:-9], "whole JSON"),
        ("bars", b"<html>", "web page"),
        ("bars", b"[]", "status ok or no_data"),
        ("bars", b'{"s": "ok"}', "as many prices"),
        ("bars", as_bytes({**finnhub_candles(ROWS), "o": [221.03]}), "as many prices"),
        ("bars", as_bytes({**{name: [] for name in "tohlcv"}, "s": "ok"}), "one at least"),
        ("bars", GOOD.replace(b"221.03", b'"?"'), "hold numbers"),
        ("bars", b'{"error": "API limit reached. Please try again later."}', "limit reached"),
        ("assets", b'{"name": "x"}', "ticker, name, exchange"),
        ("actions", b"{}", "must be a list"),
        ("actions", b'[{"date": "2019-08-09"}]', "adjustedAmount"),
        ("actions", b'[{"date": "soon", "adjustedAmount": 1.0}]', "2003-01-31"),
    ],
)
def test_broken_answers_may_be_asked_again(kind: str, payload: bytes, why: str) -> None:
    with pytest.raises(Unusable, match=why):
        VENDOR.read(page(kind), payload)


def test_what_needs_a_paid_plan_says_so() -> None:
    no = b'{"error": "You don\'t have access to this resource."}'
    with pytest.raises(SourceError, match=r"bars of 'AAPL', but says: You don't have access.*needs a paid plan"):
        VENDOR.read(page(), no)
    with pytest.raises(SourceError, match="actions: false"):
        VENDOR.refused(page("actions"), 400, no)
    with pytest.raises(SourceError, match="404"):
        VENDOR.refused(page(), 404, b"nothing")
    assert "paid plan" in VENDOR.forbidden(page(), 403, no)
    assert not VENDOR.forbidden(page(), 401, b"")


def test_options_that_do_not_fit() -> None:
    with pytest.raises(ConfigError, match="did you mean 'actions'"):
        VENDOR.plan(request("AAPL", "2019-09-24", "2019-09-25", options={"action": False}), {})
    with pytest.raises(ConfigError, match="true or false, but got 'no'"):
        VENDOR.plan(request("AAPL", "2019-09-24", "2019-09-25", options={"actions": "no"}), {})


def test_the_metadata_say_what_the_prices_are() -> None:
    tables = {**VENDOR.read(page(), GOOD).tables, **VENDOR.read(page("assets"), as_bytes(PROFILE)).tables}
    daily = VENDOR.metadata(ASKED, tables)
    assert (daily.adjustment, daily.currency) == ("split", "USD")
    short = VENDOR.metadata(request("AAPL", "2019-09-24", "2019-09-25", timeframe="5m", options={"actions": False}), tables)
    assert short.adjustment == "none"
    assert "not asked for" in short.caveats[0]
