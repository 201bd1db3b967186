"""Prices of several currencies in one: by rates known at the bar, never later, never stale."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError, DataError
from touchstone.market import Sectors, adjust, convert_currency, derive, empty_table, sessions, validate

DATES = sessions("XNYS", "2020-01-02", "2020-02-28")
N_SESSIONS = 12


def bars(n_sessions: int = N_SESSIONS, seed: int = 1) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([DATES[:n_sessions], ["A", "B"]], names=["date", "symbol"])
    close = np.exp(np.random.default_rng(seed).normal(3.0, 0.2, len(index)))
    return pd.DataFrame({"high": close * 1.01, "low": close * 0.99, "close": close, "volume": 5.0}, index=index)


def assets(**currencies: str) -> pd.DataFrame:
    table = pd.DataFrame({"symbol": list(currencies), "currency": list(currencies.values())})
    for column in ("name", "exchange", "calendar", "asset_class"):
        table[column] = ""
    return validate("assets", table[["symbol", "name", "exchange", "calendar", "currency", "asset_class"]].astype("str"))


def rates(*rows: tuple[str, str, int, float, int]) -> pd.DataFrame:
    """Rows of (base, quote, session, rate, session on which it was known)."""
    base, quote, session, rate, known = zip(*rows, strict=True)
    frame = pd.DataFrame({"base": base, "quote": quote, "date": DATES[list(session)], "rate": rate, "known_at": DATES[list(known)]})
    return validate("rates", frame.astype({"base": "str", "quote": "str", "rate": "float64"}))


def actions(*rows: tuple[str, int, str, float, int]) -> pd.DataFrame:
    symbol, session, kind, value, known = zip(*rows, strict=True)
    frame = pd.DataFrame({"symbol": symbol, "ex_date": DATES[list(session)], "kind": kind, "value": value, "known_at": DATES[list(known)]})
    return validate("actions", frame.astype({"symbol": "str", "kind": "str", "value": "float64"}))


def convert(prices: pd.DataFrame, table: pd.DataFrame, *, listed: pd.DataFrame | None = None, to: str = "USD", **more: object):
    said = more.pop("said", assets(A="EUR", B="USD"))
    given = empty_table("actions") if listed is None else listed
    return convert_currency(prices, said, table, to=to, calendar="XNYS", actions=given, **more)  # type: ignore[arg-type]


def factors(converted, prices: pd.DataFrame, symbol: str) -> list[float]:
    return (converted.bars["close"] / prices["close"]).xs(symbol, level="symbol").round(12).tolist()


def test_a_bar_takes_the_latest_rate_known_by_then_in_its_latest_revision() -> None:
    prices = bars(5)
    known = rates(("EUR", "USD", 0, 1.0, 0), ("EUR", "USD", 1, 2.0, 3), ("EUR", "USD", 2, 3.0, 2), ("EUR", "USD", 2, 4.0, 4))
    done = convert(prices, known)
    # The rate of session 1 came out when that of session 2 was known already; the revision of session 2 counts from session 4.
    assert factors(done, prices, "A") == [1.0, 1.0, 3.0, 3.0, 4.0]
    assert factors(done, prices, "B") == [1.0] * 5
    assert done.bars["volume"].equals(prices["volume"])
    assert done.pairs == ("EUR/USD",)


def test_the_inverse_pair_is_divided_by() -> None:
    prices = bars(3)
    done = convert(prices, rates(("USD", "EUR", 0, 4.0, 0)))
    assert factors(done, prices, "A") == [0.25] * 3


def test_one_currency_needs_no_rates_and_changes_nothing() -> None:
    prices = bars(3)
    done = convert(prices, empty_table("rates"), said=assets(A="USD", B=""), default="USD")
    assert done.bars is prices
    assert done.pairs == ()


def test_what_cannot_be_converted_is_refused() -> None:
    prices = bars(9)
    with pytest.raises(DataError, match=r"state its currency to be converted into USD, but B does not: add it to the table of assets"):
        convert(prices, rates(("EUR", "USD", 0, 1.0, 0)), said=assets(A="EUR"))
    with pytest.raises(DataError, match=r"Prices in EUR need rates into USD, but the table of rates has GBP/USD"):
        convert(prices, rates(("GBP", "USD", 0, 1.0, 0)))
    with pytest.raises(DataError, match=r"EUR/USD is known from 2020-01-06 and bars begin on 2020-01-02: bring earlier rates"):
        convert(prices, rates(("EUR", "USD", 0, 1.0, 2)))
    with pytest.raises(
        DataError, match=r"5 sessions old at most, but the last of EUR/USD known on 2020-01-14 is of 2020-01-02, 8 sessions"
    ):
        convert(prices, rates(("EUR", "USD", 0, 1.0, 0)))
    convert(prices, rates(("EUR", "USD", 0, 1.0, 0)), max_age_sessions=8)


def test_a_payout_is_converted_at_its_ex_date_and_known_no_earlier() -> None:
    table = rates(("EUR", "USD", 0, 1.0, 0), ("EUR", "USD", 3, 2.0, 3))
    listed = actions(("A", 3, "dividend", 0.5, 1), ("A", 4, "split", 2.0, 1), ("B", 3, "spinoff", 0.5, 1), ("A", 9, "dividend", 9.0, 1))
    done = convert(bars(6), table, listed=listed)
    # The last dividend has its ex-date after the bars: it touches no price, and no rate of that day is known.
    assert done.actions["value"].tolist() == [1.0, 2.0, 0.5]
    assert done.actions["known_at"].tolist() == [DATES[3], DATES[1], DATES[1]]


def test_returns_in_the_other_currency_are_those_of_price_and_rate() -> None:
    prices = bars(6)
    table = rates(*(("EUR", "USD", day, 1.0 + day / 10, day) for day in range(6)))
    listed = actions(("A", 3, "dividend", 0.5, 3))
    done = convert(prices, table, listed=listed)
    ours = adjust(done.bars, done.actions)["close"].xs("A", level="symbol").pct_change()
    local = adjust(prices, listed)["close"].xs("A", level="symbol").pct_change()
    rate = pd.Series([1.0 + day / 10 for day in range(6)], index=ours.index).pct_change()
    np.testing.assert_allclose(ours[1:], ((1.0 + local) * (1.0 + rate) - 1.0)[1:], rtol=1e-12)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Rates of every session, known on it or later, some of them revised."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = [("EUR", "USD", 0, 1.0, 0)]
    for session in range(N_SESSIONS):
        rows += [("EUR", "USD", session, float(rng.uniform(0.5, 2.0)), session + 1 + late) for late in range(3) if rng.random() < 0.6]
    order = rng.permutation(len(rows))
    return rates(*(rows[place] for place in order))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(tables(), st.integers(1, N_SESSIONS - 1))
def test_what_becomes_known_later_changes_no_earlier_price(table: pd.DataFrame, cut: int) -> None:
    prices, day = bars(), DATES[cut]
    listed = actions(("A", 2, "dividend", 0.5, 0), ("A", 8, "dividend", 0.7, 1))
    whole = convert(prices, table, listed=listed, max_age_sessions=99)
    by_then = prices[prices.index.get_level_values("date") <= day]
    known = convert(by_then, table[table["known_at"] <= day], listed=listed, max_age_sessions=99)
    pd.testing.assert_frame_equal(known.bars, whole.bars.loc[by_then.index], check_exact=True)
    seen = [frame[frame["known_at"] <= day].reset_index(drop=True) for frame in (known.actions, whole.actions)]
    pd.testing.assert_frame_equal(*seen, check_exact=True)


def test_derived_fields_are_computed_when_they_fit_and_refused_otherwise() -> None:
    prices = bars(3)
    done = derive(prices, ["vwap_hlc3"])
    np.testing.assert_allclose(done["vwap"], (prices["high"] + prices["low"] + prices["close"]) / 3.0)
    assert "vwap" not in prices
    assert derive(prices, []) is prices
    with pytest.raises(ConfigError, match=r"got 'vwap_hcl3': did you mean 'vwap_hlc3'"):
        derive(prices, ["vwap_hcl3"])
    with pytest.raises(ConfigError, match=r"vwap = \(high \+ low \+ close\) / 3, but the bars lack high, low: leave it out"):
        derive(prices[["close"]], ["vwap_hlc3"])
    with pytest.raises(ConfigError, match=r"gives 'vwap', but the bars have it already"):
        derive(done, ["vwap_hlc3"])


def spans(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    symbol, sector, start, end = zip(*rows, strict=True)
    frame = pd.DataFrame({"symbol": symbol, "sector": sector, "start": start, "end": end})
    return frame.astype({"symbol": "str", "sector": "str", "start": "datetime64[us]", "end": "datetime64[us]"})


def test_a_sector_is_that_of_the_row_s_date() -> None:
    sectors = Sectors(
        spans(
            ("B", "Energy", "2020-01-03", "2020-01-06"),
            ("A", "Banks", "2020-01-07", "2261-12-31"),
            ("A", "Energy", "2019-01-01", "2020-01-03"),
        )
    )
    index = pd.MultiIndex.from_product([DATES[:4], ["A", "B", "C"]], names=["date", "symbol"])
    got = {symbol: sectors.at(index).xs(symbol, level="symbol") for symbol in "ABC"}
    assert got["A"].tolist() == ["Energy", "Energy", "unknown", "Banks"]
    assert got["B"].tolist() == ["unknown", "Energy", "Energy", "unknown"]
    assert got["C"].tolist() == ["unknown"] * 4
    # Intraday bars of the last day still belong to it, the one that closes at midnight too.
    closes = [pd.Timestamp("2020-01-03 21:00"), pd.Timestamp("2020-01-04"), pd.Timestamp("2020-01-04 00:05")]
    evening = pd.MultiIndex.from_product([closes, ["A"]], names=["date", "symbol"])
    assert sectors.at(evening).tolist() == ["Energy", "Energy", "unknown"]
    assert Sectors(empty_table("sectors")).at(index).unique().tolist() == ["unknown"]


def test_spans_that_overlap_are_refused() -> None:
    with pytest.raises(DataError, match=r"start must lie after the end of the symbol's earlier span.*A"):
        Sectors(spans(("A", "Energy", "2020-01-01", "2020-02-01"), ("A", "Banks", "2020-02-01", "2020-03-01")))
