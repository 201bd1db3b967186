"""One pooled client per vendor: rate limit, retries that honour Retry-After, circuit breaker; secrets join below everything that logs."""

from __future__ import annotations

import asyncio
import datetime as dt
import email.utils
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from pyrate_limiter import limiter_factory
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

from touchstone.errors import SourceError
from touchstone.sources.network._breaker import Breaker, CircuitOpen, Declined
from touchstone.sources.network._credentials import Keys
from touchstone.sources.network._metrics import FAILURES, REQUESTS, RETRIES
from touchstone.sources.network._vendor import Fetch, Policy, Unusable, Vendor

__all__ = ["Client", "Refusal"]

_MINUTE_MS = 60_000
# With 418 Binance shuts out who went on asking after 429.
_TOO_MANY = (418, 429)
_T = TypeVar("_T")


class Refusal(SourceError):  # noqa: N818 - an answer of the vendor
    """The vendor says a clear no to a page."""


class _SlowDown(Declined):
    """The vendor wants to be asked less often."""


class _Refused(Declined):
    """A status of 4xx that the vendor's dialect may know a way around."""

    def __init__(self, status: int, payload: bytes) -> None:
        super().__init__(status)
        self.status, self.payload = status, payload


class _Sick(Exception):  # noqa: N818 - an answer of the vendor
    """No answer, or one that says that the vendor is not well; asking again may help."""


class _Signed(httpx.AsyncBaseTransport):
    """Adds what is secret on the way out: httpx, which logs addresses and puts them into errors, never gets to know it."""

    def __init__(self, inner: httpx.AsyncBaseTransport, headers: Mapping[str, str], query: Mapping[str, str]) -> None:
        self._inner, self._headers, self._query = inner, headers, query

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_merge_params(self._query) if self._query else request.url
        headers = httpx.Headers(request.headers)
        headers.update(self._headers)
        signed = httpx.Request(request.method, url, headers=headers, stream=request.stream, extensions=request.extensions)
        return await self._inner.handle_async_request(signed)

    async def aclose(self) -> None:
        await self._inner.aclose()


class Client:
    """Asks one vendor, as its policy says; an asynchronous context manager.

    Parameters
    ----------
    vendor : Vendor
    keys : Keys
    address : str
        Where the vendor is; not always its own address.
    policy : Policy
    """

    def __init__(self, vendor: Vendor, keys: Keys, *, address: str, policy: Policy) -> None:
        self._vendor, self._keys, self._policy = vendor, keys, policy
        limits = httpx.Limits(max_connections=policy.connections, max_keepalive_connections=policy.connections)
        transport = httpx.AsyncHTTPTransport(limits=limits, proxy=_proxy(address))
        self._http = httpx.AsyncClient(
            base_url=address,
            timeout=policy.timeout_s,
            transport=_Signed(transport, vendor.headers(keys), vendor.secrets(keys)),
        )
        self._limiter = limiter_factory.create_token_bucket_limiter(
            policy.requests_per_minute, _MINUTE_MS, burst=max(1, min(policy.connections, policy.requests_per_minute)), buffer_ms=1
        )
        self._free = asyncio.Semaphore(policy.connections)
        self._breaker = Breaker(vendor.name, policy)
        self._backoff = wait_exponential(multiplier=policy.backoff_s, max=policy.backoff_max_s) + wait_random(0.0, policy.backoff_s)
        self._quiet_until = 0.0
        self._last_failure = ""
        self.n_requests = 0

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        await self._http.aclose()

    async def get(self, fetch: Fetch, accept: Callable[[Fetch, bytes], _T]) -> _T:
        """Ask for a page until `accept` takes its payload.

        Parameters
        ----------
        fetch : Fetch
        accept : callable
            From the page asked for in the end and its payload to a result; it raises `Unusable` to have the page asked for again.

        Raises
        ------
        SourceError
            The vendor says no, does not get well in the tries allowed, or is being left alone. No key is ever in it.
        """
        try:
            return await self._until_well(fetch, accept)
        except _Refused as no:
            instead = self._instead(fetch, no)
        return await self.get(instead, accept)

    def _instead(self, fetch: Fetch, no: _Refused) -> Fetch:
        try:
            return self._vendor.refused(fetch, no.status, no.payload)
        except SourceError as problem:
            self._give_up(str(problem), Refusal)

    async def _until_well(self, fetch: Fetch, accept: Callable[[Fetch, bytes], _T]) -> _T:
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._policy.attempts),
            wait=self._wait,
            retry=retry_if_exception_type((_Sick, _SlowDown, Unusable)),
            after=self._note,
            before_sleep=lambda _: RETRIES.labels(self._vendor.name).inc(),
            reraise=True,
        )
        try:
            return await retrying(self._once, fetch, accept)
        except CircuitOpen:
            self._give_up(
                f"'{self._vendor.name}' failed {self._policy.breaker_failures} times in a row ({self._last_failure}) and is left alone for "
                f"{self._policy.breaker_reset_s:g} s: run `touchstone refresh {self._vendor.name}` again later; what came before is kept."
            )
        except SourceError as problem:
            self._give_up(str(problem))
        except (_Sick, _SlowDown, Unusable) as problem:
            self._give_up(
                f"'{self._vendor.name}' must answer, but {self._policy.attempts} tries of {fetch.path} for '{fetch.symbol}' failed, "
                f"the last time: {str(problem).rstrip('.')}. Run `touchstone refresh {self._vendor.name}` again later."
            )

    def _give_up(self, sentence: str, kind: type[SourceError] = SourceError) -> NoReturn:
        FAILURES.labels(self._vendor.name).inc()
        raise kind(self._keys.scrub(sentence)) from None

    async def _once(self, fetch: Fetch, accept: Callable[[Fetch, bytes], _T]) -> _T:
        # Who waits for a connection has not yet looked whether the vendor may be asked.
        async with self._free, self._breaker.guard():
            await self._limiter.try_acquire_async(self._vendor.name)
            await asyncio.sleep(max(0.0, self._quiet_until - asyncio.get_running_loop().time()))
            return accept(fetch, await self._send(fetch))

    async def _send(self, fetch: Fetch) -> bytes:
        self.n_requests += 1
        try:
            response = await self._http.get(fetch.path, params=dict(fetch.query))
        except httpx.TimeoutException:
            self._count("timeout")
            raise _Sick(f"no answer within {self._policy.timeout_s:g} s") from None
        except httpx.HTTPError as problem:
            self._count("no connection")
            raise _Sick(f"the connection failed ({type(problem).__name__})") from None
        self._count(str(response.status_code))
        return self._payload(fetch, response)

    def _payload(self, fetch: Fetch, response: httpx.Response) -> bytes:
        status = response.status_code
        if status in (*_TOO_MANY, 503):
            self._quieten(response)
        if status in _TOO_MANY:
            raise _SlowDown(f"it asks for fewer requests ({status})")
        if status >= 500:
            raise _Sick(f"status {status}")
        if status in (401, 403):
            what = f"check {self._admission()}. {self._vendor.forbidden(fetch, status, response.content)}"
            raise SourceError(f"'{self._vendor.name}' must let us in, but answers {status} for '{fetch.symbol}': {what}".strip())
        if status >= 400:
            raise _Refused(status, response.content)
        if status != 200:
            raise SourceError(f"'{self._vendor.name}' must answer 200, but answers {status} for {fetch.path}: check its address.")
        return response.content

    def _admission(self) -> str:
        names = " and ".join(self._vendor.credentials)
        return f"{names} and what the key may read" if names else "whether it serves your network, as it asks for no key"

    def _quieten(self, response: httpx.Response) -> None:
        """Keep every request back as long as the vendor asks for."""
        pause = _retry_after(response.headers.get("Retry-After"))
        if pause is None:
            return
        if pause > self._policy.retry_after_max_s:
            raise SourceError(
                f"'{self._vendor.name}' asks to be left alone for {pause:.0f} s, more than the {self._policy.retry_after_max_s:g} s that "
                f"are waited: run `touchstone refresh {self._vendor.name}` after that."
            )
        self._quiet_until = max(self._quiet_until, asyncio.get_running_loop().time() + pause)

    def _note(self, state: RetryCallState) -> None:
        problem = state.outcome.exception() if state.outcome is not None else None
        self._last_failure = str(problem).rstrip(".")

    def _wait(self, state: RetryCallState) -> float:
        """Backoff with jitter, and at least what the vendor asked for."""
        return max(self._backoff(state), self._quiet_until - asyncio.get_running_loop().time())

    def _count(self, outcome: str) -> None:
        REQUESTS.labels(self._vendor.name, outcome).inc()


def _retry_after(header: str | None) -> float | None:
    """Seconds from now, whether the header says seconds or a date; None when it says neither."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        moment = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return max(0.0, (zoned - dt.datetime.now(dt.UTC)).total_seconds())


def _proxy(address: str) -> str | None:
    """What the environment says (``HTTPS_PROXY``, ``NO_PROXY``, …), which httpx leaves to whoever brings a transport."""
    parts = urlsplit(address)
    if proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")
