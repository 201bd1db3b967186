from __future__ import annotations

import pandas as pd
import pytest

from touchstone.backtest import Costs, Limits, simulate, trade_scores
from touchstone.lineage import recording
from touchstone.portfolio import top_bottom


@pytest.mark.parametrize("fill", ["next_close", "same_close"])
@pytest.mark.filterwarnings("ignore:fill 'same_close'")
def test_it_is_the_portfolio_rule_and_the_simulation(make_bars, fill: str) -> None:
    bars = make_bars({"A": [10.0, 10.0, 11.0, 12.0, 13.0], "B": [10.0, 10.0, 9.0, 8.0, 9.0]})
    scores = pd.Series([2.0, 1.0, 1.0, 2.0], index=bars.index[2:6], name="score")
    result = trade_scores(scores, bars, side_fraction=0.5, rebalance_every=1, fill=fill, costs=Costs(2.0, 3.0, 4.0), initial_cash=100.0)
    weights = top_bottom(scores, side_fraction=0.5)
    expected = simulate(bars, weights, fill=fill, costs=Costs(2.0, 3.0, 4.0), initial_cash=100.0)
    pd.testing.assert_frame_equal(result.equity, expected.equity, check_exact=True)
    # The account opens on the session before the first fill, not at the first bar.
    assert result.equity.index[0] == bars.index[2 if fill == "next_close" else 0][0]


def test_a_backtest_is_a_trial_where_somebody_listens(make_bars) -> None:
    bars = make_bars({"A": [10.0, 10.0, 11.0, 12.0, 13.0], "B": [10.0, 10.0, 9.0, 8.0, 9.0]})
    scores = pd.Series([2.0, 1.0, 1.0, 2.0], index=bars.index[2:6], name="score")
    heard = []
    with recording(lambda trial, returns: heard.append((trial, returns))):
        result = trade_scores(scores, bars, side_fraction=0.5, rebalance_every=1)
        trade_scores(scores, bars, side_fraction=0.5, rebalance_every=1)
        trade_scores(scores, bars, side_fraction=0.5, rebalance_every=1, costs=Costs(2.0, 3.0, 4.0))
        trade_scores(-scores, bars, side_fraction=0.5, rebalance_every=1)
        trade_scores(scores, bars, side_fraction=0.5, rebalance_every=1, limits=Limits(gross=0.5, on_violation="clip"))
    trade_scores(scores, bars, side_fraction=0.5, rebalance_every=1)
    keys = [trial.key for trial, _ in heard]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4
    trial, returns = heard[0]
    assert (trial.scope.symbols, trial.n) == (("A", "B"), len(result.returns))
    assert returns.tolist() == result.returns.tolist()
