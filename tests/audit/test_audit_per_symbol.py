"""Columns that depend on one symbol only are cut at another session for each."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

from touchstone import audit, features
from touchstone.audit._cuts import Calendar
from touchstone.audit._matrix import Axes, Matrix
from touchstone.audit._tables import Tables
from touchstone.errors import ConfigError


def _long(panel: pd.DataFrame, bars: pd.DataFrame) -> pd.DataFrame:
    return panel.melt(ignore_index=False, value_name="feature").set_index("symbol", append=True).reindex(bars.index)


def _wide(bars: pd.DataFrame) -> pd.DataFrame:
    return bars.reset_index().pivot_table(index="date", columns="symbol", values="close")


def honest(bars: pd.DataFrame, **_: pd.DataFrame) -> pd.DataFrame:
    return _long(_wide(bars).rolling(5).max(), bars)


def _many(n_symbols: int, n_sessions: int = 90) -> pd.DataFrame:
    random = np.random.default_rng(3)
    days = pd.bdate_range("2019-01-01", periods=n_sessions, name="date").as_unit("us")
    names = pd.Index([f"N{number:03d}" for number in range(n_symbols)], dtype="str", name="symbol")
    index = pd.MultiIndex.from_product([days, names])
    close = 20.0 * np.exp(np.cumsum(random.normal(0.0, 0.02, (n_sessions, n_symbols)), axis=0))
    bars = pd.DataFrame({"close": close.ravel()}, index=index)
    return bars[random.random(len(bars)) > 0.01]


def test_one_pass_cuts_many_symbols_apart_and_computes_them_in_blocks() -> None:
    bars, sizes = _many(150), []

    def counted(bars: pd.DataFrame) -> pd.DataFrame:
        sizes.append(bars.index.get_level_values("symbol").nunique())
        return honest(bars)

    report = audit.look_ahead(counted, {"bars": bars}, per_symbol=["feature"], lookback=5)
    report.raise_on_leak()
    assert sizes[0] == 150
    assert max(sizes[1:]) == 75
    assert len(report.cuts) > 40


def test_whole_is_not_computed_again(bars: pd.DataFrame) -> None:
    calls = []

    def counted(bars: pd.DataFrame) -> pd.DataFrame:
        calls.append(len(bars))
        return honest(bars)

    whole = honest(bars)
    first = audit.look_ahead(counted, {"bars": bars}, whole=whole)
    n_calls = len(calls)
    second = audit.look_ahead(counted, {"bars": bars})
    assert len(calls) - n_calls == n_calls + 1
    assert first.n_compared == second.n_compared


@pytest.mark.parametrize("n_symbols", [3, 150])
def test_a_leak_of_one_symbol_is_caught_and_named(n_symbols: int) -> None:
    bars = _many(n_symbols)

    def leak(bars: pd.DataFrame) -> pd.DataFrame:
        close = _wide(bars)
        return _long(close.apply(lambda column: column.shift(-1) if column.name == "N001" else column), bars)

    report = audit.look_ahead(leak, {"bars": bars}, per_symbol=["feature"])
    assert set(report.findings["symbol"]) == {"N001"}
    assert {"truncation", "perturbation"} <= set(report.findings["check"])


def test_a_column_that_looks_at_other_symbols_may_not_be_declared_per_symbol(bars: pd.DataFrame) -> None:
    ranks = partial(lambda bars: _long(_wide(bars).rank(axis=1), bars))
    audit.look_ahead(ranks, {"bars": bars}).raise_on_leak()
    assert not audit.look_ahead(ranks, {"bars": bars}, per_symbol=["feature"]).passed


def test_ranks_stand_beside_columns_of_one_symbol(tables: dict[str, pd.DataFrame]) -> None:
    def both(bars: pd.DataFrame, **_: pd.DataFrame) -> pd.DataFrame:
        return honest(bars).assign(rank=_long(_wide(bars).rank(axis=1), bars)["feature"])

    report = audit.look_ahead(both, tables, per_symbol=["feature"])
    report.raise_on_leak()
    assert len(report.cuts) > 20


def test_every_kind_of_session_is_cut_at_on_a_small_market(tables: dict[str, pd.DataFrame], sessions: pd.DatetimeIndex) -> None:
    whole = honest(**tables)
    symbols = pd.Index([f"S{number:02d}" for number in range(8)], dtype="str")
    read = Tables.read(tables, symbols, {})
    matrix = Matrix.of(whole, Axes(read.sessions, symbols))
    dealt = np.array(list(Calendar(matrix, read, 5, 0).of_symbols())).T
    assert dealt.shape == (8, 7)
    # S03 has no bars at sessions 500, 501 and 530: before and after them, the first and the last row but one.
    assert {499, 502} & set(dealt[3]) or {529, 531} & set(dealt[3])
    # S02 splits at session 300, announced at 290; S07 is listed at 250.
    assert {289, 290, 299, 300} & set(dealt[2])
    assert 250 in dealt[7]
    for number in (0, 1, 4, 5):
        assert {0, 618} <= set(dealt[number])
    months = sessions.month.to_numpy()
    assert all(any(months[cut] != months[cut + 1] for cut in cuts) for cuts in dealt[:6])


def test_few_symbols_with_gaps_lose_no_session(sessions: pd.DatetimeIndex, bars: pd.DataFrame) -> None:
    """A window counts sessions; one on which only another symbol traded must stay where that one is cut before it."""
    two = bars[bars.index.get_level_values("symbol").isin(["S00", "S03"])].drop(index=[(day, "S00") for day in sessions[100:400:7]])
    for seed in range(4):
        momentum = partial(features.compute, sets="momentum", transform="none")
        lookbacks = features.plan("momentum", fields=two.columns, has_benchmark=False).lookbacks
        audit.look_ahead(momentum, {"bars": two}, per_symbol=list(lookbacks), lookback=lookbacks, seed=seed).raise_on_leak()


def test_what_is_declared_must_be_computed(bars: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match=r"per_symbol declares must be computed, but 'featur' is not: did you mean 'feature'"):
        audit.look_ahead(honest, {"bars": bars}, per_symbol=["featur"])
    with pytest.raises(ConfigError, match=r"lookback must cover every column, but lacks feature"):
        audit.look_ahead(honest, {"bars": bars}, lookback={})
    with pytest.raises(ConfigError, match=r"at least 1, but got feature: 0"):
        audit.look_ahead(honest, {"bars": bars}, lookback=0)
