"""Candidates: URLs that archives listed, put in line for the daemon's own flow unless they are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline import urls
from pipeline.model import Entry, Feed
from pipeline.stages import choose
from pipeline.store.database import Database
from pipeline.store.discover import Discovery, discover
from pipeline.store.tables import entries, runs
from pipeline.store.tables import urls as url_rows

_DATED_AT = func.coalesce(entries.c.published_at, entries.c.updated_at).label("dated_at")


@dataclass(frozen=True, slots=True)
class Candidates:
    """A block of entries that an archive listed, and the place to go on from."""

    entries: tuple[Entry, ...]
    cursor: Mapping[str, Any]  # of the whole run, after this block
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None  # of them that may be put in line


class CandidateRows:
    """The tables, from a backfill's side."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(
        self, run_id: int, found: Candidates, sites: dict[str, tuple[Feed, ...]], at: datetime
    ) -> tuple[int, int]:
        """Put unknown candidates in line and move the run's cursor, in one transaction.

        A URL is known when it leads to an article, waits already, or was dropped for good by this program before; but
        one that its site did not give as an article is tried once more where an archive holds the page itself.
        The feed is filled in when exactly one has the candidate's site.

        Returns:
            How many were new, and how many known.
        """
        return await self._db.settle(lambda: self._add(run_id, found, sites, at))

    async def _add(
        self, run_id: int, found: Candidates, sites: dict[str, tuple[Feed, ...]], at: datetime
    ) -> tuple[int, int]:
        async with self._db.write() as c:
            wanted = await self._unknown(c, found)
            known_count = len(found.entries) - len(wanted)
            wanted = wanted[: found.limit]
            new = 0
            for feed, group in _by_feed(wanted, sites):
                unwanted = frozenset(entry.id for entry in group if feed and not choose.wanted(feed, entry))
                block = Discovery(group, at, feed=feed, origin_run_id=run_id, unwanted=unwanted)
                new += len(await discover(c, self._db, block))
            await c.execute(update(runs).where(runs.c.id == run_id).values(cursor=dict(found.cursor)))
        return new, known_count

    async def unknown(self, found: Candidates) -> tuple[Entry, ...]:
        """The candidates that `add` would put in line."""
        async with self._db.read() as c:
            return tuple(await self._unknown(c, found))

    async def _unknown(self, c: AsyncConnection, found: Candidates) -> list[Entry]:
        canonical = {entry.id: urls.canonical_url(entry.url or "") for entry in found.entries}
        held = {canonical[entry.id] for entry in found.entries if entry.held is not None}
        wanted = sorted({url for url in canonical.values() if url})
        query = (
            select(url_rows.c.url, url_rows.c.article_id, entries.c.state, entries.c.reason, entries.c.host, _DATED_AT)
            .outerjoin(entries, entries.c.url_id == url_rows.c.id)
            .where(url_rows.c.url.in_(wanted))
        )
        known = {row.url for row in await c.execute(query) if _is_settled(row, found, is_held=row.url in held)}
        return [entry for entry in found.entries if canonical[entry.id] not in known]


def _is_settled(row: Any, found: Candidates, *, is_held: bool) -> bool:
    """Whether asking again could not bring anything new."""
    if row.article_id is not None or row.state in ("waiting", "claimed"):
        return True
    if row.state is None or (row.reason or "").startswith("gave-up"):
        return False
    if row.reason == "out-of-range":
        return not _is_within(row.dated_at, found)
    return not (is_held and row.host)  # its site was asked; the page that an archive holds was not yet seen


def _is_within(moment: datetime | None, found: Candidates) -> bool:
    if moment is None:
        return True
    return (found.since is None or moment >= found.since) and (found.until is None or moment < found.until)


def _by_feed(
    wanted: Sequence[Entry], sites: dict[str, tuple[Feed, ...]]
) -> list[tuple[Feed | None, tuple[Entry, ...]]]:
    groups: dict[int, tuple[Feed | None, list[Entry]]] = {}
    for entry in wanted:
        feeds = sites.get(urls.site(entry.url), ()) if entry.url else ()
        feed = feeds[0] if len(feeds) == 1 else None
        lang = entry.lang or (feed.lang if feed else None)
        groups.setdefault(feed.id if feed else 0, (feed, []))[1].append(replace(entry, lang=lang))
    return [(feed, tuple(group)) for feed, group in groups.values()]
