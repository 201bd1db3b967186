"""Labels of short bars: horizons count bars, over the night too, and an action counts from the first bar of its session."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone.labels import forward_return
from touchstone.market import at_bars, bar_times
from touchstone.splits import PurgedWalkForward

STAMPS = bar_times("XNYS", "2019-01-02", "2019-01-04", "1h")  # three sessions of seven bars
PRICES = 100.0 + np.arange(21.0)


def _bars(prices: np.ndarray = PRICES) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([STAMPS[: len(prices)], ["A"]], names=["date", "symbol"])
    return pd.DataFrame({"close": prices}, index=index)


def _action(kind: str, day: str, value: float) -> pd.DataFrame:
    date = pd.Series(pd.to_datetime([day])).astype("datetime64[us]")
    names = {"symbol": pd.Series(["A"], dtype="str"), "kind": pd.Series([kind], dtype="str")}
    table = pd.DataFrame({**names, "ex_date": date, "value": [value], "known_at": date})
    return at_bars(table, STAMPS, calendar="XNYS", timeframe="1h")


def test_a_horizon_counts_bars_and_goes_over_the_night() -> None:
    labels = forward_return(_bars(), horizon=3)
    # The sixth bar of the first session is filled at its seventh and closed at the third of the next.
    row = labels.iloc[5]
    assert (row["start"], row["end"]) == (STAMPS[6], STAMPS[9])
    assert f"{row['start']:%d %H:%M} {row['end']:%d %H:%M}" == "02 21:00 03 17:30"
    assert row["label"] == pytest.approx(109.0 / 106.0 - 1.0)


def test_a_split_counts_from_the_first_bar_of_its_session() -> None:
    split = np.where(np.arange(21) >= 7, PRICES / 2.0, PRICES)
    labels = forward_return(_bars(split), horizon=3, actions=_action("split", "2019-01-03", 2.0))
    whole = forward_return(_bars(), horizon=3)
    np.testing.assert_allclose(labels["label"].dropna(), whole["label"].dropna(), rtol=1e-12)


def test_a_dividend_goes_to_who_held_over_the_night() -> None:
    paid = forward_return(_bars(), horizon=1, actions=_action("dividend", "2019-01-03", 5.0))["label"]
    plain = forward_return(_bars(), horizon=1)["label"]
    gained = (paid - plain).dropna().to_numpy()
    # Bought at the last bar of the 2nd, sold at the first of the 3rd: decided one bar before.
    assert np.flatnonzero(np.abs(gained) > 1e-12).tolist() == [5]
    assert gained[5] == pytest.approx(5.0 / 106.0)


def test_a_delisting_ends_a_label_at_the_first_bar_of_its_session() -> None:
    bars = pd.concat([_bars(PRICES[:14]), _bars().rename(index={"A": "B"}, level="symbol")]).sort_index()
    labels = forward_return(bars, horizon=5, actions=_action("delisting", "2019-01-04", -0.5))
    last = labels.xs("A", level="symbol").iloc[11]
    assert last["end"] == STAMPS[14]
    assert last["label"] == pytest.approx(113.0 * 0.5 / 112.0 - 1.0)


def test_embargo_and_windows_count_bars() -> None:
    labels = forward_return(_bars(), horizon=2)
    split = next(iter(PurgedWalkForward(10, 4, embargo=2, expanding=True).split(labels)))
    assert split.test.tolist() == [10, 11, 12, 13]
    # The first test label is bought at bar 11; two bars lie between it and the end of a training label.
    assert labels["end"].iloc[split.train].max() == STAMPS[8]
