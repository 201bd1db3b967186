"""Each limit as an error with names and dates, and as a recorded clipping."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from touchstone.backtest import Costs, Limits, simulate
from touchstone.errors import ConfigError, OrderError
from touchstone.market import Sectors

FREE = Costs(0.0, 0.0, 0.0)
ASKED = {"A": 0.6, "B": 0.4, "C": -0.5}


@pytest.fixture
def bars(make_bars) -> pd.DataFrame:
    return make_bars({"A": [10.0] * 4, "B": [20.0] * 4, "C": [5.0] * 4})


@pytest.fixture
def sectors() -> Sectors:
    day = pd.to_datetime(["2019-01-01"] * 3).astype("datetime64[us]")
    spans = {"start": day, "end": pd.to_datetime(["2030-01-01"] * 3).astype("datetime64[us]")}
    names = {"symbol": pd.Series(["A", "B", "C"], dtype="str"), "sector": pd.Series(["tech", "tech", "banks"], dtype="str")}
    return Sectors(pd.DataFrame({**names, **spans}))


def _weights_held(bars: pd.DataFrame, weights: pd.DataFrame, limits: Limits, sectors: Sectors | None = None) -> tuple[list[float], Any]:
    result = simulate(bars, weights, costs=FREE, limits=limits, sectors=sectors)
    first = result.positions[result.positions["date"] == result.equity.index[1]].set_index("symbol")["value"] / 1e6
    return first.reindex(["A", "B", "C"], fill_value=0.0).tolist(), result.clippings


@pytest.mark.parametrize(
    ("limits", "held", "told"),
    [
        ({"long_only": True}, [0.6, 0.4, 0.0], [("C", "long_only", -0.5, 0.0)]),
        ({"per_name": 0.45}, [0.45, 0.4, -0.45], [("A", "per_name", 0.6, 0.45), ("C", "per_name", -0.5, 0.45)]),
        ({"per_sector": 0.5}, [0.3, 0.2, -0.5], [("tech", "per_sector", 1.0, 0.5)]),
        ({"gross": 0.75}, [0.3, 0.2, -0.25], [("", "gross", 1.5, 0.75)]),
        ({"net": 0.25}, [0.45, 0.3, -0.5], [("", "net", 0.5, 0.25)]),
        ({"turnover": 0.75}, [0.3, 0.2, -0.25], [("", "turnover", 1.5, 0.75)]),
    ],
)
def test_a_limit_clips_and_says_so(bars, make_weights, sectors, limits: dict, held: list[float], told: list[tuple]) -> None:
    weights = make_weights({0: ASKED})
    found, clippings = _weights_held(bars, weights, Limits(**limits, on_violation="clip"), sectors)
    assert found == pytest.approx(held)
    rows = [tuple(row) for row in clippings[["name", "rule", "asked", "limit"]].itertuples(index=False)]
    assert [row[:2] for row in rows] == [row[:2] for row in told]
    assert [row[2:] for row in rows] == [pytest.approx(row[2:]) for row in told]
    with pytest.raises(OrderError, match=rf"{told[0][1] if told[0][1] != 'turnover' else 'trade at most'}.*2020-01-0[12]"):
        simulate(bars, weights, limits=Limits(**limits), sectors=sectors)


def test_an_error_names_symbols_and_dates(bars, make_weights) -> None:
    with pytest.raises(OrderError, match=r"per_name ≤ 0\.3, but got A 0\.6 on 2020-01-01, B 0\.4 on 2020-01-01, C -0\.5 on 2020-01-01"):
        simulate(bars, make_weights({0: ASKED}), limits=Limits(per_name=0.3))


def test_a_weight_on_the_limit_is_within_it(bars, make_weights) -> None:
    _, clippings = _weights_held(bars, make_weights({0: {"A": 0.1, "B": 0.2, "C": 0.7}}), Limits(gross=1.0, net=1.0, turnover=1.0))
    assert clippings.empty


def test_turnover_counts_what_is_held_already(bars, make_weights) -> None:
    weights = make_weights({0: {"A": 0.5, "B": 0.0, "C": 0.0}, 1: {"A": 0.0, "B": 0.5, "C": 0.0}})
    result = simulate(bars, weights, costs=FREE, limits=Limits(turnover=0.5, on_violation="clip"))
    assert result.equity["turnover"].tolist() == pytest.approx([0.0, 0.5, 0.5, 0.0])
    last = result.positions[result.positions["date"] == result.equity.index[-1]]
    assert last["value"].tolist() == pytest.approx([0.25e6, 0.25e6])


def test_leverage_after_drift_is_brought_back_on_the_next_session(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 10.0, 20.0, 20.0, 20.0], "B": [10.0, 10.0, 20.0, 20.0, 20.0]})
    weights = make_weights({0: {"A": -0.3, "B": 0.3}})
    limits = Limits(leverage=1.0, on_violation="clip")
    result = simulate(bars, weights, costs=FREE, limits=limits)
    assert result.exposures["gross"].tolist() == pytest.approx([0.0, 0.6, 1.2, 1.0, 1.0])
    assert result.fills["reason"].tolist() == ["rebalance", "rebalance", "reduced", "reduced"]
    row = result.clippings.iloc[0]
    assert (row["date"], row["rule"], row["asked"]) == (pd.Timestamp("2020-01-03"), "leverage", pytest.approx(1.2))
    with pytest.raises(OrderError, match=r"within 1 of the equity, but it is 1\.2 on 2020-01-03"):
        simulate(bars, weights, costs=FREE, limits=Limits(leverage=1.0))


def test_a_reduction_takes_the_place_of_what_waits_and_is_no_part_of_an_order(make_bars, make_weights) -> None:
    bars = make_bars({"A": [10.0, 10.0, 20.0, 20.0, 20.0], "B": [10.0, 10.0, 20.0, 20.0, 20.0], "C": [1.0, None, None, 1.0, 1.0]})
    weights = make_weights({0: {"A": -0.3, "B": 0.3, "C": 0.1}})
    result = simulate(bars, weights, costs=FREE, limits=Limits(leverage=1.0, on_violation="clip"))
    assert result.orders["symbol"].tolist() == ["A", "B", "C"]
    assert result.orders["status"].tolist() == ["filled", "filled", "unfilled"]
    assert result.orders["shares"].tolist() == [-30_000.0, 30_000.0, 0.0]
    assert result.exposures["gross"].tolist() == pytest.approx([0.0, 0.6, 1.2, 1.0, 1.0])


def test_inputs_are_left_alone(bars, make_weights, sectors) -> None:
    weights = make_weights({0: ASKED})
    before = weights.copy()
    simulate(bars, weights, limits=Limits(long_only=True, per_sector=0.2, on_violation="clip"), sectors=sectors)
    pd.testing.assert_frame_equal(weights, before, check_exact=True)


def test_nonsense_is_refused(bars, make_weights) -> None:
    with pytest.raises(ConfigError, match="needs the sectors"):
        simulate(bars, make_weights({0: ASKED}), limits=Limits(per_sector=0.5))
    with pytest.raises(ConfigError, match="did you mean 'clip'"):
        Limits(on_violation="clipped")
    with pytest.raises(ConfigError, match=r"limit gross.*-1"):
        Limits(gross=-1.0)
