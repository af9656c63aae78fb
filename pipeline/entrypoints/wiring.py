"""Wiring: settings -> the parts of the flow, put together; and the heartbeat of a run."""

import asyncio
import gc
import os
import resource
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import structlog

from pipeline.clock import Clock, SystemClock
from pipeline.compute import Compute
from pipeline.engine import Engine
from pipeline.entrypoints.classifier import make_classifier
from pipeline.errors import StoreError
from pipeline.settings import Settings
from pipeline.settings.sections import NOBODY, WebSettings
from pipeline.stages.schedule import PollPolicy, first_price
from pipeline.store import BEAT_EVERY, PageFiles, Run, Store, open_store
from pipeline.web import Endpoint, SecondReader, Web, WebLimits

log = structlog.get_logger()
LAST_WORD_S = 5.0  # for the end of a run to be recorded
PRELOADED = ("pipeline.stages.extract", "pipeline.stages.poll")  # by the worker processes, before the first task


def web_limits(web: WebSettings) -> WebLimits:
    """The [web] settings as the web wants them."""
    return WebLimits(
        user_agent=web.user_agent,
        host_delay=timedelta(seconds=web.host_delay_s),
        timeout=timedelta(seconds=web.timeout_s),
        allow_private=web.allow_private,
        proxy=web.proxy,
    )


def make_compute(settings: Settings) -> Compute:
    """The process pool, not yet started."""
    return Compute(
        workers=settings.compute.workers or os.cpu_count() or 1,
        deadline=timedelta(seconds=settings.compute.deadline_s),
        recycle_after=settings.compute.recycle_after,
        preload=PRELOADED,
    )


@asynccontextmanager
async def open_pages(settings: Settings) -> AsyncIterator[PageFiles | None]:
    """The files of kept pages; None when the settings name no directory."""
    if not settings.pages.directory:
        yield None
        return
    files = PageFiles(Path(settings.pages.directory))
    try:
        yield files
    finally:
        files.close()


OTHER_FILES = 200  # database, worker processes, the page


def allow_files(wanted: int) -> None:
    """Let this process open so many files, connections included, if the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        if most < wanted:
            log.warning("few files may be open: lower poll.concurrency", may=most, wanted=wanted)


@asynccontextmanager
async def open_second_reader(settings: Settings, store: Store, clock: Clock) -> AsyncIterator[SecondReader | None]:
    """The second reader of uncertain articles; None when the settings name none."""
    asked = settings.second_reader
    if not asked.url:
        yield None
        return
    endpoint = Endpoint(
        url=asked.url,
        model=asked.model,
        api_key=asked.api_key.get_secret_value() if asked.api_key else None,
        timeout=timedelta(seconds=asked.timeout_s),
        budget_a_day=asked.budget_a_day,
        max_characters=asked.max_characters,
    )
    async with SecondReader(endpoint, store.verdicts.given, clock) as reader:
        yield reader


@asynccontextmanager
async def open_engine(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Engine]:
    """All parts of the flow."""
    clock = clock or SystemClock()
    if settings.web.user_agent == NOBODY:
        log.warning("set [web] user_agent: publishers cannot reach you under the one that ships")
    allow_files(settings.poll.concurrency + settings.ingest.concurrency + OTHER_FILES)
    classifier = make_classifier(settings)
    interval = timedelta(seconds=settings.poll.interval_s)
    policy = PollPolicy(
        min_interval=timedelta(seconds=settings.poll.min_interval_s),
        max_interval=timedelta(seconds=settings.poll.max_interval_s),
        interval=interval,
        price=first_price(interval),
    )
    async with (
        await open_store(settings.database_url) as store,
        Web(web_limits(settings.web), store.hosts, clock) as web,
        make_compute(settings) as compute,
        open_second_reader(settings, store, clock) as second_reader,
        open_pages(settings) as pages,
    ):
        engine = Engine(store, web, compute, classifier, clock, policy, second_reader, pages)
        gc.collect()
        gc.freeze()  # models and modules stay: the collector need not go through them time and again
        yield replace(
            engine,
            has_site_memory=settings.ingest.site_memory,
            trusts_feeds=settings.ingest.trust_feeds,
            callback=settings.api.callback,
        )


async def forget_old_pages(engine: Engine, settings: Settings) -> None:
    """Delete the kept pages that are older than the settings want them."""
    if engine.pages is None or not settings.pages.keep_days:
        return
    first = engine.clock.now().date() - timedelta(days=settings.pages.keep_days)
    await engine.store.pages.forget_before(first)
    if removed := await engine.pages.remove_before(first):
        log.info("kept pages deleted", files=removed, before=first.isoformat())


@asynccontextmanager
async def alive(store: Store, run: Run, clock: Clock) -> AsyncIterator[dict[str, int]]:
    """Beat for a run while it works, and end it: done, waiting (for retries), failed, or interrupted.

    Yields:
        The counts that are stored with its end.
    """
    counts: dict[str, int] = {}
    beating = asyncio.create_task(_beat(store, run, clock))
    state = "failed"
    try:
        yield counts
        state = "waiting" if run.kind == "backfill" and counts.get("waiting") else "done"
    except asyncio.CancelledError:
        state = "interrupted"
        raise
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        await asyncio.shield(_end(store, run, state, clock, counts))


async def _beat(store: Store, run: Run, clock: Clock) -> None:
    while True:
        try:
            await store.runs.beat(run.id, clock.now())
        except StoreError as error:  # it comes back, or the run is taken for dead: nothing is lost
            log.warning("no heartbeat", run=run.id, error=str(error))
        await asyncio.sleep(BEAT_EVERY.total_seconds())


async def _end(store: Store, run: Run, state: str, clock: Clock, counts: Mapping[str, int]) -> None:
    try:
        async with asyncio.timeout(LAST_WORD_S):
            await store.runs.end(run.id, state, clock.now(), counts)
    except (StoreError, TimeoutError) as error:
        log.error("the run's end is not recorded; its claims are free after 30 s", run=run.id, error=str(error))
