"""Gates of a run: bars that are too old stop it; what is outside its span takes no part in it; what is held to the end is closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from touchstone import labels as targets_of
from touchstone import market
from touchstone.errors import DataError, LookAheadError
from touchstone.parameters import (
    BacktestParameters,
    DataParameters,
    FeaturesParameters,
    LabelsParameters,
    RuntimeParameters,
    TrainingParameters,
    UniverseParameters,
)
from touchstone.pipelines import backtest, features, ingestion
from touchstone.pipelines.ingestion import gates
from touchstone.pipelines.windows import windows

SYMBOLS = tuple(f"S{number}" for number in range(8))
LEAVER, GONE, ENDED = "S2", "S4", "S6"
N_SESSIONS, N_TRAIN = 620, 545
LEFT, DELISTED, LAST_BAR = 572, 590, 583  # session numbers: last membership, ex-date, last bar
DATES = market.sessions("XNYS", "2012-01-03", "2015-12-31")[:N_SESSIONS]
DATA = DataParameters(start="2012-01-01", end="2015-12-31")
LABELS = LabelsParameters(horizon=5)
TRAINING = TrainingParameters(models=("ridge",), n_train=N_TRAIN, n_test=30)
SECTIONS = {
    "data": DATA,
    "features": FeaturesParameters(),
    "labels": LABELS,
    "training": TRAINING,
    "backtest": BacktestParameters(side_fraction=0.5),
    "runtime": RuntimeParameters(threads=1),
    "seed": 7,
}
VALUE = -0.4
MADE = {name: name for name in ("features", "scores", "windows", "equity", "trades", "positions")} | {"labels": "targets"}


def closes() -> np.ndarray[Any, np.dtype[np.float64]]:
    generator = np.random.default_rng(11)
    panel = 50.0 * np.exp(np.cumsum(generator.normal(0.0, 0.02, (N_SESSIONS, len(SYMBOLS))), axis=0))
    panel[DELISTED:, SYMBOLS.index(GONE)] = np.nan
    panel[LAST_BAR + 1 :, SYMBOLS.index(ENDED)] = np.nan
    return panel


def tables(panel: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, pd.DataFrame]:
    """Eight symbols: one leaves the universe and trades on, one is delisted, one just has no more bars."""
    index = pd.MultiIndex.from_product([DATES, pd.Index(SYMBOLS, dtype="str")], names=["date", "symbol"])
    bars = pd.DataFrame({"close": panel.ravel()}, index=index).dropna()
    last = {LEAVER: DATES[LEFT], GONE: DATES[DELISTED - 1], ENDED: DATES[LAST_BAR]}
    universe = pd.DataFrame({"symbol": SYMBOLS, "start": DATES[0], "end": [last.get(symbol, DATES[-1]) for symbol in SYMBOLS]})
    gone = {"symbol": GONE, "ex_date": DATES[DELISTED], "kind": "delisting", "value": VALUE, "known_at": DATES[DELISTED]}
    empty = {name: market.empty_table(name) for name in ("macro", "signals", "benchmark", "sectors")}
    actions = pd.DataFrame([gone]).astype(market.empty_table("actions").dtypes.to_dict())
    return {"bars": bars, "universe": universe.astype({"symbol": "str"}), "actions": actions, **empty}


@dataclass(frozen=True)
class Loop:
    """What the nodes of the pipeline make of a market."""

    given: dict[str, pd.DataFrame]
    features: pd.DataFrame
    targets: pd.DataFrame
    scores: pd.DataFrame
    windows: pd.DataFrame
    equity: pd.DataFrame
    trades: pd.DataFrame
    positions: pd.DataFrame

    def fills(self, symbol: str) -> pd.DataFrame:
        return self.trades[self.trades["symbol"] == symbol]


class Kept(MemoryDataset):
    """Keeps what a later node has read, too."""

    def _release(self) -> None:
        pass


def run(panel: np.ndarray[Any, np.dtype[np.float64]]) -> Loop:
    """The pipeline's own nodes, from clean tables to trades."""
    given = tables(panel)
    nodes = features.create_pipeline().only_nodes("engineer", "make_labels") + backtest.create_pipeline().only_nodes(
        "walk_forward", "trade"
    )
    held = {**given, **{f"params:{name}": section for name, section in SECTIONS.items()}, "tuned": {"model": "ridge", "parameters": {}}}
    held["metadata"] = {"calendar": "XNYS", "timeframe": "1d"}
    read = {name: MemoryDataset(value, copy_mode="assign") for name, value in held.items()}
    written = {name: Kept() for name in MADE}
    SequentialRunner().run(nodes, DataCatalog({**read, **written}))
    return Loop(given=given, **{MADE[name]: dataset.load() for name, dataset in written.items()})


@pytest.fixture(scope="module")
def loop() -> Loop:
    return run(closes())


def of(frame: pd.DataFrame, symbol: str) -> pd.DatetimeIndex:
    dates = frame.index.get_level_values("date")
    return pd.DatetimeIndex(dates[frame.index.get_level_values("symbol") == symbol])


def test_no_row_outside_a_span_has_features_labels_or_scores(loop: Loop) -> None:
    for frame in (loop.features, loop.targets, loop.scores):
        assert market.Universe(loop.given["universe"]).mask(frame.index).all()
        assert of(frame, LEAVER).max() == DATES[LEFT]
    bars = loop.given["bars"].index
    assert loop.features.index.equals(bars[market.Universe(loop.given["universe"]).mask(bars)])


def test_training_rows_are_members_with_features_and_a_target(loop: Loop) -> None:
    target = targets_of.cross_sectional(loop.targets["label"])
    usable = (target.notna() & loop.features.notna().any(axis=1).reindex(target.index)).to_numpy()
    assert loop.windows["n_train_rows"].tolist() == [usable[split.train].sum() for split in windows(TRAINING).split(loop.targets)]


def test_what_an_outsider_trades_at_changes_nothing_for_anybody(loop: Loop) -> None:
    panel = closes()
    # Its last labels and the fill that closes its position are its own still; from there on it is a stranger.
    panel[LEFT + LABELS.horizon + 6 :, SYMBOLS.index(LEAVER)] *= 3.0
    other = run(panel)
    assert not other.given["bars"].equals(loop.given["bars"])
    for name in ("features", "targets", "scores", "equity", "trades", "positions"):
        pd.testing.assert_frame_equal(getattr(other, name), getattr(loop, name), check_exact=True, obj=name)


def test_a_symbol_that_left_is_sold_at_the_fill_of_the_next_decision(loop: Loop) -> None:
    decisions = loop.scores.index.unique("date")[:: LABELS.horizon]
    first_without = decisions[decisions > DATES[LEFT]][0]
    filled = DATES[DATES.get_loc(first_without) + 1]
    held = loop.positions[loop.positions["symbol"] == LEAVER]
    assert held["date"].max() == DATES[DATES.get_loc(filled) - 1]
    last = loop.fills(LEAVER).iloc[-1]
    assert (last["date"], last["reason"]) == (filled, "rebalance")
    assert last["shares"] == -held["shares"].iloc[-1]


def test_a_holding_that_is_delisted_is_closed_at_its_delisting_return(loop: Loop) -> None:
    last_close = loop.given["bars"].loc[(DATES[DELISTED - 1], GONE), "close"]
    held = loop.positions[loop.positions["symbol"] == GONE]
    assert held["date"].max() == DATES[DELISTED - 1]
    closing = loop.fills(GONE).query("shares != 0").iloc[-1]
    assert (closing["date"], closing["reason"], closing["price"]) == (DATES[DELISTED], "delisting", last_close * (1.0 + VALUE))
    assert (closing["shares"], closing["commission"], closing["spread"]) == (-held["shares"].iloc[-1], 0.0, 0.0)


def test_a_label_that_spans_a_delisting_has_its_return(loop: Loop) -> None:
    close = loop.given["bars"].xs(GONE, level="symbol")["close"]
    row = loop.targets.loc[(DATES[DELISTED - 4], GONE)]
    assert row["end"] == DATES[DELISTED]
    assert row["label"] == pytest.approx(close.iloc[-1] * (1.0 + VALUE) / close.loc[DATES[DELISTED - 3]] - 1.0, rel=1e-14)


def test_bars_that_just_end_are_sold_at_the_last_close_and_said_so(loop: Loop) -> None:
    held = loop.positions[loop.positions["symbol"] == ENDED]
    assert held["date"].max() == DATES[LAST_BAR]
    closing = loop.fills(ENDED).query("shares != 0").iloc[-1]
    price = loop.given["bars"].loc[(DATES[LAST_BAR], ENDED), "close"]
    assert (closing["date"], closing["reason"], closing["price"]) == (DATES[LAST_BAR + 1], "bars_ended", price)
    assert closing["commission"] > 0.0
    assert loop.targets["label"].loc[(DATES[LAST_BAR - LABELS.horizon :], ENDED)].isna().all()
    said = market.membership_caveats(loop.given["bars"], loop.given["universe"], loop.given["actions"])
    assert len(said) == 1
    assert "1 of 8 symbols end before the data without a delisting on record (S6)" in said[0]


def fresh_enough(bars: pd.DataFrame, **limits: Any) -> None:
    gates.require_fresh(
        data=DATA.model_copy(update=limits), bars=bars, stated=market.empty_table("universe"), actions=market.empty_table("actions")
    )


def until(end: pd.Timestamp) -> pd.DataFrame:
    dates = market.sessions("XNYS", end - pd.Timedelta(days=30), end)
    return pd.DataFrame({"close": 1.0}, index=pd.MultiIndex.from_product([dates, ["A", "B"]], names=["date", "symbol"]))


def test_a_run_on_old_bars_is_stopped_by_the_calendar_and_by_the_clock() -> None:
    asked = pd.Timestamp("2015-12-31")
    fresh_enough(until(pd.Timestamp("2015-12-30")), max_age_sessions=1)
    with pytest.raises(DataError, match="the last one seen is 2015-12-29 where 2015-12-31 is expected, and 2 of 2 symbols lag"):
        fresh_enough(until(pd.Timestamp("2015-12-29")), max_age_sessions=1, end=asked.date())
    now = market.last_complete_bar("XNYS", "1d", pd.Timestamp.now("UTC"))
    fresh_enough(until(now), max_age_sessions=1, end=None)
    with pytest.raises(DataError, match=f"where 20.. is expected|the last one seen is {now - pd.Timedelta(days=20):%Y}"):
        fresh_enough(until(now - pd.Timedelta(days=20)), max_age_sessions=1, end=None)


def test_a_stage_that_is_stopped_leaves_nothing_behind(project: Path, runner: Callable[..., None]) -> None:
    with pytest.raises(DataError, match="where 2022-12-30 is expected, and 11 of 11 symbols lag"):
        runner(project, stages=("ingestion",), data={"max_age_sessions": 5, "universe": {"min_age": 100}})
    assert not list((project / "data").rglob("*.parquet"))


def test_without_a_limit_the_clock_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market, "expected_bar", None)
    fresh_enough(until(DATES[30]))


def test_the_gate_is_no_part_of_what_proves_a_run() -> None:
    proved = {node.name for node in ingestion.create_pipeline().only_nodes_with_tags("after_snapshot").nodes}
    everything = {node.name for node in ingestion.create_pipeline().nodes}
    assert everything - proved == {"snapshot", "require_fresh"}
    assert "members" in proved


def narrowed(**rules: Any) -> pd.DataFrame:
    given = tables(closes())
    bars = given["bars"].assign(volume=1000.0)
    metadata = {"calendar": "XNYS", "timeframe": "1d", "adjustment": "none"}
    data = DATA.model_copy(update={"universe": UniverseParameters(**rules)})
    return gates.members(data=data, seed=7, metadata=metadata, bars=bars, stated=given["universe"])


def test_rules_narrow_the_universe_that_every_stage_reads() -> None:
    universe = narrowed(min_age=100)
    assert universe.groupby("symbol")["start"].min().eq(DATES[100]).all()
    assert universe.set_index("symbol")["end"].loc[LEAVER] == DATES[LEFT]
    pd.testing.assert_frame_equal(narrowed(), tables(closes())["universe"], check_exact=True)


def test_rules_that_leave_nobody_stop_the_run() -> None:
    with pytest.raises(DataError, match="must leave a member, but min_age=9999"):
        narrowed(min_age=9999)


def test_a_rule_that_looks_ahead_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = market.eligible

    def peeking(bars: pd.DataFrame, universe: pd.DataFrame, **rules: Any) -> pd.DataFrame:
        later = bars.assign(volume=bars["volume"] * bars["close"].groupby(level="symbol").shift(-5).fillna(1.0))
        return honest(later, universe, **rules)

    monkeypatch.setattr(market, "eligible", peeking)
    with pytest.raises(LookAheadError, match="member"):
        narrowed(min_dollar_volume=2_500_000.0, window=5)


def test_what_nobody_states_is_said_in_the_metadata_of_a_run() -> None:
    given = tables(closes())
    metadata = market.Metadata(source="files", adjustment="split", fields=("close",), calendar="XNYS", caveats=("First.",))
    unstated = market.MarketData(**{**given, "universe": market.empty_table("universe")}, metadata=metadata)
    first, whole, ended = gates.describe(unstated)["caveats"]
    assert (first, "each symbol's own life" in whole, ENDED in ended) == ("First.", True, True)
