"""`defnews run`: the daemon. A ticker nudges its lanes; the page is served beside them; signals drain it."""

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from contextlib import nullcontext
from functools import partial
from typing import Any

import structlog
import uvicorn

from pipeline import pushing
from pipeline.engine import Engine
from pipeline.entrypoints import api, wiring
from pipeline.entrypoints.alerts import AT_ONCE, AlertDuty, open_alerts
from pipeline.entrypoints.api.serving import config_of
from pipeline.entrypoints.feeds import add_new_feeds
from pipeline.entrypoints.filling import Fillings
from pipeline.entrypoints.options import Options
from pipeline.entrypoints.purging import cutoffs
from pipeline.errors import CommandError
from pipeline.ingest import IngestDuty
from pipeline.polling import PollDuty
from pipeline.pushing import HubDuty
from pipeline.queue.lane import Lane
from pipeline.queue.ticker import Ticker
from pipeline.settings import Settings
from pipeline.store import Run, daemon_lock, redacted

DRAIN_S = 18.0  # for work under way
STOP_S = 28.0  # for the whole stop
PAGE_DRAIN_S = 3  # for readers of the page
MAINTENANCE_EVERY_S = 24 * 3600.0
log = structlog.get_logger()


class Daemon:
    """The lanes, the ticker and the page of one process."""

    def __init__(self, engine: Engine, run: Run, settings: Settings, alerting: AlertDuty) -> None:
        self._engine = engine
        self._run = run
        self._settings = settings
        self._polling = PollDuty(engine, run.id)
        self._ingesting = IngestDuty(engine, run.id)
        self._alerting = alerting
        self._lanes = (
            Lane(self._polling, settings.poll.concurrency, engine.clock),
            Lane(self._ingesting, settings.ingest.concurrency, engine.clock),
            Lane(alerting, AT_ONCE, engine.clock),
            Lane(HubDuty(engine), pushing.AT_ONCE, engine.clock),
        )
        self._ticker = Ticker(engine.clock)
        self._ticked_at = time.monotonic()

    @property
    def counts(self) -> dict[str, int]:
        """What was done since the start."""
        return dict(self._polling.counts + self._ingesting.counts)

    def health(self) -> dict[str, Any]:
        """How long ago the last tick was, how the ticks ended, and how much work failed in a way nobody expected."""
        age_s = round(time.monotonic() - self._ticked_at, 1)
        errors = sum(lane.errors for lane in self._lanes)
        return {"tick_age_s": age_s, "ticks": dict(self._ticker.counts), "unexpected_errors": errors}

    async def work(self, stop: asyncio.Event) -> None:
        """Work until told to stop; then start nothing more and let end what runs."""
        polling, ingesting, _, hubs = self._lanes
        self._ticker.every(self._settings.poll.tick_s, "poll", partial(self._tick, polling))
        self._ticker.every(self._settings.ingest.tick_s, "ingest", partial(self._tick, ingesting))
        self._ticker.every(self._settings.alerts.tick_s, "alerts", self._alert)
        self._ticker.every(pushing.TICK_S, "hubs", hubs.nudge)
        self._ticker.every(MAINTENANCE_EVERY_S, "maintenance", self._maintain)
        self._ticker.start()
        try:
            await stop.wait()
        finally:
            self._ticker.stop()
            await asyncio.gather(*(lane.drain(DRAIN_S) for lane in self._lanes))

    async def _maintain(self) -> None:
        await self._engine.store.db.optimize()
        await wiring.forget_old_pages(self._engine, self._settings)
        now = self._engine.clock.now()
        await self._engine.store.saved.forget(now)
        before = await cutoffs(self._engine.store, self._settings.retention, now)
        if purged := await self._engine.store.retention.purge(before, now):
            log.info("texts purged", articles=purged)

    async def _alert(self) -> None:
        await self._alerting.collect()
        await self._lanes[2].nudge()

    async def _tick(self, lane: Lane[Any]) -> None:
        self._ticked_at = time.monotonic()
        await lane.nudge()


async def run(options: Options) -> None:
    """Run the daemon until SIGTERM or SIGINT.

    Raises:
        StoreError: another daemon runs on the same SQLite file, or the schema is another.
        CommandError: the page's address is taken; a feed of `[retention]` is not known.
    """
    settings = options.settings()
    with daemon_lock(settings.database_url):
        async with wiring.open_engine(settings) as engine:
            await add_new_feeds(engine.store, options, engine.clock)
            await cutoffs(engine.store, settings.retention, engine.clock.now())  # rather now than once a day in the log
            await serve_until_stopped(engine, settings)


async def serve_until_stopped(engine: Engine, settings: Settings) -> None:
    """Poll, ingest and serve the page until SIGTERM or SIGINT; then drain."""
    with _listen(settings) as listener:
        run = await engine.store.runs.start("daemon", engine.clock.now())
        async with (
            wiring.alive(engine.store, run, engine.clock) as counts,
            open_alerts(settings, engine.store, engine.clock) as alerting,
        ):
            daemon, fillings = Daemon(engine, run, settings, alerting), Fillings(engine, settings)
            page = api.application(engine, settings, daemon.health, fillings)
            server = _Server(config_of(page, timeout_graceful_shutdown=PAGE_DRAIN_S))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            _say_where(settings)
            stop = _stop_event()
            await asyncio.gather(daemon.work(stop), fillings.work(stop))
            counts.update(daemon.counts)
            server.should_exit = True
            await serving
    log.info("stopped", **counts)


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers: the daemon decides when to stop."""

    def capture_signals(self) -> Any:
        """Leave the signals alone."""
        return nullcontext()


def _stop_event() -> asyncio.Event:
    """Set by SIGINT and SIGTERM; from then on the process ends in time, even if the database hangs."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def begin() -> None:
        if not stop.is_set():
            stop.set()
            last_resort = threading.Timer(STOP_S, _leave)
            last_resort.daemon = True
            last_resort.start()

    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, begin)
    return stop


def _leave() -> None:
    log.error("something hangs, and is left behind; claims are free after 30 s")
    os._exit(0)


def _listen(settings: Settings) -> socket.socket:
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
