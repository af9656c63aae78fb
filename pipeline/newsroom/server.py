"""The newsroom over real HTTP/1.1 on loopback: every site has an address of its own."""

import asyncio
import errno
import gzip
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import urlsplit

from pipeline.newsroom.documents import Document, document
from pipeline.newsroom.faults import Answer, Fault, FaultKind, Headers, Line, misbehave, write
from pipeline.newsroom.hub import PATH, Hub
from pipeline.newsroom.room import Late, Newsroom, RoomArticle
from pipeline.newsroom.sites import SITES
from pipeline.newsroom.texts import Text

LARGEST_HEAD = 65_536  # bytes of a request
ATTEMPTS = 20  # to find a port that is free at every address


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came, and how it was answered."""

    at: float  # seconds of the event loop's clock
    method: str
    host: str  # address:port that was connected to
    target: str  # path and query, verbatim
    headers: Headers  # names in lower case, values verbatim
    status: int | None  # None: a fault that answers nothing
    fault: str | None = None

    @property
    def url(self) -> str:
        """The absolute URL that was asked for."""
        return f"http://{self.host}{self.target}"

    def header(self, name: str) -> str | None:
        """The first value of a request header, verbatim."""
        return next((value for key, value in self.headers if key == name.lower()), None)


class Server:
    """A running newsroom: what it saw, and how to change what it says."""

    def __init__(self, room: Newsroom) -> None:
        self.room = room
        self.log: list[Seen] = []
        self.hub = Hub()
        self._faults: dict[str, Fault] = dict(room.faults)
        self._cache: dict[tuple[str, str], Document] = {}

    def fault(self, url: str, fault: Fault | None) -> None:
        """Misbehave on a URL (its query does not matter), or on a whole site when `url` has no path; None lifts it."""
        parts = urlsplit(url)
        key = f"{parts.scheme}://{parts.netloc}{parts.path}"
        if fault is None:
            self._faults.pop(key, None)
        else:
            self._faults[key] = fault

    def publish(self, text: Text, site: str, published_at: datetime) -> RoomArticle:
        """Let a site publish one more article: its feeds, lists and sitemaps hold it from now on."""
        self.room = self.room.with_late(Late(text, site, published_at))
        self._cache.clear()
        return next(article for article in self.room.articles if (article.site, article.key) == (site, text.key))

    async def push(self, feed: str, method: str = "sha256") -> list[int]:
        """Let the hub push a feed as it is now; returns how its subscribers answered, 0: not at all."""
        parts = urlsplit(feed)
        origin = f"{parts.scheme}://{parts.netloc}"
        found = self.document(origin, parts.path)
        links = f'<{origin}{PATH}>; rel="hub", <{feed}>; rel="self"'
        return await self.hub.push(feed, found.body, (("Content-Type", found.type), ("Link", links)), method)

    def requests(self, url: str) -> tuple[Seen, ...]:
        """What was asked of a URL, in order; a URL without a query matches any."""
        return tuple(seen for seen in self.log if url in {seen.url, seen.url.partition("?")[0]})

    def document(self, origin: str, target: str) -> Document:
        """What a site holds at a path, with its query."""
        found = self._cache.get((origin, target))
        if found is None:
            found = document(self.room, origin, target)
            if len(self._cache) < 5_000:
                self._cache[origin, target] = found
        return found

    def take_fault(self, origin: str, path: str) -> Fault | None:
        """The fault of this request, counted down."""
        for key in (origin + path, origin):
            fault = self._faults.get(key)
            if fault is None:
                continue
            if fault.count is None:
                return fault
            if fault.count > 0:
                self._faults[key] = replace(fault, count=fault.count - 1)
                return fault
        return None


@asynccontextmanager
async def serve(room: Newsroom, port: int = 0) -> AsyncIterator[Server]:
    """Serve a room until the block ends; `server.room` is the room at the addresses that were bound.

    Raises:
        OSError: the given port is taken.
    """
    sockets = bind(port)
    origins = tuple("http://{}:{}".format(*listening.getsockname()) for listening in sockets)
    server = Server(room.at_origins(origins))
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.ensure_future(_converse(server, Line(reader, writer)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listeners = [await asyncio.start_server(connected, sock=sock, limit=LARGEST_HEAD) for sock in sockets]
    try:
        yield server
    finally:
        for listener in listeners:
            listener.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # lets the aborted connections close


def bind(port: int = 0, address: str = "127.77.0.{}") -> tuple[socket.socket, ...]:
    """One listening socket a site: numbered addresses on one shared port.

    Where such addresses do not exist (macOS), 127.0.0.1 with a port for each site.

    Raises:
        OSError: the given port is taken.
    """
    for attempt in range(ATTEMPTS):
        bound: list[socket.socket] = []
        try:
            for number in range(1, len(SITES) + 1):
                shared = bound[0].getsockname()[1] if bound else port
                bound.append(socket.create_server((address.format(number), shared), backlog=512))
        except OSError as error:
            for sock in bound:
                sock.close()
            if error.errno == errno.EADDRNOTAVAIL:
                return _bind_on_ports(port)
            if port or attempt == ATTEMPTS - 1:
                raise
        else:
            return tuple(bound)
    raise OSError(errno.EADDRINUSE, "no port is free at every address")


def _bind_on_ports(port: int) -> tuple[socket.socket, ...]:
    return tuple(
        socket.create_server(("127.0.0.1", port + number if port else 0), backlog=512) for number in range(len(SITES))
    )


async def _converse(server: Server, line: Line) -> None:
    """One connection: request after request, until either side has enough."""
    host = "{}:{}".format(*line.writer.get_extra_info("sockname"))
    try:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while await _exchange(server, host, line):
                pass
        line.writer.close()
    except asyncio.CancelledError:
        line.writer.transport.abort()
        raise


async def _exchange(server: Server, host: str, line: Line) -> bool:
    """One request and its answer; whether the connection can serve another."""
    asked, *rows = (await line.reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in (row.partition(":") for row in rows))
    words = asked.split(" ")
    if words[0] == "POST" and words[1:2] == [PATH]:
        return await _subscribe(server, host, line, headers)
    if len(words) != 3 or words[0] not in {"GET", "HEAD"}:
        await write(line, Answer(405 if len(words) == 3 else 400, (("Allow", "GET, HEAD"), ("Connection", "close"))))
        return False
    method, target, version = words
    origin, path = f"http://{host}", target.partition("?")[0]
    wanted = dict(reversed(headers))
    keeps = version == "HTTP/1.1" and wanted.get("connection", "").lower() != "close"
    fault = server.take_fault(origin, path)
    if fault:  # what misbehaves has a body to do it with
        wanted = {name: value for name, value in wanted.items() if not name.startswith("if-")}
    answer = answer_to(server.document(origin, target), wanted, is_head=method == "HEAD")
    at = asyncio.get_running_loop().time()
    seen = Seen(at, method, host, target, headers, _status(fault, answer), fault.kind if fault else None)
    server.log.append(seen)
    if fault:
        return await misbehave(fault, line, answer, target) and keeps
    await write(line, answer)
    return keeps


async def _subscribe(server: Server, host: str, line: Line, headers: Headers) -> bool:
    """A request to the hub."""
    form = await line.reader.readexactly(int(dict(headers).get("content-length", "0")))
    fault = server.take_fault(f"http://{host}", PATH)
    answer = Answer(server.hub.take(form) if fault is None else fault.status, (("Connection", "close"),))
    at = asyncio.get_running_loop().time()
    server.log.append(Seen(at, "POST", host, PATH, headers, answer.status, fault.kind if fault else None))
    await write(line, answer)
    return False


def answer_to(found: Document, wanted: dict[str, str], *, is_head: bool) -> Answer:
    """A document as the request's headers want it: conditional (RFC 9110 section 13), gzipped when accepted."""
    headers = [("Content-Type", found.type), ("Vary", "Accept-Encoding"), *found.headers]
    body, tag = found.body, found.etag
    if "gzip" in wanted.get("accept-encoding", "") and found.is_text:
        body, tag = gzip.compress(body, 6, mtime=0), tag[:-1] + '-gzip"'
    if found.status == 200:
        headers.append(("ETag", tag))
        if found.modified_at:
            headers.append(("Last-Modified", format_datetime(found.modified_at, usegmt=True)))
        if is_fresh(found, wanted):
            return Answer(304, tuple(headers[1:]), is_head=is_head)
    if body is not found.body:
        headers.append(("Content-Encoding", "gzip"))
    return Answer(found.status, tuple(headers), body, is_head)


def is_fresh(found: Document, wanted: dict[str, str]) -> bool:
    """Whether the client holds this document already; If-None-Match comes before If-Modified-Since."""
    if (tags := wanted.get("if-none-match")) is not None:
        given = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return bool(given & {"*", found.etag, found.etag[:-1] + '-gzip"'})
    since = wanted.get("if-modified-since")
    if since is None or found.modified_at is None:
        return False
    try:
        return found.modified_at <= parsedate_to_datetime(since)
    except (TypeError, ValueError):
        return False


def _status(fault: Fault | None, answer: Answer) -> int | None:
    if fault is None:
        return answer.status
    special = {
        FaultKind.STATUS: fault.status,
        FaultKind.LOOP: 302,
        FaultKind.BOMB: 200,
        FaultKind.RESET: None,
        FaultKind.HANG: None,
    }
    return special.get(fault.kind, answer.status)
