"""Payouts and endings that fall where no bar is: a dividend is per share of its own day, whatever bar shows it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone.backtest import Costs, simulate
from touchstone.labels import forward_return
from touchstone.market import adjust, adjustment_factors, equal_weighted, sessions, unadjust, validate

DATES = sessions("XNYS", "2020-01-02", "2020-02-28")


def actions(*rows: tuple[str, int, str, float, int]) -> pd.DataFrame:
    """Rows of (symbol, session of the ex-date, kind, value, session on which it was known)."""
    symbol, session, kind, value, known = zip(*rows, strict=True)
    frame = pd.DataFrame({"symbol": symbol, "ex_date": DATES[list(session)], "kind": kind, "value": value, "known_at": DATES[list(known)]})
    return validate("actions", frame.astype({"symbol": "str", "kind": "str", "value": "float64"}))


def bars(**closes: dict[int, float]) -> pd.DataFrame:
    """Closes by session number."""
    rows = [(DATES[session], symbol, close) for symbol, known in closes.items() for session, close in known.items()]
    frame = pd.DataFrame(rows, columns=["date", "symbol", "close"]).astype({"symbol": "str", "date": "datetime64[us]"})
    return validate("bars", frame.set_index(["date", "symbol"]).sort_index())


# A share of 100 pays 10, then becomes two of 45; the bars of both days are missing. Worth at the end: 10 + 2 x 45.
HALTED = bars(A={0: 100.0, 3: 45.0, 4: 45.0}, B=dict.fromkeys(range(5), 50.0))
PAID_THEN_SPLIT = actions(("A", 1, "dividend", 10.0, 0), ("A", 2, "split", 2.0, 0))


def test_a_dividend_before_a_split_is_per_old_share_though_one_bar_shows_both() -> None:
    closes = adjust(HALTED, PAID_THEN_SPLIT)["close"].xs("A", level="symbol")
    assert closes.tolist() == pytest.approx([100.0, 100.0, 100.0], rel=1e-15)
    # The same holding by the label, by the simulator and by the equal-weighted index.
    with pytest.warns(UserWarning, match="nobody can"):
        labels = forward_return(HALTED, horizon=3, fill="same_close", actions=PAID_THEN_SPLIT)
    assert labels.loc[(DATES[0], "A"), "label"] == pytest.approx(0.0, abs=1e-15)
    weights = pd.DataFrame({"A": [1.0]}, index=DATES[:1])
    shifted = bars(A={0: 100.0, 1: 100.0, 4: 45.0}, B=dict.fromkeys(range(5), 50.0))
    later = actions(("A", 2, "dividend", 10.0, 0), ("A", 3, "split", 2.0, 0))
    run = simulate(shifted, weights, costs=Costs(commission_bps=0.0, half_spread_bps=0.0, borrow_bps_per_year=0.0), actions=later)
    assert run.equity["equity"].iloc[-1] == pytest.approx(1e6, rel=1e-12)


def test_a_dividend_after_a_split_is_per_new_share_though_one_bar_shows_both() -> None:
    listed = actions(("A", 1, "split", 2.0, 0), ("A", 2, "dividend", 5.0, 0))
    assert adjust(HALTED, listed)["close"].xs("A", level="symbol").tolist() == pytest.approx([100.0, 100.0, 100.0], rel=1e-15)


def test_a_dividend_learned_of_after_a_split_is_still_per_old_share() -> None:
    prices = bars(A={0: 100.0, 1: 90.0, 2: 45.0, 3: 45.0, 4: 45.0})
    listed = actions(("A", 1, "dividend", 10.0, 3), ("A", 2, "split", 2.0, 0))
    assert adjust(prices, listed)["close"].tolist() == pytest.approx([100.0, 90.0, 90.0, 100.0, 100.0], rel=1e-15)
    # A split that nobody knows of yet cannot change what a share was paid.
    unknown = actions(("A", 1, "dividend", 10.0, 3), ("A", 2, "split", 2.0, 4))
    assert adjust(prices, unknown)["close"].iloc[3] == 45.0 * (1.0 + 10.0 / 45.0)


@pytest.mark.parametrize("kind", ["split", "total_return"])
def test_they_go_out_and_in_again(kind) -> None:
    shown = adjust(HALTED, PAID_THEN_SPLIT, kind=kind, anchor="last")
    pd.testing.assert_frame_equal(unadjust(shown, PAID_THEN_SPLIT, kind=kind), HALTED, rtol=1e-14)


def test_a_history_continued_after_them_is_equal_to_the_bit() -> None:
    prices = bars(A={0: 100.0, 1: 98.0, 3: 45.0, 4: 47.0, 6: 46.0, 7: 48.0}, B={day: 50.0 + day for day in range(8)})
    listed = actions(("A", 2, "dividend", 10.0, 0), ("A", 3, "split", 2.0, 0), ("A", 4, "dividend", 1.0, 6), ("A", 5, "split", 0.5, 0))
    whole = adjustment_factors(prices, listed)
    cut = prices[prices.index.get_level_values("date") >= DATES[3]]
    base = whole.loc[DATES[3]]
    pd.testing.assert_frame_equal(adjustment_factors(cut, listed, base_factors=base), whole.loc[cut.index], check_exact=True)


def test_a_split_between_the_last_bar_and_the_delisting_changes_no_money() -> None:
    prices = bars(A={0: 100.0, 1: 100.0}, B=dict.fromkeys(range(6), 50.0))
    listed = actions(("A", 2, "split", 0.1, 0), ("A", 4, "delisting", -0.5, 0))
    label = forward_return(prices, horizon=4, fill="next_close", actions=listed).loc[(DATES[0], "A"), "label"]
    assert label == pytest.approx(-0.5, rel=1e-15)


def test_a_delisting_dated_by_its_last_bar_is_earned_once_as_the_simulator_earns_it() -> None:
    prices = bars(A={0: 100.0, 1: 100.0, 2: 80.0}, B=dict.fromkeys(range(5), 50.0))
    listed = actions(("A", 2, "delisting", -0.5, 0))
    # Closed at the close before the ex-date times 0.5: the bar of that day is none that a holder has.
    assert equal_weighted(prices, actions=listed).tolist() == [0.0, -0.25, 0.0, 0.0]
    weights = pd.DataFrame({"A": [0.5], "B": [0.5]}, index=DATES[:1])
    run = simulate(prices, weights, costs=Costs(commission_bps=0.0, half_spread_bps=0.0, borrow_bps_per_year=0.0), actions=listed)
    assert run.equity["equity"].tolist() == pytest.approx([1e6, 1e6, 0.75e6, 0.75e6, 0.75e6], rel=1e-12)


def test_a_short_through_its_delisting_earns_what_the_holder_loses() -> None:
    prices = bars(A={0: 10.0, 1: 10.0}, B=dict.fromkeys(range(5), 50.0))
    weights = pd.DataFrame({"A": [-1.0], "B": [0.0]}, index=DATES[:1])
    free = Costs(commission_bps=0.0, half_spread_bps=0.0, borrow_bps_per_year=0.0)
    run = simulate(prices, weights, costs=free, actions=actions(("A", 3, "delisting", -1.0, 0)))
    assert run.equity["equity"].tolist() == pytest.approx([1e6, 1e6, 1e6, 2e6, 2e6], rel=1e-12)
    assert run.equity["n_positions"].tolist()[-2:] == [0, 0]


def test_odd_payouts_by_hand() -> None:
    # Larger than the price that is left; two on one day; one and a split on one day; on a Saturday; a reverse split.
    prices = bars(A={0: 100.0, 1: 10.0, 2: 8.0, 3: 4.0, 4: 4.0, 5: 40.0})
    weekend = pd.Timestamp("2020-01-04")
    listed = actions(("A", 1, "dividend", 90.0, 0), ("A", 3, "dividend", 1.0, 0), ("A", 3, "dividend", 3.0, 0), ("A", 5, "split", 0.1, 0))
    listed.loc[len(listed)] = ["A", weekend, "dividend", 2.0, weekend]
    got = adjust(prices, listed.astype({"ex_date": "datetime64[us]", "known_at": "datetime64[us]"}))["close"].to_numpy()
    returns = got[1:] / got[:-1] - 1.0
    np.testing.assert_allclose(returns, [0.0, 0.0, (4.0 + 4.0) / 8.0 - 1.0, 0.0, 0.0], atol=1e-15)
    assert got[0] == 100.0
