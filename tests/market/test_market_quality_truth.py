"""How much of what is wrong is found, and how much of what is found is wrong, on markets whose truth is known; seeds that tuned nothing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.market import MarketContext
from touchstone.market.quality import Examination, examine
from touchstone.sources._simulated import SimulatedMarket, simulate_market
from touchstone.sources._simulated_errors import ERROR_KINDS

CHECKS = {
    "scaled": {"scale_slip", "reverting_jump"},
    "swapped": {"other_symbol", "reverting_jump", "scale_slip"},
    "spike": {"reverting_jump"},
    "high_low": {"high_low", "close_outside_range"},
    "duplicate": {"duplicate", "conflicting_duplicate"},
    "missing": {"missing_value"},
    "non_positive": {"non_positive", "high_low", "close_outside_range"},
    "time_travel": {"time_travel"},
}
# Usual; few symbols; restless; calm; short; dense.
MARKETS = {
    "usual": {"n_symbols": 60, "n_sessions": 504, "errors_per_kind": 40},
    "few symbols": {"n_symbols": 8, "n_sessions": 1008, "errors_per_kind": 20},
    "restless": {"n_symbols": 60, "n_sessions": 504, "errors_per_kind": 40, "idiosyncratic_volatility": 0.05},
    "calm": {"n_symbols": 60, "n_sessions": 504, "errors_per_kind": 40, "idiosyncratic_volatility": 0.01},
    "short": {"n_symbols": 100, "n_sessions": 63, "errors_per_kind": 20},
    "dense": {"n_symbols": 40, "n_sessions": 300, "errors_per_kind": 60},
}


# A week or two of bars shorter than a day: the first and the last of a session have a night next to them.
INTRADAY = {
    "5m": {"n_symbols": 12, "n_sessions": 10, "errors_per_kind": 30},
    "1h": {"n_symbols": 40, "n_sessions": 126, "errors_per_kind": 60},
}


def _market(seed: int, **size: float | str) -> SimulatedMarket:
    return simulate_market(seed=seed, rank_ic=0.0, **size)  # type: ignore[arg-type]


def _examine(market: SimulatedMarket, actions: pd.DataFrame | None = None) -> Examination:
    return examine(market.data.bars, "XNYS", actions=market.data.actions if actions is None else actions)


def _injected(market: SimulatedMarket) -> dict[int, str]:
    """Kind by row number: the row that carries the error, which is the later of two for a duplicate and a time traveller."""
    raw = market.data.bars.reset_index()[["date", "symbol"]].reset_index(names="row")
    key = market.answer_key.drop_duplicates(["symbol", "date", "kind"]).merge(raw, on=["date", "symbol"])
    rows = key.groupby(["symbol", "date", "kind"])["row"].agg(["first", "last"]).reset_index()
    later = rows["kind"].isin(["duplicate", "time_travel"])
    return dict(zip(np.where(later, rows["last"], rows["first"]), rows["kind"], strict=True))


def _must_find(markets: list[SimulatedMarket], timeframe: str = "1d") -> None:
    """At least 95 % of each kind are set aside, and of what a check for the kind sets aside at least 95 % are wrong."""
    injected: dict[tuple[int, int], str] = {}
    checks: dict[tuple[int, int], set[str]] = {}
    for number, market in enumerate(markets):
        with np.errstate(all="raise"):
            examined = examine(market.data.bars, "XNYS", timeframe=timeframe, actions=market.data.actions)
        injected |= {(number, row): kind for row, kind in _injected(market).items()}
        aside = examined.findings.assign(row=examined.rows).query("action == 'quarantined'")
        checks |= {(number, int(row)): set(names) for row, names in aside.groupby("row")["check"]}
        assert {row for at, row in checks if at == number} == set(np.flatnonzero(examined.quarantined))
    for kind in ERROR_KINDS:
        there = {row for row, of in injected.items() if of == kind}
        assert len(there & set(checks)) >= 0.95 * len(there), kind
        named = {row for row, names in checks.items() if names & CHECKS[kind]}
        assert len(named & set(injected)) >= 0.95 * len(named), kind


@pytest.mark.parametrize("name", MARKETS)
def test_recall_and_precision_of_every_kind(name: str) -> None:
    _must_find([_market(seed, **MARKETS[name]) for seed in (201, 202)])


@pytest.mark.parametrize("timeframe", INTRADAY)
def test_recall_and_precision_of_bars_shorter_than_a_day(timeframe: str) -> None:
    _must_find([_market(seed, timeframe=timeframe, **INTRADAY[timeframe]) for seed in (208, 209)], timeframe)


def test_a_missing_row_is_a_finding_of_its_own() -> None:
    market = _market(203, n_symbols=20, n_sessions=100)
    bars = market.data.bars
    gone = np.random.default_rng(0).choice(
        np.flatnonzero(bars.index.get_level_values("date").isin(market.data.benchmark.index[20:80])), 30, replace=False
    )
    found = examine(bars.drop(index=bars.index[gone]), "XNYS", actions=market.data.actions).findings.query("check == 'missing_session'")
    assert set(zip(found["date"], found["symbol"], strict=True)) == set(bars.index[gone])


@pytest.mark.parametrize("size", [{"n_symbols": 100, "n_sessions": 1000}, {"n_symbols": 6, "n_sessions": 1500}])
def test_real_leaps_at_earnings_all_stay(size: dict[str, float]) -> None:
    market = _market(204, **size)
    examined = _examine(market)
    assert not examined.quarantined.any()
    assert "jump" in set(examined.findings["check"])


def test_two_real_leaps_that_cancel_stay_because_both_were_traded() -> None:
    """Seed 3 falls by 16 % one day and opens 16 % higher the next, both on four times the usual volume."""
    market = _market(3, n_symbols=100, n_sessions=2520)
    examined = _examine(market)
    assert not examined.quarantined.any()


def test_splits_without_a_record_are_suspected_and_stay() -> None:
    market = _market(205, n_symbols=100, n_sessions=1500)
    actions = market.data.actions
    splits = actions[actions["kind"] == "split"]
    examined = _examine(market, actions[actions["kind"] != "split"])
    suspected = examined.findings.query("check == 'suspected_action'")
    known = set(zip(splits["symbol"], splits["ex_date"], strict=True))
    found = set(zip(suspected["symbol"], suspected["date"], strict=True))
    assert len(known) >= 15
    assert len(known & found) >= 0.95 * len(known)
    assert len(known & found) >= 0.95 * len(found)
    assert not examined.quarantined.any()


@settings(max_examples=8, deadline=None, derandomize=True)
@given(cuts=st.sets(st.integers(1, 23), max_size=4), turned=st.booleans())
def test_blocks_of_symbols_get_the_verdict_of_all_at_once(cuts: set[int], turned: bool) -> None:
    market = _market(206, n_symbols=24, n_sessions=260, errors_per_kind=6)
    bars, actions = market.data.bars, market.data.actions
    symbols = sorted(bars.index.get_level_values("symbol").unique())
    edges = [0, *sorted(cuts), 24]
    names = [symbols[low:high] for low, high in pairwise(edges)]
    blocks = [bars[bars.index.isin(block, level="symbol")] for block in names]
    blocks = blocks[::-1] if turned else blocks
    context = MarketContext.build(iter(blocks), calendar="XNYS", actions=actions)
    parts = [examine(block, "XNYS", actions=actions, context=context).findings for block in blocks]
    together = pd.concat(parts).sort_values(["symbol", "date", "check"], kind="stable", ignore_index=True)
    whole = _examine(market).findings
    assert len(whole) > 50
    pd.testing.assert_frame_equal(
        together, whole.sort_values(["symbol", "date", "check"], kind="stable", ignore_index=True), check_exact=True
    )


def test_the_context_says_how_the_market_moved() -> None:
    market = _market(207, n_symbols=40, n_sessions=120)
    context = MarketContext.build([market.data.bars], calendar="XNYS", actions=market.data.actions)
    index = np.log(market.data.benchmark["close"]).diff().reindex(context.dates)
    assert np.corrcoef(index, context.move)[0, 1] > 0.8
    assert (context.unrest >= 1.0).all()
    assert context.strangers.empty
