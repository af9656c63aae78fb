"""What people say of articles, and which articles are to be asked about first."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, select, true

from pipeline.query import Query
from pipeline.store import verdicts as verdict_rows
from pipeline.store.database import Database
from pipeline.store.search import Search
from pipeline.store.tables import articles, feeds, labels, texts, verdicts

WEIGHED = 2_000  # of the articles that need review, the newest, among which the most uncertain are looked for


class Said(StrEnum):
    """A person's word on whether an article is defense-related."""

    YES = "yes"
    NO = "no"
    BORDERLINE = "borderline"  # two careful readers would differ: the verdict's label stays


@dataclass(frozen=True, slots=True)
class Labelled:
    """A label as it was stored, and what the article shows since."""

    article_id: int
    title: str
    said: str
    who: str
    created_at: datetime
    text_hash: str
    label: str
    needs_review: bool


@dataclass(frozen=True, slots=True)
class LabelledText:
    """An article with the newest word of a person on it."""

    article_id: int
    said: str
    lang: str | None
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class SaidLately:
    """An article with what one person said last of it."""

    article_id: int
    said: str
    title: str


@dataclass(frozen=True, slots=True)
class Doubtful:
    """An article that waits for a person."""

    id: int
    score: float
    threshold: float
    classifier: str
    lang: str | None
    title: str
    feed: str | None  # its title
    evidence: tuple[Mapping[str, Any], ...]


class LabelRows:
    """The labels that people gave, and the queue of what they should look at."""

    def __init__(self, db: Database, search: Search) -> None:
        self._db, self._search = db, search

    async def add(self, article_id: int, said: Said, who: str, at: datetime) -> Labelled:
        """Store a label on the text that the article has now; it counts until a person gives another."""
        from pipeline.store import joining  # noqa: PLC0415 - loads numpy

        is_it = articles.c.id == article_id
        async with self._db.write() as c:
            await verdict_rows.lock(c, [article_id])
            text_hash = (await c.execute(select(articles.c.text_hash).where(is_it))).scalar_one()
            values = {"label": said.value, "who": who, "text_hash": text_hash, "created_at": at}
            await c.execute(insert(labels).values(article_id=article_id, **values))
            await verdict_rows.settle(c, [article_id])
            await joining.settle(c, [article_id])
            shown = (await c.execute(select(articles).where(is_it))).one()
        return Labelled(article_id, shown.title, said, who, at, text_hash, shown.label, shown.needs_review)

    async def texts(self) -> AsyncIterator[LabelledText]:
        """Every labelled article, oldest first."""
        query = (
            select(articles.c.id, labels.c.label, articles.c.lang, articles.c.title, texts.c.body)
            .select_from(articles)
            .join(labels, labels.c.id == verdict_rows.newest(labels, "id"))
            .join(texts, texts.c.article_id == articles.c.id)
            .order_by(articles.c.id)
        )
        async with self._db.read() as c, c.stream(query.execution_options(yield_per=200)) as rows:
            async for row in rows:
                yield LabelledText(*row)

    async def said_of(self, keys: Collection[int]) -> dict[int, str]:
        """The newest word of a person on these articles, by their ids, where there is one."""
        query = select(labels.c.article_id, labels.c.label).where(labels.c.article_id.in_(keys)).order_by(labels.c.id)
        async with self._db.read() as c:
            return {row.article_id: row.label for row in await c.execute(query)}

    async def lately(self, who: str, limit: int) -> tuple[SaidLately, ...]:
        """The articles of which this person spoke last, the last one first, each once."""
        newest = (
            select(func.max(labels.c.id).label("id"))
            .where(labels.c.who == who)
            .group_by(labels.c.article_id)
            .order_by(func.max(labels.c.id).desc())
            .limit(limit)
            .subquery()
        )
        query = (
            select(labels.c.article_id, labels.c.label, articles.c.title)
            .join(newest, newest.c.id == labels.c.id)
            .join(articles, articles.c.id == labels.c.article_id)
            .order_by(labels.c.id.desc())
        )
        async with self._db.read() as c:
            return tuple(SaidLately(*row) for row in await c.execute(query))

    async def doubtful(self, query: Query, limit: int) -> tuple[Doubtful, ...]:
        """Of the newest `WEIGHED` articles that need review and that nobody has labelled, the most uncertain first.

        The nearest to its threshold of each language and classifier comes first, then the second nearest of each,
        and so on: what is near in one of them may be far in another.
        """
        distance = func.abs(verdicts.c.score - verdicts.c.threshold)
        alike = (articles.c.lang, verdicts.c.classifier)
        place = func.row_number().over(partition_by=alike, order_by=(distance, articles.c.id.desc()))
        wanted = select(articles.c.id).where(articles.c.needs_review.is_(true()), self._search.matches(query))
        near = (
            select(articles.c.id, verdicts.c.id.label("verdict_id"), place.label("place"), distance.label("distance"))
            .select_from(articles)
            .join(verdicts, verdicts.c.id == verdict_rows.newest(verdicts, "id"))
            .where(articles.c.id.in_(wanted.order_by(articles.c.id.desc()).limit(WEIGHED)))
            .subquery()
        )
        first = select(near).order_by(near.c.place, near.c.distance, near.c.id.desc()).limit(limit).subquery()
        rows = (
            select(articles.c.id, articles.c.title, articles.c.lang, feeds.c.title.label("feed"))
            .add_columns(verdicts.c.score, verdicts.c.threshold, verdicts.c.classifier, verdicts.c.evidence)
            .select_from(first)
            .join(articles, articles.c.id == first.c.id)
            .join(verdicts, verdicts.c.id == first.c.verdict_id)
            .outerjoin(feeds, feeds.c.id == articles.c.feed_id)
            .order_by(first.c.place, first.c.distance, first.c.id.desc())
        )
        async with self._db.read() as c:
            return tuple(Doubtful(**row._mapping) for row in await c.execute(rows))
