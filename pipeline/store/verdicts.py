"""Verdicts: written, weighed against what people said, and given again to stored articles."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Table, case, false, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.model import Article, DateOrigin, Evidence, Label, Verdict
from pipeline.query import Query
from pipeline.store import search_index
from pipeline.store.database import Database
from pipeline.store.search import Search
from pipeline.store.tables import articles, labels, texts, verdicts

_EVIDENCE = tuple(one.name for one in fields(Evidence))
_told = attrgetter(*_EVIDENCE)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict on the text that an article had at a moment."""

    article_id: int
    verdict: Verdict
    text_hash: str
    at: datetime
    run_id: int | None
    site_memory: str | None = None  # that told furniture from the text


@dataclass(frozen=True, slots=True)
class Standing:
    """A stored article with its newest verdict, what a person said, and what everybody therefore sees."""

    article_id: int
    title: str
    text_hash: str
    verdict_id: int
    judged_hash: str  # of the text that the verdict is about
    classifier: str
    tagger: str | None
    verdict_label: str
    score: float
    said: str | None  # yes, no, borderline
    label: str
    needs_review: bool


class VerdictRows:
    """Stored articles, to be judged again."""

    def __init__(self, db: Database, search: Search) -> None:
        self._db, self._search = db, search

    async def page(self, query: Query, before: int | None, limit: int) -> tuple[Standing, ...]:
        """The next articles that match, newest first: those with an id below `before`."""
        wanted = (
            select(
                articles.c.id.label("article_id"),
                articles.c.title,
                articles.c.text_hash,
                verdicts.c.id.label("verdict_id"),
                verdicts.c.text_hash.label("judged_hash"),
                verdicts.c.classifier,
                verdicts.c.tagger,
                verdicts.c.label.label("verdict_label"),
                verdicts.c.score,
                newest(labels, "label").label("said"),
                articles.c.label,
                articles.c.needs_review,
            )
            .select_from(articles)
            .join(verdicts, verdicts.c.id == newest(verdicts, "id"))
            .order_by(articles.c.id.desc())
        )
        async with self._db.read() as c:
            wanted = wanted.where(articles.c.id.in_(await self._search.newest(c, query, before, limit)))
            return tuple(Standing(**row._mapping) for row in await c.execute(wanted))

    async def articles(self, ids: Collection[int]) -> dict[int, Article]:
        """Articles as they went into the tables, by id."""
        wanted = select(articles, texts.c.body).join(texts).where(articles.c.id.in_(ids))
        async with self._db.read() as c:
            return {row.id: _article(row) for row in await c.execute(wanted)}

    async def given(self, classifier: str, since: datetime) -> int:
        """How many verdicts a classifier has given since a moment; costs as much as all verdicts since then."""
        before = select(verdicts.c.id).where(verdicts.c.created_at < since).order_by(verdicts.c.id.desc()).limit(1)
        is_meant = (
            verdicts.c.id > func.coalesce(before.scalar_subquery(), 0),
            verdicts.c.classifier == classifier,
            verdicts.c.created_at >= since,
        )
        async with self._db.read() as c:
            return int((await c.execute(select(func.count()).select_from(verdicts).where(*is_meant))).scalar_one())

    async def put(self, new: Sequence[tuple[Standing, Judgement]]) -> frozenset[int]:
        """Judge articles again, all in one transaction.

        Returns:
            The ids of those that were: an article that got another verdict since its standing was read keeps that one.
        """
        return await self._db.settle(lambda: self._put(new))

    async def _put(self, new: Sequence[tuple[Standing, Judgement]]) -> frozenset[int]:
        from pipeline.store import joining  # noqa: PLC0415 - loads numpy

        async with self._db.write() as c:
            ids = [standing.article_id for standing, _ in new]
            await lock(c, ids)
            known = select(verdicts.c.article_id, func.max(verdicts.c.id).label("id"))
            rows = await c.execute(known.where(verdicts.c.article_id.in_(ids)).group_by(verdicts.c.article_id))
            now = {row.article_id: row.id for row in rows}
            due = [judgement for standing, judgement in new if now.get(standing.article_id) == standing.verdict_id]
            await add_again(c, due)
            await joining.settle(c, [judgement.article_id for judgement in due])
            return frozenset(judgement.article_id for judgement in due)


async def lock(c: AsyncConnection, ids: Collection[int]) -> None:
    """Keep others from changing what is seen of these articles until we are done; SQLite has one writer anyway.

    They may still refer to them: who changes stories does, while we perhaps wait for our turn to change stories.
    """
    wanted = select(articles.c.id).where(articles.c.id.in_(ids)).order_by(articles.c.id)
    await c.execute(wanted.with_for_update(key_share=True))


async def add(c: AsyncConnection, new: Sequence[Judgement]) -> None:
    """Add the first verdicts of articles."""
    if new:
        await c.execute(insert(verdicts), [_values(judgement) for judgement in new])


async def add_again(c: AsyncConnection, new: Sequence[Judgement]) -> None:
    """Add verdicts on articles that have some: the old ones are kept."""
    await add(c, new)
    await settle(c, [judgement.article_id for judgement in new])


async def settle(c: AsyncConnection, ids: Collection[int]) -> None:
    """Give articles the label that counts: a person's newest yes or no, else the newest verdict's.

    What a person has labelled, also as borderline, needs no review. The index follows.
    """
    said = newest(labels, "label")
    by_person = ((said == "yes", Label.DEFENSE.value), (said == "no", Label.OTHER.value))
    values = {
        "label": case(*by_person, else_=newest(verdicts, "label")),
        "score": newest(verdicts, "score"),
        "needs_review": case((said.is_not(None), false()), else_=newest(verdicts, "needs_review")),
    }
    await c.execute(update(articles).where(articles.c.id.in_(ids)).values(values))
    await search_index.refresh(c, ids)


def newest(table: Table, column: str) -> ColumnElement[Any]:
    """A column of an article's newest verdict or label; NULL when it has none."""
    rows = table.alias()
    query = select(rows.c[column]).where(rows.c.article_id == articles.c.id).order_by(rows.c.id.desc()).limit(1)
    return query.correlate(articles).scalar_subquery()


def tag_values(verdict: Verdict) -> dict[str, Any]:
    """What a verdict says that an article is about."""
    return {
        "topics": list(verdict.topics),
        "countries": list(verdict.countries),
        "entities": [{"name": name, "kind": kind} for name, kind in verdict.entities],
    }


def label_values(verdict: Verdict) -> dict[str, Any]:
    """What an article shows of its verdict when no person has spoken."""
    return {"label": verdict.label.value, "score": verdict.score, "needs_review": verdict.needs_review}


def _values(judgement: Judgement) -> dict[str, Any]:
    verdict = judgement.verdict
    return {
        "article_id": judgement.article_id,
        "classifier": verdict.classifier,
        "tagger": verdict.tagger,
        "threshold": verdict.threshold,
        "base": verdict.base,
        **tag_values(verdict),
        "evidence": [dict(zip(_EVIDENCE, _told(piece), strict=True)) for piece in verdict.evidence],
        "text_hash": judgement.text_hash,
        "site_memory": judgement.site_memory,
        "created_at": judgement.at,
        "run_id": judgement.run_id,
        **label_values(verdict),
    }


def _article(row: Any) -> Article:
    return Article(
        url=row.url,
        canonical_url=row.canonical_url,
        title=row.title,
        text=row.body,
        published_at=row.published_at,
        published_from=DateOrigin(row.published_from),
        extractor=row.extractor,
        authors=tuple(row.authors),
        updated_at=row.updated_at,
        lang=row.lang,
        site_name=row.site_name,
        section=row.section,
        tags=tuple(row.tags),
        is_teaser=row.is_teaser,
        site_memory=row.site_memory,
    )
