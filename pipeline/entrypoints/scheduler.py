"""`defnews scheduler`: nudges the workers of one PostgreSQL, and does what one process is enough for."""

from functools import partial

import structlog

from pipeline.engine import Engine
from pipeline.entrypoints import wiring
from pipeline.entrypoints.alerts import open_alerts
from pipeline.entrypoints.feeds import add_new_feeds
from pipeline.entrypoints.options import Options
from pipeline.entrypoints.purging import cutoffs
from pipeline.entrypoints.stopping import stop_event
from pipeline.entrypoints.upkeep import Upkeep
from pipeline.entrypoints.worker import queue_of
from pipeline.queue.nudges import Nudges
from pipeline.queue.ticker import Ticker

FORGET_EVERY_S = 60.0
log = structlog.get_logger()


class Nudging:
    """A nudge for every worker at each tick."""

    def __init__(self, engine: Engine, nudges: Nudges) -> None:
        self._engine, self._nudges = engine, nudges
        self._workers = -1

    async def tick(self, duty: str) -> None:
        """Have as many nudges in line as there are workers, all of which may look for work."""
        workers = await self._engine.store.runs.alive("worker", self._engine.clock.now())
        if workers != self._workers:
            self._workers = workers
            say = log.info if workers else log.warning
            say("workers", number=workers)
        await self._nudges.give(duty, workers)


async def schedule(options: Options) -> None:
    """Nudge the workers until SIGTERM or SIGINT.

    Raises:
        StoreError: the schema is another, or the queue's tables cannot be made.
        CommandError: the database is SQLite; a feed of `[retention]` is not known.
    """
    settings = options.settings()
    async with queue_of(settings) as nudges, wiring.open_engine(settings) as engine:
        await add_new_feeds(engine.store, options, engine.clock)
        await cutoffs(engine.store, settings.retention, engine.clock.now())
        run = await engine.store.runs.start("scheduler", engine.clock.now())
        async with (
            wiring.alive(engine.store, run, engine.clock),
            open_alerts(settings, engine.store, engine.clock) as alerting,
        ):
            upkeep, nudging, ticker = Upkeep(engine, settings, alerting), Nudging(engine, nudges), Ticker(engine.clock)
            ticker.every(settings.poll.tick_s, "poll", partial(nudging.tick, "poll"))
            ticker.every(settings.ingest.tick_s, "ingest", partial(nudging.tick, "ingest"))
            ticker.every(FORGET_EVERY_S, "forget", nudges.forget_lost)
            upkeep.join(ticker)
            ticker.start()
            try:
                await stop_event().wait()
            finally:
                ticker.stop()
                await upkeep.drain()
    log.info("stopped")
