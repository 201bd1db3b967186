"""Forward adjustment: returns are right, the past stays, and a continued history is equal to the bit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import DataError
from touchstone.market import adjust, adjustment_factors, empty_table, sessions, validate

DATES = sessions("XNYS", "2020-01-02", "2020-02-28")


def panel(closes: dict[str, list[float]], **fields: float) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([DATES[: len(next(iter(closes.values())))], sorted(closes)], names=["date", "symbol"])
    values = np.column_stack([closes[symbol] for symbol in sorted(closes)]).ravel()
    return pd.DataFrame({"close": values, **fields}, index=index)


def actions(*rows: tuple[str, int, str, float], known_after: int = 0) -> pd.DataFrame:
    frame = empty_table("actions")
    if rows:
        symbol, session, kind, value = zip(*rows, strict=True)
        ex_date = DATES[list(session)]
        known_at = DATES[[number + known_after for number in session]]
        frame = pd.DataFrame({"symbol": symbol, "ex_date": ex_date, "kind": kind, "value": value, "known_at": known_at})
    return validate("actions", frame.astype({"symbol": "str", "kind": "str", "value": "float64"}))


def closes_of(bars: pd.DataFrame, symbol: str = "A") -> np.ndarray:
    return bars["close"].xs(symbol, level="symbol").to_numpy()


def test_a_split_leaves_the_return_of_its_date_alone() -> None:
    bars = panel({"A": [100.0, 102.0, 51.0, 52.0]}, volume=10.0)
    adjusted = adjust(bars, actions(("A", 2, "split", 2.0)))
    assert closes_of(adjusted).tolist() == [100.0, 102.0, 102.0, 104.0]
    assert adjusted["volume"].tolist() == [10.0, 10.0, 5.0, 5.0]


def test_a_reverse_split() -> None:
    adjusted = adjust(panel({"A": [1.0, 10.0]}, volume=10.0), actions(("A", 1, "split", 0.1)))
    assert closes_of(adjusted).tolist() == [1.0, 1.0]
    assert adjusted["volume"].tolist() == [10.0, 100.0]


def test_a_dividend_is_earned_on_its_ex_date() -> None:
    bars = panel({"A": [100.0, 98.0, 49.0]}, volume=10.0)
    adjusted = adjust(bars, actions(("A", 1, "dividend", 4.0)))
    returns = closes_of(adjusted)[1:] / closes_of(adjusted)[:-1] - 1.0
    np.testing.assert_allclose(returns, [(98.0 + 4.0) / 100.0 - 1.0, -0.5], rtol=1e-15)
    assert adjusted["volume"].tolist() == [10.0, 10.0, 10.0]


def test_a_spinoff_is_worth_what_a_dividend_of_its_value_is() -> None:
    bars = panel({"A": [100.0, 80.0]})
    pd.testing.assert_frame_equal(adjust(bars, actions(("A", 1, "spinoff", 20.0))), adjust(bars, actions(("A", 1, "dividend", 20.0))))


def test_a_dividend_on_the_date_of_a_split_is_per_new_share() -> None:
    bars = panel({"A": [100.0, 50.0]})
    both = actions(("A", 1, "dividend", 1.0), ("A", 1, "split", 2.0))
    np.testing.assert_allclose(closes_of(adjust(bars, both)), [100.0, 2.0 * (50.0 + 1.0)], rtol=1e-15)


def test_every_price_is_adjusted_and_split_alone_leaves_dividends_out() -> None:
    bars = panel({"A": [100.0, 50.0, 50.0]}, open=1.0, high=2.0, low=0.5, vwap=1.5, volume=8.0)
    listed = actions(("A", 1, "split", 2.0), ("A", 2, "dividend", 5.0))
    adjusted = adjust(bars, listed, kind="split")
    assert adjusted.iloc[2].to_dict() == {"close": 100.0, "open": 2.0, "high": 4.0, "low": 1.0, "vwap": 3.0, "volume": 4.0}
    assert list(adjusted.columns) == list(bars.columns)
    assert adjust(bars, listed).iloc[2]["close"] == pytest.approx(110.0)


def test_without_actions_nothing_changes_and_nothing_is_written_into_the_input() -> None:
    bars = panel({"A": [1.0, 2.0], "B": [3.0, 4.0]}, volume=1.0)
    before = bars.copy()
    pd.testing.assert_frame_equal(adjust(bars, actions()), bars)
    adjust(bars, actions(("A", 1, "split", 2.0)))
    pd.testing.assert_frame_equal(bars, before)


def test_actions_up_to_the_first_bar_after_the_last_or_of_strangers_change_nothing() -> None:
    bars = panel({"A": [1.0, 2.0, 3.0]})
    late = actions(("A", 0, "split", 2.0), ("A", 3, "split", 2.0), ("Z", 1, "split", 2.0), ("A", 2, "delisting", -0.3))
    pd.testing.assert_frame_equal(adjust(bars, late), bars)


def test_the_next_bar_stands_in_for_a_missing_ex_date() -> None:
    bars = panel({"A": [100.0, 50.0, 50.0, 51.0], "B": [1.0, 1.0, 1.0, 1.0]}).drop(index=[(DATES[1], "A")])
    assert closes_of(adjust(bars, actions(("A", 1, "split", 2.0)))).tolist() == [100.0, 100.0, 102.0]


def test_an_action_counts_from_when_it_was_known() -> None:
    bars = panel({"A": [100.0, 50.0, 50.0, 50.0]})
    late = actions(("A", 1, "split", 2.0), known_after=1)
    assert closes_of(adjust(bars, late)).tolist() == [100.0, 50.0, 100.0, 100.0]


def test_as_of_shows_no_later_bar_and_no_later_action() -> None:
    bars = panel({"A": [100.0, 102.0, 51.0, 52.0]})
    listed = actions(("A", 2, "split", 2.0), ("A", 3, "dividend", 1.0))
    seen = adjust(bars, listed, as_of=DATES[2])
    pd.testing.assert_frame_equal(seen, adjust(bars, listed).iloc[:3])
    pd.testing.assert_frame_equal(seen, adjust(bars.iloc[:3], listed.iloc[:1]))


def test_base_factors_need_both_columns() -> None:
    bars = panel({"A": [1.0, 2.0]})
    with pytest.raises(DataError, match=r"columns price and volume, but lack volume"):
        adjust(bars, actions(), base_factors=pd.DataFrame({"price": [1.0]}, index=["A"]))


@st.composite
def markets(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A few symbols with missing sessions, random closes and actions known on or after their ex-date."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_sessions = 12
    bars = panel({symbol: list(np.exp(rng.normal(3.0, 0.2, n_sessions))) for symbol in "ABC"}, volume=7.0)
    bars = bars[rng.random(len(bars)) > 0.15]
    rows = [
        (str(rng.choice(list("ABC"))), int(rng.integers(n_sessions)), kind, float(np.round(rng.uniform(0.2, 3.0), 3)))
        for kind in draw(st.lists(st.sampled_from(["split", "dividend", "spinoff"]), max_size=8))
    ]
    return bars, actions(*rows, known_after=draw(st.integers(0, 3)))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(markets(), st.integers(1, 11))
def test_a_later_session_or_action_changes_no_earlier_value(market: tuple[pd.DataFrame, pd.DataFrame], cut: int) -> None:
    bars, listed = market
    day = DATES[cut]
    known_bars = bars[bars.index.get_level_values("date") <= day]
    known_actions = listed[listed["known_at"] <= day]
    pd.testing.assert_frame_equal(adjust(bars, listed, as_of=day), adjust(known_bars, known_actions), check_exact=True)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(markets(), st.integers(1, 11))
def test_a_history_continued_from_its_factors_is_equal_to_the_bit(market: tuple[pd.DataFrame, pd.DataFrame], cut: int) -> None:
    bars, listed = market
    later = bars[bars.index.get_level_values("date") >= DATES[cut]]
    factors = adjustment_factors(bars, listed).loc[later.index]
    base = factors.groupby(level="symbol").first()
    continued = adjust(later, listed, base_factors=base)
    pd.testing.assert_frame_equal(continued, adjust(bars, listed).loc[later.index], check_exact=True)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(markets(), st.randoms(use_true_random=False))
def test_the_order_of_the_actions_does_not_matter(market: tuple[pd.DataFrame, pd.DataFrame], random) -> None:
    bars, listed = market
    order = list(range(len(listed)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(adjust(bars, listed.iloc[order]), adjust(bars, listed), check_exact=True)


def test_a_symbol_without_a_base_starts_at_one() -> None:
    bars = panel({"A": [10.0, 5.0], "B": [10.0, 5.0]})
    base = pd.DataFrame({"price": [3.0], "volume": [1.5]}, index=["A"])
    listed = actions(("A", 1, "split", 2.0), ("B", 1, "split", 2.0))
    factors = adjustment_factors(bars, listed, base_factors=base)
    assert factors["price"].tolist() == [3.0, 1.0, 6.0, 2.0]
    assert factors["volume"].tolist() == [1.5, 1.0, 3.0, 2.0]
