"""Features of short bars: the same code, blind to what comes later in the day."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from touchstone import audit, features, market
from touchstone.errors import DataError, LookAheadError
from touchstone.features._momentum import MOMENTUM
from touchstone.sources._simulated import simulate_market

CLOCK = {"calendar": "XNYS", "timeframe": "30m"}
SHORT = features.FeatureSet("short", tuple(f for f in MOMENTUM.features if f.name in {"return_5", "volatility_20", "volume_ratio_5_60"}))


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    data = simulate_market(n_symbols=20, n_sessions=110, seed=9, rank_ic=0.0, timeframe="30m", start="2019-01-02").data
    stamps = pd.DatetimeIndex(data.bars.index.get_level_values("date"))
    timed = partial(market.at_bars, stamps=stamps, **CLOCK)
    dates = pd.Series(pd.date_range("2019-01-03", periods=60, freq="D")).astype("datetime64[us]")
    macro = pd.DataFrame(
        {
            "series": pd.Series("spread", index=range(60), dtype="str"),
            "period": dates,
            "value": np.arange(60.0),
            "known_at": dates,
            "expires_at": dates + pd.Timedelta(days=30),
        }
    )
    return {
        "bars": data.bars,
        "actions": timed(data.actions),
        "signals": timed(data.signals),
        "macro": timed(macro),
        "universe": data.universe,
        "benchmark": data.benchmark,
    }


@pytest.fixture(scope="module")
def matrix(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return _compute(**tables)


def _compute(*, bars: pd.DataFrame, **tables: pd.DataFrame) -> pd.DataFrame:
    return features.compute(bars, SHORT, **tables, transform="none")


def test_a_value_published_on_a_day_is_not_known_to_its_bars_before_the_close(matrix: pd.DataFrame) -> None:
    known = matrix["macro_spread"].groupby(level="date").first()
    # Row 7 of the series is of 10 January; the session closes at 21:00 UTC.
    assert known.loc["2019-01-10 15:00":"2019-01-10 20:30"].unique().tolist() == [6.0]
    assert known.loc["2019-01-10 21:00"] == 7.0


def test_the_whole_last_session_of_a_member_is_inside(tables: dict[str, pd.DataFrame]) -> None:
    spans = tables["universe"].copy()
    left, came = spans["symbol"].iloc[:2]
    spans.loc[spans["symbol"] == left, "end"] = pd.Timestamp("2019-05-01")
    spans.loc[spans["symbol"] == came, "start"] = pd.Timestamp("2019-05-02")
    matrix = _compute(**{**tables, "universe": spans})
    assert matrix.xs(left, level="symbol").index[-1] == pd.Timestamp("2019-05-01 20:00")
    assert matrix.xs(came, level="symbol").index[0] == pd.Timestamp("2019-05-02 14:00")


def test_the_audit_finds_nothing_at_cuts_within_a_day(tables: dict[str, pd.DataFrame]) -> None:
    report = audit.look_ahead(_compute, tables, n_cuts=4, seed=3)
    assert report.passed
    assert any(f"{cut:%H:%M}" not in {"20:00", "21:00", "18:00"} for cut in report.cuts)


def test_the_audit_finds_a_value_that_knows_the_rest_of_the_day(tables: dict[str, pd.DataFrame]) -> None:
    def close_of_day(bars: pd.DataFrame) -> pd.DataFrame:
        day = bars.index.get_level_values("date").normalize()
        return bars.groupby([day, bars.index.get_level_values("symbol")])[["close"]].transform("last")

    report = audit.look_ahead(close_of_day, {"bars": tables["bars"]}, n_cuts=4, seed=3)
    assert not report.passed
    with pytest.raises(LookAheadError, match=r"on 2019-\d\d-\d\d \d\d:\d\d is"):
        report.raise_on_leak()


def test_dates_read_as_midnight_would_have_been_a_leak(tables: dict[str, pd.DataFrame]) -> None:
    raw = tables["macro"].assign(known_at=tables["macro"]["known_at"].dt.normalize())
    known = _compute(**{**tables, "macro": raw})["macro_spread"].groupby(level="date").first()
    assert known.loc["2019-01-10 15:00"] == 7.0


def test_the_last_bar_online_is_the_last_bar_of_the_batch(tables: dict[str, pd.DataFrame]) -> None:
    stamps = tables["bars"].index.unique("date")
    at = stamps[1000]
    batch = features.compute(**_until(tables, at), sets=SHORT, **CLOCK, transform="rank")
    history = _until(tables, at)
    recent = history["bars"].loc[stamps[900] :]
    factors = market.adjustment_factors(history["bars"], history["actions"]).loc[recent.index]
    first = factors.groupby(level="symbol").head(1).droplevel("date")
    online = features.latest(**{**history, "bars": recent}, sets=SHORT, base_factors=first, **CLOCK, transform="rank")
    pd.testing.assert_frame_equal(online, batch.loc[[at]], check_exact=True)


def test_a_listing_within_the_history_is_recognised_by_its_session(tables: dict[str, pd.DataFrame]) -> None:
    late = tables["universe"].sort_values("start").iloc[-1]
    stamps = tables["bars"].index.unique("date")
    at = stamps[stamps.searchsorted(late["start"]) + 30]
    history = _until(tables, at)
    assert late["start"] > stamps[0]
    online = features.latest(**history, sets=SHORT, **CLOCK, transform="rank")
    assert late["symbol"] in online.index.get_level_values("symbol")


@pytest.mark.parametrize("calendar", ["24/7", "XASX", "CMES"])
def test_the_last_bar_online_counts_the_members_of_its_session(calendar: str) -> None:
    # 24/7 closes at midnight, and Sydney and CME open on the evening before: a listing of the next day is none yet, one of this day is.
    stamps = market.bar_times(calendar, "2020-01-06", "2020-01-16", "1h")
    session = market.session_of(stamps, calendar, "1h")
    starts = {"A": session[0], "B": session[0], "NEW": session[session.searchsorted(pd.Timestamp("2020-01-15"))]}
    index = pd.MultiIndex.from_product([stamps, pd.Index(list(starts), dtype="str")], names=["date", "symbol"])
    bars = pd.DataFrame({"close": np.exp(np.random.default_rng(1).normal(0.0, 0.01, len(index)).cumsum())}, index=index)
    begun = index.get_level_values("symbol") != "NEW"
    bars = bars[begun | (session.repeat(3) >= starts["NEW"])]
    spans = pd.DataFrame({"symbol": list(starts), "start": list(starts.values()), "end": pd.Timestamp("2020-01-16")})
    spans = spans.astype({"symbol": "str", "start": "datetime64[us]", "end": "datetime64[us]"})
    universe = market.at_bars(spans, stamps, calendar=calendar, timeframe="1h")
    only = features.FeatureSet("only", tuple(f for f in MOMENTUM.features if f.name == "return_5"))
    batch = features.compute(bars, only, universe=universe, calendar=calendar, timeframe="1h", transform="rank")
    first = int(session.searchsorted(starts["NEW"]))
    for at in stamps[[first - 1, first, first + 3, -1]]:
        online = features.latest(
            bars.loc[stamps[first - 10] : at], only, universe=universe, calendar=calendar, timeframe="1h", transform="rank"
        )
        pd.testing.assert_frame_equal(online, batch.loc[[at]], check_exact=True)


def test_a_stamp_that_is_no_bar_of_the_calendar_is_named(tables: dict[str, pd.DataFrame]) -> None:
    bars = tables["bars"].iloc[:2000]
    shifted = bars.set_axis(bars.index.set_levels(bars.index.levels[0] + pd.Timedelta("1min"), level="date"))
    with pytest.raises(DataError, match=r"must be a 30m bar of XNYS, got 2019-01-02 15:01"):
        features.compute(shifted, SHORT, **CLOCK, transform="rank")


def _until(tables: dict[str, pd.DataFrame], at: pd.Timestamp) -> dict[str, pd.DataFrame]:
    known = {name: tables[name][tables[name]["known_at"] <= at] for name in ("actions", "signals", "macro")}
    return {"bars": tables["bars"].loc[:at], "benchmark": tables["benchmark"].loc[:at], "universe": tables["universe"], **known}
