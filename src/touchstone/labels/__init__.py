"""What is to be forecast: forward returns from fill to fill; every label carries the span it looks at."""

from __future__ import annotations

from touchstone.labels._cross_sectional import cross_sectional
from touchstone.labels._forward_return import forward_return

__all__ = ["cross_sectional", "forward_return"]
