"""The application behind a real server on loopback: what only raw bytes can ask."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any, cast

import pytest
import uvicorn

from pipeline.engine import Engine
from pipeline.entrypoints.api import application
from pipeline.entrypoints.api.serving import MOST_CONNECTIONS, Connection, config_of
from pipeline.entrypoints.filling import Fillings
from pipeline.settings import Settings
from pipeline.store import Store
from tests.conftest import StillClock
from tests.entrypoints.api.conftest import health


class Server(uvicorn.Server):
    """Uvicorn that leaves the signals alone, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.is_up.set()

    def capture_signals(self) -> Any:
        return nullcontext()


@asynccontextmanager
async def listening(store: Store, clock: StillClock, kind: type[Connection] = Connection) -> AsyncIterator[int]:
    """The port of a server of the application."""
    nothing = cast(Any, None)
    engine, settings = Engine(store, nothing, nothing, nothing, clock, nothing), Settings()
    app = application(engine, settings, health, Fillings(engine, settings))
    server = Server(config_of(app, host="127.0.0.1", port=0, http=kind))
    serving = asyncio.create_task(server.serve())
    await asyncio.wait_for(server.is_up.wait(), 10)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def say(port: int, *lines: str, body: bytes = b"") -> tuple[int, bytes]:
    """Send these lines as a request; returns the status and what follows the headers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join((*lines, "Connection: close", "", "")).encode() + body)
    head, _, rest = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]), rest


HERE = "Host: 127.0.0.1"
LABEL = b'{"article_id": 1, "label": "yes"}'
JSON = ("Content-Type: application/json", f"Content-Length: {len(LABEL)}")
ASKED = {
    "get": (("GET /api/v1/feeds HTTP/1.1", HERE), b"", 200),
    "head": (("HEAD /api/v1/feeds HTTP/1.1", HERE), b"", 200),
    "no host": (("GET / HTTP/1.0",), b"", 421),
    "another host": (("GET / HTTP/1.1", "Host: evil.example"), b"", 421),
    "two hosts": (("GET / HTTP/1.1", HERE, "Host: evil.example"), b"", 400),
    "an address in another host": (("GET http://127.0.0.1/ HTTP/1.1", "Host: evil.example"), b"", 421),
    "a label": (("POST /api/v1/labels HTTP/1.1", HERE, *JSON), LABEL, 404),
    "a forwarded label": (("POST /api/v1/labels HTTP/1.1", HERE, "X-Forwarded-For: 127.0.0.1", *JSON), LABEL, 403),
    "a label of HTTP/1.0": (("POST /api/v1/labels HTTP/1.0", HERE, *JSON), LABEL, 403),  # as some proxies send it
    "out of the static files": (("GET /static/../api/v1/feeds HTTP/1.1", HERE), b"", 404),
    "a line break in the path": (("GET /a%0d%0aSet-Cookie:x HTTP/1.1", HERE), b"", 404),
    "NUL in the path": (("GET /api/v1/%00 HTTP/1.1", HERE), b"", 404),
    "no UTF-8": (("GET /api/v1/articles?q=drills%ff%fe HTTP/1.1", HERE), b"", 200),
    "a long line": ((f"GET /api/v1/articles?q={'a' * 60_000} HTTP/1.1", HERE), b"", 422),
}


@pytest.mark.parametrize(("lines", "body", "status"), ASKED.values(), ids=ASKED)
async def test_raw_requests_get_an_answer_that_fits(
    lines: tuple[str, ...], body: bytes, status: int, filled: Store, clock: StillClock
) -> None:
    async with listening(filled, clock) as port:
        said, rest = await say(port, *lines, body=body)
    assert said == status
    assert (rest == b"") == lines[0].startswith("HEAD")


class Hasty(Connection):
    """Waits for nobody."""

    patience_s = 0.2


BEGUN = {
    "nothing": b"",
    "a line": b"GET / HTTP/1.1\r\nHost: 127",
    "a body": b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\na",
    "a second request": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET",
}


@pytest.mark.parametrize("begun", BEGUN.values(), ids=BEGUN)
async def test_who_sends_no_whole_request_is_left(begun: bytes, filled: Store, clock: StillClock) -> None:
    async with listening(filled, clock, Hasty) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        with suppress(ConnectionResetError):
            await asyncio.wait_for(reader.read(), 10)
        assert (await say(port, "GET /healthz HTTP/1.1", HERE))[0] == 200
        writer.close()


async def test_there_are_only_so_many_connections(filled: Store, clock: StillClock) -> None:
    async with listening(filled, clock) as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_CONNECTIONS)]
        with pytest.raises((ConnectionResetError, IndexError)):
            await say(port, "GET /healthz HTTP/1.1", HERE)
        idle[0][1].close()
        await idle[0][1].wait_closed()
        assert (await say(port, "GET /healthz HTTP/1.1", HERE))[0] == 200
        for _, writer in idle:
            writer.close()
