"""Point-in-time panels → feature matrix.

`compute` gives every row, `latest` the last session online, to the same bits; `plan` says which columns the tables can carry.
"""

from __future__ import annotations

from touchstone.features._compute import compute
from touchstone.features._feature import Factor, Feature, FeatureSet, LeftOut, Plan, SessionFeature, Sessions
from touchstone.features._latest import latest
from touchstone.features._plan import list_sets, plan

__all__ = [
    "Factor",
    "Feature",
    "FeatureSet",
    "LeftOut",
    "Plan",
    "SessionFeature",
    "Sessions",
    "compute",
    "latest",
    "list_sets",
    "plan",
]
