"""Forward returns, with every number worked out by hand."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError, DataError
from touchstone.labels import forward_return

NaT = pd.NaT


def bars_of(closes: dict[str, list[float | None]], opens: dict[str, list[float | None]] | None = None) -> pd.DataFrame:
    """Bars on consecutive sessions from Monday 2024-01-08; None is a missing bar."""
    n_sessions = len(next(iter(closes.values())))
    dates = pd.bdate_range("2024-01-08", periods=n_sessions).as_unit("us").rename("date")
    index = pd.MultiIndex.from_product([dates, list(closes)], names=["date", "symbol"])
    fields = {"close": closes} if opens is None else {"close": closes, "open": opens}
    columns = {name: pd.DataFrame(values, dtype="float64").to_numpy().ravel() for name, values in fields.items()}
    return pd.DataFrame(columns, index=index).dropna()


def action(symbol: str, ex_date: str, kind: str, value: float) -> dict[str, object]:
    date = pd.Timestamp(ex_date)
    return {"symbol": symbol, "ex_date": date, "kind": kind, "value": value, "known_at": date}


def actions_of(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(list(rows)).astype({"ex_date": "datetime64[us]", "known_at": "datetime64[us]"})


def labels_of(labels: pd.DataFrame, symbol: str) -> list[float | None]:
    values = labels.xs(symbol, level="symbol")["label"]
    return [None if math.isnan(value) else round(value, 12) for value in values]


def spans_of(labels: pd.DataFrame, symbol: str) -> list[tuple[str, str] | None]:
    rows = labels.xs(symbol, level="symbol")
    return [
        None if start is NaT else (start.strftime("%m-%d"), end.strftime("%m-%d"))
        for start, end in zip(rows["start"], rows["end"], strict=True)
    ]


def test_next_close_buys_tomorrow_and_sells_a_horizon_later():
    labels = forward_return(bars_of({"A": [100, 110, 121, 99, 110]}), horizon=2)
    assert labels_of(labels, "A") == [round(99 / 110 - 1, 12), round(110 / 121 - 1, 12), None, None, None]
    assert spans_of(labels, "A") == [("01-09", "01-11"), ("01-10", "01-12"), None, None, None]


def test_next_open_trades_at_opens():
    bars = bars_of({"A": [100, 110, 121, 99]}, {"A": [90, 100, 120, 126]})
    labels = forward_return(bars, horizon=1, fill="next_open")
    assert labels_of(labels, "A") == [0.2, 0.05, None, None]
    assert spans_of(labels, "A") == [("01-09", "01-10"), ("01-10", "01-11"), None, None]


def test_same_close_trades_today_and_warns():
    with pytest.warns(UserWarning, match="same_close"):
        labels = forward_return(bars_of({"A": [100, 110, 121]}), horizon=1, fill="same_close")
    assert labels_of(labels, "A") == [0.1, 0.1, None]
    assert spans_of(labels, "A") == [("01-08", "01-09"), ("01-09", "01-10"), None]


def test_columns_types_and_index_follow_the_contract():
    bars = bars_of({"A": [1, 2, 3], "B": [3, 2, 1]})
    before = bars.copy()
    labels = forward_return(bars, horizon=1)
    assert labels.dtypes.astype(str).to_dict() == {"label": "float64", "start": "datetime64[us]", "end": "datetime64[us]"}
    pd.testing.assert_index_equal(labels.index, bars.index)
    pd.testing.assert_frame_equal(bars, before)
    assert (labels["label"].isna() == labels["start"].isna()).all()
    assert (labels["label"].isna() == labels["end"].isna()).all()


def test_sessions_are_the_markets_and_a_missing_fill_has_no_label():
    # B has no bar on 01-10: nothing is filled there, and nothing is closed there.
    labels = forward_return(bars_of({"A": [1, 1, 1, 1, 1], "B": [10, 20, None, 30, 60]}), horizon=1)
    assert labels_of(labels, "B") == [None, None, None, None]
    labels = forward_return(bars_of({"A": [1, 1, 1, 1, 1], "B": [10, 20, None, 30, 60]}), horizon=2)
    assert labels_of(labels, "B") == [0.5, None, None, None]


def test_a_split_inside_the_span_is_no_loss():
    bars = bars_of({"A": [100, 100, 50, 55]})
    actions = actions_of(action("A", "2024-01-10", "split", 2.0))
    assert labels_of(forward_return(bars, horizon=2, actions=actions), "A") == [0.1, None, None, None]
    # Bought at the close of the ex-date, the split lies behind.
    assert labels_of(forward_return(bars, horizon=1, actions=actions), "A") == [0.0, 0.1, None, None]


def test_a_dividend_pays_who_held_over_night():
    bars = bars_of({"A": [100, 100, 95, 95, 95]}, {"A": [100, 100, 96, 95, 95]})
    actions = actions_of(action("A", "2024-01-10", "dividend", 5.0))
    assert labels_of(forward_return(bars, horizon=1, actions=actions), "A") == [0.0, 0.0, 0.0, None, None]
    # The buyer at the open of the ex-date comes too late; the seller at that open is paid.
    opens = labels_of(forward_return(bars, horizon=1, fill="next_open", actions=actions), "A")
    assert opens == [round((96 + 5) / 100 - 1, 12), round(95 / 96 - 1, 12), 0.0, None, None]


def test_dividends_on_split_shares_are_paid_per_share_as_traded():
    bars = bars_of({"A": [100, 100, 50, 48]})
    actions = actions_of(action("A", "2024-01-11", "dividend", 2.0), action("A", "2024-01-10", "split", 2.0))
    assert labels_of(forward_return(bars, horizon=2, actions=actions), "A")[0] == 0.0
    same_day = actions_of(action("A", "2024-01-10", "dividend", 2.0), action("A", "2024-01-10", "split", 2.0))
    assert labels_of(forward_return(bars, horizon=1, actions=same_day), "A")[0] == round((2 * 50 + 2 * 2) / 100 - 1, 12)


def test_a_spinoff_is_cash_and_an_ex_date_without_session_counts_from_the_next_one():
    bars = bars_of({"A": [100, 100, 100, 100, 100, 90, 90]})
    saturday = actions_of(action("A", "2024-01-13", "spinoff", 10.0))
    assert labels_of(forward_return(bars, horizon=1, actions=saturday), "A") == [0.0, 0.0, 0.0, 0.0, 0.0, None, None]


def test_a_delisting_ends_the_position_at_its_ex_date():
    bars = bars_of({"A": [1, 1, 1, 1, 1, 1], "B": [10, 20, 30, None, None, None]})
    actions = actions_of(action("B", "2024-01-11", "delisting", -0.3))
    labels = forward_return(bars, horizon=3, actions=actions)
    # Bought at 20 and at 30, paid 0.7 times 30 on 01-11; decided on the last bar, there is nothing to buy.
    assert labels_of(labels, "B") == [round(21 / 20 - 1, 12), round(21 / 30 - 1, 12), None]
    assert spans_of(labels, "B") == [("01-09", "01-11"), ("01-10", "01-11"), None]


def test_a_delisting_closes_early_even_when_the_horizon_outlives_the_data():
    bars = bars_of({"A": [1, 1, 1, 1], "B": [10, 20, None, None]})
    labels = forward_return(bars, horizon=50, actions=actions_of(action("B", "2024-01-10", "delisting", 0.1)))
    assert labels_of(labels, "B") == [0.1, None]
    assert labels_of(labels, "A") == [None] * 4


def test_a_delisting_after_the_data_is_not_known_yet():
    bars = bars_of({"A": [1, 1, 1], "B": [10, 20, 30]})
    labels = forward_return(bars, horizon=2, actions=actions_of(action("B", "2024-01-11", "delisting", -1.0)))
    assert labels_of(labels, "B") == [None, None, None]


def test_a_delisting_before_the_fill_is_none_of_its_business():
    # The symbol is used again after its delisting.
    bars = bars_of({"A": [1, 1, 1, 1, 1], "B": [10, None, 40, 50, 60]})
    labels = forward_return(bars, horizon=1, actions=actions_of(action("B", "2024-01-09", "delisting", -0.5)))
    assert labels_of(labels, "B") == [None, 0.2, None, None]
    # Used again on the very session of the ex-date: who buys then buys the new one.
    again = bars_of({"B": [10, 40, 50, 60]})
    labels = forward_return(again, horizon=1, actions=actions_of(action("B", "2024-01-09", "delisting", -0.5)))
    assert labels_of(labels, "B") == [0.25, 0.2, None, None]


def test_actions_of_other_symbols_and_outside_the_data_change_nothing():
    bars = bars_of({"A": [100, 110, 99, 120]})
    others = actions_of(
        action("Z", "2024-01-10", "split", 2.0),
        action("A", "2023-12-01", "split", 3.0),
        action("A", "2023-12-01", "dividend", 3.0),
        action("A", "2024-03-01", "dividend", 9.0),
    )
    pd.testing.assert_frame_equal(forward_return(bars, horizon=1, actions=others), forward_return(bars, horizon=1))
    pd.testing.assert_frame_equal(forward_return(bars, horizon=1, actions=others.iloc[:0]), forward_return(bars, horizon=1))


def test_what_was_paid_before_the_data_leaves_no_rounding_behind():
    bars = bars_of({"A": [100, 110, 99, 120]})
    inside = action("A", "2024-01-10", "dividend", 0.1)
    with_history = actions_of(action("A", "2023-12-01", "dividend", 1e9), inside)
    pd.testing.assert_frame_equal(
        forward_return(bars, horizon=1, actions=with_history), forward_return(bars, horizon=1, actions=actions_of(inside)), check_exact=True
    )


def test_one_symbol_one_session_and_long_horizons_have_no_label():
    assert labels_of(forward_return(bars_of({"A": [100]}), horizon=1), "A") == [None]
    assert labels_of(forward_return(bars_of({"A": [100, 101]}), horizon=9), "A") == [None, None]


def test_next_open_without_opens_names_both_ways_out():
    with pytest.raises(DataError, match=r"only close.*next_close.*bring bars with opens"):
        forward_return(bars_of({"A": [1, 2]}), horizon=1, fill="next_open")


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"fill": "next_closed"}, ConfigError, "did you mean 'next_close'"),
        ({"horizon": 0}, ConfigError, "at least 1 session, but got 0"),
    ],
)
def test_wrong_settings_are_refused(changes, error, words):
    with pytest.raises(error, match=words):
        forward_return(bars_of({"A": [1, 2]}), **{"horizon": 1, **changes})


def test_bars_without_closes_or_index_are_refused():
    with pytest.raises(DataError, match="must carry 'close', but got open"):
        forward_return(bars_of({"A": [1, 2]}).rename(columns={"close": "open"}), horizon=1)
    with pytest.raises(DataError, match=r"indexed by \(date, symbol\)"):
        forward_return(bars_of({"A": [1, 2]}).reset_index(), horizon=1)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), horizon=st.integers(1, 6), n_later=st.integers(0, 5))
def test_what_comes_later_changes_no_known_label(seed, horizon, n_later):
    rng = np.random.default_rng(seed)
    closes = pd.DataFrame(np.exp(rng.normal(0.0, 0.1, (12 + n_later, 3)).cumsum(axis=0)), columns=list("ABC"))
    full = bars_of({name: list(closes[name]) for name in closes})
    cut = full.loc[full.index.get_level_values("date").unique()[:12].tolist()]
    ex_dates = rng.choice(full.index.get_level_values("date").unique().to_numpy(), 4)
    actions = pd.DataFrame(
        {
            "symbol": rng.choice(list("ABC"), 4),
            "ex_date": pd.DatetimeIndex(ex_dates).as_unit("us"),
            "kind": ["split", "dividend", "dividend", "split"],
            "value": [2.0, 0.1, 0.2, 0.5],
        }
    )
    early, late = forward_return(cut, horizon=horizon, actions=actions), forward_return(full, horizon=horizon, actions=actions)
    known = early["label"].notna()
    pd.testing.assert_frame_equal(early[known], late.loc[early.index][known], check_exact=True)
    assert (late["end"].dropna() <= full.index.get_level_values("date").max()).all()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), horizon=st.integers(1, 6))
def test_labels_equal_what_an_account_would_earn(seed, horizon):
    """One share walked through its actions day by day, against the formula."""
    rng = np.random.default_rng(seed)
    n_sessions = 14
    close, opening = np.exp(rng.normal(0.0, 0.1, (2, n_sessions)).cumsum(axis=1))
    splits = np.where(rng.random(n_sessions) < 0.3, 2.0, 1.0)
    dividends = np.where(rng.random(n_sessions) < 0.3, 0.05, 0.0)
    splits[0], dividends[0] = 1.0, 0.0
    bars = bars_of({"A": list(close)}, {"A": list(opening)})
    dates = [date.strftime("%Y-%m-%d") for date in bars.index.get_level_values("date")]
    rows = [action("A", dates[k], "split", splits[k]) for k in range(n_sessions) if splits[k] != 1.0]
    rows += [action("A", dates[k], "dividend", dividends[k]) for k in range(n_sessions) if dividends[k]]
    actions = actions_of(*rows) if rows else None
    for fill, price in (("next_close", close), ("next_open", opening)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            labels = forward_return(bars, horizon=horizon, fill=fill, actions=actions)["label"].to_numpy()
        for day in range(n_sessions - horizon - 1):
            shares, cash = 1.0, 0.0
            for held in range(day + 2, day + 2 + horizon):
                shares *= splits[held]
                cash += shares * dividends[held]
            assert labels[day] == pytest.approx((shares * price[day + 1 + horizon] + cash) / price[day + 1] - 1.0, abs=1e-12)
