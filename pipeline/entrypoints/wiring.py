"""Wiring: settings -> the parts of the flow, put together; logs, signals and heartbeats of every command."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping, MutableMapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import structlog

from pipeline.clock import Clock, SystemClock
from pipeline.compute import Compute
from pipeline.errors import CommandError
from pipeline.ingest import Engine
from pipeline.settings import Settings, WebSettings, load, load_feeds
from pipeline.stages import classify
from pipeline.stages.poll import PollPolicy
from pipeline.store import BEAT_EVERY, Run, Store, open_store
from pipeline.web import Web, WebLimits

Result = TypeVar("Result")
PRELOADED = ("pipeline.stages.extract", "pipeline.stages.poll")  # by the worker processes, before the first task


@dataclass(frozen=True, slots=True)
class Options:
    """What stands before the command's name."""

    config: Path | None = None
    verbosity: int = 0  # -q is negative

    def settings(self) -> Settings:
        """The settings, with logs set up by them.

        Raises:
            UsageError: they are wrong.
        """
        settings = load(self.config)
        set_up_logs(settings, self.verbosity)
        return settings


class Interrupted(Exception):  # noqa: N818 - not an error
    """A signal ended the command."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_code = 128 + signum


def run_async(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a command; SIGINT and SIGTERM cancel it, so that it cleans up.

    Raises:
        Interrupted: a signal came.
    """
    return asyncio.run(_until_signal(main))


async def _until_signal(main: Coroutine[Any, Any, Result]) -> Result:
    task = asyncio.ensure_future(main)
    caught: list[int] = []

    def stop(signum: int) -> None:
        caught.append(signum)
        task.cancel()

    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop, signum)
    try:
        return await task
    except asyncio.CancelledError:
        if caught:
            raise Interrupted(caught[0]) from None
        raise


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


def make_classifier(settings: Settings) -> classify.Classifier:
    """The classifier that the settings name."""
    return classify.load(settings.classify.classifier, (settings.review.low, settings.review.high))


@asynccontextmanager
async def open_engine(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Engine]:
    """All parts of the flow."""
    clock = clock or SystemClock()
    classifier = make_classifier(settings)
    policy = PollPolicy(
        min_interval=timedelta(seconds=settings.poll.min_interval_s),
        max_interval=timedelta(seconds=settings.poll.max_interval_s),
        interval=timedelta(seconds=settings.poll.interval_s),
    )
    async with (
        await open_store(settings.database_url) as store,
        Web(web_limits(settings.web), store.hosts, clock) as web,
        make_compute(settings) as compute,
    ):
        yield Engine(store, web, compute, classifier, clock, policy)


async def add_new_feeds(store: Store, options: Options, clock: Clock) -> None:
    """Add the feeds of feeds.toml that this database has never seen."""
    new = await store.feeds.add(load_feeds(options.config), clock.now())
    if new:
        structlog.get_logger().info("feeds added", count=len(new))


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
        with suppress(asyncio.CancelledError):
            await beating
        await asyncio.shield(store.runs.end(run.id, state, clock.now(), counts))


async def _beat(store: Store, run: Run, clock: Clock) -> None:
    while True:
        await store.runs.beat(run.id, clock.now())
        await asyncio.sleep(BEAT_EVERY.total_seconds())


def set_up_logs(settings: Settings, verbosity: int = 0) -> None:
    """Logs go to stderr: text on a terminal, JSON lines elsewhere unless the settings say otherwise."""
    levels = ("debug", "info", "warning", "error")
    index = min(max(levels.index(settings.log.level) - verbosity, 0), len(levels) - 1)
    is_text = settings.log.format == "text" or (settings.log.format == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if is_text
        else structlog.processors.JSONRenderer(default=str)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_controls,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, levels[index].upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for noisy in ("trafilatura", "htmldate", "apscheduler", "httpx"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)


def _without_controls(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Foreign text cannot steer a terminal, and empty fields are left out."""
    clean = {
        k: "".join(c if c.isprintable() else " " for c in v) if isinstance(v, str) else v for k, v in event.items()
    }
    return {k: v for k, v in clean.items() if v is not None}


def require_known(named: tuple[str, ...], found: int) -> None:
    """Every feed that the user named exists.

    Raises:
        CommandError: fewer were found than named.
    """
    if named and found < len(set(named)):
        raise CommandError(
            f"no such feed among: {', '.join(named)} (ids, URLs and titles are known to `defnews feeds list`)"
        )
