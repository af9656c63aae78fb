"""Retention: texts that were kept as long as the settings want them are purged.

What stays is what nothing can come back as new without: URLs, hash, title, times, verdicts, appearances. An article
that a person labelled keeps its text: it is what the classifier learns from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.stages import dedup
from pipeline.store import kin, search_index
from pipeline.store.database import Database
from pipeline.store.tables import articles, events, labels, revisions, texts

BATCH = 100  # articles of a transaction


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
        while cutoffs and (ids := await self._next(cutoffs, last)):
            purged += await self._db.settle(lambda ids=ids: self._purge(ids, now))  # type: ignore[misc]
            last = ids[-1]
        return purged

    async def _next(self, cutoffs: Cutoffs, last: int) -> list[int]:
        query = select(articles.c.id).where(articles.c.id > last, _is_due(cutoffs)).order_by(articles.c.id).limit(BATCH)
        async with self._db.read() as c:
            return list((await c.execute(query)).scalars())

    async def _purge(self, ids: list[int], now: datetime) -> int:
        query: Select[Any] = select(articles.c.id, articles.c.site, articles.c.title, texts.c.body).join(texts)
        query = query.where(articles.c.id.in_(ids), ~_is_labelled()).order_by(articles.c.id)
        async with self._db.write() as c:
            rows = (await c.execute(query)).all()
            found = [row.id for row in rows]
            await search_index.remove(c, found)
            for row in rows:
                await kin.forget(c, row.id, dedup.fingerprint(row.site, row.title, row.body))
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
