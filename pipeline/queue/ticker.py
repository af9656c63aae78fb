"""The ticker: APScheduler with one job a duty; it only nudges, so a lost or doubled tick is harmless."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from pipeline.clock import Clock

WATCH_EVERY_S = 5.0
log = structlog.get_logger()
_NAMES = {
    EVENT_JOB_EXECUTED: "done",
    EVENT_JOB_ERROR: "error",
    EVENT_JOB_MISSED: "missed",
    EVENT_JOB_MAX_INSTANCES: "overrun",
}


class Ticker:
    """Calls each duty at its interval, in UTC, never twice at once, never dropping a late tick."""

    def __init__(self, clock: Clock, watch_every_s: float = WATCH_EVERY_S) -> None:
        self._clock, self._watch_every_s = clock, watch_every_s
        self._watching: asyncio.Task[None] | None = None
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = AsyncIOScheduler(timezone="UTC", job_defaults=defaults)
        self._scheduler.add_listener(self._count, sum(_NAMES))
        self.counts: Counter[str] = Counter()  # "poll/done", "poll/error", "poll/missed", "poll/overrun" ...

    def every(self, seconds: float, name: str, duty: Callable[[], Awaitable[Any]]) -> None:
        """Add a duty; it is called at once, then at its interval."""
        trigger = IntervalTrigger(seconds=seconds, timezone="UTC")
        self._scheduler.add_job(duty, trigger, id=name, next_run_time=self._clock.now())

    def start(self) -> None:
        """Tick from now on, in the running event loop."""
        self._scheduler.start()
        self._watching = asyncio.create_task(self._watch())

    def stop(self) -> None:
        """Tick no more. APScheduler cancels what a tick still runs: duties only start work, they do not do it."""
        if self._watching is not None:
            self._watching.cancel()
        self._scheduler.shutdown(wait=False)

    async def _watch(self) -> None:
        """Call all duties when the clock was set back: APScheduler would wait until it is as late as before."""
        last = self._clock.now()
        while True:
            await asyncio.sleep(self._watch_every_s)
            now = self._clock.now()
            if now < last:
                log.warning("the clock was set back", by_s=round((last - now).total_seconds()))
                for job in self._scheduler.get_jobs():
                    job.modify(next_run_time=now)
            last = now

    def _count(self, event: Any) -> None:
        outcome = _NAMES[event.code]
        self.counts[f"{event.job_id}/{outcome}"] += 1
        if outcome != "done":
            error = getattr(event, "exception", None)
            log.warning("tick", duty=event.job_id, outcome=outcome, error=str(error) if error else None)
