"""The data contract: what passes, and what each breach says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone.errors import ConfigError, DataError
from touchstone.market import empty_table, validate

TABLES = ("bars", "raw_bars", "actions", "macro", "signals", "universe", "benchmark", "quality")
DATES = pd.to_datetime(["2020-01-02", "2020-01-03"]).as_unit("us")


@pytest.fixture
def bars() -> pd.DataFrame:
    index = pd.MultiIndex.from_product([DATES, ["A", "B"]], names=["date", "symbol"])
    return pd.DataFrame({"open": [1.0, 2.0, 3.0, 4.0], "close": [1.5, 2.5, 3.5, 4.5], "volume": [0.0, 1.0, 2.0, 3.0]}, index=index)


@pytest.fixture
def action() -> pd.DataFrame:
    frame = pd.DataFrame({"symbol": ["A"], "ex_date": DATES[:1], "kind": ["split"], "value": [2.0], "known_at": DATES[:1]})
    return frame.astype({"symbol": "str", "kind": "str"})


@pytest.mark.parametrize("name", TABLES)
def test_an_empty_table_passes_its_own_schema(name: str) -> None:
    table = empty_table(name)
    assert len(table) == 0
    assert validate(name, table) is table


def test_an_empty_table_survives_parquet(tmp_path) -> None:
    for name in TABLES:
        empty_table(name).to_parquet(tmp_path / name)
        validate(name, pd.read_parquet(tmp_path / name))


def test_unknown_table_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'actions'"):
        validate("action", pd.DataFrame())
    with pytest.raises(ConfigError, match=r"did you mean 'macro'"):
        empty_table("macros")


def test_good_bars_pass_untouched(bars: pd.DataFrame) -> None:
    before = bars.copy()
    assert validate("bars", bars) is bars
    pd.testing.assert_frame_equal(bars, before)


def test_good_bars_survive_parquet(bars: pd.DataFrame, tmp_path) -> None:
    bars.to_parquet(tmp_path / "bars")
    pd.testing.assert_frame_equal(validate("bars", pd.read_parquet(tmp_path / "bars")), bars)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda bars: bars.drop(columns="close"), "must have the column 'close'"),
        (lambda bars: bars.rename(columns={"open": "opne"}), "got 'opne': did you mean 'open'"),
        (lambda bars: bars.assign(close=1), "must be float64, but is int64"),
        (lambda bars: bars.reset_index(), r"must be indexed by \(date, symbol\)"),
        (lambda bars: bars.assign(open=[1.0, np.nan, 1.0, 1.0]), "'open'.*must not be missing.*1 of 4 rows.*2020-01-02 B"),
        (lambda bars: bars.assign(volume=[1.0, np.nan, 1.0, 1.0]), "'volume'.*must not be missing"),
        (lambda bars: bars.assign(close=[1.0, 1.0, 0.0, -1.0]), "finite number above 0.*2 of 4 rows.*2020-01-03 A 0.0, 2020-01-03 B -1.0"),
        (lambda bars: bars.assign(close=np.inf), "finite number above 0"),
        (lambda bars: bars.assign(volume=-1.0), "0 or above"),
        (lambda bars: bars.iloc[[2, 0, 1, 3]], "a date that goes backwards: 2020-01-03 then 2020-01-02"),
        (lambda bars: bars.iloc[[1, 0, 2, 3]], "sorted by symbol within a date"),
        (lambda bars: bars.iloc[[0, 0, 2, 3]], "stand twice: 2020-01-02 A"),
    ],
)
def test_each_breach_of_bars_says_the_rule_and_the_offender(bars: pd.DataFrame, change, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        validate("bars", change(bars))


def test_dates_of_another_resolution_are_refused(bars: pd.DataFrame) -> None:
    flat = bars.reset_index()
    nanoseconds = flat.assign(date=flat["date"].astype("datetime64[ns]")).set_index(["date", "symbol"])
    with pytest.raises(DataError, match=r"must be datetime64\[us\], but is datetime64\[ns\]"):
        validate("bars", nanoseconds)


def test_at_most_five_offenders_are_named(bars: pd.DataFrame) -> None:
    index = pd.MultiIndex.from_product([DATES[:1], list("ABCDEFG")], names=["date", "symbol"])
    with pytest.raises(DataError, match=r"E -1.0 and 2 more"):
        validate("bars", pd.DataFrame({"close": -1.0}, index=index))


def test_raw_bars_may_hold_nonsense_but_not_a_missing_key(bars: pd.DataFrame) -> None:
    raw = bars.iloc[[3, 0, 0]].assign(close=[np.nan, -1.0, np.inf])
    assert validate("raw_bars", raw) is raw
    keyless = raw.reset_index().assign(date=pd.NaT).astype({"date": "datetime64[us]"}).set_index(["date", "symbol"])
    with pytest.raises(DataError, match=r"'date'.*must not be missing"):
        validate("raw_bars", keyless)


@pytest.mark.parametrize(("kind", "lowest"), [("dividend", 0.0), ("spinoff", 0.0), ("delisting", -1.0)])
def test_actions_take_values_from_the_lowest_of_their_kind(action: pd.DataFrame, kind: str, lowest: float) -> None:
    validate("actions", action.assign(kind=kind, value=lowest))
    with pytest.raises(DataError, match=r"value must be above 0 for a split"):
        validate("actions", action.assign(kind=kind, value=lowest - 0.01))


def test_a_split_must_be_above_zero_and_a_kind_known(action: pd.DataFrame) -> None:
    validate("actions", action)
    with pytest.raises(DataError, match=r"A 2020-01-02 split 0.0"):
        validate("actions", action.assign(value=0.0))
    with pytest.raises(DataError, match=r"must be one of split, dividend"):
        validate("actions", action.assign(kind="merger"))


def test_macro_and_signals_are_known_after_their_period(action: pd.DataFrame) -> None:
    macro = pd.DataFrame({"series": ["vix"], "period": DATES[1:], "value": [1.0], "known_at": DATES[1:], "expires_at": DATES[1:]})
    validate("macro", macro)
    with pytest.raises(DataError, match=r"known_at must not lie before period"):
        validate("macro", macro.assign(known_at=DATES[0]))
    with pytest.raises(DataError, match=r"expires_at must not lie before known_at"):
        validate("macro", macro.assign(expires_at=DATES[0]))
    signals = pd.DataFrame({"name": ["x"], "symbol": ["A"], "period": DATES[1:], "value": [1.0], "known_at": DATES[:1]})
    with pytest.raises(DataError, match=r"known_at must not lie before period"):
        validate("signals", signals)


def test_a_universe_span_must_not_end_before_it_starts() -> None:
    with pytest.raises(DataError, match=r"end must not lie before start.*A 2020-01-03 2020-01-02"):
        validate("universe", pd.DataFrame({"symbol": ["A"], "start": DATES[1:], "end": DATES[:1]}))


def test_a_benchmark_goes_forward_and_is_unique() -> None:
    benchmark = pd.DataFrame({"close": [1.0, 2.0]}, index=DATES.rename("date"))
    validate("benchmark", benchmark)
    with pytest.raises(DataError, match=r"goes backwards"):
        validate("benchmark", benchmark.iloc[::-1])
    with pytest.raises(DataError, match=r"each \(date\) once"):
        validate("benchmark", benchmark.iloc[[0, 0]])
