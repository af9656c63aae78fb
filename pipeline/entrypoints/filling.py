"""Backfills within the daemon: looked at first, started, paused and taken up again over HTTP."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from pipeline.engine import Engine
from pipeline.entrypoints.backfill import Asked, begin, check, estimate_with, take_up, work_off
from pipeline.errors import CommandError, DefnewsError
from pipeline.settings import Settings
from pipeline.store import Run

MOST_LOOKS = 10  # that are remembered
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Look:
    """A dry run: what is asked for, and what is found when its task is done."""

    id: int
    asked: Asked
    uploads: Mapping[str, str]
    task: asyncio.Task[list[dict[str, Any]]]

    @property
    def rows(self) -> list[dict[str, Any]] | None:
        """What was found, by archive; None: it is still looked for, or that failed."""
        return self.task.result() if self.task.done() and not self.error else None

    @property
    def missed(self) -> dict[str, str]:
        """The documents that could not be read, and why."""
        return {name: reason for row in self.rows or () for name, reason in row["missed_documents"].items()}

    @property
    def error(self) -> str | None:
        """Why it failed."""
        if not self.task.done():
            return None
        if self.task.cancelled():
            return "it was ended"
        return str(self.task.exception() or "") or None


class Fillings:
    """The backfills of one process: each a task beside the daemon's lanes, which share its pace, pool and database."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._looks: dict[int, Look] = {}
        self._last = 0  # number that was given to a look
        self._runs: dict[int, asyncio.Task[None]] = {}
        self._is_open = True

    async def work(self, stop: asyncio.Event) -> None:
        """Until told to stop; then each run ends as interrupted, to be taken up again."""
        try:
            await stop.wait()
        finally:
            self._is_open = False
            await _ended([*self._runs.values(), *(look.task for look in self._looks.values())])

    @property
    def looks(self) -> tuple[Look, ...]:
        """The latest dry runs, newest first."""
        return tuple(reversed(self._looks.values()))

    def is_at_work(self, run_id: int) -> bool:
        """Whether a run is at work here."""
        return run_id in self._runs

    def look(self, asked: Asked, uploads: Mapping[str, str]) -> Look:
        """Begin to count what a backfill would have to do; nothing is stored.

        Raises:
            UsageError: what is asked for does not fit together.
        """
        check(asked)
        self._last += 1
        task = asyncio.create_task(estimate_with(self._engine, self._settings, asked, uploads))
        self._looks[self._last] = Look(self._last, asked, uploads, task)
        while len(self._looks) > MOST_LOOKS:
            self._looks.pop(next(iter(self._looks))).task.cancel()
        return self._looks[self._last]

    def found(self, number: int) -> Look:
        """One of them.

        Raises:
            CommandError: it is not remembered.
        """
        if number not in self._looks:
            raise CommandError(f"dry run {number} is not remembered: look again")
        return self._looks[number]

    def forget(self, number: int) -> None:
        """End a dry run, if it is not done, and forget it."""
        self.found(number).task.cancel()
        del self._looks[number]

    async def start(self, number: int) -> int:
        """Do what a dry run has counted; returns the run's number.

        Raises:
            CommandError: it is not remembered, or the same is at work elsewhere.
        """
        look = self.found(number)
        run = await begin(self._engine, self._settings, look.asked, look.uploads)
        self.forget(number)
        self._begin(run)
        return run.id

    async def resume(self, run_id: int) -> None:
        """Go on with a run that was paused, interrupted, or that waits for retries.

        Raises:
            CommandError: there is none of that number, or it is at work elsewhere.
        """
        if not self.is_at_work(run_id):
            self._begin(await take_up(self._engine, run_id))

    async def pause(self, run_id: int) -> None:
        """End the work on a run, which can be taken up again.

        Raises:
            CommandError: it is not at work here.
        """
        if run_id not in self._runs:
            raise CommandError(f"backfill {run_id} is not at work in this daemon")
        await _ended([self._runs[run_id]])

    def _begin(self, run: Run) -> None:
        if run.id in self._runs:
            return
        task = asyncio.create_task(self._work(run))
        self._runs[run.id] = task
        task.add_done_callback(lambda _: self._runs.pop(run.id, None))
        if not self._is_open:
            task.cancel()

    async def _work(self, run: Run) -> None:
        try:
            log.info("backfill done", run=run.id, **await work_off(self._engine, run, self._settings))
        except DefnewsError as error:
            log.error("backfill failed", run=run.id, error=str(error))


async def _ended(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
