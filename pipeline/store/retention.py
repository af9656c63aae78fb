"""Retention: texts that were kept as long as the settings want them are purged.

What stays is what nothing can come back as new without: URLs, hash, title, times, verdicts, appearances. An article
that a person labelled keeps its text: it is what the classifier learns from.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.stages import dedup
from pipeline.stages.dedup import Fingerprint
from pipeline.store import kin, search_index
from pipeline.store import verdicts as verdict_rows
from pipeline.store.database import Database
from pipeline.store.tables import articles, events, labels, revisions, texts

BATCH = 100  # articles of a transaction
_STATE = (articles.c.id, articles.c.title, articles.c.text_hash)


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """What was stored before these moments is purged; None, or a label that is not named: it is kept."""

    labels: Mapping[str, datetime]
    feeds: Mapping[int, datetime | None]  # by id; goes before the label

    def __bool__(self) -> bool:
        return bool(self.labels) or any(self.feeds.values())


class RetentionRows:
    """Purging texts."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def due(self, cutoffs: Cutoffs) -> dict[str, int]:
        """How many articles are to be purged, by label."""
        if not cutoffs:
            return {}
        query = select(articles.c.label, func.count()).where(_is_due(cutoffs)).group_by(articles.c.label)
        async with self._db.read() as c:
            return {row.label: row[1] for row in await c.execute(query)}

    async def purge(self, cutoffs: Cutoffs, now: datetime) -> int:
        """Purge what is due, in small transactions that let others write between them.

        Returns:
            How many articles were purged.
        """
        purged, last = 0, -1
        while cutoffs and (due := await self._next(cutoffs, last)):
            prints = await asyncio.to_thread(_fingerprints, due)
            purged += await self._db.settle(lambda prints=prints: self._purge(prints, cutoffs, now))  # type: ignore[misc]
            last = due[-1].id
        return purged

    async def _next(self, cutoffs: Cutoffs, last: int) -> Sequence[Any]:
        query = select(*_STATE, articles.c.site, texts.c.body).join(texts).where(articles.c.id > last, _is_due(cutoffs))
        async with self._db.read() as c:
            return (await c.execute(query.order_by(articles.c.id).limit(BATCH))).all()

    async def _purge(self, prints: Mapping[Any, Fingerprint], cutoffs: Cutoffs, now: datetime) -> int:
        """Purge those that are as they were when their fingerprints were taken, and still due."""
        ids = [key for key, *_ in prints]
        async with self._db.write() as c:
            await verdict_rows.lock(c, ids)
            rows = await c.execute(select(*_STATE).where(articles.c.id.in_(ids), _is_due(cutoffs)))
            unchanged = [row for row in map(tuple, rows) if row in prints]
            found = sorted(key for key, *_ in unchanged)
            await search_index.remove(c, found)
            for row in unchanged:
                await kin.forget(c, row[0], prints[row])
            await c.execute(delete(texts).where(texts.c.article_id.in_(found)))
            await c.execute(delete(revisions).where(revisions.c.article_id.in_(found)))
            await c.execute(update(articles).where(articles.c.id.in_(found)).values(purged_at=now, facets=None))
            if found:
                await c.execute(insert(events), [{"at": now, "kind": "purged", "article_id": key} for key in found])
        return len(found)


async def purged(c: AsyncConnection, hashes: Sequence[str]) -> dict[str, int]:
    """The oldest purged article that had each text, by the text's hash."""
    query = select(articles.c.text_hash, func.min(articles.c.id)).group_by(articles.c.text_hash)
    is_meant = (articles.c.text_hash.in_(hashes), articles.c.purged_at.is_not(None))
    return {row.text_hash: row[1] for row in await c.execute(query.where(*is_meant))}


def _fingerprints(rows: Iterable[Any]) -> dict[Any, Fingerprint]:
    """The fingerprints of articles, by their state."""
    return {(row.id, row.title, row.text_hash): dedup.fingerprint(row.site, row.title, row.body) for row in rows}


def _is_due(cutoffs: Cutoffs) -> ColumnElement[bool]:
    ruled = list(cutoffs.feeds)
    of_labels = (
        and_(
            articles.c.label == label,
            articles.c.stored_at < before,
            or_(articles.c.feed_id.is_(None), articles.c.feed_id.not_in(ruled)),
        )
        for label, before in cutoffs.labels.items()
    )
    of_feeds = (
        and_(articles.c.feed_id == feed_id, articles.c.stored_at < before)
        for feed_id, before in cutoffs.feeds.items()
        if before is not None
    )
    return and_(articles.c.purged_at.is_(None), or_(*of_labels, *of_feeds), ~_is_labelled())


def _is_labelled() -> ColumnElement[bool]:
    """Whether a person labelled an article."""
    return select(labels.c.id).where(labels.c.article_id == articles.c.id).exists()
