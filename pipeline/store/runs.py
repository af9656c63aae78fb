"""Runs: who works on what, who is still alive, and how far a backfill came."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from pipeline.errors import CommandError
from pipeline.store.database import Database
from pipeline.store.hosts import holder
from pipeline.store.tables import entries, feed_claims, hosts, runs

BEAT_EVERY = timedelta(seconds=5)
SILENT_AFTER = timedelta(seconds=30)
STANDING = ("daemon", "scheduler", "worker", "serve")  # kinds that run until they are told to stop
PAUSE = timedelta(seconds=5)  # before a host is asked again that a dead process may just have asked


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a daemon or a command."""

    id: int
    kind: str
    state: str  # running, done, waiting (for retries), failed, interrupted
    started_at: datetime
    beat_at: datetime
    ended_at: datetime | None
    plan: Mapping[str, Any]
    cursor: Mapping[str, Any]
    counts: Mapping[str, int]


class RunRows:
    """The table of runs."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def start(self, kind: str, now: datetime, plan: Mapping[str, Any] | None = None) -> Run:
        """A new run, alive from now on."""
        values = {"kind": kind, "state": "running", "machine": platform.node(), "pid": os.getpid()}
        moments = {"started_at": now, "beat_at": now, "plan": plan}
        async with self._db.write() as c:
            await _bury_dead(c, now)
            row = await c.execute(insert(runs).values(**values, **moments).returning(runs))
            return _run(row.one())

    async def beat(self, run_id: int, now: datetime) -> None:
        """Say that a run is alive, and free the claims of those that have been silent."""
        async with self._db.write() as c:
            await c.execute(update(runs).where(runs.c.id == run_id).values(beat_at=now, state="running"))
            is_silent = (runs.c.beat_at < now - SILENT_AFTER) & (runs.c.state == "running")
            await _bury(c, (await c.execute(select(runs).where(is_silent))).all(), now)

    async def alive(self, kind: str, now: datetime) -> int:
        """How many runs of a kind say that they are at work."""
        is_meant = (runs.c.kind == kind) & (runs.c.state == "running") & (runs.c.beat_at >= now - SILENT_AFTER)
        async with self._db.read() as c:
            return int((await c.execute(select(func.count()).where(is_meant))).scalar_one())

    async def daemon_beat_at(self) -> datetime | None:
        """When a daemon, or else scheduler and worker both, said that they are at work; None: none does."""
        async with self._db.read() as c:
            return await daemon_beat_at(c)

    async def is_daemon_silent(self, now: datetime) -> bool:
        """Whether no daemon, nor a part of one, that has not ended could say for a while that it is alive."""
        is_meant = runs.c.kind.in_(STANDING) & (runs.c.state == "running")
        async with self._db.read() as c:
            beat_at = (await c.execute(select(func.max(runs.c.beat_at)).where(is_meant))).scalar()
        return beat_at is not None and beat_at < now - SILENT_AFTER

    async def end(self, run_id: int, state: str, now: datetime, counts: Mapping[str, int] | None = None) -> None:
        """A run is over; what it still claims is free."""
        values: dict[str, Any] = {"state": state, "ended_at": now}
        if counts is not None:
            values["counts"] = dict(counts)
        async with self._db.write() as c:
            await c.execute(update(runs).where(runs.c.id == run_id).values(**values))
            await _free(c, [run_id])

    async def forget_uploads(self, run_id: int) -> None:
        """Drop the texts that were sent for a run and are read to their ends; their names stay."""
        async with self._db.write() as c:
            plan = (await c.execute(select(runs.c.plan).where(runs.c.id == run_id))).scalar()
            if plan and plan.get("uploads"):
                emptied = {**plan, "uploads": dict.fromkeys(plan["uploads"], "")}
                await c.execute(update(runs).where(runs.c.id == run_id).values(plan=emptied))

    async def resume(self, run_id: int, now: datetime) -> Run:
        """Take a run up again.

        Raises:
            CommandError: there is none of that number, or it is still at work elsewhere.
        """
        async with self._db.write() as c:
            wanted = select(runs).where(runs.c.id == run_id).with_for_update(key_share=True)
            row = (await c.execute(wanted)).one_or_none()
            if row is None:
                raise CommandError(f"there is no run {run_id}")
            if row.state == "running" and not _is_ours(row) and _is_alive(row, now):
                raise CommandError(f"run {run_id} is at work in process {row.pid} on {row.machine}")
            await _bury_dead(c, now)
            alive = {"state": "running", "beat_at": now, "pid": os.getpid(), "machine": platform.node()}
            revived = update(runs).where(runs.c.id == run_id).values(**alive, ended_at=None).returning(runs)
            return _run((await c.execute(revived)).one())

    async def get(self, run_id: int) -> Run | None:
        """One run."""
        async with self._db.read() as c:
            row = (await c.execute(select(runs).where(runs.c.id == run_id))).one_or_none()
            return _run(row) if row else None

    async def listing(self, kind: str, limit: int = 100) -> tuple[Run, ...]:
        """The runs of a kind, newest first."""
        async with self._db.read() as c:
            rows = await c.execute(select(runs).where(runs.c.kind == kind).order_by(runs.c.id.desc()).limit(limit))
            return tuple(_run(row) for row in rows)


async def daemon_beat_at(connection: Any) -> datetime | None:
    """When all that it takes to poll and ingest was last said to be at work."""
    beating = select(runs.c.kind, func.max(runs.c.beat_at)).where(runs.c.state == "running").group_by(runs.c.kind)
    beats: dict[str, datetime] = dict((await connection.execute(beating)).all())
    whole = [beats["daemon"]] if "daemon" in beats else []
    parts = [min(beats["scheduler"], beats["worker"])] if {"scheduler", "worker"} <= beats.keys() else []
    return max([*whole, *parts], default=None)


def _is_ours(row: Any) -> bool:
    return bool((row.machine, row.pid) == (platform.node(), os.getpid()))


def _is_alive(row: Any, now: datetime) -> bool:
    """On its own machine a process can be asked; elsewhere the beat must do."""
    if row.machine == platform.node():
        try:
            os.kill(row.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
    return bool(row.beat_at >= now - SILENT_AFTER)


async def _bury_dead(connection: Any, now: datetime) -> None:
    others = (await connection.execute(select(runs).where(runs.c.state == "running"))).all()
    await _bury(connection, [row for row in others if not _is_alive(row, now)], now)


async def _bury(connection: Any, dead: Sequence[Any], now: datetime) -> None:
    """End runs that died: their claims are free, and so are, after a pause, the hosts that their processes asked."""
    if not dead:
        return
    ids = [row.id for row in dead]
    await _free(connection, ids)
    await connection.execute(update(runs).where(runs.c.id.in_(ids)).values(state="interrupted", ended_at=now))
    holders = [holder(row.machine, row.pid) for row in dead if not _is_ours(row)]
    is_leased = hosts.c.holder.in_(holders) & (hosts.c.next_at > now + PAUSE)
    await connection.execute(update(hosts).where(is_leased).values(next_at=now + PAUSE, holder=None))


async def _free(connection: Any, run_ids: list[int]) -> None:
    claimed = (entries.c.state == "claimed") & entries.c.run_id.in_(run_ids)
    await connection.execute(update(entries).where(claimed).values(state="waiting", run_id=None))
    await connection.execute(delete(feed_claims).where(feed_claims.c.run_id.in_(run_ids)))


def _run(row: Any) -> Run:
    return Run(
        id=row.id,
        kind=row.kind,
        state=row.state,
        started_at=row.started_at,
        beat_at=row.beat_at,
        ended_at=row.ended_at,
        plan=row.plan or {},
        cursor=row.cursor or {},
        counts=row.counts or {},
    )
