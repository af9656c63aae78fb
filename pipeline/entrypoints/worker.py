"""`defnews worker`: polls and ingests when a scheduler nudges; any number of them share one PostgreSQL."""

import asyncio
from functools import partial

import structlog

from pipeline.entrypoints import wiring
from pipeline.entrypoints.lanes import Lanes
from pipeline.entrypoints.options import Options
from pipeline.entrypoints.stopping import stop_event
from pipeline.errors import CommandError
from pipeline.queue.lane import Lane, Piece
from pipeline.queue.nudges import Nudges
from pipeline.settings import Settings
from pipeline.store import conninfo

log = structlog.get_logger()


def queue_of(settings: Settings) -> Nudges:
    """The queue of the settings' database.

    Raises:
        CommandError: it is SQLite.
    """
    address = conninfo(settings.database_url)
    if address is None:
        raise CommandError("several processes need PostgreSQL; with SQLite `defnews run` does all in one")
    return Nudges(address)


async def work(options: Options) -> None:
    """Poll and ingest as nudged until SIGTERM or SIGINT; then drain.

    Raises:
        StoreError: the schema is another, or the queue's tables cannot be made.
        CommandError: the database is SQLite.
    """
    settings = options.settings()
    async with queue_of(settings) as nudges, wiring.open_engine(settings) as engine:
        run = await engine.store.runs.start("worker", engine.clock.now())
        async with wiring.alive(engine.store, run, engine.clock) as counts:
            lanes, stop = Lanes(engine, run, settings), stop_event()
            calls = {"poll": partial(_nudged, lanes.polling), "ingest": partial(_nudged, lanes.ingesting)}
            async with asyncio.TaskGroup() as group:
                following = group.create_task(nudges.follow(calls))
                log.info("a worker is ready", run=run.id)
                try:
                    await stop.wait()
                finally:
                    following.cancel()
                    await lanes.drain()
            counts.update(lanes.counts)
    log.info("stopped", **counts)


async def _nudged(lane: Lane[Piece]) -> None:
    """Claim work, and take no other nudge before there is room for more: somebody else may have it."""
    await lane.nudge()
    await lane.has_room()
