"""Forecasters behind one protocol, their tuning, and their scores out of sample."""

from __future__ import annotations

from touchstone.models._folds import fold_outcome
from touchstone.models._forecaster import Forecaster, Range
from touchstone.models._lightgbm import LightGBM
from touchstone.models._registry import list_models, make
from touchstone.models._ridge import Ridge
from touchstone.models._transformed import Transformed, make_transformed, restore
from touchstone.models._tuning import Evaluate, TrialOutcome, TuningResult, tune
from touchstone.models._windows import ScoredWindows, fit_and_score

__all__ = [
    "Evaluate",
    "Forecaster",
    "LightGBM",
    "Range",
    "Ridge",
    "ScoredWindows",
    "Transformed",
    "TrialOutcome",
    "TuningResult",
    "fit_and_score",
    "fold_outcome",
    "list_models",
    "make",
    "make_transformed",
    "restore",
    "tune",
]
