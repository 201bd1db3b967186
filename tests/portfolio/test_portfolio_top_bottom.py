from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchstone.errors import ConfigError, DataError, OrderError
from touchstone.portfolio import top_bottom

NAN = float("nan")


def scores_of(rows: dict[str, list[float]], *, start: str = "2020-01-01") -> pd.Series:
    """One list of scores per symbol, one value per session."""
    n = len(next(iter(rows.values())))
    dates = pd.date_range(start, periods=n, unit="us")
    index = pd.MultiIndex.from_product([dates, list(rows)], names=["date", "symbol"])
    return pd.Series(np.array(list(rows.values())).T.ravel(), index=index, name="score")


def test_half_the_equity_a_side_written_out() -> None:
    weights = top_bottom(scores_of({"A": [3.0, 1.0], "B": [2.0, 2.0], "C": [1.0, 3.0], "D": [0.0, 4.0]}), side_fraction=0.5)
    assert weights.to_dict("list") == {"A": [0.25, -0.25], "B": [0.25, -0.25], "C": [-0.25, 0.25], "D": [-0.25, 0.25]}
    assert weights.index.name == "date"
    assert list(weights.dtypes.unique()) == [np.float64]


def test_sides_by_number_may_differ() -> None:
    weights = top_bottom(scores_of({"A": [3.0], "B": [2.0], "C": [1.0], "D": [0.0]}), n_long=1, n_short=2)
    assert weights.iloc[0].to_dict() == {"A": 0.5, "B": 0.0, "C": -0.25, "D": -0.25}


def test_ties_go_by_symbol_and_no_name_is_on_both_sides() -> None:
    weights = top_bottom(scores_of({"D": [1.0], "B": [1.0], "C": [1.0], "A": [1.0]}), n_long=1, n_short=1)
    assert weights.iloc[0].to_dict() == {"A": 0.5, "B": 0.0, "C": 0.0, "D": -0.5}


def test_nan_scores_take_no_part() -> None:
    weights = top_bottom(scores_of({"A": [NAN], "B": [3.0], "C": [2.0], "D": [NAN], "E": [1.0]}), side_fraction=0.34)
    assert weights.iloc[0].to_dict() == {"A": 0.0, "B": 0.5, "C": 0.0, "D": 0.0, "E": -0.5}


def test_rebalances_count_scored_sessions_from_the_first() -> None:
    scores = scores_of({"A": [NAN, 1.0, 1.0, NAN, 1.0, 1.0, 1.0], "B": [NAN, 0.0, 0.0, NAN, 0.0, 0.0, 0.0]})
    weights = top_bottom(scores, n_long=1, n_short=1, rebalance_every=2)
    assert [date.day for date in weights.index] == [2, 5, 7]


@pytest.mark.parametrize(("fraction", "n_names", "a_side"), [(0.29, 100, 29), (0.2, 20, 4), (0.2, 24, 4), (0.5, 5, 2)])
def test_fraction_rounds_down_but_not_by_float_dust(fraction: float, n_names: int, a_side: int) -> None:
    scores = scores_of({f"S{number:03d}": [float(number)] for number in range(n_names)})
    weights = top_bottom(scores, side_fraction=fraction).to_numpy()
    assert ((weights > 0).sum(), (weights < 0).sum()) == (a_side, a_side)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), n_names=st.integers(4, 30), fraction=st.floats(0.25, 0.5))
def test_gross_one_net_zero_and_the_long_are_better_than_the_short(seed: int, n_names: int, fraction: float) -> None:
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=(n_names, 3)), 1)  # rounding makes ties
    scores = scores_of({f"S{number:02d}": list(values[number]) for number in range(n_names)})
    shuffled = scores.sample(frac=1.0, random_state=seed)
    weights = top_bottom(shuffled, side_fraction=fraction)
    assert np.allclose(weights.abs().sum(axis=1), 1.0)
    assert np.allclose(weights.sum(axis=1), 0.0)
    assert weights.equals(top_bottom(scores, side_fraction=fraction))
    for date, row in weights.iterrows():
        on_date = scores.loc[date]
        assert on_date[row[row > 0].index].min() >= on_date[row[row < 0].index].max()


def test_the_input_is_left_alone() -> None:
    scores = scores_of({"B": [2.0], "A": [1.0]})
    before = scores.copy()
    top_bottom(scores, n_long=1, n_short=1)
    pd.testing.assert_series_equal(scores, before)


@pytest.mark.parametrize("sides", [{"side_fraction": 0.2}, {"n_long": 2, "n_short": 2}])
def test_a_cross_section_too_small_names_date_and_number(sides: dict[str, float]) -> None:
    scores = scores_of({"A": [1.0, 1.0], "B": [2.0, 2.0], "C": [3.0, NAN], "D": [3.0, NAN], "E": [3.0, NAN]})
    with pytest.raises(OrderError, match=r"2 are scored on 2020-01-02"):
        top_bottom(scores, **sides)


def test_one_name_cannot_be_held_both_ways() -> None:
    with pytest.raises(OrderError, match="1 are scored"):
        top_bottom(scores_of({"A": [1.0]}), side_fraction=0.5)


@pytest.mark.parametrize(
    "settings_given",
    [
        {},
        {"side_fraction": 0.2, "n_long": 1, "n_short": 1},
        {"n_long": 1},
        {"side_fraction": 0.6},
        {"side_fraction": NAN},
        {"n_long": 0, "n_short": 1},
        {"side_fraction": 0.5, "n_short": 1},
        {"side_fraction": 0.5, "rebalance_every": 0},
    ],
)
def test_settings_that_do_not_fit(settings_given: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        top_bottom(scores_of({"A": [1.0], "B": [2.0]}), **settings_given)


def test_scores_that_break_the_contract() -> None:
    scores = scores_of({"A": [1.0], "B": [2.0]})
    with pytest.raises(DataError, match="unique"):
        top_bottom(pd.concat([scores, scores]), side_fraction=0.5)
    with pytest.raises(DataError, match="finite"):
        top_bottom(scores.replace(2.0, np.inf), side_fraction=0.5)
    with pytest.raises(DataError, match="all 2 are NaN"):
        top_bottom(scores * NAN, side_fraction=0.5)
    with pytest.raises(DataError, match="indexed by"):
        top_bottom(scores.reset_index(drop=True), side_fraction=0.5)
