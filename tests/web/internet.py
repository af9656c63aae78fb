"""The internet of these tests: scripted servers on loopback, names that lead there, a pace in memory, a fast clock."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from pipeline.model import Request, RequestKind, Rest, Robots, Turn
from pipeline.web import Web, WebLimits

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
AGENT = "defnews/1.0 (+https://defnews.example/bot)"


class FastClock:
    """A clock whose waiting takes no time: whoever sleeps moves it on."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        return self._now

    def advance_to(self, moment: datetime) -> None:
        self._now = max(self._now, moment)

    async def sleep(self, seconds: float) -> None:
        self._now = max(self._now, self._now + timedelta(seconds=seconds))
        await asyncio.sleep(0)


@dataclass
class Host:
    """What the pace knows of one host, and what was done with it."""

    next_at: datetime = START
    rest_until: datetime = START
    last_rest: Rest | None = None
    leased_until: datetime = START
    robots: Robots | None = None
    claims: list[datetime] = field(default_factory=list)
    releases: list[datetime] = field(default_factory=list)


class MemoryPace:
    """The pace as rows in memory."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self.questions = 0

    def __getitem__(self, host: str) -> Host:
        return self.hosts.setdefault(host, Host())

    async def claim(self, host: str, now: datetime, lease: timedelta) -> Turn:
        await asyncio.sleep(0)
        self.questions += 1
        row = self[host]
        free_at = max(row.next_at, row.rest_until)
        if free_at > now:
            return Turn(free_at)
        if row.leased_until > now:
            return Turn(now + timedelta(milliseconds=10))  # its end is not known
        row.leased_until = now + lease
        row.claims.append(now)
        return Turn(None, row.robots.crawl_delay if row.robots else None)

    async def release(self, host: str, next_at: datetime) -> None:
        await asyncio.sleep(0)
        row = self[host]
        row.leased_until = START
        row.next_at = next_at
        row.releases.append(next_at)

    async def rest(self, host: str, rest: Rest) -> None:
        row = self[host]
        row.rest_until, row.last_rest = max(row.rest_until, rest.until), rest

    async def last_rest(self, host: str) -> Rest | None:
        return self[host].last_rest

    async def robots(self, host: str) -> Robots | None:
        return self[host].robots

    async def keep_robots(self, host: str, robots: Robots) -> None:
        self[host].robots = robots


@dataclass(frozen=True)
class Asked:
    """A request as a server saw it."""

    path: str
    head: str
    body: bytes = b""

    def header(self, name: str) -> str | None:
        lines = (line.partition(":") for line in self.head.split("\r\n")[1:])
        return next((value.strip() for key, _, value in lines if key.lower() == name.lower()), None)


Answer = Callable[[Asked], "bytes | AsyncIterator[bytes]"]


@dataclass
class Site:
    """A running server."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    busy: int = 0
    most_busy: int = 0

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def url(self, path: str = "/", host: str = "news.example", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def key(self, host: str = "news.example") -> str:
        return f"{host}:{self.port}"


@asynccontextmanager
async def serving(
    answer: Answer | bytes, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Site]:
    """A server that answers each request by the script and then hangs up."""
    site = Site(0)
    open_connections: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        site.connections += 1
        task = cast("asyncio.Task[None]", asyncio.current_task())
        open_connections.add(task)
        task.add_done_callback(open_connections.discard)
        try:
            await _handle(site, answer, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass
        finally:
            site.busy = max(site.busy - 1, 0)
            writer.close()

    server = await asyncio.start_server(handle, host, 0, ssl=tls)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        for task in open_connections:
            task.cancel()
        await asyncio.gather(*open_connections, return_exceptions=True)


async def _handle(
    site: Site, answer: Answer | bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    site.busy += 1
    site.most_busy = max(site.busy, site.most_busy)
    asked = Asked(head.split(" ")[1], head)
    asked = replace(asked, body=await reader.readexactly(int(asked.header("content-length") or 0)))
    site.asked.append(asked)
    said = answer if isinstance(answer, bytes) else answer(asked)
    if isinstance(said, bytes):
        writer.write(said)
        await writer.drain()
        return
    async for part in said:
        writer.write(part)
        await writer.drain()


def reply(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP response; the header `Content_Length` may be overridden."""
    named = {"Content-Length": str(len(body))} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body


def moved(to: str, status: str = "302 Found") -> bytes:
    return reply(b"moved", status, Location=to)


async def silence(_: Asked) -> AsyncIterator[bytes]:
    """A server that takes the request and says nothing."""
    await asyncio.Event().wait()
    yield b""


async def drip(parts: Iterable[bytes], seconds: float) -> AsyncIterator[bytes]:
    """Parts of a response with a pause after each."""
    for part in parts:
        yield part
        await asyncio.sleep(seconds)


async def everywhere(host: str, port: int) -> Sequence[str]:
    """Every name leads to loopback."""
    return ["127.0.0.1"]


def limits(**changes: Any) -> WebLimits:
    known: dict[str, Any] = {
        "user_agent": AGENT,
        "host_delay": timedelta(seconds=5),
        "timeout": timedelta(seconds=5),
        "allow_private": ("127.0.0.0/8",),
    }
    return WebLimits(**known | changes)


def a_web(pace: MemoryPace | None = None, clock: FastClock | None = None, **changes: Any) -> Web:
    """A Web whose names all lead to loopback; what is given names what a test is about."""
    seams = {"resolve": everywhere} | {name: changes.pop(name) for name in ("resolve", "tls") if name in changes}
    return Web(limits(**changes), pace or MemoryPace(), clock or FastClock(), **seams)


def feed(url: str, **headers: str) -> Request:
    return Request(url, RequestKind.FEED, tuple((name.replace("_", "-"), value) for name, value in headers.items()))


def page(url: str) -> Request:
    return Request(url, RequestKind.PAGE)
