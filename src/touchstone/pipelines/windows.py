"""The walk-forward windows, said once for the stages that must agree on them."""

from __future__ import annotations

from touchstone.parameters import TrainingParameters
from touchstone.splits import PurgedWalkForward

__all__ = ["windows"]


def windows(training: TrainingParameters) -> PurgedWalkForward:
    """The walk-forward windows that tuning must end before and that the backtest scores."""
    return PurgedWalkForward(training.n_train, training.n_test, embargo=training.embargo, expanding=training.expanding)
