"""Finding articles: Query -> rows, newest first or by relevance, in a time that hardly grows with the words' frequency.

Newest first walks the index from its end. On PostgreSQL the planner cannot tell rare words from common ones, so the
next `WALKED` rows are looked at. Where they do not fill the page, up to `PROBED` matches are taken and sorted; if there
are more, they stand so close that walking from the newest article finds them soon. Relevance ranks the newest matches
only, and facets count those; where they are frequent, PostgreSQL finds them by the months that its index knows.
"""

import math
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import asdict, dataclass, replace
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

from pipeline.errors import CommandError
from pipeline.query import Filters, Query, Term
from pipeline.query.facets import of_months
from pipeline.store import facets
from pipeline.store.conditions import beside
from pipeline.store.database import Database
from pipeline.store.facets import Facets
from pipeline.store.feeds import is_named
from pipeline.store.found import Found, Place, rows
from pipeline.store.found import after as place_after
from pipeline.store.matching import to_fts5, to_tsquery, unwanted, wanted
from pipeline.store.search_index import PLACE_SHIFT, PLACES, TABLE
from pipeline.store.tables import articles, feeds

RANKED = {True: 2_000, False: 500}  # the newest matches, which relevance ranks; on PostgreSQL what ranks is ts_rank
PROBED = 20_000  # matches that PostgreSQL takes at once for a page; if there are more, it walks from the newest on
PROBED_FOR_MANY = 100_000  # for hundreds of matches, to which the walk is longer
MOST_MONTHS = 60  # in which hundreds of matches are looked for before all of them are taken
MARGIN = 1.3  # how many more months than would do, if matches were as frequent as in those looked at
WALKED = 1_000  # rows of PostgreSQL's index that are looked at, newest first, before it is asked for matches
COUNTED = 1_000  # matches are counted up to here
SUMMED = 2_000  # the newest matches, whose facets are counted
STREAMED = 500  # rows of a page of a stream
_INDEX = sql_table(TABLE, *map(sql_column, ("article_id", "words", "facets", "rank", "rowid")))
_PLACES = sql_table(PLACES, *map(sql_column, ("place", "article_id")))
_PLACED = select(_PLACES.c.article_id).where(_PLACES.c.place == _INDEX.c.rowid).correlate(_INDEX).scalar_subquery()
_LAST = select(articles.c.published_at).order_by(articles.c.id.desc()).limit(1)
_TITLE_FIRST = "'{0.1, 0.1, 0.1, 1.0}'"  # the weights of text, -, authors, title
_SCANS = ("enable_seqscan", "enable_indexscan", "enable_bitmapscan")


@dataclass(frozen=True, slots=True)
class Count:
    """How many articles match."""

    number: int
    is_least: bool  # there are more


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
            query = await _with_feeds(c, query)
            return await self._find(c, query)

    async def get(self, key: int) -> Found | None:
        """One article."""
        return (await self.many([key])).get(key)

    async def many(self, keys: Collection[int]) -> dict[int, Found]:
        """Articles by their ids, of those that there are."""
        async with self._db.read() as c:
            return {found.id: found for found in await rows(c, [Place(key) for key in keys])}

    async def stream(self, query: Query) -> AsyncGenerator[Found]:
        """A result row by row, in constant memory, as it was when the first was read."""
        async with self._db.read() as c:
            query = await _with_feeds(c, query)
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
            query = await _with_feeds(c, query)
            await self._plan(c, without="enable_seqscan")
            some = self._hits(query)[0].limit(COUNTED + 1).subquery()
            number = int((await c.execute(select(func.count()).select_from(some))).scalar_one())
        return Count(min(number, COUNTED), number > COUNTED)

    async def facets(self, query: Query, most: int = facets.SHOWN) -> Facets:
        """What the newest `SUMMED` matches have in common: of each facet the most frequent values."""
        async with self._db.read() as c:
            query = await _with_feeds(c, query)
            hits, key = self._hits(query)
            if self._db.is_sqlite:
                is_meant: ColumnElement[bool] = articles.c.id.in_(hits.order_by(key.desc()).limit(SUMMED + 1))
            else:  # thousands of parameters take longer to pass than to look up
                ids = await self._newest(c, hits, key, SUMMED + 1, is_many=True)
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
        if self._is_plain(query):
            given = {"match": to_fts5(query), "limit": limit, "id": before}
            return list((await c.execute(_PAGES[before is not None], given)).scalars())
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
        after = place_after(query.cursor) if query.cursor else None
        if query.is_by_relevance and query.asked.terms:
            return await rows(c, await self._best(c, query, query.asked.terms, after))
        ids = await self.newest(c, query, after.id if after else None, query.limit)
        return await rows(c, [Place(key) for key in ids])

    async def _best(self, c: AsyncConnection, query: Query, terms: Term, after: Place | None) -> list[Place]:
        """The next places by rank; equal ranks newest first.

        The articles that the first page ranked are ranked anew, so that those that came since do not shift the rest.
        """
        if self._is_plain(query):
            given = {"match": to_fts5(query), "limit": query.limit, **(asdict(after) if after else {})}
            found = await c.execute(_BESTS[after is not None], given)
        else:
            hits, key = self._hits(query)
            hits = hits if after is None else _among(hits, key, after)
            ranked = _weighed(hits, key) if self._db.is_sqlite else await self._ranked(c, hits, key, terms)
            found = await c.execute(_best(ranked, key, after, query.limit))
        if after is not None:
            return [Place(key, rank, after.lowest, after.highest) for key, rank, *_ in found]
        most = RANKED[self._db.is_sqlite]
        return [Place(key, rank, low if number == most else 0, high) for key, rank, low, high, number in found]

    async def _ranked(
        self, c: AsyncConnection, hits: Select[Anything], key: ColumnElement[int], terms: Term
    ) -> Select[Anything]:
        """The keys of the newest matches in PostgreSQL with how well they fit; more is better."""
        ids = await self._newest(c, hits, key, RANKED[False], is_many=True)
        rank = cast(func.ts_rank(literal_column(_TITLE_FIRST), _INDEX.c.words, _tsquery(terms)), Double)
        return select(key.label("key"), rank.label("rank")).where(key.in_(ids))

    def _is_plain(self, query: Query) -> bool:
        """Whether FTS5 alone knows what matches: the statements that ask it so are always the same."""
        if not (self._db.is_sqlite and (query.asked.terms or wanted(query) or unwanted(query.asked))):
            return False
        return not any(beside(some) for some in (query.filters, query.asked.filters, query.asked.without))

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
        self, c: AsyncConnection, hits: Select[Anything], key: ColumnElement[int], limit: int, *, is_many: bool = False
    ) -> list[int]:
        if key is _INDEX.c.article_id:
            last = (await c.execute(_LAST)).scalar() if is_many else None
            await self._plan(c, without="enable_indexscan enable_seqscan")
            found = await (_of_months(c, hits, limit, last) if last else _probed(c, hits, limit, PROBED))
            await self._plan(c, without="enable_bitmapscan enable_seqscan" if found is None else "")
            if found is not None:
                return found
        ids = list((await c.execute(hits.order_by(key.desc()).limit(limit))).scalars())
        await self._plan(c)
        return ids

    async def _plan(self, c: AsyncConnection, without: str = "") -> None:
        """Tell PostgreSQL's planner which ways not to go, in this transaction."""
        if not self._db.is_sqlite:
            switches = (f"set_config('{scan}', '{'off' if scan in without else 'on'}', true)" for scan in _SCANS)
            await c.execute(text(f"SELECT {', '.join(switches)}"))


async def _probed(c: AsyncConnection, hits: Select[Anything], limit: int, most: int) -> list[int] | None:
    """The newest of all matches, which PostgreSQL takes at once; None: there are more than that."""
    some = hits.limit(most + 1).subquery()
    newest = select(some.c.id, func.count().over()).order_by(some.c.id.desc()).limit(limit)
    found = (await c.execute(newest)).all()
    return None if found and found[0][1] > most else [row.id for row in found]


async def _of_months(c: AsyncConnection, hits: Select[Anything], limit: int, last: datetime) -> list[int] | None:
    """The same where hundreds are wanted: the index knows the months, so only those are taken that may hold as many.

    The months are those of dates, the order that of ids: an article whose date was corrected may be passed over.
    """
    months = 1
    while months <= MOST_MONTHS:
        found = await _probed(c, hits.where(_has_one(_INDEX, of_months(last, months))), limit, PROBED)
        if found is None or len(found) == limit:
            return found
        months = max(months * 2, math.ceil(MARGIN * months * limit / (len(found) or 1)))
    return await _probed(c, hits, limit, PROBED_FOR_MANY)


def _among(hits: Select[Anything], key: ColumnElement[int], after: Place) -> Select[Anything]:
    """The matches that the first page ranked."""
    return hits.where(key >= after.lowest, key <= after.highest)


def _weighed(hits: Select[Anything], key: ColumnElement[int]) -> Select[Anything]:
    """The keys of the newest matches in SQLite with how well they fit; more is better."""
    rank: Anything = -literal_column(f"bm25({TABLE}, 1.0, 4.0, 1.0, 0.0)")
    weighed = hits.with_only_columns(key.label("key"), rank.label("rank"))
    return weighed.order_by(key.desc()).limit(RANKED[True])


def _best(weighed: Select[Anything], key: ColumnElement[int], after: Place | None, limit: int) -> Select[Anything]:
    """The ids and ranks of the best of the matches (key, rank), with the ends of all keys, and how many there are."""
    ranked = weighed.cte("ranked")
    ends = (func.min(ranked.c.key).over(), func.max(ranked.c.key).over(), func.count().over())
    best = select(ranked.c.key, ranked.c.rank, *ends).order_by(ranked.c.rank.desc(), ranked.c.key.desc())
    if after is not None:
        place = _key_of(after.id, key)
        rank = select(ranked.c.rank).where(ranked.c.key == place).scalar_subquery()
        best = best.where(tuple_(ranked.c.rank, ranked.c.key) < tuple_(func.coalesce(rank, after.rank), place))
    best = best.limit(limit)
    if key is not _INDEX.c.rowid:
        return best
    found = best.subquery("best")  # so that only these are looked up
    number = select(_PLACES.c.article_id).where(_PLACES.c.place == found.c.key).scalar_subquery()
    return select(number, *list(found.c)[1:]).order_by(found.c.rank.desc(), found.c.key.desc())


def _key_of(number: int, key: ColumnElement[int]) -> Anything:
    """Where an article stands, by its id."""
    if key is not _INDEX.c.rowid:
        return number
    place = select(_PLACES.c.place).where(_PLACES.c.article_id == number).scalar_subquery()
    return func.coalesce(place, number // (1 << PLACE_SHIFT))


def _has_one(index: FromClause, tokens: Sequence[str]) -> ColumnElement[bool]:
    is_so: ColumnElement[bool] = index.c.facets.op("&&")(cast(array(tokens), ARRAY(Text)))
    return is_so


def _tsquery(terms: Term) -> ColumnElement[Anything]:
    query: ColumnElement[Anything] = func.to_tsquery(literal_column("'defnews'::regconfig"), to_tsquery(terms))
    return query


async def _with_feeds(c: AsyncConnection, query: Query) -> Query:
    """The same with feeds by their ids, of which the index has tokens."""
    if not any(passed.feeds for passed in (query.filters, query.asked.filters, query.asked.without)):
        return query
    asked = replace(
        query.asked,
        filters=await _by_ids(c, query.asked.filters),
        without=await _by_ids(c, query.asked.without),
    )
    return replace(query, asked=asked, filters=await _by_ids(c, query.filters))


async def _by_ids(c: AsyncConnection, passed: Filters) -> Filters:
    ids = list(passed.feed_ids)
    for name in passed.feeds:
        found = (await c.execute(select(feeds.c.id).where(is_named((name,))))).scalars().all()
        if not found:
            raise CommandError(f"no such feed: {name} (`defnews feeds list` knows ids, URLs and titles)")
        ids += found
    return replace(passed, feed_ids=tuple(ids), feeds=())


# What most searches on SQLite ask: put together once, which takes longer than SQLite does.
_parameter: Anything = bindparam
_LIMIT = _parameter("limit", type_=BigInteger)
_AFTER = Place(
    id=_parameter("id", type_=BigInteger),
    rank=_parameter("rank", type_=Double),
    lowest=_parameter("lowest", type_=BigInteger),
    highest=_parameter("highest", type_=BigInteger),
)
_PLAIN = select(_PLACED.label("id")).select_from(_INDEX).where(text(f"{TABLE} MATCH :match"))
_PAGES = {
    goes_on: hits.order_by(_INDEX.c.rowid.desc()).limit(_LIMIT)
    for goes_on, hits in ((False, _PLAIN), (True, _PLAIN.where(_INDEX.c.rowid < _key_of(_AFTER.id, _INDEX.c.rowid))))
}
_BESTS = {
    after is not None: _best(_weighed(hits, _INDEX.c.rowid), _INDEX.c.rowid, after, _LIMIT)
    for after, hits in ((None, _PLAIN), (_AFTER, _among(_PLAIN, _INDEX.c.rowid, _AFTER)))
}
