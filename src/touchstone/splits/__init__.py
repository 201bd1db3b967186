"""Training and test rows that share no information: every training label whose span touches a test span is purged."""

from __future__ import annotations

from touchstone.splits._k_fold import PurgedKFold
from touchstone.splits._split import Split
from touchstone.splits._walk_forward import PurgedWalkForward

__all__ = ["PurgedKFold", "PurgedWalkForward", "Split"]
