"""Signals of every symbol at once: joined as they were known, the same in both forms, never ranked; and late news that nobody can place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone import audit, features, market
from touchstone.errors import DataError
from touchstone.features._joins import signal_by_session

SESSIONS = pd.bdate_range("2020-01-01", periods=6, name="date").as_unit("us")


def signals(*rows: tuple[str, str, int, float, int]) -> pd.DataFrame:
    """Rows of (name, symbol, period, value, known_at), the dates as positions on the sessions."""
    name, symbol, period, value, known = zip(*rows, strict=True)
    frame = pd.DataFrame(
        {"name": name, "symbol": symbol, "period": SESSIONS[list(period)], "value": value, "known_at": SESSIONS[list(known)]}
    )
    return frame.astype({"name": "str", "symbol": "str", "value": "float64"})


@pytest.fixture(scope="module")
def mood(sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """A weekly number about everybody, known two sessions after its week."""
    random = np.random.default_rng(11)
    periods = sessions[4:-2:5]
    return pd.DataFrame(
        {
            "name": pd.Series(["mood"] * len(periods), dtype="str"),
            "symbol": pd.Series(["*"] * len(periods), dtype="str"),
            "period": periods,
            "value": random.normal(0.0, 1.0, len(periods)),
            "known_at": sessions[6::5][: len(periods)],
        }
    )


def test_every_symbol_has_the_value_from_when_it_was_known() -> None:
    got = signal_by_session(signals(("s", "*", 0, 7.0, 2), ("s", "*", 1, 8.0, 4)), "s", pd.Index(["A", "B"]), SESSIONS)
    np.testing.assert_array_equal(got, [[np.nan, np.nan, 7.0, 7.0, 8.0, 8.0]] * 2)


def test_a_name_speaks_of_all_or_of_single_symbols(bars: pd.DataFrame) -> None:
    mixed = signals(("s", "*", 0, 7.0, 0), ("s", "A", 1, 8.0, 1))
    with pytest.raises(DataError, match=r"\('\*'\) or of single ones, but s does both: give the two different names"):
        features.compute(bars, "momentum", signals=mixed, transform="rank")


def test_in_the_matrix_it_is_the_same_for_all_and_not_ranked(tables, mood) -> None:
    matrix = _compute(**tables | {"signals": pd.concat([tables["signals"], mood], ignore_index=True)})
    by_session = matrix["signal_mood"].groupby("date")
    pd.testing.assert_series_equal(by_session.min(), by_session.max())
    assert by_session.first().abs().max() > 1.0
    plan = features.plan("momentum", fields=["close"], signal_names=["mood", "planted"], market_wide_signals=["mood"])
    assert set(plan.columns) - set(plan.ranked) == {"signal_mood"}


def test_the_audit_finds_no_future_in_it(tables, mood) -> None:
    joined = pd.concat([tables["signals"], mood], ignore_index=True)
    assert audit.look_ahead(_compute, tables | {"signals": joined}, n_cuts=3, seed=4).passed
    assert not audit.look_ahead(_joined_by_period, tables | {"signals": mood}, n_cuts=8, seed=4).passed


def test_online_it_is_what_the_batch_gives(tables, mood) -> None:
    joined = {**tables, "signals": mood}
    whole = _compute(**joined)
    sessions = tables["bars"].index.get_level_values("date").unique()
    start, day = sessions[-530], sessions[-1]
    recent = tables["bars"][tables["bars"].index.get_level_values("date") >= start]
    factors = market.adjustment_factors(tables["bars"], tables["actions"])
    base = factors.loc[recent.index].groupby(level="symbol").first()
    told = {name: table for name, table in joined.items() if name != "bars"}
    online = features.latest(recent, "momentum", **told, base_factors=base, transform="rank")
    pd.testing.assert_frame_equal(online, whole[whole.index.get_level_values("date") == day], check_exact=True)


def test_late_news_of_before_the_bars_is_refused(tables) -> None:
    """An action of before the listing is in the prices; one of before the bars given alone is not. Nothing given tells them apart."""
    bars, sessions = tables["bars"], tables["bars"].index.get_level_values("date").unique()
    late = pd.DataFrame({"symbol": ["AAA"], "ex_date": [sessions[20]], "kind": ["split"], "value": [2.0], "known_at": [sessions[400]]})
    listed = late.astype({"symbol": "str", "kind": "str"})
    recent = bars[bars.index.get_level_values("date") >= sessions[40]]
    base = pd.DataFrame(1.0, index=pd.Index(sorted(set(bars.index.get_level_values("symbol")))), columns=["price", "volume"])
    told = {"universe": tables["universe"], "benchmark": tables["benchmark"], "base_factors": base, "transform": "none"}
    with pytest.raises(DataError, match=r"ex-date within them, but that of AAA lies at or before the first bar given: bring bars"):
        features.latest(recent, "momentum", actions=listed, **told)
    # Not yet known at the last session, it changes nothing and is let through.
    coming = listed.assign(known_at=sessions[-1] + pd.Timedelta(days=1))
    pd.testing.assert_frame_equal(
        features.latest(recent, "momentum", actions=coming, **told),
        features.latest(recent, "momentum", actions=market.empty_table("actions"), **told),
        check_exact=True,
    )


def _compute(**tables: pd.DataFrame) -> pd.DataFrame:
    return features.compute(
        tables["bars"], "momentum", **{name: table for name, table in tables.items() if name != "bars"}, transform="rank"
    )


def _joined_by_period(**tables: pd.DataFrame) -> pd.DataFrame:
    return _compute(**tables | {"signals": tables["signals"].assign(known_at=tables["signals"]["period"])})
