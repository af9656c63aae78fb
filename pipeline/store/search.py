"""Finding articles: Query -> rows, newest first or by relevance, in a time that hardly grows with the words' frequency.

Newest first walks the index from its end. On PostgreSQL the planner cannot tell rare words from common ones, so the
next `WALKED` rows are looked at. Where they do not fill the page, up to `PROBED` matches are taken and sorted; if there
are more, they stand so close that walking from the newest article finds them soon. Relevance ranks the newest matches
only.
"""

from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any as Anything

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Select,
    any_,
    bindparam,
    cast,
    false,
    func,
    literal_column,
    not_,
    select,
    text,
    tuple_,
)
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
from pipeline.store.search_index import PLACE_SHIFT, PLACES, TABLE
from pipeline.store.tables import articles, feeds, texts, verdicts

LARGEST_ID = 2**63 - 1
RANKED = {True: 2_000, False: 500}  # the newest matches, which relevance ranks; on PostgreSQL what ranks is ts_rank
PROBED = {False: 20_000, True: 100_000}  # matches that are taken at once, newest first and by relevance
WALKED = 1_000  # rows of PostgreSQL's index that are looked at, newest first, before it is asked for matches
COUNTED = 1_000  # matches are counted up to here
SUMMED = 2_000  # the newest matches, whose facets are counted
STREAMED = 500  # rows of a page of a stream
_INDEX = sql_table(TABLE, *map(sql_column, ("article_id", "words", "facets", "rank", "rowid")))
_PLACES = sql_table(PLACES, *map(sql_column, ("place", "article_id")))
_PLACED = select(_PLACES.c.article_id).where(_PLACES.c.place == _INDEX.c.rowid).correlate(_INDEX).scalar_subquery()
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


_GIVEN = verdicts.alias()
_NEWEST = select(func.max(_GIVEN.c.id)).where(_GIVEN.c.article_id == articles.c.id).correlate(articles)
_ROWS = (
    select(
        *(articles.c[field.name] for field in fields(Found) if field.name in articles.c),
        articles.c.canonical_url,
        texts.c.body,
        feeds.c.title.label("feed_title"),
        *(verdicts.c.topics, verdicts.c.countries, verdicts.c.entities),
    )
    .join(verdicts, verdicts.c.article_id == articles.c.id)  # else PostgreSQL reads all verdicts to find the newest
    .outerjoin(texts, texts.c.article_id == articles.c.id)  # one that was purged has none
    .outerjoin(feeds, feeds.c.id == articles.c.feed_id)
    .where(verdicts.c.id == _NEWEST.scalar_subquery(), articles.c.id.in_(bindparam("ids", expanding=True)))
)


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
    lowest: int = 0  # of the keys that were ranked: the ids, on SQLite the places
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
            some = self._hits(query)[0].limit(COUNTED + 1).subquery()
            number = int((await c.execute(select(func.count()).select_from(some))).scalar_one())
        return Count(min(number, COUNTED), number > COUNTED)

    async def facets(self, query: Query, most: int = facets.SHOWN) -> Facets:
        """What the newest `SUMMED` matches have in common: of each facet the most frequent values."""
        async with self._db.read() as c:
            await _check_feeds(c, query)
            hits, key = self._hits(query)
            if self._db.is_sqlite:
                is_meant: ColumnElement[bool] = articles.c.id.in_(hits.order_by(key.desc()).limit(SUMMED + 1))
            else:  # thousands of parameters take longer to pass than to look up
                ids = await self._newest(c, hits, key, SUMMED + 1)
                is_meant = articles.c.id == any_(bindparam("ids", ids, ARRAY(BigInteger)))
            return await facets.count(c, is_meant, SUMMED, most)

    def hits(self, query: Query, first: int, last: int, *, roughly: bool = False) -> Select[Anything]:
        """The ids of the articles that match, between two ids; roughly: or what tells the same time without a look."""
        hits, key = self._hits(query)
        number = hits.selected_columns.id.element
        if key is _INDEX.c.rowid:  # whoever finds his place taken goes on to a later one
            hits = hits.where(key >= first >> PLACE_SHIFT)
            if roughly:
                number = key * (1 << PLACE_SHIFT)
                hits = hits.with_only_columns(number.label("id"))
        return hits.where(number >= first, number <= last)

    def matches(self, query: Query) -> ColumnElement[bool]:
        """Whether an article matches."""
        hits, key = self._hits(query)
        if key is articles.c.id and hits.whereclause is not None:  # a list of all ids would be made first
            return hits.whereclause
        is_hit: ColumnElement[bool] = articles.c.id.in_(hits)
        return is_hit

    async def newest(self, c: AsyncConnection, query: Query, before: int | None, limit: int) -> list[int]:
        """The ids of the newest articles that match, below one."""
        hits, key = self._hits(query)
        if before is not None:
            hits = hits.where(key < _key_of(before, key))
        if key is _INDEX.c.article_id and len(walked := await self._walked(c, query, before, limit)) == limit:
            return walked
        return await self._newest(c, hits, key, limit)

    async def _walked(self, c: AsyncConnection, query: Query, before: int | None, limit: int) -> list[int]:
        """The matches among the next rows of PostgreSQL's index: what many articles hold fills a page soon."""
        rows = select(_INDEX.c.article_id, _INDEX.c.words, _INDEX.c.facets).order_by(_INDEX.c.article_id.desc())
        if before is not None:
            rows = rows.where(_INDEX.c.article_id < before)
        hits, key = self._hits(query, rows.limit(WALKED).subquery())
        return list((await c.execute(hits.order_by(key.desc()).limit(limit))).scalars())

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
        hits, key = self._hits(query)
        if after is not None:
            hits = hits.where(key >= after.lowest, key <= after.highest)
        ranked = (await self._ranked(c, hits, key, terms)).cte("ranked")
        ends = (func.min(ranked.c.key).over(), func.max(ranked.c.key).over(), func.count().over())
        best = select(ranked.c.id, ranked.c.rank, *ends).order_by(ranked.c.rank.desc(), ranked.c.key.desc())
        if after is not None:
            rank = select(ranked.c.rank).where(ranked.c.id == after.id).scalar_subquery()
            last = tuple_(func.coalesce(rank, after.rank), _key_of(after.id, key))
            best = best.where(tuple_(ranked.c.rank, ranked.c.key) < last)
        rows = (await c.execute(best.limit(query.limit))).all()
        if after is not None:
            return [_Place(key, rank, after.lowest, after.highest) for key, rank, *_ in rows]
        most = RANKED[self._db.is_sqlite]
        return [_Place(key, rank, low if number == most else 0, high) for key, rank, low, high, number in rows]

    async def _ranked(
        self, c: AsyncConnection, hits: Select[Anything], key: ColumnElement[int], terms: Term
    ) -> Select[Anything]:
        """The newest matches (id, key) with how well they fit; more is better."""
        most = RANKED[self._db.is_sqlite]
        if self._db.is_sqlite:
            rank: Anything = -literal_column(f"bm25({TABLE}, 1.0, 4.0, 1.0, 0.0)")
            return hits.add_columns(key.label("key"), rank.label("rank")).order_by(key.desc()).limit(most)
        ids = await self._newest(c, hits, key, most, is_by_relevance=True)
        rank = cast(func.ts_rank(literal_column(_TITLE_FIRST), _INDEX.c.words, _tsquery(terms)), Double)
        return select(key.label("id"), key.label("key"), rank.label("rank")).where(key.in_(ids))

    def _hits(self, query: Query, index: FromClause = _INDEX) -> tuple[Select[Anything], ColumnElement[int]]:
        """The ids of all matches, or of those in a part of the index, and what they are ordered by."""
        excluded = (not_(func.coalesce(is_so, false())) for is_so in beside(query.asked.without))
        filters = [*beside(query.filters), *beside(query.asked.filters), *excluded]
        if not (query.asked.terms or wanted(query) or unwanted(query.asked)):
            return select(articles.c.id.label("id")).where(articles.c.purged_at.is_(None), *filters), articles.c.id
        key, number = (index.c.rowid, _PLACED) if self._db.is_sqlite else (index.c.article_id,) * 2
        hits = select(number.label("id")).select_from(index).where(*self._is_hit(query, index))
        for is_so in filters:  # looked up for each hit: as a join it would tempt the planner to begin there
            hits = hits.where(select(is_so).where(articles.c.id == number).correlate(index).scalar_subquery())
        return hits, key

    def _is_hit(self, query: Query, index: FromClause) -> list[ColumnElement[bool]]:
        """What holds of the rows of the index that match."""
        if self._db.is_sqlite:
            is_hit: Anything = text(f"{TABLE} MATCH :match").bindparams(match=to_fts5(query))
            return [is_hit]
        holds = [_has_one(index, tokens) for tokens in wanted(query)]
        if excluded := unwanted(query.asked):
            holds.append(~_has_one(index, excluded))
        return [*holds, index.c.words.op("@@")(_tsquery(query.asked.terms))] if query.asked.terms else holds

    async def _newest(
        self,
        c: AsyncConnection,
        hits: Select[Anything],
        key: ColumnElement[int],
        limit: int,
        *,
        is_by_relevance: bool = False,
    ) -> list[int]:
        if key is _INDEX.c.article_id:
            probed = PROBED[is_by_relevance]
            await self._plan(c, without="enable_indexscan enable_seqscan")
            some = hits.limit(probed + 1).subquery()
            few = select(some.c.id, func.count().over()).order_by(some.c.id.desc()).limit(limit)
            rows = (await c.execute(few)).all()
            await self._plan(c, without="enable_bitmapscan enable_seqscan" if rows and rows[0][1] > probed else "")
            if not rows or rows[0][1] <= probed:
                return [row.id for row in rows]
        ids = list((await c.execute(hits.order_by(key.desc()).limit(limit))).scalars())
        await self._plan(c)
        return ids

    async def _plan(self, c: AsyncConnection, without: str = "") -> None:
        """Tell PostgreSQL's planner which ways not to go, in this transaction."""
        if not self._db.is_sqlite:
            switches = (f"set_config('{scan}', '{'off' if scan in without else 'on'}', true)" for scan in _SCANS)
            await c.execute(text(f"SELECT {', '.join(switches)}"))


def _key_of(number: int, key: ColumnElement[int]) -> Anything:
    """Where an article stands, by its id."""
    if key is not _INDEX.c.rowid:
        return number
    place = select(_PLACES.c.place).where(_PLACES.c.article_id == number).scalar_subquery()
    return func.coalesce(place, number >> PLACE_SHIFT)


def _has_one(index: FromClause, tokens: Sequence[str]) -> ColumnElement[bool]:
    is_so: ColumnElement[bool] = index.c.facets.op("&&")(cast(array(tokens), ARRAY(Text)))
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
    rows = {row.id: row for row in await c.execute(_ROWS, {"ids": [place.id for place in places]})}
    return tuple(_found(rows[place.id], place) for place in places if place.id in rows)


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


def _found(row: Anything, place: _Place) -> Found:
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
        topics=tuple(row.topics),
        countries=tuple(row.countries),
        entities=tuple((entity["name"], entity["kind"]) for entity in row.entities),
        section=row.section,
        tags=tuple(row.tags),
        is_teaser=row.is_teaser,
        extractor=row.extractor,
        cursor=_cursor(place),
    )
