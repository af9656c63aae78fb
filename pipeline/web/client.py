"""The web as the rest of defnews sees it: Request -> Response, politely, within limits, to public addresses only."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType, TracebackType
from typing import Self

import structlog

from pipeline.clock import Clock
from pipeline.errors import WebError
from pipeline.model import Request, RequestKind, Response
from pipeline.web.decode import Body
from pipeline.web.exchange import Budget, Exchange, parse
from pipeline.web.failure import Failed, Reason
from pipeline.web.guard import ANYWHERE, AddressPolicy, GuardedBackend, Resolve
from pipeline.web.http import OneShotTransport, httpx
from pipeline.web.politeness import Pace, Politeness
from pipeline.web.robots import MAX_BYTES as ROBOTS_MAX_BYTES
from pipeline.web.robots import RobotsFiles, Rules

LEASE_MARGIN = timedelta(seconds=30)  # a host stays ours so much longer than an exchange may take

_OBEYS_ROBOTS = frozenset({RequestKind.PAGE, RequestKind.ARCHIVE})
_MAX_BYTES = MappingProxyType(
    {
        RequestKind.FEED: 15_000_000,
        RequestKind.PAGE: 5_000_000,
        RequestKind.ARCHIVE: 50_000_000,
        RequestKind.DATASET: 50_000_000,
        RequestKind.HUB: 100_000,
    }
)
_BODILESS = frozenset({204, 304})  # whatever their Content-Length and Content-Encoding speak of
_USUAL_HEADERS = (("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate"), ("Connection", "close"))
_FORM = ("Content-Type", "application/x-www-form-urlencoded")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WebLimits:
    """How we appear on the web, and what we take from it."""

    user_agent: str  # product/version (+contact): the product is how robots.txt addresses us
    host_delay: timedelta  # between two requests to a host, at least
    timeout: timedelta  # of an exchange with all its hops; waiting for a host's turn is not counted
    allow_private: tuple[str, ...] = ()  # hosts or CIDRs that may be private or loopback
    proxy: str | None = None  # then it decides what addresses are opened, not we
    max_redirects: int = 5
    max_connections: int = 1000  # a bound on what lanes add up to
    max_bytes: Mapping[RequestKind, int] = field(default_factory=lambda: _MAX_BYTES)  # on the wire, and decoded
    max_ratio: int = 100  # decoded bytes for one on the wire
    min_rate: int = 500  # bytes in a second, once `grace` is over
    grace: timedelta = timedelta(seconds=5)


class Web:
    """Sends requests: one at a time to a host, many hosts at once."""

    def __init__(
        self,
        limits: WebLimits,
        pace: Pace,
        clock: Clock,
        *,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        """Set up; nothing is sent yet.

        `tls` and `resolve` stand in for the system's certificates and its resolver.

        Raises:
            UsageError: `allow_private` or `proxy` cannot be understood.
        """
        self._limits = limits
        self._clock = clock
        self._politeness = Politeness(pace, clock, limits.host_delay, limits.timeout + LEASE_MARGIN)
        self._robots = RobotsFiles(self._politeness, clock, limits.user_agent.partition("/")[0], self._ask_for_robots)
        self._guard = GuardedBackend(AddressPolicy(ANYWHERE if limits.proxy else limits.allow_private), resolve)
        self._transport = OneShotTransport(self._guard, tls, limits.proxy)
        self._places = asyncio.Semaphore(limits.max_connections)
        if limits.proxy:
            log.warning("the proxy decides which addresses are opened: web.allow_private has no effect")

    async def send(self, request: Request) -> Response:
        """Send a request, when it is its host's turn, and follow it to its final response of any status.

        Raises:
            WebError: no usable response; `retryable` unless the same request must fail again.
        """
        subject = request.url
        try:
            url = parse(request.url)
            subject = str(url)
            budget = self._budget(self._limits.max_bytes[request.kind])
            exchange = Exchange(url, request.headers, budget, request.form)
            response = await self._follow(exchange, obeys_robots=request.kind in _OBEYS_ROBOTS)
        except Failed as e:
            log.debug("request failed", url=subject, kind=request.kind.value, reason=e.reason.value, detail=e.detail)
            raise WebError(
                subject, e.reason.value, detail=e.detail, retryable=e.reason.retryable, retry_at=e.retry_at
            ) from e
        log.debug(
            "request", url=response.url, kind=request.kind.value, status=response.status, bytes=len(response.body),
            hops=len(response.hops),
        )  # fmt: skip
        return response

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

    async def _follow(self, exchange: Exchange, *, obeys_robots: bool) -> Response:
        """Go from host to host, each in its turn."""
        while True:
            rules = await self._robots.rules(str(exchange.url)) if obeys_robots else None
            _obey(rules, exchange)
            async with self._politeness.turn(exchange.host):
                response = await self._ask_host(exchange, rules)
            if response is not None:
                return response

    async def _ask_host(self, exchange: Exchange, rules: Rules | None) -> Response | None:
        """The final response; None when it is another host's to give."""
        host = exchange.host
        while exchange.host == host:
            _obey(rules, exchange)
            response = await self._hop(exchange)
            if response is not None:
                await self._politeness.rest_after(host, response)
                return response
        return None

    async def _hop(self, exchange: Exchange) -> Response | None:
        """One request: its response, or None when that only points elsewhere."""
        request = _request(exchange, self._introduced(exchange.headers))
        async with self._places, exchange.running(), self._transport.asking(request) as reply:
            if reply.has_redirect_location:
                exchange.redirect(reply.status_code, reply.headers["location"])
                return None
            body = b"" if reply.status_code in _BODILESS else await self._body(reply, exchange)
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in reply.headers.raw)
        return Response(str(exchange.url), reply.status_code, headers, body, self._clock.now(), exchange.hops)

    async def _body(self, reply: httpx.Response, exchange: Exchange) -> bytes:
        budget = exchange.budget
        body = Body(reply.headers.get("content-encoding", ""), budget.max_bytes, self._limits.max_ratio)
        try:
            if not budget.cut:
                body.expect(reply.headers.get("content-length"))
            async for chunk in _fast_enough(reply.aiter_raw(), self._limits):
                body.feed(chunk)
        except Failed as e:
            if budget.cut and e.reason is Reason.TOO_LARGE:
                log.info("body cut", url=str(exchange.url), bytes=budget.max_bytes)
                return body.so_far()
            raise
        return body.end()

    def _introduced(self, headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """The headers of a request with those that each one needs."""
        given = {name.lower() for name, _ in headers}
        usual = (("User-Agent", self._limits.user_agent), *_USUAL_HEADERS)
        return (*((name, value) for name, value in usual if name.lower() not in given), *headers)

    def _budget(self, max_bytes: int, *, cut: bool = False) -> Budget:
        return Budget(self._limits.timeout.total_seconds(), self._limits.max_redirects, max_bytes, cut)

    async def _ask_for_robots(self, url: str) -> Response:
        exchange = Exchange(parse(url), (), self._budget(ROBOTS_MAX_BYTES, cut=True))
        return await self._follow(exchange, obeys_robots=False)


async def _fast_enough(chunks: AsyncIterator[bytes], limits: WebLimits) -> AsyncIterator[bytes]:
    """The chunks, as long as they come at the rate that is asked of them."""
    loop = asyncio.get_running_loop()
    started, size = 0.0, 0
    async for chunk in chunks:
        started = started or loop.time()  # a server may think before it speaks
        elapsed = loop.time() - started
        if elapsed > limits.grace.total_seconds() and size < limits.min_rate * elapsed:
            raise Failed(Reason.TOO_SLOW, f"{size} bytes in {elapsed:.1f} s")
        size += len(chunk)
        yield chunk


def _obey(rules: Rules | None, exchange: Exchange) -> None:
    if rules is not None and not rules.allow(str(exchange.url)):
        raise Failed(Reason.ROBOTS_DISALLOWED, str(exchange.url))


def _request(exchange: Exchange, headers: tuple[tuple[str, str], ...]) -> httpx.Request:
    if exchange.form is None:
        return httpx.Request("GET", exchange.url, headers=_encoded(headers))
    return httpx.Request("POST", exchange.url, headers=_encoded((*headers, _FORM)), content=exchange.form)


def _encoded(headers: tuple[tuple[str, str], ...]) -> list[tuple[bytes, bytes]]:
    """Headers as bytes: the way back of how a response's are read, so that validators stay what they were."""
    try:
        return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
    except UnicodeEncodeError as e:
        raise Failed(Reason.BAD_REQUEST, f"header with {e.object[e.start : e.end]!r}") from e
