"""What a vendor's dialect must say: what to ask for, and how to read the answer. How it travels is not its business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Protocol

import pandas as pd

from touchstone.errors import SourceError
from touchstone.market import Metadata
from touchstone.sources._registry import SourceRequest

__all__ = ["Fetch", "Page", "Policy", "Unusable", "Vendor"]

Kind = Literal["bars", "actions", "assets", "macro"]


class Unusable(Exception):  # noqa: N818 - an answer, not a mistake of the user
    """An answer that is not what the vendor sends when well: cut off, HTML, empty where it must not be. Asking again may help."""


@dataclass(frozen=True)
class Fetch:
    """One page to ask for.

    Parameters
    ----------
    kind : {"bars", "actions", "assets", "macro"}
    symbol : str
        What the page is about, by our name; the series of macro data.
    path : str
        Below the vendor's address.
    query : mapping
        Without secrets: this is kept beside the payload.
    start, end : Timestamp
        First and last bar that the page should cover.
    page : int
        Number of the page of one answer, from 0.
    context : mapping
        What an earlier page told and reading this one needs, such as the frequency of a series; kept beside the payload, never sent.
    """

    kind: Kind
    symbol: str
    path: str
    query: Mapping[str, str]
    start: pd.Timestamp
    end: pd.Timestamp
    page: int = 0
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Page:
    """What a payload says: tables of the data contract by name (bars raw, in the vendor's order), and the page after it."""

    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    following: Fetch | None = None


@dataclass(frozen=True)
class Policy:
    """How a vendor wants to be asked.

    Parameters
    ----------
    requests_per_minute : int
        Rate limit.
    connections : int
        Requests under way at once.
    timeout_s : float
        For one request.
    attempts : int
        Tries of one request in all.
    breaker_failures, breaker_reset_s
        Failures in a row that open the circuit, and how long it stays open before one request is let through. More failures than
        attempts: one sick page alone does not shut out the others.
    overlap : int
        Bars before the last known one that an update asks for again, to find revisions.
    backoff_s, backoff_max_s : float
        The second try waits up to `backoff_s`, each later one up to twice as long, never more than `backoff_max_s`.
    retry_after_max_s : float
        The longest pause that the vendor may ask for (``Retry-After``) and still be waited for.
    max_pages : int
        Pages of one answer; more mean that it never ends.
    """

    requests_per_minute: int
    connections: int = 4
    timeout_s: float = 15.0
    attempts: int = 5
    breaker_failures: int = 8
    breaker_reset_s: float = 60.0
    overlap: int = 5
    backoff_s: float = 0.5
    backoff_max_s: float = 30.0
    retry_after_max_s: float = 120.0
    max_pages: int = 10_000


class Vendor(Protocol):
    """One vendor's dialect; without state, without network. Subclass it: what is not abstract here has a default."""

    name: str
    address: str
    policy: Policy
    credentials: tuple[str, ...] = ()  # environment names, such as FRED_API_KEY; empty for a public vendor
    restates: bool = False  # whether past prices change as a whole with a new action: then a difference means fetching all of them again
    options: tuple[str, ...] = ()  # what the vendor understands in `SourceRequest.options`
    fetch_options: Mapping[str, str] = MappingProxyType({})  # those that change the answer, with their defaults: answers are kept apart

    def headers(self, keys: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ARG002 - a default, as below
        """Headers of every request, secrets included; never logged, never kept."""
        return {}

    def secrets(self, keys: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ARG002
        """Query parameters that are secret; never logged, never kept."""
        return {}

    def symbols(self, request: SourceRequest) -> tuple[str, ...]:
        """What is asked for by name: the symbols of the request, or what the vendor's own options list in their place."""
        return request.symbols

    def reach(self, timeframe: str) -> pd.Timedelta | None:  # noqa: ARG002
        """How far back from now bars of a width are kept; None for as long as there are any."""
        return None

    def plan(self, request: SourceRequest, known: Mapping[str, pd.Timestamp]) -> Sequence[Fetch]:
        """First pages to ask for.

        Parameters
        ----------
        request : SourceRequest
            Start, end (always given) and symbols (at least one) wanted, and the vendor's own options.
        known : mapping
            By symbol, the bar from which on to ask again (overlap taken off already); a symbol that is not listed is asked for in full.
        """
        ...

    def read(self, fetch: Fetch, payload: bytes) -> Page:
        """Parse a payload.

        Raises
        ------
        Unusable
            The answer is broken; asking again may help.
        SourceError
            The vendor says no in a way that asking again will not mend, such as a symbol it does not have.
        """
        ...

    def refused(self, fetch: Fetch, status: int, payload: bytes) -> Fetch:  # noqa: ARG002
        """Answer to a status of 4xx (but 429, 401 and 403): the page to ask for instead.

        Raises
        ------
        SourceError
            There is none. It names the symbol and says why, when the payload does.
        """
        raise SourceError(
            f"'{self.name}' must have what is asked for, but it answers {status} for '{fetch.symbol}' ({fetch.path}): check the name."
        )

    def forbidden(self, fetch: Fetch, status: int, payload: bytes) -> str:  # noqa: ARG002
        """What a status of 401 or 403 means, in a sentence that ends the error; empty when it is only the key."""
        return ""

    def finish(self, request: SourceRequest, tables: Mapping[str, pd.DataFrame]) -> Mapping[str, pd.DataFrame]:  # noqa: ARG002
        """Last touch to the tables of all pages together, such as a lag that the parameters state."""
        return tables

    def metadata(self, request: SourceRequest, tables: Mapping[str, pd.DataFrame]) -> Metadata:
        """What the tables are, caveats included."""
        ...
