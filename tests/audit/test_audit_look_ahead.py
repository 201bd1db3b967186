"""Planted leaks are caught, honest features are not accused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pytest

from touchstone import audit, features
from touchstone.errors import ConfigError, DataError, LookAheadError

Leak = Callable[..., pd.DataFrame]


def _wide(bars: pd.DataFrame, field: str = "close") -> pd.DataFrame:
    return bars.reset_index().pivot_table(index="date", columns="symbol", values=field)


def _long(wide: pd.DataFrame, bars: pd.DataFrame) -> pd.DataFrame:
    rows = wide.melt(ignore_index=False, value_name="feature").set_index("symbol", append=True)
    return rows.reindex(bars.index)


def full_sample_z_score(bars, **_) -> pd.DataFrame:
    close = _wide(bars)
    return _long((close - close.mean()) / close.std(), bars)


def off_by_one_shift(bars, **_) -> pd.DataFrame:
    return _long(_wide(bars).pct_change(fill_method=None).shift(-1), bars)


def off_by_one_for_one_symbol(bars, **_) -> pd.DataFrame:
    close = _wide(bars)
    return _long(close.assign(S01=close["S01"].shift(-1)), bars)


def latest_revision(bars, macro, **_) -> pd.DataFrame:
    return pd.DataFrame({"feature": macro.sort_values("known_at")["value"].iloc[-1]}, index=bars.index)


def ranked_over_time(bars, **_) -> pd.DataFrame:
    return _long(_wide(bars).rank(pct=True), bars)


def signal_of_the_next_session(bars, signals, **_) -> pd.DataFrame:
    values = signals.set_index(["period", "symbol"])["value"].rename_axis(["date", "symbol"])
    return values.groupby("symbol").shift(-1).reindex(bars.index).to_frame("feature")


def benchmark_return_ahead(bars, benchmark, **_) -> pd.DataFrame:
    ahead = benchmark["close"].shift(-1) / benchmark["close"]
    return pd.DataFrame({"feature": ahead.reindex(bars.index.get_level_values("date")).to_numpy()}, index=bars.index)


LEAKS: list[Leak] = [
    full_sample_z_score,
    off_by_one_shift,
    off_by_one_for_one_symbol,
    latest_revision,
    ranked_over_time,
    signal_of_the_next_session,
    benchmark_return_ahead,
]


def trailing_window(bars, **_) -> pd.DataFrame:
    return _long(_wide(bars).rolling(5).mean(), bars)


def members_so_far(bars, universe, **_) -> pd.DataFrame:
    """How many have been listed: uses starts only."""
    dates = bars.index.get_level_values("date")
    listed = np.searchsorted(np.sort(universe["start"].to_numpy()), dates.to_numpy(), side="right")
    return pd.DataFrame({"feature": listed.astype(float)}, index=bars.index)


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
@pytest.mark.parametrize("seed", [0, 1])
def test_leak_is_caught(tables, leak: Leak, seed: int) -> None:
    report = audit.look_ahead(leak, tables, seed=seed)
    assert not report.passed
    with pytest.raises(
        LookAheadError, match=r"'feature' of S0\d on 201\d-\d\d-\d\d is .* on the whole history and .* when everything after"
    ):
        report.raise_on_leak()


@pytest.mark.parametrize("honest", [trailing_window, members_so_far])
def test_honest_features_are_not_accused(tables, honest: Leak) -> None:
    report = audit.look_ahead(honest, tables)
    assert report.passed
    assert report.n_compared > 1000
    report.raise_on_leak()


@pytest.mark.parametrize("transform", ["rank", "none"])
def test_momentum_passes_on_every_table(tables, transform) -> None:
    report = audit.look_ahead(partial(features.compute, sets="momentum", transform=transform), tables, seed=3)
    report.raise_on_leak()
    assert report.n_findings == 0
    n_columns = 17 + 2
    assert report.n_compared > 2 * n_columns * len(tables["bars"])
    assert [check.check for check in report.checks] == ["truncation", "perturbation", "append"]


def test_momentum_passes_on_closes_alone(tables) -> None:
    closes = {"bars": tables["bars"][["close"]], "benchmark": tables["benchmark"]}
    audit.look_ahead(partial(features.compute, sets="momentum", transform="rank"), closes).raise_on_leak()


def test_momentum_passes_where_an_action_became_known_after_its_day(tables, sessions) -> None:
    late = tables | {"actions": tables["actions"].assign(known_at=tables["actions"]["ex_date"] + pd.Timedelta(days=14))}
    audit.look_ahead(partial(features.compute, sets="momentum", transform="rank"), late, n_cuts=6).raise_on_leak()


def test_a_single_leaking_feature_among_honest_ones_is_named(tables) -> None:
    def with_one_leak(**inputs: pd.DataFrame) -> pd.DataFrame:
        matrix = features.compute(sets="momentum", **inputs, transform="rank")
        return matrix.assign(tomorrow=matrix["return_1"].groupby("symbol").shift(-1))

    report = audit.look_ahead(with_one_leak, tables)
    assert set(report.findings["feature"]) == {"tomorrow"}
    assert set(report.findings["date"]) <= set(report.cuts)


def test_findings_give_both_values(tables, bars) -> None:
    report = audit.look_ahead(off_by_one_shift, tables)
    cut = report.cuts[-1]
    last = report.findings[(report.findings["date"] == cut) & (report.findings["check"] == "truncation")].set_index("symbol")
    following = bars.loc[bars.index.unique("date")[-1], "close"] / bars.loc[cut, "close"] - 1.0
    np.testing.assert_allclose(last["expected"], following[last.index])
    assert last["observed"].isna().all()
    assert set(report.findings["check"]) == {"truncation", "perturbation", "append"}


def test_perturbation_finds_what_truncation_cannot(tables) -> None:
    """A callable that fills in for a future that is absent betrays itself only when the future is another one."""

    def peeks_if_it_can(bars, **_) -> pd.DataFrame:
        close = _wide(bars)
        ahead = (close.shift(-1) / close).fillna(1.0)
        known_by_heart = _wide(tables["bars"]).shift(-1) / _wide(tables["bars"])
        last = close.index[-1]
        ahead.loc[last] = known_by_heart.loc[last]
        return _long(ahead, bars)

    without_gaps = {"bars": tables["bars"][tables["bars"].index.get_level_values("symbol").isin(["S00", "S01"])]}
    report = audit.look_ahead(peeks_if_it_can, without_gaps)
    assert set(report.findings["check"]) == {"perturbation", "append"}


def test_listed_findings_are_bounded_while_all_are_counted(tables) -> None:
    report = audit.look_ahead(full_sample_z_score, tables)
    assert report.n_findings > len(report.findings)
    assert report.findings.groupby(["feature", "cut", "check"]).size().max() == 100


def test_cuts_are_decided_by_the_seed_and_hold_a_month_end_and_the_last_session_but_one(tables, sessions) -> None:
    for seed in range(5):
        cuts = audit.look_ahead(trailing_window, tables, seed=seed).cuts
        assert cuts == audit.look_ahead(trailing_window, tables, seed=seed).cuts
        # The last is that of the append check.
        assert len(cuts) == 7
        assert {sessions[-2], sessions[-26]} <= set(cuts)
        following = sessions[sessions.get_indexer(pd.DatetimeIndex(cuts)) + 1]
        assert (following.month != pd.DatetimeIndex(cuts).month).any()
    assert audit.look_ahead(trailing_window, tables, seed=1).cuts != audit.look_ahead(trailing_window, tables, seed=2).cuts


def test_cuts_lie_where_every_feature_has_begun(tables, sessions) -> None:
    report = audit.look_ahead(partial(features.compute, sets="momentum", transform="rank"), tables, n_cuts=8)
    assert min(report.cuts) >= sessions[504]


def test_inputs_are_left_as_they_were(tables) -> None:
    before = {name: table.copy(deep=True) for name, table in tables.items()}
    audit.look_ahead(trailing_window, tables)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_no_cut_no_history_or_another_index_is_an_error(tables) -> None:
    with pytest.raises(ConfigError, match="at least one cut, got 0"):
        audit.look_ahead(trailing_window, tables, n_cuts=0)
    with pytest.raises(DataError, match="at least two sessions"):
        audit.look_ahead(lambda bars: bars, {"bars": tables["bars"].loc[[tables["bars"].index[0][0]]]})
    with pytest.raises(DataError, match=r"index \(date, symbol\)"):
        audit.look_ahead(lambda bars: bars.reset_index(), {"bars": tables["bars"]})
