"""Look-ahead found by machinery, not by discipline.

`look_ahead` audits anything computed from dated tables, `labels` functions that make labels, `splits`, `purged` and `label_spans`
what is trained on, `fitted` transforms and models with parameters of their own.
"""

from __future__ import annotations

from touchstone.audit._fitted import fitted
from touchstone.audit._labels import labels
from touchstone.audit._look_ahead import look_ahead
from touchstone.audit._report import CheckCount, LookAheadReport
from touchstone.audit._spans import label_spans, purged, splits

__all__ = ["CheckCount", "LookAheadReport", "fitted", "label_spans", "labels", "look_ahead", "purged", "splits"]
