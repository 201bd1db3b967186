"""The batch form: rows, order, types, bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone import features
from touchstone.errors import ConfigError, DataError


def _rest(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {name: table for name, table in tables.items() if name != "bars"}


def test_rows_are_the_bars_and_columns_the_plan(tables) -> None:
    matrix = features.compute(tables["bars"], ["momentum"], **_rest(tables), transform="rank")
    planned = features.plan(["momentum"], fields=tables["bars"].columns, macro_series=["prices"], signal_names=["planted"])
    assert matrix.index.equals(tables["bars"].index)
    assert tuple(matrix.columns) == planned.columns
    assert set(map(str, matrix.dtypes)) == {"float32"}


def test_rows_outside_the_universe_are_history_only(tables) -> None:
    day = tables["bars"].index[len(tables["bars"]) // 2][0]
    later = tables["universe"].assign(start=day)
    part = features.compute(tables["bars"], "momentum", universe=later, benchmark=tables["benchmark"], transform="rank")
    whole = features.compute(tables["bars"], "momentum", benchmark=tables["benchmark"], transform="rank")
    pd.testing.assert_frame_equal(part, whole.loc[day:], check_index_type=False)


def test_two_spans_of_a_symbol_leave_the_time_between_out(tables) -> None:
    dates = tables["bars"].index.unique("date")
    spans = pd.DataFrame(
        {
            "symbol": pd.Series(["AAA", "AAA", "BBB"], dtype="str"),
            "start": dates[[0, 200, 0]],
            "end": dates[[100, 300, 559]],
        }
    )
    matrix = features.compute(tables["bars"], "momentum", universe=spans, transform="rank")
    aaa = matrix.xs("AAA", level="symbol").index
    assert aaa.equals(dates[:101].append(dates[200:301]))


@pytest.mark.parametrize("transform", ["rank", "none"])
def test_two_threads_give_the_same_bits(tables, transform) -> None:
    one, two = (features.compute(tables["bars"], "momentum", transform=transform, threads=threads, **_rest(tables)) for threads in (1, 2))
    assert np.array_equal(one.to_numpy().view(np.int32), two.to_numpy().view(np.int32))


def test_inputs_are_left_as_they_were(tables) -> None:
    before = {name: table.copy(deep=True) for name, table in tables.items()}
    features.compute(tables["bars"], "momentum", **_rest(tables), transform="rank")
    for name, table in tables.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_empty_tables_count_as_absent(tables) -> None:
    emptied = {name: tables[name].iloc[:0] for name in ("actions", "macro", "signals", "benchmark")}
    with_empty = features.compute(tables["bars"], "momentum", **emptied, transform="rank")
    pd.testing.assert_frame_equal(with_empty, features.compute(tables["bars"], "momentum", transform="rank"))


def test_calendar_sessions_without_any_bar_occupy_the_window(bars) -> None:
    """Business days of 2015 and after hold the holidays of the exchange, and without a calendar a session nobody traded does not exist."""
    without = bars[bars.index.get_level_values("date") != pd.Timestamp("2017-01-04")]
    on_all_days = features.compute(without, "momentum", transform="none", calendar="24/5")
    on_given = features.compute(without, "momentum", transform="none")
    day = pd.Timestamp("2017-01-05")
    assert on_all_days.loc[day, "return_1"].isna().all()
    assert on_given.loc[day, "return_1"].notna().all()


def test_a_date_that_is_no_session_is_an_error(bars) -> None:
    with pytest.raises(DataError, match=r"must be a session of XNYS, got 2015-01-19, 2015-02-16"):
        features.compute(bars, "momentum", calendar="XNYS", transform="rank")


def test_fewer_sessions_than_the_lookback(bars) -> None:
    with pytest.raises(DataError, match=r"lookback, 505, but the bars have 400 sessions"):
        features.compute(bars.loc[: bars.index.unique("date")[399]], "momentum", transform="rank")


def test_a_date_that_goes_backwards(bars) -> None:
    with pytest.raises(DataError, match="a date or symbol goes backwards"):
        features.compute(bars.iloc[::-1], "momentum", transform="rank")


def test_a_row_twice(bars) -> None:
    with pytest.raises(DataError, match="no row twice"):
        features.compute(pd.concat([bars.iloc[:1], bars]), "momentum", transform="rank")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("close", np.nan),
        ("close", 0.0),
        ("close", np.inf),
        ("high", -1.0),
        ("high", np.inf),
        ("volume", np.nan),
        ("volume", -5.0),
        ("volume", np.inf),
    ],
)
def test_values_that_are_no_price_or_volume(bars, field, value) -> None:
    spoilt = bars.copy()
    spoilt.iloc[7, spoilt.columns.get_loc(field)] = value
    date, symbol = spoilt.index[7]
    with pytest.raises(DataError, match=f"'{field}' must be .*above zero.* in every bar, got {value} of {symbol} on {date.date()}"):
        features.compute(spoilt, "momentum", transform="rank")


def test_a_bar_may_lack_its_range(bars) -> None:
    date, symbol = bars.index[-6]
    spoilt = bars.copy()
    spoilt.loc[(date, symbol), "high"] = np.nan
    whole, matrix = (features.compute(frame, "momentum", transform="none") for frame in (bars, spoilt))
    assert np.isnan(matrix.loc[(date, symbol), "range_20"])
    assert whole.loc[(date, symbol)].notna().all()
    pd.testing.assert_frame_equal(matrix.drop(columns="range_20"), whole.drop(columns="range_20"))


def test_volume_may_be_zero_and_then_has_no_impact(bars) -> None:
    quiet = bars.assign(volume=bars["volume"].where(bars.index.get_level_values("symbol") != "AAA", 0.0))
    matrix = features.compute(quiet, "momentum", transform="none").xs("AAA", level="symbol")
    assert matrix["illiquidity_20"].isna().all()
    assert matrix["volume_ratio_5_60"].isna().all()
    assert matrix["return_1"].notna().sum() == len(matrix) - 1


def test_no_rows_or_another_index(bars) -> None:
    for wrong in (bars.iloc[:0], bars.reset_index("symbol"), bars.reset_index()):
        with pytest.raises(DataError, match=r"need bars with rows on an index \(date, symbol\)"):
            features.compute(wrong, "momentum", transform="rank")


def test_a_row_without_a_date(bars) -> None:
    keys = bars.index.to_frame(index=False)
    keys.loc[0, "date"] = pd.NaT
    undated = bars.set_axis(pd.MultiIndex.from_frame(keys))
    with pytest.raises(DataError, match=f"must have a date, but 1 of {len(bars)} rows have none"):
        features.compute(undated, "momentum", transform="rank")


def test_dates_that_are_text_or_carry_a_zone(bars) -> None:
    keys = bars.index.to_frame(index=False)
    for dates, said in ((keys["date"].dt.strftime("%d/%m/%Y"), "str"), (keys["date"].dt.tz_localize("UTC"), r"datetime64\[us, UTC\]")):
        other = bars.set_axis(pd.MultiIndex.from_frame(keys.assign(date=dates))).sort_index()
        with pytest.raises(DataError, match=f"must be datetime64 without a time zone, got {said}"):
            features.compute(other, "momentum", transform="rank")


def test_a_field_twice(bars) -> None:
    with pytest.raises(DataError, match="must stand in one column, but close stands in several"):
        features.compute(pd.concat([bars, bars[["close"]]], axis=1), "momentum", transform="rank")


def test_no_thread_at_all(bars) -> None:
    with pytest.raises(ConfigError, match="at least one thread, but got 0"):
        features.compute(bars, "momentum", threads=0, transform="rank")


@pytest.mark.parametrize(
    "shape", ["unused levels", "levels backwards", "categories", "ns", "fields backwards", "more fields", "int volume"]
)
def test_how_the_frame_is_laid_out_changes_no_bit(bars, shape) -> None:
    dates = bars.index.unique("date")
    expected = features.compute(bars.loc[dates[40] :], "momentum", transform="rank")
    given = bars.loc[dates[40] :]
    assert given.index.levels[0][0] == dates[0]
    keys = given.index.to_frame(index=False)
    backwards = pd.MultiIndex(
        levels=[given.index.levels[0][::-1], given.index.levels[1][::-1]],
        codes=[len(level) - 1 - codes for level, codes in zip(given.index.levels, given.index.codes, strict=True)],
        names=given.index.names,
    )
    laid_out = {
        "unused levels": given,
        "levels backwards": given.set_axis(backwards),
        "categories": given.set_axis(pd.MultiIndex.from_frame(keys.astype({"symbol": "category"}))),
        "ns": given.set_axis(pd.MultiIndex.from_frame(keys.astype({"date": "datetime64[ns]"}))),
        "fields backwards": given[given.columns[::-1]],
        "more fields": given.assign(word="x", number=1),
        "int volume": given.astype({"volume": "int64"}),
    }[shape]
    got = features.compute(laid_out, "momentum", transform="rank")
    assert np.array_equal(got.to_numpy().view(np.int32), expected.to_numpy().view(np.int32))
    assert got.index.tolist() == expected.index.tolist()


def test_no_member_at_all(bars, universe) -> None:
    with pytest.raises(DataError, match="at least one bar inside the universe"):
        features.compute(bars, "momentum", universe=universe.iloc[:0], transform="rank")


def test_unknown_set(bars) -> None:
    with pytest.raises(ConfigError, match="did you mean 'momentum'"):
        features.compute(bars, ["momentom"], transform="rank")


def test_values_stay_as_they_are_unless_a_transform_is_asked_for(bars) -> None:
    one = bars[bars.index.get_level_values("symbol") == "AAA"]
    matrix = features.compute(one, "momentum")
    expected = one["close"].to_numpy()[1:] / one["close"].to_numpy()[:-1] - 1.0
    np.testing.assert_allclose(matrix["return_1"].to_numpy()[1:], expected, rtol=1e-6)
