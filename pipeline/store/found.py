"""Ids -> Found: the rows of a result as everybody sees them, and the cursors that say where a page ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any as Anything

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.errors import UsageError
from pipeline.store.tables import articles, feeds, texts, verdicts

LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Found:
    """One article of a result."""

    id: int
    url: str
    title: str
    text: str
    site: str
    authors: tuple[str, ...]
    agency: str | None  # that wrote it
    published_at: datetime
    published_from: str
    revised_at: datetime | None
    lang: str | None
    feed_id: int | None
    feed: str | None  # its title
    label: str
    score: float
    needs_review: bool
    topics: tuple[str, ...]  # strongest first
    countries: tuple[str, ...]
    entities: tuple[tuple[str, str], ...]  # (name, kind)
    section: str | None  # section and tags are the publisher's
    tags: tuple[str, ...]
    is_teaser: bool
    extractor: str
    cursor: str  # the result goes on after this one


_GIVEN = verdicts.alias()
_NEWEST = select(func.max(_GIVEN.c.id)).where(_GIVEN.c.article_id == articles.c.id).correlate(articles)
_ROWS = (
    select(  # in the order of Found's fields: names of rows are slow
        *(articles.c[name] for name in ("id", "canonical_url", "title")),
        texts.c.body,
        *(articles.c[name] for name in ("site", "authors", "agency", "published_at", "published_from", "revised_at")),
        *(articles.c[name] for name in ("lang", "feed_id")),
        feeds.c.title,
        *(articles.c[name] for name in ("label", "score", "needs_review")),
        *(verdicts.c[name] for name in ("topics", "countries", "entities")),
        *(articles.c[name] for name in ("section", "tags", "is_teaser", "extractor")),
    )
    .join(verdicts, verdicts.c.article_id == articles.c.id)  # else PostgreSQL reads all verdicts to find the newest
    .outerjoin(texts, texts.c.article_id == articles.c.id)  # one that was purged has none
    .outerjoin(feeds, feeds.c.id == articles.c.feed_id)
    .where(verdicts.c.id == _NEWEST.scalar_subquery(), articles.c.id.in_(bindparam("ids", expanding=True)))
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended."""

    id: int
    rank: float | None = None
    lowest: int = 0  # of the keys that were ranked: the ids, on SQLite the places
    highest: int = LARGEST_ID


async def rows(c: AsyncConnection, places: Sequence[Place]) -> tuple[Found, ...]:
    """Articles, in this order."""
    told = {row[0]: row for row in await c.execute(_ROWS, {"ids": [place.id for place in places]})}
    return tuple(_found(told[place.id], place) for place in places if place.id in told)


def after(cursor: str) -> Place:
    """Where the page before ended.

    Raises:
        UsageError: it is no cursor of ours.
    """
    try:
        key, *rest = cursor.split("_")
        if not rest:
            return Place(_id(key))
        rank, lowest, highest = rest
        return Place(_id(key), float(rank), _id(lowest), _id(highest))
    except ValueError as e:
        raise UsageError(f"--cursor: {cursor!r} is not one that a search printed") from e


def _id(digits: str) -> int:
    return min(max(int(digits), 0), LARGEST_ID)


def _cursor(place: Place) -> str:
    return f"{place.id}" if place.rank is None else f"{place.id}_{place.rank!r}_{place.lowest}_{place.highest}"


def _found(row: Sequence[Anything], place: Place) -> Found:
    key, url, title, body, site, authors, *said, topics, countries, entities, section, tags, is_teaser, extractor = row
    told: tuple[Anything, ...] = (
        *(key, url, title, body or "", site, tuple(authors), *said, tuple(topics), tuple(countries)),
        tuple((entity["name"], entity["kind"]) for entity in entities),
        *(section, tuple(tags), is_teaser, extractor, _cursor(place)),
    )
    return Found(*told)
