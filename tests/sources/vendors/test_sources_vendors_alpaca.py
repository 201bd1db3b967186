"""Alpaca's bars and actions: golden tables from payloads in the shape of alpaca-py's own tests, and what the dialect refuses."""

from __future__ import annotations

import pandas as pd
import pytest
from vendor_payloads import alpaca_actions, alpaca_bars, as_bytes, only, request

from touchstone.errors import ConfigError, SourceError
from touchstone.market import validate
from touchstone.sources.network import Unusable
from touchstone.sources.vendors._alpaca import Alpaca

VENDOR = Alpaca()
KEYS = {"ALPACA_API_KEY_ID": "id", "ALPACA_API_SECRET_KEY": "secret"}
# Midnight in New York is 5 h UTC in winter and 4 h in summer.
ROWS = [
    ("2021-03-12T05:00:00Z", 120.4, 121.17, 119.16, 121.03, 88105100, 120.5),
    ("2021-03-15T04:00:00Z", 121.41, 124.0, 120.42, 123.99, 92403800, 122.75),
]
ASKED = request("AAPL", "2021-03-12", "2021-03-15")


def page(kind: str = "bars", asked=ASKED):
    return only(VENDOR.plan(asked, {}), kind)


def test_daily_bars_are_dated_by_their_session_on_both_sides_of_a_change_of_the_clock() -> None:
    bars = VENDOR.read(page(), as_bytes(alpaca_bars("AAPL", ROWS))).tables["bars"]
    dates = pd.DatetimeIndex(["2021-03-12", "2021-03-15"]).as_unit("us")
    expected = pd.DataFrame(
        [row[1:] for row in ROWS],
        columns=["open", "high", "low", "close", "volume", "vwap"],
        index=pd.MultiIndex.from_arrays([dates, pd.Index(["AAPL"] * 2, dtype="str")], names=["date", "symbol"]),
    ).astype("float64")
    pd.testing.assert_frame_equal(validate("raw_bars", bars), expected, check_exact=True)


def test_intraday_bars_are_stamped_by_their_close_and_kept_within_the_hours() -> None:
    # Clocks went forward on 2021-03-14: 9:30 in New York is 14:30 UTC on the 12th and 13:30 on the 15th; 9:25 is before the open.
    opens = ["2021-03-12T14:25:00Z", "2021-03-12T14:30:00Z", "2021-03-12T20:55:00Z", "2021-03-12T21:00:00Z", "2021-03-15T13:30:00Z"]
    rows = [(time, 1.0, 1.0, 1.0, 1.0, 1, 1.0) for time in opens]
    fetch = page(asked=request("AAPL", "2021-03-12 14:35", "2021-03-15 20:00", timeframe="5m"))
    bars = VENDOR.read(fetch, as_bytes(alpaca_bars("AAPL", rows))).tables["bars"]
    stamps = ["2021-03-12 14:35", "2021-03-12 21:00", "2021-03-15 13:35"]
    assert bars.index.get_level_values("date").tolist() == [pd.Timestamp(stamp) for stamp in stamps]


def test_a_bar_that_starts_where_the_exchange_has_none_is_refused() -> None:
    fetch = page(asked=request("AAPL", "2021-03-12 15:00", "2021-03-12 21:00", timeframe="30m"))
    with pytest.raises(SourceError, match=r"30m must start where those of XNYS do, but AAPL has one that starts at 2021-03-12 15:15"):
        VENDOR.read(fetch, as_bytes(alpaca_bars("AAPL", [("2021-03-12T15:15:00Z", 1.0, 1.0, 1.0, 1.0, 1, 1.0)])))


def test_what_is_after_the_span_is_left_out() -> None:
    rows = [*ROWS, ("2021-03-16T04:00:00Z", 1.0, 1.0, 1.0, 1.0, 1, 1.0)]
    assert len(VENDOR.read(page(), as_bytes(alpaca_bars("AAPL", rows))).tables["bars"]) == 2


def test_pages_follow_each_other_by_their_tokens() -> None:
    first = page()
    second = VENDOR.read(first, as_bytes(alpaca_bars("AAPL", ROWS[:1], token="QUFQTHw="))).following
    assert (second.query["page_token"], second.page, second.kind, second.context) == ("QUFQTHw=", 1, "bars", first.context)
    assert VENDOR.read(second, as_bytes(alpaca_bars("AAPL", ROWS[1:]))).following is None
    assert VENDOR.read(second, as_bytes(alpaca_bars("AAPL", []))).tables["bars"].empty
    with pytest.raises(Unusable, match="name itself as the next one"):
        VENDOR.read(second, as_bytes(alpaca_bars("AAPL", ROWS, token="QUFQTHw=")))


def test_the_query_is_the_one_that_alpaca_py_would_send() -> None:
    query = page(asked=request("AAPL", "2021-03-12", "2021-03-15", options={"feed": "sip"})).query
    assert query == {
        "symbols": "AAPL", "timeframe": "1Day", "start": "2021-03-12T00:00:00+00:00", "end": "2021-03-15T06:00:00+00:00",
        "limit": "10000", "adjustment": "raw", "feed": "sip", "sort": "asc",
    }  # fmt: skip
    actions = page("actions").query
    assert actions["types"] == "forward_split,reverse_split,stock_dividend,cash_dividend,worthless_removal"
    assert (actions["start"], actions["end"], actions["limit"]) == ("2021-03-12", "2021-07-13", "1000")
    assert page(asked=request("AAPL", "2021-03-12", "2021-03-15", timeframe="5m")).query["timeframe"] == "5Min"
    assert VENDOR.headers(KEYS) == {"APCA-API-KEY-ID": "id", "APCA-API-SECRET-KEY": "secret"}
    assert not VENDOR.secrets(KEYS)


def test_actions_become_the_kinds_of_the_data_contract() -> None:
    answer = alpaca_actions(
        forward_splits=[{"symbol": "AAPL", "new_rate": 4, "old_rate": 1, "ex_date": "2020-08-31"}],
        reverse_splits=[
            {"symbol": "AAPL", "new_rate": 1, "old_rate": 50, "ex_date": "2020-09-01", "old_cusip": "1", "new_cusip": "2"},
            {"symbol": "MNTS", "new_rate": 1, "old_rate": 50, "ex_date": "2020-09-01", "old_cusip": "1", "new_cusip": "2"},
        ],
        stock_dividends=[{"symbol": "AAPL", "rate": 0.05, "ex_date": "2020-09-02"}],
        cash_dividends=[
            {"symbol": "AAPL", "rate": 0.82, "special": False, "foreign": False, "ex_date": "2020-08-07"},
            {"symbol": "AAPL", "rate": 0.9, "special": False, "foreign": False, "ex_date": "2020-12-01"},
        ],
        worthless_removals=[{"symbol": "AAPL", "process_date": "2020-09-10"}],
    )
    fetch = page("actions", request("AAPL", "2020-08-03", "2020-09-30"))
    actions = validate("actions", VENDOR.read(fetch, as_bytes(answer)).tables["actions"]).sort_values("ex_date")
    assert actions[["kind", "value"]].to_numpy().tolist() == [
        ["dividend", 0.82], ["split", 4.0], ["split", 0.02], ["split", 1.05], ["delisting", -1.0],
    ]  # fmt: skip
    assert (actions["ex_date"] == actions["known_at"]).all()
    assert actions["ex_date"].iloc[-1] == pd.Timestamp("2020-09-10")
    assert set(actions["symbol"]) == {"AAPL"}


def test_no_actions_are_an_answer_and_no_bars_are_none() -> None:
    assert VENDOR.read(page("actions"), as_bytes(alpaca_actions())).tables["actions"].empty
    with pytest.raises(SourceError, match="bars of 'AAPL' from 2021-03-12 to 2021-03-15, but has none"):
        VENDOR.read(page(), as_bytes({"bars": {}, "next_page_token": None}))


GOOD = as_bytes(alpaca_bars("AAPL", ROWS))


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (GOOD[:-20], "whole JSON"),
        (b"<html>", "web page"),
        (b'{"message": "x"}', "must hold bars"),
        (b'{"bars": [1], "next_page_token": null}', "must hold bars"),
        (as_bytes(alpaca_bars("MSFT", ROWS)), "about 'AAPL', but are about 'MSFT'"),
        (GOOD.replace(b'"c": 121.03', b'"c": "?"'), "readable by alpaca-py"),
        (GOOD.replace(b'"c": 121.03, ', b""), "readable by alpaca-py"),
        (b'{"bars": {"AAPL": [7]}, "next_page_token": null}', "readable by alpaca-py"),
    ],
)
def test_broken_answers_may_be_asked_again(payload: bytes, why: str) -> None:
    with pytest.raises(Unusable, match=why):
        VENDOR.read(page(), payload)
    if why == "readable by alpaca-py":
        with pytest.raises(Unusable, match=why):
            VENDOR.read(page("actions"), as_bytes(alpaca_actions(cash_dividends=[{"symbol": "AAPL"}])))


def test_alpacas_own_words_are_repeated() -> None:
    with pytest.raises(SourceError, match=r"'AAPL': invalid symbol: A4PL \(status 400\)"):
        VENDOR.refused(page(), 400, b'{"message": "invalid symbol: A4PL"}')
    with pytest.raises(SourceError, match="422"):
        VENDOR.refused(page(), 422, b"<html>")
    assert "recent SIP" in VENDOR.forbidden(page(), 403, b'{"message": "subscription does not permit querying recent SIP data"}')


def test_what_alpaca_does_not_have_is_refused_before_asking() -> None:
    with pytest.raises(ConfigError, match=r"got '1h'.*full hour"):
        VENDOR.plan(request("AAPL", "2021-03-12", "2021-03-15", timeframe="1h"), {})
    with pytest.raises(ConfigError, match=r"got 'six': .*known: iex, sip"):
        VENDOR.plan(request("AAPL", "2021-03-12", "2021-03-15", options={"feed": "six"}), {})
    with pytest.raises(ConfigError, match="did you mean 'feed'"):
        VENDOR.plan(request("AAPL", "2021-03-12", "2021-03-15", options={"fed": "iex"}), {})


def test_the_metadata_name_the_exchange_that_the_bars_are_of() -> None:
    tables = VENDOR.read(page(), GOOD).tables
    told = VENDOR.metadata(ASKED, tables)
    assert (told.adjustment, told.currency, told.fields[-1]) == ("none", "USD", "vwap")
    assert "IEX" in told.caveats[0]
    whole = VENDOR.metadata(request("AAPL", "2021-03-12", "2021-03-15", options={"feed": "sip"}), tables)
    assert not any("IEX" in caveat for caveat in whole.caveats)
    assert any("spin-off" in caveat for caveat in whole.caveats)
