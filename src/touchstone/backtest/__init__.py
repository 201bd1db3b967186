"""From target weights to money: state changes inside the loop, the result after it is frozen."""

from __future__ import annotations

from touchstone.backtest._costs import Costs, Slippage
from touchstone.backtest._execution import Execution
from touchstone.backtest._limits import Limits
from touchstone.backtest._result import Result
from touchstone.backtest._simulate import simulate
from touchstone.backtest._trade_scores import trade_scores

__all__ = ["Costs", "Execution", "Limits", "Result", "Slippage", "simulate", "trade_scores"]
