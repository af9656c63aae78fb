"""Finding articles: Query -> SQL for FTS5 and for tsvector, newest first or by relevance."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any as Anything

from sqlalchemy import (
    Column,
    ColumnElement,
    Double,
    Select,
    Subquery,
    and_,
    cast,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    text,
    true,
)
from sqlalchemy import column as sql_column
from sqlalchemy import table as sql_table
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.errors import UsageError
from pipeline.query import Filters, Query, Span, Term
from pipeline.store.database import Database
from pipeline.store.feeds import is_named
from pipeline.store.matching import to_fts5, to_tsquery
from pipeline.store.search_index import TABLE
from pipeline.store.tables import articles, feeds, tags, texts, verdicts

LARGEST_ID = 2**63 - 1
RANKED = 2_000  # relevance ranks the newest matches of this number, so that common words cost no more than rare ones
_INDEX = sql_table(TABLE, sql_column("article_id"), sql_column("words"), sql_column("rank"), sql_column("rowid"))
_NO_RANK: Anything = literal_column("NULL").label("rank")


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


class Search:
    """The reading side of the store."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, query: Query) -> tuple[Found, ...]:
        """One page of a result."""
        return tuple([found async for found in self.stream(query)])

    async def get(self, key: int) -> Found | None:
        """One article."""
        ids = select(articles.c.id, _NO_RANK).where(articles.c.id == key).subquery()
        async with self._db.read() as c:
            row = (await c.execute(_with_columns(ids))).one_or_none()
            return _found(row, (await _tags(c, [key]))[key]) if row else None

    async def count(self, query: Query, most: int) -> int:
        """How many articles match; no more than `most` are counted."""
        ids = select(articles.c.id).where(*self.conditions(query)).limit(most).subquery()
        async with self._db.read() as c:
            return int((await c.execute(select(func.count()).select_from(ids))).scalar_one())

    async def stream(self, query: Query) -> AsyncIterator[Found]:
        """A result row by row, in constant memory."""
        statement = self._statement(query)
        async with self._db.read() as c, c.stream(statement.execution_options(yield_per=200)) as rows:
            async for part in rows.partitions(200):
                tagged = await _tags(c, [row.id for row in part])
                for row in part:
                    yield _found(row, tagged[row.id])

    def conditions(self, query: Query) -> list[ColumnElement[bool]]:
        """What holds of the articles that match a query."""
        asked = query.asked
        unwanted = [not_(func.coalesce(condition, false())) for condition in _conditions(asked.without)]
        return [self._matches(asked.terms), *_conditions(query.filters), *_conditions(asked.filters), *unwanted]

    def _statement(self, query: Query) -> Select[Anything]:
        if query.asked.terms is None or not query.is_by_relevance:
            wanted = select(articles.c.id, _NO_RANK).where(*self.conditions(query))
            if query.cursor:
                wanted = wanted.where(articles.c.id < _after(query.cursor)[1])
            ids = wanted.order_by(articles.c.id.desc()).limit(query.limit).subquery()
            order = [ids.c.id.desc()]
        else:
            ids = self._ranked(query, query.asked.terms).subquery()
            order = [ids.c.rank.desc(), ids.c.id.desc()]
        return _with_columns(ids).order_by(*order)

    def _matches(self, terms: Term | None) -> ColumnElement[bool]:
        if terms is None:
            return true()
        is_hit: ColumnElement[bool] = articles.c.id.in_(self._hits(terms))
        return is_hit

    def _hits(self, terms: Term) -> Select[Anything]:
        if self._db.is_sqlite:
            is_hit = text(f"{TABLE} MATCH :match").bindparams(match=to_fts5(terms))
            return select(_INDEX.c.rowid.label("id")).where(is_hit)
        words = func.to_tsquery(literal_column("'defnews'::regconfig"), to_tsquery(terms))
        return select(_INDEX.c.article_id.label("id")).where(_INDEX.c.words.op("@@")(words))

    def _ranked(self, query: Query, terms: Term) -> Select[Anything]:
        """The newest matches, best first; equal ranks newest first."""
        key, rank, is_hit = self._rank(terms)
        newest = (
            select(key.label("id"), rank.label("rank"))
            .join(articles, articles.c.id == key)
            .where(is_hit, *self.conditions(query)[1:])
            .order_by(key.desc())
            .limit(RANKED)
            .subquery()
        )
        ranked = select(newest.c.id, newest.c.rank)
        if query.cursor:
            rank_then, id_then = _after(query.cursor)
            if rank_then is None:
                raise UsageError(f"--cursor: {query.cursor!r} goes on with the newest, not by relevance")
            is_equal = and_(newest.c.rank == rank_then, newest.c.id < id_then)
            ranked = ranked.where(or_(newest.c.rank < rank_then, is_equal))
        return ranked.order_by(newest.c.rank.desc(), newest.c.id.desc()).limit(query.limit)

    def _rank(self, terms: Term) -> tuple[Anything, Anything, Anything]:
        """The index's id column, how well a row fits (more is better), and whether it fits."""
        if self._db.is_sqlite:
            is_hit = text(f"{TABLE} MATCH :match").bindparams(match=to_fts5(terms))
            return _INDEX.c.rowid, -literal_column(f"bm25({TABLE}, 4.0, 1.0)"), is_hit
        words = func.to_tsquery(literal_column("'defnews'::regconfig"), to_tsquery(terms))
        return _INDEX.c.article_id, cast(func.ts_rank(_INDEX.c.words, words), Double), _INDEX.c.words.op("@@")(words)


async def _tags(c: AsyncConnection, ids: list[int]) -> dict[int, Anything]:
    """Topics, countries and entities of the newest verdict on each article."""
    newest = select(func.max(verdicts.c.id)).where(verdicts.c.article_id.in_(ids)).group_by(verdicts.c.article_id)
    columns = (verdicts.c.article_id, verdicts.c.topics, verdicts.c.countries, verdicts.c.entities)
    return {row.article_id: row for row in await c.execute(select(*columns).where(verdicts.c.id.in_(newest)))}


def _with_columns(ids: Subquery) -> Select[Anything]:
    return (
        select(articles, texts.c.body, feeds.c.title.label("feed_title"), ids.c.rank)
        .select_from(ids)
        .join(articles, articles.c.id == ids.c.id)
        .join(texts, texts.c.article_id == articles.c.id)
        .outerjoin(feeds, feeds.c.id == articles.c.feed_id)
    )


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """The filters as SQL; values of one filter are alternatives, filters add up."""
    of_kind = select(feeds.c.id).where(feeds.c.kind.in_(filters.kinds))
    in_lang = (articles.c.lang.startswith(lang, autoescape=True) for lang in filters.langs)
    conditions = (
        (filters.labels, _is_labelled(filters.labels)),
        (filters.topics, _is_tagged("topic", filters.topics)),
        (filters.countries, _is_tagged("country", filters.countries)),
        (filters.entities, _is_tagged("entity", [name.casefold() for name in filters.entities])),
        (filters.feed_ids, articles.c.feed_id.in_(filters.feed_ids)),
        (filters.kinds, articles.c.feed_id.in_(of_kind)),
        (filters.sites, articles.c.site.in_(filters.sites)),
        (filters.langs, or_(false(), *in_lang)),
        (filters.feeds, articles.c.feed_id.in_(select(feeds.c.id).where(is_named(filters.feeds)))),
        (filters.scores, _is_within(articles.c.score, filters.scores)),
        (filters.published, _is_within(articles.c.published_at, filters.published)),
    )
    return [*(condition for values, condition in conditions if values), *_bounds(filters)]


def _is_tagged(kind: str, names: Sequence[str]) -> ColumnElement[bool]:
    return articles.c.id.in_(select(tags.c.article_id).where(tags.c.kind == kind, tags.c.name.in_(names)))


def _is_within(column: Column[Anything], spans: Sequence[Span[Anything]]) -> ColumnElement[bool]:
    ends = (
        (true() if s.low is None else column >= s.low, true() if s.high is None else column < s.high) for s in spans
    )
    return or_(false(), *(and_(*both) for both in ends))


def _bounds(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.since is not None:
        yield articles.c.published_at >= filters.since
    if filters.until is not None:
        yield articles.c.published_at < filters.until
    if filters.min_score is not None:
        yield articles.c.score >= filters.min_score
    if filters.is_teaser is not None:
        yield articles.c.is_teaser.is_(true() if filters.is_teaser else false())


def _is_labelled(labels: tuple[str, ...]) -> ColumnElement[bool]:
    given = articles.c.label.in_([label for label in labels if label != "review"])
    is_review = articles.c.needs_review.is_(true())
    if "review" not in labels:
        return given
    return is_review if labels == ("review",) else or_(given, is_review)


def _after(cursor: str) -> tuple[float | None, int]:
    """Rank and id of the last row of the page before.

    Raises:
        UsageError: it is no cursor of ours.
    """
    rank, _, key = cursor.rpartition("_")
    try:
        return (float(rank) if rank else None), max(min(int(key), LARGEST_ID), 0)
    except ValueError as e:
        raise UsageError(f"--cursor: {cursor!r} is not one that a search printed") from e


def _found(row: Anything, tagged: Anything) -> Found:
    return Found(
        id=row.id,
        url=row.canonical_url,
        title=row.title,
        text=row.body,
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
        cursor=f"{row.id}" if row.rank is None else f"{float(row.rank)!r}_{row.id}",
    )
