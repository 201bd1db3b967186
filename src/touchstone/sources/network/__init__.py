"""Fetching: one client, one store of payloads and one way to bring a vendor up to date."""

from __future__ import annotations

from touchstone.sources.network._vendor import Fetch, Page, Policy, Unusable, Vendor

__all__ = ["Fetch", "Page", "Policy", "Unusable", "Vendor"]
