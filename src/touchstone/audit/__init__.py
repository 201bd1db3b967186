"""Look-ahead found by machinery, not by discipline.

`look_ahead` audits anything computed from dated tables, `label_spans` and `purged` labels and splits.
"""

from __future__ import annotations

from touchstone.audit._look_ahead import LookAheadReport, look_ahead
from touchstone.audit._spans import label_spans, purged

__all__ = ["LookAheadReport", "label_spans", "look_ahead", "purged"]
