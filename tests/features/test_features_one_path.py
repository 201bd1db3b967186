"""Every set: the online form, any block, any number of threads and any beginning of history give the batch's bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from touchstone import features, market
from touchstone.errors import ConfigError, DataError
from touchstone.features import Feature, FeatureSet, _blocks
from touchstone.features._kernels import return_between

SETS = features.list_sets()
CALENDAR = "24/5"


@pytest.fixture(scope="module")
def whole(tables) -> dict[str, Any]:
    """The awkward market with a typical price, sectors that change, and a calendar."""
    bars = market.derive(tables["bars"], ("vwap_hlc3",))
    dates = bars.index.unique("date")
    rows = [
        ("AAA", "tools", 0, 299),
        ("AAA", "toys", 300, 559),
        *((name, "tools", 0, 559) for name in ("BBB", "CCC")),
        *((name, "toys", 0, 559) for name in ("DDD", "EEE")),
    ]
    sectors = pd.DataFrame(
        {
            "symbol": pd.Series([row[0] for row in rows], dtype="str"),
            "sector": pd.Series([row[1] for row in rows], dtype="str"),
            "start": dates[[row[2] for row in rows]],
            "end": dates[[row[3] for row in rows]],
        }
    )
    return {**tables, "bars": bars, "sectors": sectors, "calendar": CALENDAR}


def _compute(name: str, whole: dict[str, Any], **options: Any) -> pd.DataFrame:
    return features.compute(whole["bars"], name, **{key: table for key, table in whole.items() if key != "bars"}, **options)


def _bits(frame: pd.DataFrame) -> np.ndarray:
    values = np.ascontiguousarray(frame.to_numpy())
    return np.where(np.isnan(values), np.int32(-1), values.view(np.int32))


def _assert_same_bits(got: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert got.index.tolist() == expected.index.tolist()
    assert got.columns.equals(expected.columns)
    differing = np.flatnonzero((_bits(got) != _bits(expected)).any(axis=0))
    assert not len(differing), got.columns[differing].tolist()


def _recent(whole: dict[str, Any], name: str, *, last: int, more: int = 0) -> dict[str, Any]:
    """Just the sessions that the last row needs, with the factors that the earlier ones left."""
    bars = whole["bars"]
    dates = bars.index.unique("date")
    planned = features.plan(name, fields=bars.columns, macro_series=["prices"], signal_names=["planted"])
    recent = bars.loc[dates[max(last - planned.lookback + 1 - more, 0)] : dates[last]]
    base = market.adjustment_factors(bars, whole["actions"]).loc[recent.index].groupby("symbol").first()
    return {**whole, "bars": recent, "base_factors": base}


@pytest.mark.parametrize("transform", ["rank", "zscore", "none"])
@pytest.mark.parametrize("name", SETS)
def test_the_online_form_equals_the_batch_to_the_bit(whole, name, transform) -> None:
    batch = _compute(name, whole, transform=transform)
    for last, more in ((530, 0), (559, 0), (559, 7)):
        given = _recent(whole, name, last=last, more=more)
        day = given["bars"].index[-1][0]
        online = features.latest(given.pop("bars"), name, transform=transform, **given)
        _assert_same_bits(online, batch.loc[[day]])
        assert online.notna().to_numpy().mean() > 0.5


@pytest.mark.parametrize("name", SETS)
def test_blocks_threads_and_members_change_no_bit(whole, name, monkeypatch) -> None:
    batch = _compute(name, whole, transform="none")
    monkeypatch.setattr(_blocks, "_SESSIONS", 61)
    _assert_same_bits(_compute(name, whole, transform="none", threads=2, memory_budget=1), batch)
    own = list(features.plan(name, fields=whole["bars"].columns, macro_series=["prices"], signal_names=["planted"]).per_symbol)
    alone = {**whole, "bars": whole["bars"][whole["bars"].index.get_level_values("symbol").isin(["CCC", "EEE"])]}
    of_two = _compute(name, alone, transform="none")[own]
    _assert_same_bits(of_two, batch.loc[of_two.index, own])


@pytest.mark.parametrize("name", SETS)
def test_the_online_form_answers_for_some_as_for_all(whole, name) -> None:
    given = _recent(whole, name, last=559)
    bars = given.pop("bars")
    everyone = features.latest(bars, name, transform="none", **given)
    some = features.latest(bars, name, transform="none", symbols=["EEE", "AAA"], **given)
    _assert_same_bits(some, everyone[everyone.index.get_level_values("symbol").isin(["AAA", "EEE"])])


@pytest.mark.parametrize("name", SETS)
def test_the_online_form_refuses_a_short_history(whole, name) -> None:
    given = _recent(whole, name, last=559)
    bars = given.pop("bars")
    dates = bars.index.unique("date")
    if len(dates) == 1:
        return
    with pytest.raises(DataError, match=r"lookback|sessions of history"):
        features.latest(bars.loc[dates[1] :], name, transform="none", **given)


@pytest.mark.parametrize("name", SETS)
def test_whoever_compares_symbols_needs_all_of_them(whole, name) -> None:
    given = _recent(whole, name, last=559)
    bars = given.pop("bars")
    fewer = bars.drop((bars.index[-1][0], "BBB"))
    planned = features.plan(name, fields=bars.columns, macro_series=["prices"])
    if len(planned.per_symbol) < len(planned.columns):
        with pytest.raises(DataError, match=r"whole cross-section of .*, but BBB of the universe has no bar"):
            features.latest(fewer, name, transform="none", **given)
    else:
        assert len(features.latest(fewer, name, transform="none", **given)) == len(bars.index.unique("symbol")) - 1


def test_a_budget_that_holds_no_symbol_is_an_error(whole) -> None:
    far = FeatureSet("far", (Feature("far", ("close",), 200_000, return_between, (0, 199_999)),), min_sessions=1)
    with pytest.raises(ConfigError, match=r"panels of one symbol over the lookback of 200000 sessions, but 1 MB do not: give at least"):
        _compute(far, whole, memory_budget=1, transform="none")
