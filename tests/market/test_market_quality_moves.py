"""Bad prices are set aside, unrecorded actions are suspected, and what really happened stays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone.market import check, empty_table, sessions

N_SYMBOLS, N_BARS, AT = 12, 120, 60
DATES = sessions("XNYS", "2015-01-02", "2015-12-31")[:N_BARS]
Grids = dict[str, np.ndarray]


def market(seed: int = 3, volatility: float = 0.015) -> Grids:
    """Fields by bar and symbol; volume is what is usual, more on large moves."""
    rng = np.random.default_rng(seed)
    night, day = (rng.normal(0.0, volatility * share, (N_BARS, N_SYMBOLS)) for share in (0.5, 0.85))
    close = np.linspace(20.0, 130.0, N_SYMBOLS) * np.exp(np.cumsum(night + day, axis=0))
    open_ = close * np.exp(-day)
    spread = np.exp(np.abs(rng.normal(0.0, volatility / 2.0, close.shape)))
    volume = np.rint(1e6 * np.exp(rng.normal(0.0, 0.2, close.shape)))
    return {
        "open": open_,
        "high": np.maximum(open_, close) * spread,
        "low": np.minimum(open_, close) / spread,
        "close": close,
        "volume": volume,
    }


def as_bars(grids: Grids) -> pd.DataFrame:
    symbols = [f"S{number:02d}" for number in range(N_SYMBOLS)]
    index = pd.MultiIndex.from_product([symbols, DATES], names=["symbol", "date"]).swaplevel()
    return pd.DataFrame({name: values.T.ravel() for name, values in grids.items()}, index=index)


def scaled(grids: Grids, rows: slice, symbol: int, factor: float, names: tuple[str, ...] = ("open", "high", "low", "close")) -> Grids:
    changed = {name: values.copy() for name, values in grids.items()}
    for name in names:
        changed[name][rows, symbol] *= factor
    return changed


def traded(grids: Grids, factor: float, rows: int | slice = AT, symbol: int | slice = 5) -> Grids:
    changed = grids["volume"].copy()
    changed[rows, symbol] *= factor
    return {**grids, "volume": changed}


def found(grids: Grids | pd.DataFrame, actions: pd.DataFrame | None = None) -> list[tuple[str, int, str, str]]:
    """Symbol, bar number, check and action."""
    bars = grids if isinstance(grids, pd.DataFrame) else as_bars(grids)
    table = check(bars, calendar="XNYS", actions=actions)
    places = zip(table["symbol"], DATES.get_indexer(table["date"]), table["check"], table["action"], strict=True)
    return [(symbol, int(bar), name, action) for symbol, bar, name, action in places]


def action(kind: str, value: float) -> pd.DataFrame:
    table = empty_table("actions")
    row = {"symbol": "S05", "ex_date": DATES[AT], "kind": kind, "value": value, "known_at": DATES[AT - 10]}
    return pd.DataFrame([row]).astype(table.dtypes.to_dict())


def crash(grids: Grids, factor: float) -> Grids:
    """A move that lasts, on many times the usual volume."""
    return traded(scaled(grids, slice(AT, None), 5, factor), 12.0)


def test_an_ordinary_market_has_no_findings() -> None:
    assert found(market()) == []
    assert found(market(seed=4, volatility=0.04)) == []


@pytest.mark.parametrize("factor", [100.0, 0.01, 1000.0, 0.1])
@pytest.mark.parametrize("n_rows", [1, 3])
def test_a_slip_of_scale_is_quarantined(factor: float, n_rows: int) -> None:
    wanted = [("S05", AT + k, "scale_slip", "quarantined") for k in range(n_rows)]
    assert found(scaled(market(), slice(AT, AT + n_rows), 5, factor)) == wanted


def test_a_slip_that_never_ends_is_no_slip() -> None:
    assert [name for _, _, name, _ in found(crash(market(), 100.0))] == ["jump"]


@pytest.mark.parametrize("factor", [1.25, 0.8, 0.5])
def test_a_close_that_is_wrong_for_one_bar_is_quarantined(factor: float) -> None:
    spoilt = scaled(market(), slice(AT, AT + 1), 5, factor, ("close",))
    spoilt["high"][AT, 5] = max(spoilt[name][AT, 5] for name in ("high", "close"))
    spoilt["low"][AT, 5] = min(spoilt[name][AT, 5] for name in ("low", "close"))
    assert found(spoilt) == [("S05", AT, "reverting_jump", "quarantined")]


def test_a_whole_row_that_is_wrong_for_one_bar_is_quarantined() -> None:
    assert found(scaled(market(), slice(AT, AT + 1), 5, 0.5)) == [("S05", AT, "reverting_jump", "quarantined")]


def test_the_score_is_the_size_in_robust_deviations() -> None:
    grids = market()
    moves = np.abs(np.diff(np.log(grids["close"][:, 5])))
    table = check(as_bars(scaled(grids, slice(AT, AT + 1), 5, 0.5)), calendar="XNYS")
    assert table["score"].item() == pytest.approx(np.log(2.0) / (1.4826 * np.median(moves)), rel=0.3)


@pytest.mark.parametrize("factor", [0.4, 0.5, 1.6, 3.0])
def test_a_crash_or_takeover_that_lasts_stays(factor: float) -> None:
    assert found(crash(market(), factor)) == [("S05", AT, "jump", "kept")]


def test_a_crash_that_half_recovers_the_next_day_stays() -> None:
    grids = crash(market(), 0.4)
    half_back = traded(scaled(grids, slice(AT + 1, None), 5, 1.5), 8.0, AT + 1)
    assert {(name, kept) for _, _, name, kept in found(half_back)} == {("jump", "kept")}


@pytest.mark.parametrize("opens_low", [True, False])
def test_a_crash_that_comes_all_the_way_back_stays_if_it_was_traded(opens_low: bool) -> None:
    """Halved and doubled again within two days: without unusual volume it is a bad price."""
    usual, grids = market(), scaled(market(), slice(AT, AT + 1), 5, 0.5)
    if not opens_low:
        for name in ("open", "high"):
            grids[name][AT, 5] = usual[name][AT, 5]
    assert found(grids) == [("S05", AT, "reverting_jump", "quarantined")]
    heavy = traded(traded(grids, 8.0), 8.0, AT + 1)
    assert {kept for _, _, _, kept in found(heavy)} == {"kept"}


def test_a_slip_of_the_whole_market_is_quarantined_too() -> None:
    grids = market()
    for symbol in range(N_SYMBOLS):
        grids = scaled(grids, slice(AT, AT + 1), symbol, 100.0)
    assert found(grids) == [(f"S{symbol:02d}", AT, "scale_slip", "quarantined") for symbol in range(N_SYMBOLS)]


def test_a_day_on_which_everything_falls_is_no_finding_and_the_one_who_falls_alone_is() -> None:
    grids = market()
    for symbol in range(N_SYMBOLS):
        grids = scaled(grids, slice(AT, None), symbol, 0.85)
    assert found(grids) == []
    together = {name: values.copy() for name, values in market().items()}
    for symbol in range(N_SYMBOLS):
        together = scaled(together, slice(AT, AT + 1), symbol, 0.85)
    assert found(together) == []


def test_a_jump_of_the_last_bar_is_kept_until_the_next_one_tells() -> None:
    spoilt = scaled(market(), slice(AT, AT + 1), 5, 0.5)
    bars = as_bars(spoilt)
    until = bars[bars.index.get_level_values("date") <= DATES[AT]]
    assert [(name, kept) for _, _, name, kept in found(until)] == [("suspected_action", "kept")]
    assert [(name, kept) for _, _, name, kept in found(bars)] == [("reverting_jump", "quarantined")]


@pytest.mark.parametrize("ratio", [2.0, 3.0, 1.5, 0.1, 7.0])
def test_a_split_without_a_record_is_suspected_and_kept(ratio: float) -> None:
    grids = traded(scaled(market(), slice(AT, None), 5, 1.0 / ratio), ratio, slice(AT, None))
    assert found(grids) == [("S05", AT, "suspected_action", "kept")]
    table = check(as_bars(grids), calendar="XNYS")
    assert table["expected"].item() == f"a recorded split of {ratio:.4g}"
    assert found(grids, action("split", ratio)) == []


def test_a_recorded_split_explains_nothing_where_prices_are_adjusted_for_it_already() -> None:
    assert found(market(), action("split", 7.0)) == []


def test_a_quiet_fall_overnight_is_suspected_to_be_a_spin_off() -> None:
    grids = scaled(market(), slice(AT, None), 5, 0.72)
    assert found(grids) == [("S05", AT, "suspected_action", "kept")]
    before = float(market()["close"][AT - 1, 5])
    for kind in ("spinoff", "dividend"):
        assert found(grids, action(kind, 0.28 * before)) == []


def test_an_error_on_the_day_before_a_split_is_still_found() -> None:
    grids = traded(scaled(market(), slice(AT, None), 5, 0.5), 2.0, slice(AT, None))
    spoilt = scaled(grids, slice(AT - 1, AT), 5, 100.0)
    assert found(spoilt, action("split", 2.0)) == [("S05", AT - 1, "scale_slip", "quarantined")]


def test_rows_that_changed_places_are_quarantined_both() -> None:
    swapped = {name: values.copy() for name, values in market().items()}
    for name, values in market().items():
        swapped[name][AT, [2, 9]] = values[AT, [9, 2]]
    assert found(swapped) == [("S02", AT, "other_symbol", "quarantined"), ("S09", AT, "other_symbol", "quarantined")]
    assert "which fits S09" in check(as_bars(swapped), calendar="XNYS")["observed"].iloc[0]


def test_a_copy_of_another_symbols_row_is_quarantined_and_the_owner_keeps_it() -> None:
    copied = {name: values.copy() for name, values in market().items()}
    for name, values in market().items():
        copied[name][AT, 2] = values[AT, 9]
    assert found(copied) == [("S02", AT, "other_symbol", "quarantined")]


def test_classes_of_a_share_own_none_of_each_others_rows() -> None:
    """Both fall by 25 % for a day and are traded a lot: the same prices are no sign of an error."""
    grids = market()
    for values in grids.values():
        values[:, 6] = values[:, 5]
    for symbol in (5, 6):
        grids = scaled(grids, slice(AT, AT + 1), symbol, 0.75)
        grids = traded(traded(grids, 12.0, AT, symbol), 9.0, AT + 1, symbol)
    assert {(name, kept) for _, _, name, kept in found(grids)} == {("jump", "kept")}


@pytest.mark.parametrize("seed", [3, 4])
def test_cheap_shares_have_equal_prices_by_chance(seed: int) -> None:
    grids = market(seed)
    prices = ("open", "high", "low", "close")
    for name in prices:
        grids[name] = np.maximum(np.rint(5.0 * grids[name] / grids["close"][0]), 1.0) / 100.0
    grids["high"], grids["low"] = (pick([grids[name] for name in prices], axis=0) for pick in (np.max, np.min))
    assert {kept for _, _, _, kept in found(grids)} <= {"kept"}


def test_a_row_of_another_date_is_quarantined_where_it_does_not_fit() -> None:
    grids = scaled(market(), slice(AT, None), 5, 1.3)
    for values in grids.values():
        values[AT - 30, 5] = values[AT + 30, 5]
    assert ("S05", AT - 30, "time_travel", "quarantined") in found(grids)
    assert ("S05", AT + 30, "time_travel", "quarantined") not in found(grids)


def test_a_row_that_stands_twice_and_fits_twice_is_told_and_kept() -> None:
    grids = {name: values.copy() for name, values in market().items()}
    for values in grids.values():
        values[AT + 1, 5] = values[AT, 5]
    assert found(grids) == [("S05", AT + 1, "repeated_row", "kept")]


def test_prices_that_stand_still_are_told_once_and_kept() -> None:
    grids = {name: values.copy() for name, values in market().items()}
    for name in ("open", "high", "low", "close"):
        grids[name][AT : AT + 6, 5] = grids[name][AT, 5]
    table = check(as_bars(grids), calendar="XNYS")
    stale = table[table["check"] == "stale_run"]
    assert stale[["symbol", "date", "observed"]].to_numpy().tolist() == [["S05", DATES[AT], "the same open, high, low, close for 6 rows"]]
    closes = as_bars(grids)[["close"]]
    assert [name for _, _, name, _ in found(closes)] == ["stale_run"]


def test_a_symbol_that_often_stands_still_is_not_stale() -> None:
    grids = {name: values.copy() for name, values in market().items()}
    for start in range(0, N_BARS, 3):
        grids["close"][start : start + 3, 5] = grids["close"][start, 5]
    bars = as_bars(grids)[["close", "volume"]]
    assert found(bars) == []


def test_a_move_without_volume_is_told_and_kept_unless_volume_is_never_there() -> None:
    grids = market()
    assert found(traded(grids, 0.0)) == [("S05", AT, "zero_volume_move", "kept")]
    assert found(traded(grids, 0.0, slice(None))) == []


def test_closes_alone_are_set_aside_only_when_they_are_absurd() -> None:
    closes = as_bars(market())[["close"]]
    spoilt, mild = closes.copy(), closes.copy()
    row = 5 * N_BARS + AT
    spoilt.iloc[row] *= 0.6
    mild.iloc[row] *= 0.92
    assert found(spoilt) == [("S05", AT, "reverting_jump", "quarantined")]
    assert found(mild) == []


def test_few_rows_are_judged_by_the_market() -> None:
    grids = market()
    bars = as_bars(scaled(grids, slice(AT + 4, AT + 5), 5, 100.0))
    short = bars[(bars.index.get_level_values("symbol") != "S05") | (bars.index.get_level_values("date") >= DATES[AT])]
    short = short[(short.index.get_level_values("symbol") != "S05") | (short.index.get_level_values("date") <= DATES[AT + 8])]
    assert found(short) == [("S05", AT + 4, "scale_slip", "quarantined")]
