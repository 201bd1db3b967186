"""Every cost worked out by hand, in a column of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from touchstone.backtest import Costs, Execution, Slippage, simulate
from touchstone.errors import ConfigError, DataError

NOTHING = {"commission_bps": 0.0, "half_spread_bps": 0.0, "borrow_bps_per_year": 0.0}
UNIT = 1e6


@pytest.fixture
def bars(make_bars) -> pd.DataFrame:
    table = make_bars({"A": [10.0] * 5, "B": [20.0] * 5})
    return table.assign(volume=1e6, sigma=0.02, hs=[10.0, 40.0] * 5, fee=[252.0, 504.0] * 5)


def test_commission_per_share_and_its_minimum(bars, make_weights) -> None:
    costs = Costs(**NOTHING | {"commission_bps": 1.0}, commission_per_share=0.01, commission_minimum=300.0)
    fills = simulate(bars, make_weights({0: {"A": 0.5, "B": 0.1}}), costs=costs).fills
    # A: 500,000 at 1 bp and 50,000 shares at a cent; B: 100,000 at 1 bp and 5,000 shares at a cent are below the minimum.
    assert fills["commission"].tolist() == pytest.approx([50.0 + 500.0, 300.0])


def test_half_spread_from_a_column(bars, make_weights) -> None:
    costs = Costs(**NOTHING, half_spread_column="hs")
    result = simulate(bars, make_weights({0: {"A": 0.5, "B": 0.5}}), costs=costs)
    assert result.fills["spread"].tolist() == pytest.approx([500.0, 2000.0])
    doubled = simulate(bars, make_weights({0: {"A": 0.5, "B": 0.5}}), costs=costs.scaled(2.0))
    assert doubled.fills["spread"].tolist() == pytest.approx([1000.0, 4000.0])


def test_borrow_by_symbol_and_session_is_charged_on_the_last_close(bars, make_weights) -> None:
    bars.loc[(pd.Timestamp("2020-01-03"), "B"), "fee"] = 2520.0
    result = simulate(bars, make_weights({0: {"A": -0.2, "B": -0.3}}), costs=Costs(**NOTHING, borrow_column="fee"))
    # 252 bps over 252 sessions are 1 bp of 200,000, 504 are 2 bps of 300,000; B's rate of the 3rd is paid over the night after it.
    assert result.costs["borrow"].tolist() == pytest.approx([0.0, 0.0, 20.0 + 60.0, 20.0 + 300.0, 80.0])
    assert result.trades["borrow"].tolist() == pytest.approx([60.0, 420.0])


def test_a_borrow_rate_holds_over_a_missing_bar(bars, make_weights) -> None:
    table = bars.drop((pd.Timestamp("2020-01-03"), "B"))
    result = simulate(table, make_weights({0: {"A": 0.0, "B": -0.3}}), costs=Costs(**NOTHING, borrow_column="fee"))
    assert result.costs["borrow"].tolist() == pytest.approx([0.0, 0.0, 60.0, 60.0, 60.0])


@pytest.mark.parametrize(
    ("slippage", "fraction"),
    [
        (Slippage("spread_pct", 0.25), 0.25 * 2 * 8e-4),
        (Slippage("participation_rate", 0.3), 0.3 * 0.05),
        (Slippage("square_root", 0.9, volatility_column="sigma"), 0.9 * 0.02 * np.sqrt(0.05)),
        (Slippage("square_root", 0.142, exponent=0.6, volatility_column="sigma"), 0.142 * 0.02 * 0.05**0.6),
        (Slippage("volume_share", 0.1), 0.1 * 0.05**2),
        (Slippage(), None),
    ],
)
def test_slippage_by_its_formula(bars, make_weights, slippage: Slippage, fraction: float | None) -> None:
    costs = Costs(**NOTHING | {"half_spread_bps": 8.0}, slippage=slippage)
    result = simulate(bars, make_weights({0: {"A": 0.5, "B": 0.0}}), costs=costs)
    # 50,000 shares of a volume of 1,000,000.
    if fraction is None:
        assert "slippage" not in result.equity
        return
    assert result.fills["slippage"].tolist() == pytest.approx([fraction * 500_000.0], rel=1e-12)
    assert result.equity["equity"].iloc[-1] == pytest.approx(UNIT - 400.0 - fraction * 500_000.0)
    assert result.costs["total"].sum() == pytest.approx(400.0 + fraction * 500_000.0)


def test_zipline_states_the_same_cost_for_a_share_of_the_volume(bars, make_weights) -> None:
    """Zipline moves the price by impact * share**2 * price: 2.5 % of the volume at its default 0.1 cost 0.00625 % (its documentation)."""
    costs = Costs(**NOTHING, slippage=Slippage("volume_share", 0.1))
    fills = simulate(bars, make_weights({0: {"A": 1.0, "B": 0.0}}), costs=costs, execution=Execution(participation_cap=0.025)).fills
    assert (fills["slippage"] / fills["notional"]).iloc[0] == pytest.approx(0.1 * 0.025**2)


def test_the_engines_own_volatility_looks_over_splits_and_not_ahead(make_actions) -> None:
    rng = np.random.default_rng(4)
    moves = rng.normal(scale=0.02, size=40)
    close = 100.0 * np.cumprod(1.0 + moves)
    close[30:] /= 2.0
    dates = pd.date_range("2020-01-01", periods=40, unit="us")
    index = pd.MultiIndex.from_product([dates, ["A"]], names=["date", "symbol"])
    bars = pd.DataFrame({"close": close, "volume": 1e6}, index=index)
    weights = pd.DataFrame({"A": [0.5]}, index=pd.DatetimeIndex([dates[34]], name="date"))
    costs = Costs(**NOTHING, slippage=Slippage("square_root", 1.0))
    fill = simulate(bars, weights, costs=costs, actions=make_actions(("A", 30, "split", 2.0))).fills.iloc[0]
    variance = moves[1] ** 2
    for move in moves[2:35]:
        variance = 0.94 * variance + 0.06 * move**2
    share = fill["shares"] / 1e6
    assert fill["slippage"] == pytest.approx(fill["notional"] * np.sqrt(variance * share), rel=1e-9)


def test_an_order_waits_until_a_volatility_is_known(make_bars, make_weights) -> None:
    closes = [10.0 * 1.01 ** (number % 2) for number in range(26)]
    bars = make_bars({"A": closes}).assign(volume=1e6)
    fills = simulate(bars, make_weights({0: {"A": 0.5}}), costs=Costs(**NOTHING, slippage=Slippage("square_root", 1.0))).fills
    assert fills["reason"].tolist() == ["no_liquidity", "carried"]
    # Twenty returns are known at the close of the 21st session.
    assert fills["date"].iloc[1] == pd.Timestamp("2020-01-22")


def test_interest_on_cash_and_on_debt(bars, make_weights) -> None:
    earning = Costs(**NOTHING, cash_bps_per_year=252.0, margin_bps_per_year=504.0)
    idle = simulate(bars, make_weights({0: {"A": 0.5, "B": 0.0}}), costs=earning)
    assert idle.equity["cash_interest"].tolist() == pytest.approx([0.0, 100.0, 50.005, 50.010000, 50.015002], rel=1e-5)
    assert idle.equity["margin_interest"].sum() == 0.0
    owing = simulate(bars, make_weights({0: {"A": 1.0, "B": 0.5}}), costs=earning)
    # Half the equity is borrowed at 2 bps a session.
    assert owing.equity["margin_interest"].iloc[2] == pytest.approx((1.5 - 1.0) * (UNIT + 100.0) * 2e-4)
    assert "cash_interest" not in owing.costs
    assert owing.costs["total"].sum() == pytest.approx(owing.equity["margin_interest"].sum())


def test_scaling_leaves_what_cash_earns_and_scales_the_rest() -> None:
    costs = Costs(1.0, 2.0, 3.0, 0.5, 4.0, Slippage("volume_share", 0.1), margin_bps_per_year=5.0, cash_bps_per_year=6.0)
    double = costs.scaled(2.0)
    assert double == Costs(2.0, 4.0, 6.0, 1.0, 8.0, Slippage("volume_share", 0.2), margin_bps_per_year=10.0, cash_bps_per_year=6.0)


def test_the_name_of_a_trial_knows_no_option_that_is_not_used() -> None:
    assert Costs().stated() == {"commission_bps": 1.0, "half_spread_bps": 5.0, "borrow_bps_per_year": 50.0}
    assert Costs(slippage=Slippage("volume_share", 0.1)).stated()["slippage"]["coefficient"] == 0.1


def test_nonsense_is_refused(bars, make_weights) -> None:
    with pytest.raises(ConfigError, match="did you mean 'square_root'"):
        Slippage("squareroot")
    with pytest.raises(ConfigError, match=r"coefficient ≥ 0.*-1"):
        Slippage("volume_share", -1.0)
    with pytest.raises(ConfigError, match=r"commission_minimum.*money"):
        Costs(commission_minimum=-1.0)
    weights = make_weights({0: {"A": 0.5}})
    with pytest.raises(DataError, match="must carry 'wide'"):
        simulate(bars, weights, costs=Costs(half_spread_column="wide"))
    with pytest.raises(DataError, match=r"'volume' must be.*2020-01-02.*'A'"):
        simulate(bars.assign(volume=[1.0, 1.0, -1.0] + [1.0] * 7), weights, execution=Execution(participation_cap=0.1))
