"""`defnews poll`: each due feed once, then everything that is new, until nothing is left to do now."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.engine import Engine
from pipeline.entrypoints import wiring
from pipeline.entrypoints.feeds import add_new_feeds
from pipeline.entrypoints.options import Options
from pipeline.ingest import IngestDuty
from pipeline.polling import PollDuty
from pipeline.queue.lane import Lane
from pipeline.settings import Settings
from pipeline.store import Forced, Run, live


@dataclass(frozen=True, slots=True)
class Summary:
    """What a poll did."""

    counts: Mapping[str, int]
    is_cut_off: bool  # at its end our own network was down


async def poll(options: Options, named: tuple[str, ...], *, is_all: bool) -> Summary:
    """Poll and ingest."""
    settings = options.settings()
    async with wiring.open_engine(settings) as engine:
        await add_new_feeds(engine.store, options, engine.clock)
        rows = await engine.store.feeds.named(named)
        run = await engine.store.runs.start("poll", engine.clock.now())
        ids = tuple(row.feed.id for row in rows) if named else None
        forced = Forced(run.started_at, ids) if named or is_all else None
        async with wiring.alive(engine.store, run, engine.clock) as counts:
            counts.update(await poll_once(engine, run, settings, forced))
            return Summary(dict(counts), engine.store.outages.is_down)


async def poll_once(engine: Engine, run: Run, settings: Settings, forced: Forced | None) -> dict[str, int]:
    """Poll what is due (or forced), then ingest; returns counts by outcome."""
    polling = PollDuty(engine, run.id, forced)
    async with Lane(polling, settings.poll.concurrency, engine.clock) as lane:
        await lane.run_dry()
    ingesting = IngestDuty(engine, run.id, live())
    async with Lane(ingesting, settings.ingest.concurrency, engine.clock) as lane:
        await lane.run_dry_with(lambda: engine.store.work.claimed_elsewhere(run.id, live()))
    found = polling.counts + ingesting.counts
    names = ("polled", "not_modified", "failed", "new", "stored", "defense", "duplicate", "dropped")
    return {**{name: found[name] for name in names}, "waiting": await engine.store.work.count_waiting(live())}
