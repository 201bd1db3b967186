"""Figures of the data report: gaps and doubtful rows show, whatever they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone import plots
from touchstone.errors import DataError

STARTS = pd.date_range("2018-01-01", periods=36, freq="MS", unit="us")
DATES = pd.bdate_range("2019-03-01", periods=41, unit="us", name="date")


def shares(n_symbols: int) -> pd.DataFrame:
    symbols = [f"S{place:04d}" for place in range(n_symbols)]
    return pd.DataFrame(1.0, index=pd.Index(symbols, name="symbol"), columns=STARTS)


def rows(**changed: tuple[int, float]) -> pd.DataFrame:
    close = 100.0 + np.sin(np.arange(41.0))
    table = pd.DataFrame({"open": close - 0.2, "high": close + 0.5, "low": close - 0.6, "close": close, "volume": 1e5}, index=DATES)
    for field, (place, value) in changed.items():
        table.iloc[place, table.columns.get_loc(field)] = value
    return table.assign(aside=False)


def texts(axes: object) -> list[str]:
    return [text.get_text() for text in axes.texts]  # type: ignore[attr-defined]


def test_each_level_of_coverage_is_drawn_in_its_own_colour() -> None:
    table = shares(3)
    table.iloc[0, :6] = np.nan
    table.iloc[1, 3:7] = [0.97, 0.6, 0.2, 0.0]

    (axes,) = plots.coverage_map(table).axes

    assert len(axes.patches) == 5
    assert sum(len(patch.get_path().vertices) // 5 for patch in axes.patches) == 1 + 2 + 4 + 1, "runs of equal cells are one rectangle"
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["S0000", "S0001", "S0002"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["2018", "2019", "2020"]


@pytest.mark.parametrize(("n_symbols", "together"), [(505, 1), (2500, 3)])
def test_many_symbols_are_counted_and_very_many_share_rows(n_symbols: int, together: int) -> None:
    table = shares(n_symbols)
    table.iloc[:3, 5] = [0.0, 1.0, np.nan]

    (axes,) = plots.coverage_map(table).axes

    assert axes.get_ylim()[0] == -(-n_symbols // together)
    assert all(tick.get_text().replace(",", "").isdigit() for tick in axes.get_yticklabels())
    assert ("row stands for" in axes.get_title(loc="left")) == (together > 1)
    assert len(plots.to_svg(axes.figure)) < 150_000


def test_a_value_far_outside_is_an_arrow_with_its_number_and_leaves_the_scale_alone() -> None:
    table = rows(high=(20, 10_000.0)).assign(aside=np.arange(41) == 20)

    axes = plots.bars_around(table, DATES, DATES[20:21]).axes[0]

    assert axes.get_ylim()[1] < 110.0
    assert texts(axes) == ["10,000"]


def test_a_value_not_far_outside_widens_the_scale_instead() -> None:
    table = rows(low=(20, 98.0)).assign(aside=np.arange(41) == 20)

    axes = plots.bars_around(table, DATES, DATES[20:21]).axes[0]

    assert axes.get_ylim()[0] < 98.0
    assert texts(axes) == []


def test_a_bar_without_a_row_says_so() -> None:
    axes = plots.bars_around(rows().drop(DATES[20]), DATES, DATES[20:21]).axes[0]
    assert texts(axes) == ["no row"]

    axes = plots.bars_around(rows().drop(DATES[20:23]), DATES, DATES[20:23]).axes[0]
    assert texts(axes) == ["3 bars without a row"]


@pytest.mark.parametrize(
    "table",
    [
        rows(close=(20, np.nan)),
        rows()[["close", "aside"]],
        rows().assign(close=-1.0, aside=True),
        pd.concat([rows(), rows().iloc[[20]].assign(aside=True)]).sort_index(kind="stable"),
        rows().assign(volume=0.0),
        rows().assign(open=np.nan, high=np.nan, low=np.nan, close=np.nan),
    ],
    ids=["missing close", "closes only", "all aside", "twice", "no volume", "no price"],
)
def test_whatever_is_there_is_drawn_the_same_each_time_and_left_as_it_was(table: pd.DataFrame) -> None:
    before = table.copy()

    first, second = (plots.to_svg(plots.bars_around(table, DATES, DATES[20:21])) for _ in range(2))

    assert first == second
    pd.testing.assert_frame_equal(table, before)


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(DataError, match="0 rows"):
        plots.bars_around(rows().iloc[:0], DATES, DATES[:1])
    with pytest.raises(DataError, match="at least one finite value"):
        plots.coverage_map(shares(2) * np.nan)
