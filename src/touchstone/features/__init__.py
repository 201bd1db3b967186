"""Point-in-time panels → feature matrix.

`compute` gives every row, `latest` the last session online, to the same bits; `plan` says which columns the tables can carry.
"""

from __future__ import annotations

from touchstone.features._compute import compute
from touchstone.features._factor import factor
from touchstone.features._factor_audit import FactorAudit, audit_factor
from touchstone.features._feature import Factor, Feature, FeatureSet, LeftOut, Plan, SessionFeature, Sessions
from touchstone.features._latest import latest
from touchstone.features._plan import plan
from touchstone.features._sets import list_sets
from touchstone.transforms import FittedTransform, TransformSpecification, fitted, list_fitted, restore_fitted

__all__ = [
    "Factor",
    "FactorAudit",
    "Feature",
    "FeatureSet",
    "FittedTransform",
    "LeftOut",
    "Plan",
    "SessionFeature",
    "Sessions",
    "TransformSpecification",
    "audit_factor",
    "compute",
    "factor",
    "fitted",
    "latest",
    "list_fitted",
    "list_sets",
    "plan",
    "restore_fitted",
]
