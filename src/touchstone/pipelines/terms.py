"""What the parameters say of trading, in the words of the engine."""

from __future__ import annotations

import logging
from typing import Any

from touchstone import backtest as engine
from touchstone import market
from touchstone.parameters import BacktestParameters, DataParameters, LabelsParameters

__all__ = ["costs_of", "say_when_fills_differ", "trading_terms"]

logger = logging.getLogger(__name__)


def costs_of(backtest: BacktestParameters) -> engine.Costs:
    """The costs that the parameters state."""
    return engine.Costs(
        commission_bps=backtest.commission_bps, half_spread_bps=backtest.half_spread_bps, borrow_bps_per_year=backtest.borrow_bps_per_year
    )


def trading_terms(data: DataParameters, backtest: BacktestParameters, labels: LabelsParameters) -> dict[str, Any]:
    """How scores become trades: sides, rhythm (the label's horizon unless set), fill, starting capital and bars a year."""
    return {
        "side_fraction": backtest.side_fraction,
        "rebalance_every": backtest.rebalance_every or labels.horizon,
        "fill": backtest.fill,
        "initial_cash": backtest.initial_cash,
        "periods_per_year": market.periods_per_year(data.calendar, data.timeframe),
    }


def say_when_fills_differ(backtest: BacktestParameters, labels: LabelsParameters) -> None:
    """A model is trained for the fills of its labels; others are allowed, but not in silence."""
    if backtest.fill != labels.fill:
        logger.warning("backtest.fill is %s but labels.fill is %s: the model was not trained for these fills", backtest.fill, labels.fill)
