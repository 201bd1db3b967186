"""The walk-forward windows, said once for the stages that must agree on them."""

from __future__ import annotations

import pandas as pd

from touchstone import audit
from touchstone.parameters import TrainingParameters
from touchstone.splits import PurgedKFold, PurgedWalkForward, Split

__all__ = ["audited", "windows"]


def windows(training: TrainingParameters) -> PurgedWalkForward:
    """The walk-forward windows that tuning must end before and that the backtest scores."""
    return PurgedWalkForward(training.n_train, training.n_test, embargo=training.embargo, expanding=training.expanding)


def audited(splitter: PurgedWalkForward | PurgedKFold, labels: pd.DataFrame) -> list[Split]:
    """The splits of the labels, once none of them trains on a span that it tests; a leak stops the run."""
    splits = list(splitter.split(labels))
    for split in splits:
        audit.purged(labels, split.train, split.test)
    return splits
