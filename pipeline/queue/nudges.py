"""The distributed engine's adapter: nudges for workers on any machine, carried by procrastinate within PostgreSQL.

A nudge only says that there may be work. What is done, and by whom, the store decides when a worker claims: so a nudge
that is lost or doubled is harmless, and all of them may be thrown away when procrastinate's tables change.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Self

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from psycopg_pool import PoolTimeout

from pipeline.errors import DefnewsError, StoreError

SCHEMA = "defnews_nudges"  # of its own: no migration of ours knows it
LOCK = 0x64656E75  # taken while the tables are made
MOST_CONNECTIONS = 6  # of a process
BEAT_S, SILENT_S = 10.0, 30.0
AGAIN_S = 5.0  # after procrastinate's worker has ended by itself
ALL_ENDED = procrastinate.jobs.DeleteJobCondition.ALWAYS
FAILURES = (ConnectorException, psycopg.Error, PoolTimeout)
log = structlog.get_logger()
Call = Callable[[], Awaitable[Any]]


class Nudges:
    """Nudges by the name of a duty, in one PostgreSQL."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        options = {"options": f"-c search_path={SCHEMA}"}
        connector = procrastinate.PsycopgConnector(
            conninfo=conninfo, kwargs=options, min_size=1, max_size=MOST_CONNECTIONS, timeout=AGAIN_S
        )
        self._app = procrastinate.App(connector=connector)

    async def __aenter__(self) -> Self:
        """Make the tables if they are missing or of another version.

        Raises:
            StoreError: the database is out of reach, or does not let us.
        """
        with _translated():
            await _make_tables(self._conninfo)
            await self._app.open_async()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._app.close_async()

    async def give(self, duty: str, number: int) -> int:
        """Have so many nudges in line, and not more; returns how many were added.

        Raises:
            StoreError: the database is out of reach.
        """
        with _translated():
            waiting = await self._app.job_manager.list_jobs_async(queue=duty, status=Status.TODO.value)
            missing = max(number - len(list(waiting)), 0)
            if missing:
                nudge = self._app.configure_task(duty, queue=duty, allow_unknown=True)
                await nudge.batch_defer_async(*[{}] * missing)
            return missing

    async def forget_lost(self) -> int:
        """Delete the nudges that processes took and died with; returns how many.

        Raises:
            StoreError: the database is out of reach.
        """
        jobs = self._app.job_manager
        with _translated():
            lost = list(await jobs.get_stalled_jobs(seconds_since_heartbeat=SILENT_S))
            for job in lost:
                await jobs.finish_job(job, Status.ABORTED, delete_job=True)
            await jobs.prune_stalled_workers(SILENT_S)
        return len(lost)

    async def follow(self, calls: Mapping[str, Call]) -> None:
        """Call what belongs to a duty for each nudge, one at a time a duty, until cancelled."""
        for duty, call in calls.items():
            self._app.task(name=duty, queue=duty)(_spoken(duty, call))
        await asyncio.gather(*(self._follow(duty) for duty in calls))

    async def _follow(self, duty: str) -> None:
        while True:
            try:
                await self._app.run_worker_async(
                    name=duty,
                    queues=[duty],
                    concurrency=1,
                    delete_jobs=ALL_ENDED,
                    install_signal_handlers=False,
                    update_heartbeat_interval=BEAT_S,
                    stalled_worker_timeout=SILENT_S,
                )
            except FAILURES as error:
                log.error("the database failed", duty=duty, error=_text(error))
            else:
                log.warning("listening for nudges ended, and begins again", duty=duty)
            if (me := asyncio.current_task()) and me.cancelling():
                raise asyncio.CancelledError  # which procrastinate's failure on its way out has taken the place of
            await asyncio.sleep(AGAIN_S)


def _spoken(duty: str, call: Call) -> Callable[[], Awaitable[None]]:
    """The call as procrastinate wants it; a failure that we expect is a line of the log, no more."""

    async def nudged() -> None:
        try:
            await call()
        except DefnewsError as error:
            log.error("cannot claim work", duty=duty, error=str(error))

    return nudged


async def _make_tables(conninfo: str) -> None:
    """Have procrastinate's tables, made by the version that is installed; older nudges are thrown away."""
    wanted = version("procrastinate")
    async with await psycopg.AsyncConnection.connect(conninfo) as c:
        await c.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        found = await c.execute("SELECT obj_description(to_regnamespace(%s), 'pg_namespace')", [SCHEMA])
        if await found.fetchone() == (wanted,):
            return
        for statement in (
            f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE",
            f"CREATE SCHEMA {SCHEMA}",
            f"COMMENT ON SCHEMA {SCHEMA} IS '{wanted}'",
            f"SET LOCAL search_path TO {SCHEMA}",
            SchemaManager.get_schema(),
        ):
            await c.execute(statement)
    log.info("the tables of nudges were made", procrastinate=wanted)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FAILURES as e:
        raise StoreError(f"the queue's database: {_text(e)}") from e


def _text(error: BaseException) -> str:
    return str(error.__cause__ or error).strip()
