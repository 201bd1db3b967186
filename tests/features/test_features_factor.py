"""A researcher's own factor: audited where it is written, used by name, the same to the bit wherever history begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone import audit, features, market
from touchstone.errors import ConfigError, DataError, LookAheadError
from touchstone.features import Factor, _custom, factor
from touchstone.features._factor_market import awkward_market
from touchstone.features._factor_panel import evaluate, first_needed
from touchstone.lineage import data_hash

Function = Callable[..., pd.DataFrame]


@pytest.fixture(autouse=True)
def session() -> Iterator[None]:
    """Factors of one test are not those of another."""
    former = dict(_custom._SESSION)
    yield
    _custom._SESSION.clear()
    _custom._SESSION.update(former)


def trend(close: pd.DataFrame, volume: pd.DataFrame) -> pd.DataFrame:
    """Sum of returns weighted by volume."""
    return (close.pct_change(fill_method=None) * volume).rolling(20).sum() / volume.rolling(20).sum()


def reversal(close: pd.DataFrame) -> pd.DataFrame:
    return close.pct_change(5, fill_method=None).rank(axis=1, pct=True)


def frames_of(bars: pd.DataFrame, *fields: str) -> dict[str, pd.DataFrame]:
    return {name: bars[name].unstack("symbol") for name in fields}  # noqa: PD010 - one value a cell


def test_it_is_a_column_given_itself_or_by_its_name(bars: pd.DataFrame, actions: pd.DataFrame) -> None:
    made = factor(fields=("close", "volume"), lookback=21)(trend)
    given_itself = features.compute(bars, made, actions=actions, transform="none")
    by_name = features.compute(bars, ["momentum", "trend"], actions=actions, transform="none")

    assert given_itself.columns.tolist() == ["trend"]
    assert by_name.columns[-1] == "trend"
    assert "trend" in features.list_sets()
    pd.testing.assert_frame_equal(given_itself, by_name[["trend"]])
    adjusted = frames_of(market.adjust(bars, actions), "close", "volume")
    rows = bars.index.to_frame(index=False)
    values = trend(**adjusted)
    expected = values.to_numpy()[values.index.get_indexer(rows["date"]), values.columns.get_indexer(rows["symbol"])]
    known = given_itself["trend"].notna().to_numpy()
    assert known.mean() > 0.8
    np.testing.assert_allclose(given_itself["trend"][known], expected[known], rtol=1e-5, atol=1e-9)


def test_it_can_still_be_called() -> None:
    made = factor(fields=("close", "volume"), lookback=21)(trend)
    frames = frames_of(awkward_market(21).bars, "close", "volume")

    pd.testing.assert_frame_equal(made(*frames.values()), trend(**frames))


def test_a_new_version_takes_the_place_of_the_former(bars: pd.DataFrame) -> None:
    factor(fields=("close",), lookback=6, name="mine")(lambda close: close.pct_change(5, fill_method=None))
    first = features.compute(bars, "mine", transform="none")
    factor(fields=("close",), lookback=11, name="mine")(lambda close: close.pct_change(10, fill_method=None))

    assert not features.compute(bars, "mine", transform="none").equals(first)


def test_another_modules_factor_is_not_replaced() -> None:
    factor(fields=("close", "volume"), lookback=21)(trend)

    def other(close: pd.DataFrame) -> pd.DataFrame:
        return close

    other.__module__ = "elsewhere"
    with pytest.raises(ConfigError, match=r"'trend' of elsewhere is also one of .*: rename it"):
        factor(fields=("close",), lookback=1, name="trend")(other)


@pytest.mark.parametrize("name", ["momentum", "return_20", "macro_cpi", "signal_x", "_private", "class", "two words"])
def test_a_name_is_its_own_and_python_can_import_it(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"'{name}'.*name="):
        factor(fields=("close", "volume"), lookback=21, name=name)(trend)


LEAKS: dict[str, Function] = {
    "shift": lambda close: close.shift(-1) / close,
    "centred": lambda close: close.rolling(5, center=True).mean() / close,
    "all dates": lambda close: (close - close.mean()) / close.std(),
    "bfill": lambda close: (close / close.rolling(5).mean()).bfill(),
    "rank of dates": lambda close: close.rank(pct=True),
    "month's last": lambda close: close / close.groupby(close.index.to_period("M")).transform("last"),
    "reversed": lambda close: close[::-1].rolling(3).max()[::-1] / close,
    "one symbol ahead": lambda close: close.mask(np.broadcast_to(close.columns == "PLAIN", close.shape), close.shift(-2)),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_leak_is_an_error_where_it_is_written(leak: Function) -> None:
    with pytest.raises(LookAheadError, match=r"'leaky' of [A-Z]+ on 20\d\d-\d\d-\d\d is .* on the whole history and .* when"):
        factor(fields=("close",), lookback=5, name="leaky")(leak)
    assert "leaky" not in features.list_sets()


def test_a_leak_that_only_other_bars_show_is_found_on_them(bars: pd.DataFrame) -> None:
    def dear(close: pd.DataFrame) -> pd.DataFrame:
        return close.where(close < 1e5, close.shift(-1)) / close.shift(1)

    factor(fields=("close",), lookback=2)(dear)
    with pytest.raises(LookAheadError, match="'dear'"):
        factor(fields=("close",), lookback=2, audit_on=bars[["close"]] * 1e5)(dear)


def _write(close: pd.DataFrame) -> pd.DataFrame:
    close[close > 50.0] = 50.0
    return close.pct_change(fill_method=None)


REFUSED: dict[str, tuple[type[Exception], str, dict[str, Any], Function]] = {
    "one session short": (
        ConfigError,
        r"is .* with all history and missing with 20 sessions of it: 21 is enough: declare lookback=21",
        {"lookback": 20},
        lambda close: close.pct_change(20, fill_method=None),
    ),
    "never forgets": (ConfigError, "seems never to forget", {}, lambda close: close / close.expanding().max()),
    "remembers longer": (ConfigError, r"\d+ is enough", {}, lambda close: close.ewm(span=8).mean() / close),
    "counts from the start": (ConfigError, "with all history", {}, lambda close: close * 0.0 + np.arange(len(close))[:, None]),
    "compares in secret": (ConfigError, "declare cross_sectional=True", {}, lambda close: close.rank(axis=1)),
    "writes": (ConfigError, "writes into close", {}, _write),
    "rolls dice": (ConfigError, "called twice gives others", {}, lambda close: close * np.random.default_rng().normal()),
    "says nothing": (ConfigError, "gives none on", {}, lambda close: close * np.nan),
    "returns nothing": (DataError, "gives nothing", {}, lambda close: None),
    "a series": (DataError, "gives a Series", {}, lambda close: close["PLAIN"]),
    "fewer sessions": (DataError, r"gives \d+ sessions", {}, lambda close: close.iloc[3:]),
    "other symbols": (DataError, r"gives 1 symbols \(PLAIN to PLAIN\) for 8", {}, lambda close: close[["PLAIN"]]),
    "another order": (DataError, "sort nothing", {}, lambda close: close[close.columns[::-1]]),
    "text": (DataError, "must give numbers", {}, lambda close: close.astype(str)),
    "no field": (ConfigError, "at least one field", {"fields": ()}, lambda: None),
    "unknown field": (ConfigError, "did you mean 'close'", {"fields": ("closes",)}, lambda close: close),
    "no lookback": (ConfigError, "whole number of sessions", {"lookback": 0}, lambda close: close),
    "half a session": (ConfigError, "whole number of sessions", {"lookback": 1.5}, lambda close: close),
}


@pytest.mark.parametrize(("kind", "told", "declared", "function"), REFUSED.values(), ids=REFUSED)
def test_what_a_factor_may_not_do(kind: type[Exception], told: str, declared: dict[str, Any], function: Function) -> None:
    with pytest.raises(kind, match=told):
        factor(**{"fields": ("close",), "lookback": 5, "name": "odd", **declared})(function)
    assert "odd" not in features.list_sets()


HONEST: dict[str, tuple[dict[str, Any], Function]] = {
    "rolling": ({"lookback": 60}, lambda close: close / close.rolling(60).mean() - 1.0),
    "partial": ({"lookback": 20, "partial_windows": True}, lambda close: close / close.rolling(20, min_periods=1).max()),
    "few are enough": ({"lookback": 20}, lambda close: close / close.rolling(20, min_periods=5).max()),
    "forgets in time": ({"lookback": 150}, lambda close: close.ewm(span=8).mean() / close),
    "true or false": ({"lookback": 2}, lambda close: close > close.shift(1)),
    "slow python": ({"lookback": 4}, lambda close: close.rolling(4).apply(lambda window: window[-1] / window.min(), raw=True)),
    "month so far": ({"lookback": 31}, lambda close: close / close.groupby(close.index.to_period("M")).transform("first")),
    "compares": ({"lookback": 6, "cross_sectional": True}, reversal),
    "against the market": (
        {"lookback": 21, "cross_sectional": True},
        lambda close: close.pct_change(20, fill_method=None).sub(close.pct_change(20, fill_method=None).mean(axis=1), axis=0),
    ),
}


@pytest.mark.parametrize(("declared", "function"), HONEST.values(), ids=HONEST)
def test_no_honest_factor_is_accused(declared: dict[str, Any], function: Function, tables: dict[str, Any]) -> None:
    made = factor(**{"fields": ("close",), "name": "honest", **declared})(function)

    used = {name: tables[name] for name in ("bars", "actions")}
    report = audit.look_ahead(
        lambda **given: features.compute(**given, sets=made, transform="none"),
        used,
        lookback=made.history,
        per_symbol=() if made.cross_sectional else ("honest",),
        partial=("honest",) if made.partial_windows else (),
    )
    report.raise_on_leak()
    assert report.n_compared > 1000


@given(dropped=st.integers(min_value=1, max_value=150), seed=st.integers(min_value=0, max_value=3))
@settings(max_examples=25, deadline=None)
def test_no_bit_depends_on_where_history_begins(dropped: int, seed: int) -> None:
    made = Factor("trend", ("close", "volume"), 21, trend)
    frames = frames_of(awkward_market(40).bars, "close", "volume")
    scale = np.random.default_rng(seed).uniform(0.1, 10.0)
    whole = evaluate(made, {name: frame * scale for name, frame in frames.items()})
    short = evaluate(made, {name: (frame * scale).iloc[dropped:] for name, frame in frames.items()})

    known = short.notna().to_numpy()
    assert known.any()
    np.testing.assert_array_equal(short.to_numpy()[known], whole.iloc[dropped:].to_numpy()[known])
    late = dropped + made.history
    assert (short.iloc[made.history :].notna() | whole.iloc[late:].isna() | short.columns.isin(["GAPS", "HALTED"])).all(axis=None)


@pytest.mark.parametrize("frequency", ["1min", "5min", "30min", "4h"])
def test_intraday_bars_too(frequency: str) -> None:
    stamps = pd.date_range("2024-01-02 00:00", periods=400, freq=frequency, name="date")
    random = np.random.default_rng(3)
    close = pd.DataFrame(50.0 + random.normal(0.0, 1.0, (400, 2)).cumsum(axis=0) / 10.0, index=stamps, columns=["A", "B"])
    made = Factor("deviation", ("close",), 20, lambda close: close.rolling(20).std())

    whole = evaluate(made, {"close": close})
    short = evaluate(made, {"close": close.iloc[137:]})

    pd.testing.assert_frame_equal(short.iloc[made.history :], whole.iloc[137 + made.history :], check_exact=True, check_freq=False)


@pytest.mark.parametrize(
    ("fields", "function"),
    [
        (("volume", "close"), trend),
        (("close",), trend),
        (("close", "volume", "vwap"), trend),
        (("high",), lambda close: close),
    ],
    ids=["another order", "too few", "too many", "another field"],
)
def test_frames_come_in_the_order_that_both_name(fields: tuple[str, ...], function: Any) -> None:
    with pytest.raises(ConfigError, match=rf"'swapped' takes \(.*close.*\) and declares {', '.join(fields)}: let both name the same"):
        factor(fields=fields, lookback=21, name="swapped")(function)


def test_other_names_defaults_and_one_field_alone_will_do() -> None:
    assert factor(fields="close", lookback=21, name="alone")(lambda prices, n=20: prices / prices.shift(n) - 1.0).fields == ("close",)
    assert factor(fields=("close", "volume"), lookback=1, name="any")(lambda *frames: frames[0] * frames[1]).lookback == 1


@pytest.mark.parametrize(
    ("dates", "stretches"),
    [
        (pd.date_range("2021-01-01", "2022-12-31", freq="D"), 8),
        (pd.date_range("2024-03-29 00:01", "2024-03-29 10:00", freq="1min"), 11),
    ],
    ids=["quarters", "hours"],
)
def test_no_stretch_is_longer_than_what_history_adds(dates: pd.DatetimeIndex, stretches: int) -> None:
    seen: list[int] = []

    def count(close: pd.DataFrame) -> pd.DataFrame:
        seen.append(len(close))
        return close * 1.0

    made = Factor("counted", ("close",), 1, count)
    evaluate(made, {"close": pd.DataFrame(1.0, index=dates, columns=["A"])})

    assert len(seen) == stretches
    assert sum(seen) == len(dates)
    assert max(seen) <= made.history - made.lookback


def test_only_what_is_asked_is_evaluated() -> None:
    seen: list[int] = []

    def count(close: pd.DataFrame) -> pd.DataFrame:
        seen.append(len(close))
        return close.rolling(10).mean()

    made = Factor("counted", ("close",), 10, count)
    frames = frames_of(awkward_market(40).bars, "close")
    sessions = pd.DatetimeIndex(frames["close"].index)
    whole = evaluate(made, frames)
    begin = first_needed(made, sessions, len(sessions) - 1)
    born = frames["close"].notna().to_numpy().argmax(axis=0)
    seen.clear()
    last = evaluate(made, {"close": frames["close"].iloc[begin:]}, first=len(sessions) - 1 - begin, born=born - begin)

    assert len(seen) == 1
    assert seen[0] <= made.history
    pd.testing.assert_series_equal(last.iloc[-1], whole.iloc[-1], check_exact=True)


def test_a_halt_at_the_beginning_of_a_short_history_makes_nobody_young() -> None:
    made = Factor("smooth", ("close",), 10, lambda close: close.rolling(10, min_periods=3).mean())
    frames = frames_of(awkward_market(40).bars, "close")
    close = frames["close"].copy()
    begin = first_needed(made, pd.DatetimeIndex(close.index), 200)
    close.iloc[begin : begin + 6, 6] = np.nan
    whole = evaluate(made, {"close": close})
    born = close.notna().to_numpy().argmax(axis=0) - begin
    short = evaluate(made, {"close": close.iloc[begin:]}, born=born)

    rows = short["PLAIN"].notna()
    assert rows.any()
    pd.testing.assert_series_equal(short["PLAIN"][rows], whole["PLAIN"].iloc[begin:][rows], check_exact=True, check_freq=False)
    first = int(np.flatnonzero(rows)[0])
    assert first == made.lookback - 1
    assert np.isnan(evaluate(made, {"close": close.iloc[begin:]})["PLAIN"].iloc[first])


def test_a_comparison_is_among_those_who_count() -> None:
    made = Factor("reversal", ("close",), 6, reversal, cross_sectional=True)
    close = frames_of(awkward_market(40).bars, "close")["close"]
    present = close.notna().to_numpy(copy=True)
    present[:, 6] = False
    present[-30:, 0] = False
    ranked = evaluate(made, {"close": close}, present=present)

    without = evaluate(made, {"close": close.drop(columns="PLAIN")}, present=np.delete(present, 6, axis=1))
    pd.testing.assert_frame_equal(ranked.drop(columns="PLAIN"), without, check_exact=True)
    assert ranked["PLAIN"].isna().all()
    assert ranked["EARLY"].iloc[-30:].isna().all()
    assert ranked["EARLY"].iloc[-31] > 0.0
    assert ranked.iloc[-1].max() == 1.0


@pytest.mark.parametrize("transform", ["none", "rank"])
def test_the_online_form_equals_the_batch_form(bars: pd.DataFrame, universe: pd.DataFrame, transform: Any) -> None:
    made = [factor(fields=("close", "volume"), lookback=21)(trend), factor(fields=("close",), lookback=6, cross_sectional=True)(reversal)]
    recent = bars[bars.index.get_level_values("date") >= bars.index.get_level_values("date").unique()[-130]]
    batch = features.compute(bars, made, universe=universe, transform=transform)
    online = features.latest(recent, made, universe=universe, transform=transform)

    assert online.notna().all(axis=None)
    pd.testing.assert_frame_equal(online, batch.loc[online.index], check_exact=True)


def test_too_little_history_is_told(bars: pd.DataFrame) -> None:
    made = factor(fields=("close", "volume"), lookback=21)(trend)
    few = bars[bars.index.get_level_values("date") < bars.index.get_level_values("date").unique()[40]]
    with pytest.raises(DataError, match=r"at least as many sessions as their lookback, 113, but the bars have 40"):
        features.compute(few, made, transform="rank")


def test_the_built_in_market_is_always_the_same() -> None:
    """Its hash stands in saved factors, whose bytes are part of every run's code."""
    assert data_hash(awkward_market(21).bars) == data_hash(awkward_market(21).bars)
    assert data_hash(awkward_market(21).bars) == "7ae66e9cf7eed854d30277f521621c649326b08628e3ab48e8385c5e1faff67b"
    bars = awkward_market(21).bars
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
    assert bars["vwap"].between(bars["low"], bars["high"]).all()


def test_an_unknown_factor_says_that_a_notebooks_must_be_saved(bars: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match=r"got 'trendy'.*known to its own session only, until `touchstone factor save`"):
        features.compute(bars, "trendy", transform="rank")


def test_who_is_no_member_changes_no_comparison(bars: pd.DataFrame, universe: pd.DataFrame) -> None:
    made = Factor("reversal", ("close",), 6, reversal, cross_sectional=True)
    dates = bars.index.get_level_values("date").unique()
    members = universe[universe["symbol"].isin(["AAA", "BBB", "CCC", "DDD"])]
    members = members.assign(end=members["end"].where(members["symbol"] != "AAA", dates[-10]))
    recent = bars[(bars.index.get_level_values("date") >= dates[-110]) & bars.index.get_level_values("symbol").isin(["BBB", "CCC", "DDD"])]

    batch = features.compute(bars, made, universe=members, transform="none")
    online = features.latest(recent, made, universe=members, transform="none")
    pd.testing.assert_frame_equal(online, batch.loc[online.index], check_exact=True)
    assert online["reversal"].max() == 1.0


@pytest.mark.parametrize("last", [180, 186, 195, 201, 209])
def test_a_halt_parts_no_online_value_from_the_batchs(last: int) -> None:
    made = Factor("smooth", ("close",), 10, lambda close: close.rolling(10, min_periods=3).mean())
    bars = awkward_market(40).bars
    dates = bars.index.get_level_values("date").unique()
    halted = dates[last - 30 : last - 5]
    bars = bars[(bars.index.get_level_values("date") <= dates[last]) & ~bars.index.get_level_values("date").isin(halted)]
    bars = pd.concat([bars, awkward_market(40).bars.loc[halted].drop("PLAIN", level="symbol")]).sort_index()
    member = pd.DataFrame({"symbol": pd.Series(["PLAIN"], dtype="str"), "start": dates[:1], "end": dates[-1:]})
    recent = bars[bars.index.get_level_values("date") >= dates[last - 110]]

    batch = features.compute(bars, made, universe=member, transform="none").iloc[-1:]
    online = features.latest(recent, made, universe=member, transform="none")
    pd.testing.assert_frame_equal(online, batch, check_exact=True)
