"""Finding articles: Query -> rows, newest first or by relevance, in a time that hardly grows with the words' frequency.

Newest first walks the index from its end. On PostgreSQL the planner cannot tell rare words from common ones, so up to
`PROBED` matches are taken from the index and sorted; if there are more, they stand so close that walking from the
newest article finds them soon. Relevance ranks the newest matches only.
"""

from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any as Anything

from sqlalchemy import ColumnElement, Double, Select, cast, false, func, literal_column, not_, select, text
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

from pipeline.errors import CommandError, UsageError
from pipeline.query import Query, Term
from pipeline.store import facets
from pipeline.store.conditions import beside
from pipeline.store.database import Database
from pipeline.store.facets import Facets
from pipeline.store.feeds import is_named
from pipeline.store.matching import to_fts5, to_tsquery, unwanted, wanted
from pipeline.store.search_index import TABLE
from pipeline.store.tables import articles, feeds, texts, verdicts

LARGEST_ID = 2**63 - 1
RANKED = {"sqlite": 2_000, "postgresql": 500}  # the newest matches, which relevance ranks; what ranks is ts_rank there
PROBED = {False: 20_000, True: 100_000}  # matches that are taken at once, newest first and by relevance
COUNTED = 1_000  # matches are counted up to here
SUMMED = 2_000  # the newest matches, whose facets are counted
STREAMED = 500  # rows of a page of a stream
_INDEX = sql_table(TABLE, *map(sql_column, ("article_id", "words", "facets", "rank", "rowid")))
_TITLE_FIRST = "'{0.1, 0.1, 0.1, 1.0}'"  # the weights of text, -, authors, title
_SCANS = ("enable_seqscan", "enable_indexscan", "enable_bitmapscan")


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


@dataclass(frozen=True, slots=True)
class Count:
    """How many articles match."""

    number: int
    is_least: bool  # there are more


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page ended."""

    id: int
    rank: float | None = None
    lowest: int = 0  # of the ids that were ranked
    highest: int = LARGEST_ID


class Search:
    """The reading side of the store."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, query: Query) -> tuple[Found, ...]:
        """One page of a result.

        Raises:
            UsageError: the cursor is none that a search printed.
            CommandError: a feed is named that does not exist.
        """
        async with self._db.read() as c:
            await _check_feeds(c, query)
            return await self._find(c, query)

    async def get(self, key: int) -> Found | None:
        """One article."""
        return (await self.many([key])).get(key)

    async def many(self, keys: Collection[int]) -> dict[int, Found]:
        """Articles by their ids, of those that there are."""
        async with self._db.read() as c:
            return {found.id: found for found in await _rows(c, [_Place(key) for key in keys])}

    async def stream(self, query: Query) -> AsyncGenerator[Found]:
        """A result row by row, in constant memory, as it was when the first was read."""
        async with self._db.read() as c:
            await _check_feeds(c, query)
            left, cursor = query.limit, query.cursor
            while left > 0:
                page = await self._find(c, replace(query, limit=min(left, STREAMED), cursor=cursor))
                for found in page:
                    yield found
                if len(page) < STREAMED:
                    return
                left, cursor = left - len(page), page[-1].cursor

    async def count(self, query: Query) -> Count:
        """How many articles match, up to `COUNTED`."""
        async with self._db.read() as c:
            await _check_feeds(c, query)
            await self._plan(c, without="enable_seqscan")
            some = self._hits(query).limit(COUNTED + 1).subquery()
            number = int((await c.execute(select(func.count()).select_from(some))).scalar_one())
        return Count(min(number, COUNTED), number > COUNTED)

    async def facets(self, query: Query, most: int = facets.SHOWN) -> Facets:
        """What the newest `SUMMED` matches have in common: of each facet the most frequent values."""
        async with self._db.read() as c:
            await _check_feeds(c, query)
            ids = await self._newest(c, self._hits(query), SUMMED + 1)
            return await facets.count(c, ids[:SUMMED], is_least=len(ids) > SUMMED, most=most)

    def hits(self, query: Query, first: int, last: int) -> Select[Anything]:
        """The ids of the articles that match, between two ids."""
        return self._hits(query, _Place(0, lowest=first, highest=last))

    def matches(self, query: Query) -> ColumnElement[bool]:
        """Whether an article matches."""
        is_hit: ColumnElement[bool] = articles.c.id.in_(self._hits(query))
        return is_hit

    async def newest(self, c: AsyncConnection, query: Query, before: int | None, limit: int) -> list[int]:
        """The ids of the newest articles that match, below one."""
        return await self._newest(c, self._hits(query, _Place(0, highest=(before or LARGEST_ID + 1) - 1)), limit)

    async def _find(self, c: AsyncConnection, query: Query) -> tuple[Found, ...]:
        after = _after(query.cursor) if query.cursor else None
        if query.is_by_relevance and query.asked.terms:
            return await _rows(c, await self._best(c, query, query.asked.terms, after))
        ids = await self.newest(c, query, after.id if after else None, query.limit)
        return await _rows(c, [_Place(key) for key in ids])

    async def _best(self, c: AsyncConnection, query: Query, terms: Term, after: _Place | None) -> list[_Place]:
        """The next places by rank; equal ranks newest first.

        The articles that the first page ranked are ranked anew, so that those that came since do not shift the rest.
        """
        ranks = await self._ranks(c, query, terms, after or _Place(0))
        order = sorted(ranks, key=lambda key: (-ranks[key], -key))
        lowest, highest = (after.lowest, after.highest) if after else (min(order, default=0), max(order, default=0))
        if after is None and len(order) < self._ranked:
            lowest = 0
        if after is not None:
            then = (-ranks.get(after.id, after.rank or 0.0), -after.id)
            order = [key for key in order if (-ranks[key], -key) > then]
        return [_Place(key, ranks[key], lowest, highest) for key in order[: query.limit]]

    async def _ranks(self, c: AsyncConnection, query: Query, terms: Term, within: _Place) -> dict[int, float]:
        """How well the newest matches fit; more is better."""
        if self._db.is_sqlite:
            rank: Anything = -literal_column(f"bm25({TABLE}, 4.0, 1.0, 1.0, 0.0)")
            hits = self._hits(query, within).add_columns(rank.label("rank")).order_by(_INDEX.c.rowid.desc())
            return {row.id: row.rank for row in await c.execute(hits.limit(self._ranked))}
        ids = await self._newest(c, self._hits(query, within), self._ranked, is_by_relevance=True)
        rank = cast(func.ts_rank(literal_column(_TITLE_FIRST), _INDEX.c.words, _tsquery(terms)), Double)
        rows = await c.execute(select(_INDEX.c.article_id, rank).where(_INDEX.c.article_id.in_(ids)))
        return {row[0]: row[1] for row in rows}

    @property
    def _ranked(self) -> int:
        return RANKED["sqlite" if self._db.is_sqlite else "postgresql"]

    def _hits(self, query: Query, within: _Place | None = None) -> Select[Anything]:
        """The ids of all matches."""
        excluded = (not_(func.coalesce(is_so, false())) for is_so in beside(query.asked.without))
        filters = [*beside(query.filters), *beside(query.asked.filters), *excluded]
        if not (query.asked.terms or wanted(query) or unwanted(query.asked)):
            every = select(articles.c.id.label("id")).where(articles.c.purged_at.is_(None), *filters)
            return _between(every, articles.c.id, within)
        key = _INDEX.c.rowid if self._db.is_sqlite else _INDEX.c.article_id
        hits = select(key.label("id")).where(*self._is_hit(query))
        for is_so in filters:  # looked up for each hit: as a join it would tempt the planner to begin there
            hits = hits.where(select(is_so).where(articles.c.id == key).correlate(_INDEX).scalar_subquery())
        return _between(hits, key, within)

    def _is_hit(self, query: Query) -> list[ColumnElement[bool]]:
        """What holds of the rows of the index that match."""
        if self._db.is_sqlite:
            is_hit: Anything = text(f"{TABLE} MATCH :match").bindparams(match=to_fts5(query))
            return [is_hit]
        holds = [_has_one(tokens) for tokens in wanted(query)]
        if excluded := unwanted(query.asked):
            holds.append(~_has_one(excluded))
        return [*holds, _INDEX.c.words.op("@@")(_tsquery(query.asked.terms))] if query.asked.terms else holds

    async def _newest(
        self, c: AsyncConnection, hits: Select[Anything], limit: int, *, is_by_relevance: bool = False
    ) -> list[int]:
        key = hits.selected_columns.id
        if not self._db.is_sqlite and _INDEX in hits.get_final_froms():
            probed = PROBED[is_by_relevance]
            await self._plan(c, without="enable_indexscan enable_seqscan")
            some = hits.limit(probed + 1).subquery()
            few = select(some.c.id, func.count().over()).order_by(some.c.id.desc()).limit(limit)
            rows = (await c.execute(few)).all()
            await self._plan(c, without="enable_bitmapscan enable_seqscan" if rows and rows[0][1] > probed else "")
            if not rows or rows[0][1] <= probed:
                return [row.id for row in rows]
        ids = list((await c.execute(hits.order_by(key.element.desc()).limit(limit))).scalars())
        await self._plan(c)
        return ids

    async def _plan(self, c: AsyncConnection, without: str = "") -> None:
        """Tell PostgreSQL's planner which ways not to go, in this transaction."""
        if not self._db.is_sqlite:
            switches = (f"set_config('{scan}', '{'off' if scan in without else 'on'}', true)" for scan in _SCANS)
            await c.execute(text(f"SELECT {', '.join(switches)}"))


def _between(hits: Select[Anything], key: Anything, within: _Place | None) -> Select[Anything]:
    if within is None:
        return hits
    if within.lowest:
        hits = hits.where(key >= within.lowest)
    return hits.where(key <= within.highest) if within.highest < LARGEST_ID else hits


def _has_one(tokens: Sequence[str]) -> ColumnElement[bool]:
    is_so: ColumnElement[bool] = _INDEX.c.facets.op("&&")(cast(array(tokens), ARRAY(Text)))
    return is_so


def _tsquery(terms: Term) -> ColumnElement[Anything]:
    query: ColumnElement[Anything] = func.to_tsquery(literal_column("'defnews'::regconfig"), to_tsquery(terms))
    return query


async def _check_feeds(c: AsyncConnection, query: Query) -> None:
    for name in (*query.filters.feeds, *query.asked.filters.feeds, *query.asked.without.feeds):
        if (await c.execute(select(feeds.c.id).where(is_named((name,))).limit(1))).first() is None:
            raise CommandError(f"no such feed: {name} (`defnews feeds list` knows ids, URLs and titles)")


async def _rows(c: AsyncConnection, places: Sequence[_Place]) -> tuple[Found, ...]:
    """Articles, in this order."""
    ids = [place.id for place in places]
    query = (
        select(articles, texts.c.body, feeds.c.title.label("feed_title"))
        .outerjoin(texts, texts.c.article_id == articles.c.id)  # one that was purged has none
        .outerjoin(feeds, feeds.c.id == articles.c.feed_id)
        .where(articles.c.id.in_(ids))
    )
    rows = {row.id: row for row in await c.execute(query)}
    tagged = await _tags(c, ids)
    return tuple(_found(rows[place.id], tagged[place.id], place) for place in places if place.id in rows)


async def _tags(c: AsyncConnection, ids: Sequence[int]) -> dict[int, Anything]:
    """Topics, countries and entities of the newest verdict on each article."""
    newest = select(func.max(verdicts.c.id)).where(verdicts.c.article_id.in_(ids)).group_by(verdicts.c.article_id)
    columns = (verdicts.c.article_id, verdicts.c.topics, verdicts.c.countries, verdicts.c.entities)
    return {row.article_id: row for row in await c.execute(select(*columns).where(verdicts.c.id.in_(newest)))}


def _after(cursor: str) -> _Place:
    """Where the page before ended.

    Raises:
        UsageError: it is no cursor of ours.
    """
    try:
        key, *rest = cursor.split("_")
        if not rest:
            return _Place(_id(key))
        rank, lowest, highest = rest
        return _Place(_id(key), float(rank), _id(lowest), _id(highest))
    except ValueError as e:
        raise UsageError(f"--cursor: {cursor!r} is not one that a search printed") from e


def _id(digits: str) -> int:
    return min(max(int(digits), 0), LARGEST_ID)


def _cursor(place: _Place) -> str:
    return f"{place.id}" if place.rank is None else f"{place.id}_{place.rank!r}_{place.lowest}_{place.highest}"


def _found(row: Anything, tagged: Anything, place: _Place) -> Found:
    return Found(
        id=row.id,
        url=row.canonical_url,
        title=row.title,
        text=row.body or "",
        site=row.site,
        authors=tuple(row.authors),
        agency=row.agency,
        published_at=row.published_at,
        published_from=row.published_from,
        revised_at=row.revised_at,
        lang=row.lang,
        feed_id=row.feed_id,
        feed=row.feed_title,
        label=row.label,
        score=row.score,
        needs_review=row.needs_review,
        topics=tuple(tagged.topics),
        countries=tuple(tagged.countries),
        entities=tuple((entity["name"], entity["kind"]) for entity in tagged.entities),
        section=row.section,
        tags=tuple(row.tags),
        is_teaser=row.is_teaser,
        extractor=row.extractor,
        cursor=_cursor(place),
    )
