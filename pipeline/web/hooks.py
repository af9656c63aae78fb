"""Sends what users asked to be told to addresses that they named: guarded, once, without redirects."""

import asyncio
import re
import ssl
from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Self

from pipeline import backoff
from pipeline.clock import Clock
from pipeline.errors import AlertError, UsageError
from pipeline.web.exchange import parse
from pipeline.web.failure import Failed
from pipeline.web.guard import AddressPolicy, GuardedBackend
from pipeline.web.http import OneShotTransport, httpx

_GONE = 410


class Hooks:
    """POSTs JSON to webhooks; what they answer is not read."""

    def __init__(
        self, allow_private: Iterable[str], timeout: timedelta, clock: Clock, *, tls: ssl.SSLContext | None = None
    ) -> None:
        """Set up; nothing is sent yet.

        Raises:
            UsageError: `allow_private` cannot be understood.
        """
        self._timeout = timeout
        self._clock = clock
        self._guard = GuardedBackend(AddressPolicy(allow_private, "alerts.allow_private"))
        self._transport = OneShotTransport(self._guard, tls, proxy=None)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a body; returns when the other side has accepted it with a status of 2xx.

        Raises:
            AlertError: it has not; `retryable` unless it says 410. Its subject is the host: paths may be secrets.
        """
        host = httpx.URL(url).host
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                async with self._transport.asking(_request(url, body, headers)) as reply:
                    status, said = reply.status_code, reply.headers
        except TimeoutError as e:
            raise AlertError(host, "timeout", retryable=True) from e
        except Failed as e:
            raise AlertError(host, e.reason.value, retryable=True) from e
        if not 200 <= status < 300:
            named = backoff.retry_after(said.get("retry-after"), said.get("date"), self._clock.now())
            raise AlertError(host, f"http-{status}", retryable=status != _GONE, retry_at=named)

    async def close(self) -> None:
        """Let go of connections and threads."""
        await self._transport.aclose()
        self._guard.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def checked(url: str) -> str:
    """An address that can be sent to.

    Raises:
        UsageError: it is no http(s) URL, or holds a user name, which would not be sent.
    """
    if re.match(r"[^/]*//[^/?#]*@", url):
        raise UsageError("a webhook's URL takes no user name and password: what is secret goes into its path or query")
    try:
        parse(url)
    except Failed as e:
        raise UsageError(f"{url!r} is no http(s) URL: {e.detail}") from e
    return url


def _request(url: str, body: bytes, headers: Mapping[str, str]) -> httpx.Request:
    usual = {"User-Agent": "defnews", "Content-Type": "application/json", "Connection": "close"}
    return httpx.Request("POST", parse(url), headers=usual | dict(headers), content=body)
