"""Where an article came from and what became of a URL: the audit trail, for `show` and `why`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select

from pipeline import urls
from pipeline.store.database import Database
from pipeline.store.found import LARGEST_ID, Found
from pipeline.store.search import Search
from pipeline.store.tables import (
    article_entries,
    articles,
    entries,
    events,
    feeds,
    labels,
    pages,
    reprints,
    revisions,
    verdicts,
)
from pipeline.store.tables import urls as url_rows


@dataclass(frozen=True, slots=True)
class Appearance:
    """An entry of a feed or an archive, and what became of it."""

    entry_id: int
    url: str | None
    title: str | None
    feed: str | None
    archive: str | None
    seen_at: datetime
    state: str  # waiting, claimed, done
    outcome: str | None
    reason: str | None
    detail: str | None
    due_at: datetime
    attempts: int
    article_id: int | None
    site: str | None
    outlet: str | None  # what the site of a reprint calls itself
    agency: str | None  # that a reprint is credited to
    shared: float | None  # by a reprint: share of the shorter text that the longer has, 0 to 1
    kept_at: str | None  # file and offset of its page's bytes
    lang: str | None  # of the article that it led to, else as its source says


@dataclass(frozen=True, slots=True)
class Provenance:
    """All that is known of one article."""

    article: Mapping[str, Any]  # the row
    found: Found
    verdicts: tuple[Mapping[str, Any], ...]  # newest first
    labels: tuple[Mapping[str, Any], ...]  # newest first
    revisions: tuple[Mapping[str, Any], ...]  # what it said before, oldest first
    appearances: tuple[Appearance, ...]
    urls: tuple[str, ...]
    trail: tuple[Mapping[str, Any], ...]  # events, oldest first


class ProvenanceRows:
    """Reads across the tables."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def find_article(self, id_or_url: str) -> int | None:
        """The id of the article of that id or URL."""
        async with self._db.read() as c:
            if id_or_url.isdecimal():
                if len(id_or_url) > len(str(LARGEST_ID)) or int(id_or_url) > LARGEST_ID:
                    return None
                return (await c.execute(select(articles.c.id).where(articles.c.id == int(id_or_url)))).scalar()
            canonical = urls.canonical_url(id_or_url) or id_or_url
            return (await c.execute(select(url_rows.c.article_id).where(url_rows.c.url == canonical))).scalar()

    async def of_article(self, key: int) -> Provenance | None:
        """All that is known of an article."""
        found = await Search(self._db).get(key)
        if found is None:
            return None
        async with self._db.read() as c:
            article = (await c.execute(select(articles).where(articles.c.id == key))).one()
            by_key = (
                table.select().where(table.c.article_id == key).order_by(table.c.id.desc())
                for table in (verdicts, labels)
            )
            judged, said = [tuple(map(_dict, await c.execute(query))) for query in by_key]
            older = revisions.select().where(revisions.c.article_id == key).order_by(revisions.c.id)
            said_before = tuple(map(_dict, await c.execute(older)))
            known = (await c.execute(select(url_rows.c.url).where(url_rows.c.article_id == key))).scalars().all()
        appearances = await self._appearances(article_entries.c.article_id == key)
        trail = await self._trail(key, [appearance.entry_id for appearance in appearances])
        return Provenance(_dict(article), found, judged, said, said_before, appearances, tuple(known), trail)

    async def of_url(self, url: str) -> tuple[Appearance, ...]:
        """The entries that lead, or led, to a URL; empty: it was never seen."""
        canonical, key = urls.canonical_url(url), await self.find_article(url)
        if canonical is None and key is None:  # no link: looked for among all entries
            return await self._appearances(entries.c.url == url)
        by_url = select(entries.c.id).join(url_rows, url_rows.c.id == entries.c.url_id)
        by_article = select(article_entries.c.entry_id).where(article_entries.c.article_id == key)
        either = by_url.where(url_rows.c.url == (canonical or url)).union(by_article)  # each by its index
        return await self._appearances(entries.c.id.in_(either))

    async def of_feed(self, feed_id: int, limit: int) -> tuple[Appearance, ...]:
        """The entries that a feed brought last, newest first."""
        newest = select(entries.c.id).where(entries.c.feed_id == feed_id).order_by(entries.c.id.desc()).limit(limit)
        return (await self._appearances(entries.c.id.in_(newest)))[::-1]

    async def _appearances(self, is_meant: Any) -> tuple[Appearance, ...]:
        page = (pages.c.file, pages.c.offset)
        query = (
            select(
                entries,
                feeds.c.title.label("feed_title"),
                article_entries.c.article_id,
                reprints.c.url.label("reprint_url"),
                reprints.c.title.label("reprint_title"),
                reprints.c.outlet,
                reprints.c.agency,
                reprints.c.shared,
                func.coalesce(articles.c.lang, entries.c.lang).label("read_lang"),
                *page,
            )
            .outerjoin(feeds, feeds.c.id == entries.c.feed_id)
            .outerjoin(url_rows, url_rows.c.id == entries.c.url_id)
            .outerjoin(article_entries, article_entries.c.entry_id == entries.c.id)
            .outerjoin(articles, articles.c.id == article_entries.c.article_id)
            .outerjoin(reprints, reprints.c.entry_id == entries.c.id)
            .outerjoin(pages, pages.c.entry_id == entries.c.id)
            .where(is_meant)
            .order_by(entries.c.id)
        )
        async with self._db.read() as c:
            return tuple(_appearance(row) for row in await c.execute(query))

    async def _trail(self, key: int, entry_ids: list[int]) -> tuple[Mapping[str, Any], ...]:
        is_meant = or_(events.c.article_id == key, events.c.entry_id.in_(entry_ids))
        async with self._db.read() as c:
            rows = await c.execute(select(events).where(is_meant).order_by(events.c.at, events.c.id))
            return tuple(map(_dict, rows))


def _dict(row: Any) -> dict[str, Any]:
    return dict(row._mapping)


def _appearance(row: Any) -> Appearance:
    url = row.reprint_url or row.url
    return Appearance(
        entry_id=row.id,
        url=url,
        title=row.reprint_title or row.title,
        feed=row.feed_title,
        archive=row.archive,
        seen_at=row.seen_at,
        state=row.state,
        outcome=row.outcome,
        reason=row.reason,
        detail=row.detail,
        due_at=row.due_at,
        attempts=row.attempts,
        article_id=row.article_id,
        site=urls.site(url) if url else None,
        outlet=row.outlet,
        agency=row.agency,
        shared=row.shared,
        kept_at=None if row.file is None else f"{row.file}:{row.offset}",
        lang=row.read_lang,
    )
