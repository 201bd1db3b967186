"""Fetching: one client, one store of payloads and one way to bring a vendor up to date."""

from __future__ import annotations

from touchstone.sources.network._credentials import CREDENTIALS_FILE
from touchstone.sources.network._refresh import Refreshed, refresh, vendor_of
from touchstone.sources.network._source import NetworkSource
from touchstone.sources.network._vendor import Fetch, Page, Policy, Unusable, Vendor

__all__ = ["CREDENTIALS_FILE", "Fetch", "NetworkSource", "Page", "Policy", "Refreshed", "Unusable", "Vendor", "refresh", "vendor_of"]
