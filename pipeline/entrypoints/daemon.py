"""`defnews run`: the daemon. A ticker nudges its lanes; the page is served beside them; signals drain it."""

import asyncio
import time
from functools import partial
from typing import Any

import structlog

from pipeline.engine import Engine
from pipeline.entrypoints import wiring
from pipeline.entrypoints.alerts import AlertDuty, open_alerts
from pipeline.entrypoints.feeds import add_new_feeds
from pipeline.entrypoints.filling import Fillings
from pipeline.entrypoints.lanes import Lanes
from pipeline.entrypoints.options import Options
from pipeline.entrypoints.purging import cutoffs
from pipeline.entrypoints.serve import listening, serving
from pipeline.entrypoints.stopping import stop_event
from pipeline.entrypoints.upkeep import Upkeep
from pipeline.queue.lane import Lane
from pipeline.queue.ticker import Ticker
from pipeline.settings import Settings
from pipeline.store import Run, daemon_lock

log = structlog.get_logger()


class Daemon:
    """The lanes and the ticker of one process."""

    def __init__(self, engine: Engine, run: Run, settings: Settings, alerting: AlertDuty) -> None:
        self._settings = settings
        self._lanes = Lanes(engine, run, settings)
        self._upkeep = Upkeep(engine, settings, alerting)
        self._ticker = Ticker(engine.clock)
        self._ticked_at = time.monotonic()

    @property
    def counts(self) -> dict[str, int]:
        """What was done since the start."""
        return self._lanes.counts

    def health(self) -> dict[str, Any]:
        """How long ago the last tick was, how the ticks ended, and how much work failed in a way nobody expected."""
        age_s = round(time.monotonic() - self._ticked_at, 1)
        errors = self._lanes.errors + self._upkeep.errors
        return {"tick_age_s": age_s, "ticks": dict(self._ticker.counts), "unexpected_errors": errors}

    async def work(self, stop: asyncio.Event) -> None:
        """Work until told to stop; then start nothing more and let end what runs."""
        self._ticker.every(self._settings.poll.tick_s, "poll", partial(self._tick, self._lanes.polling))
        self._ticker.every(self._settings.ingest.tick_s, "ingest", partial(self._tick, self._lanes.ingesting))
        self._upkeep.join(self._ticker)
        self._ticker.start()
        try:
            await stop.wait()
        finally:
            self._ticker.stop()
            await asyncio.gather(self._lanes.drain(), self._upkeep.drain())

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
    with listening(settings) as listener:
        run = await engine.store.runs.start("daemon", engine.clock.now())
        async with (
            wiring.alive(engine.store, run, engine.clock) as counts,
            open_alerts(settings, engine.store, engine.clock) as alerting,
        ):
            daemon, fillings = Daemon(engine, run, settings, alerting), Fillings(engine, settings)
            async with serving(engine, settings, daemon.health, fillings, listener):
                stop = stop_event()
                await asyncio.gather(daemon.work(stop), fillings.work(stop))
                counts.update(daemon.counts)
    log.info("stopped", **counts)
