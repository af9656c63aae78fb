"""`defnews serve`: the page and the API alone; the daemon has them too."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import structlog
import uvicorn

from pipeline.engine import Engine
from pipeline.entrypoints import api, wiring
from pipeline.entrypoints.api.serving import config_of
from pipeline.entrypoints.filling import Fillings
from pipeline.entrypoints.options import Options
from pipeline.entrypoints.stopping import stop_event
from pipeline.errors import CommandError
from pipeline.settings import Settings
from pipeline.store import redacted

PAGE_DRAIN_S = 3  # for readers of the page
log = structlog.get_logger()


async def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT; backfills that are started on the page run here.

    Raises:
        StoreError: the schema is another.
        CommandError: the address is taken.
    """
    settings = options.settings()
    with listening(settings) as listener:
        async with wiring.open_engine(settings) as engine:
            run = await engine.store.runs.start("serve", engine.clock.now())
            async with wiring.alive(engine.store, run, engine.clock):
                fillings, stop = Fillings(engine, settings), stop_event()
                async with serving(engine, settings, _health, fillings, listener):
                    await fillings.work(stop)
    log.info("stopped")


def _health() -> dict[str, Any]:
    """Who only serves has nothing to look for: that it answers is all that can be said."""
    return {"tick_age_s": 0.0, "ticks": {}, "unexpected_errors": 0}


@asynccontextmanager
async def serving(
    engine: Engine,
    settings: Settings,
    health: Callable[[], dict[str, Any]],
    fillings: Fillings,
    listener: socket.socket,
) -> AsyncIterator[None]:
    """The page and the API are served meanwhile; readers are given a moment at the end."""
    page = api.application(engine, settings, health, fillings)
    server = _Server(config_of(page, timeout_graceful_shutdown=PAGE_DRAIN_S))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    _say_where(settings)
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers: whoever serves decides when to stop."""

    def capture_signals(self) -> Any:
        """Leave the signals alone."""
        return nullcontext()


def listening(settings: Settings) -> socket.socket:
    """The socket of the page.

    Raises:
        CommandError: the address is taken.
    """
    host, port = settings.api.address
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as e:
        raise CommandError(f"cannot listen on {settings.api.listen}: {e.strerror} (set DEFNEWS_API__LISTEN)") from e


def _say_where(settings: Settings) -> None:
    sys.stderr.write(
        f"defnews is running\n  database  {redacted(settings.database_url)}\n"
        f"  page      http://{settings.api.listen}/\n  stop      Ctrl-C\n"
    )
    sys.stderr.flush()
