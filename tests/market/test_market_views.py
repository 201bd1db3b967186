"""Views of adjusted prices: back from a day, out of a vendor's prices, and what no later action may touch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError, DataError
from touchstone.market import adjust, empty_table, sessions, unadjust, validate
from touchstone.sources import load

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
DATES = sessions("XNYS", "2020-01-02", "2020-02-28")
N_SESSIONS = 12


def panel(closes: dict[str, list[float]], **fields: float) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([DATES[: len(next(iter(closes.values())))], sorted(closes)], names=["date", "symbol"])
    values = np.column_stack([closes[symbol] for symbol in sorted(closes)]).ravel()
    return pd.DataFrame({"close": values, **fields}, index=index)


def actions(*rows: tuple[str, int, str, float, int]) -> pd.DataFrame:
    """Rows of (symbol, ex session, kind, value, sessions after which it was known)."""
    if not rows:
        return empty_table("actions")
    symbol, session, kind, value, late = zip(*rows, strict=True)
    known = [number + after for number, after in zip(session, late, strict=True)]
    frame = pd.DataFrame({"symbol": symbol, "ex_date": DATES[list(session)], "kind": kind, "value": value, "known_at": DATES[known]})
    return validate("actions", frame.astype({"symbol": "str", "kind": "str", "value": "float64"}))


def test_the_last_price_is_as_traded_and_the_past_is_divided() -> None:
    bars = panel({"A": [100.0, 102.0, 51.0, 52.0]}, volume=10.0)
    seen = adjust(bars, actions(("A", 2, "split", 2.0, 0)), anchor="last")
    assert seen["close"].tolist() == [50.0, 51.0, 51.0, 52.0]
    assert seen["volume"].tolist() == [20.0, 20.0, 10.0, 10.0]


def test_looking_back_a_late_action_counts_from_its_ex_date() -> None:
    bars = panel({"A": [100.0, 50.0, 50.0, 50.0]})
    late = actions(("A", 1, "split", 2.0, 2))
    assert adjust(bars, late, anchor="last", as_of=DATES[3])["close"].tolist() == [50.0] * 4
    assert adjust(bars, late, anchor="last", as_of=DATES[2])["close"].tolist() == [100.0, 50.0, 50.0]


def test_a_dividend_is_taken_out_of_what_lies_before_it() -> None:
    seen = adjust(panel({"A": [100.0, 98.0]}), actions(("A", 1, "dividend", 2.0, 0)), anchor="last")
    np.testing.assert_allclose(seen["close"], [100.0 / (1.0 + 2.0 / 98.0), 98.0], rtol=1e-15)


def test_a_delisting_changes_no_price_in_either_view() -> None:
    bars = panel({"A": [10.0, 8.0]})
    gone = actions(("A", 2, "delisting", -0.3, 0))
    for anchor in ("first", "last"):
        pd.testing.assert_frame_equal(adjust(bars, gone, anchor=anchor), bars)
    pd.testing.assert_frame_equal(unadjust(bars, gone, kind="total_return"), bars)


def test_a_vendor_who_adjusted_later_took_later_splits_out_too() -> None:
    bars = panel({"A": [10.0, 11.0], "B": [1.0, 2.0]}, volume=60.0)
    later = actions(("A", 5, "split", 3.0, 0))
    assert unadjust(bars, later)["close"].tolist() == bars["close"].tolist()
    traded = unadjust(bars, later, as_of=DATES[5])
    assert traded["close"].tolist() == [30.0, 1.0, 33.0, 2.0]
    assert traded["volume"].tolist() == [20.0, 60.0, 20.0, 60.0]


def test_a_payout_after_the_last_bar_cannot_be_taken_out() -> None:
    with pytest.raises(DataError, match=r"the bars end before A dividend 2020-01-07: bring later bars"):
        unadjust(panel({"A": [10.0, 11.0]}), actions(("A", 3, "dividend", 1.0, 0)), kind="total_return", as_of=DATES[5])


def test_words_that_no_view_knows() -> None:
    bars = panel({"A": [10.0, 11.0]})
    with pytest.raises(ConfigError, match=r"anchor of an adjustment must be first or last, but got 'lsat': did you mean 'last'"):
        adjust(bars, actions(), anchor="lsat")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"kind of an adjustment must be total_return or split, but got 'splits'"):
        adjust(bars, actions(), kind="splits")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"did you mean 'total_return'"):
        unadjust(bars, actions(), kind="total_returns")  # type: ignore[arg-type]


@st.composite
def markets(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three symbols with missing sessions, random closes and actions known before, on or after their ex-date."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bars = panel({symbol: list(np.exp(rng.normal(3.0, 0.2, N_SESSIONS))) for symbol in "ABC"}, volume=7.0)
    bars = bars[rng.random(len(bars)) > 0.15]
    rows = [
        (str(rng.choice(list("ABC"))), int(rng.integers(4, 16)), kind, float(np.round(rng.uniform(0.2, 3.0), 3)), int(rng.integers(-3, 4)))
        for kind in draw(st.lists(st.sampled_from(["split", "dividend", "spinoff", "delisting"]), min_size=1, max_size=8))
    ]
    return bars, actions(*rows)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(markets(), st.integers(3, 11), st.sampled_from(["first", "last"]), st.sampled_from(["total_return", "split"]))
def test_an_action_after_the_as_of_date_or_known_later_changes_nothing(market, cut, anchor, kind) -> None:
    bars, listed = market
    day = DATES[cut]
    by_then = listed[(listed["ex_date"] <= day) & (listed["known_at"] <= day)]
    told = {"anchor": anchor, "kind": kind, "as_of": day}
    pd.testing.assert_frame_equal(adjust(bars, listed, **told), adjust(bars, by_then, **told), check_exact=True)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(markets(), st.sampled_from(["total_return", "split"]))
def test_unadjusted_prices_adjusted_again_are_what_they_were(market, kind) -> None:
    traded, listed = market
    known = listed.assign(known_at=listed["ex_date"])
    vendor = adjust(traded, known, kind=kind, anchor="last")
    pd.testing.assert_frame_equal(unadjust(vendor, known.iloc[::-1], kind=kind), traded, rtol=1e-12)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(markets(), st.sampled_from(["first", "last"]))
def test_adjusted_returns_are_those_of_a_holder_who_reinvests(market, anchor) -> None:
    bars, listed = market
    known = listed.assign(known_at=listed["ex_date"])
    adjusted = adjust(bars, known, anchor=anchor)["close"]
    for symbol, closes in bars["close"].groupby(level="symbol"):
        own = known[known["symbol"] == symbol]
        wealth = _hold(closes.droplevel("symbol"), own)
        seen = adjusted.xs(symbol, level="symbol")
        np.testing.assert_allclose(seen / seen.iloc[0], wealth, rtol=1e-12)


def _hold(closes: pd.Series, listed: pd.DataFrame) -> list[float]:
    """One unit of money in the first close; shares split, payouts buy shares at the close of the first bar from the ex-date on."""
    shares, before, wealth = 1.0 / closes.iloc[0], closes.index[0], []
    for date, close in closes.items():
        due = listed[(listed["ex_date"] > before) & (listed["ex_date"] <= date)]
        cash = 0.0
        for _, together in due.groupby("ex_date"):
            shares *= together.loc[together["kind"] == "split", "value"].prod()
            cash += shares * together.loc[together["kind"].isin(["dividend", "spinoff"]), "value"].sum()
        shares += cash / close
        wealth.append(shares * close)
        before = date
    return wealth


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real prices and splits in ../shared/data, which are not part of the project")
def test_the_fourteen_real_splits_go_out_and_in_again() -> None:
    splits = pd.read_csv(SHARED / "splits.csv", parse_dates=["ex_date"])
    assert len(splits) == 14
    known = splits.rename(columns={"ratio": "value"}).assign(kind="split", known_at=splits["ex_date"])
    known = validate("actions", known[["symbol", "ex_date", "kind", "value", "known_at"]].astype({"value": "float64", "kind": "str"}))
    columns = {name: name for name in ("date", "open", "high", "low", "close", "volume")} | {"symbol": "Name"}
    vendor = load("files", path=SHARED / "sp500_5yr", columns=columns, adjustment="split", symbols=list(splits["symbol"])).bars.sort_index()
    assert vendor.index.get_level_values("symbol").nunique() == 14
    traded = unadjust(vendor, known)
    # Apple closed at 645.57 dollars on 2014-06-06, the session before its seven for one split (Nasdaq's record of that day).
    assert traded.loc[(pd.Timestamp("2014-06-06"), "AAPL"), "close"] == pytest.approx(645.57, abs=0.05)
    again = adjust(traded, known, kind="split", anchor="last")
    pd.testing.assert_frame_equal(again, vendor, rtol=1e-9, atol=0.0)
    assert (np.abs(traded["close"] / vendor["close"] - 1.0) > 0.4).groupby(level="symbol").any().all()
