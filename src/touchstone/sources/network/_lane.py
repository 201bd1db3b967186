"""What must be equal for pages to belong together."""

from __future__ import annotations

from collections.abc import Mapping

from touchstone.sources._registry import SourceRequest
from touchstone.sources.network._vendor import Vendor

__all__ = ["lane_of"]


def lane_of(vendor: Vendor, request: SourceRequest) -> Mapping[str, str]:
    """Timeframe, and the options that change the answer."""
    return {"timeframe": request.timeframe} | {
        name: str(request.options.get(name, default)) for name, default in vendor.fetch_options.items()
    }
