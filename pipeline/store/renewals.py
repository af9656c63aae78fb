"""Renewals: stored articles as their kept pages are read today, committed with the place to go on from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from pipeline.model import Article, Verdict
from pipeline.store import articles as article_rows
from pipeline.store import verdicts as verdict_rows
from pipeline.store.database import Database
from pipeline.store.tables import articles, events, runs, verdicts
from pipeline.store.verdicts import Judgement, Standing, newest

RENEWED = "renewed"  # the event


@dataclass(frozen=True, slots=True)
class Renewal:
    """A stored article, what its page is read as today, and what is different."""

    standing: Standing
    article: Article
    verdict: Verdict | None  # None: what was judged is the same
    changes: tuple[str, ...]


class RenewalRows:
    """The tables, from the side of `reprocess`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(
        self, run_id: int, renewals: Sequence[Renewal], cursor: Mapping[str, Any], at: datetime
    ) -> frozenset[int]:
        """Renew articles and move the run's cursor, in one transaction; old verdicts are kept.

        Returns:
            The ids of those that were: one that was revised or judged since its standing was read stays as it is.
        """
        return await self._db.settle(lambda: self._put(run_id, renewals, cursor, at))

    async def _put(
        self, run_id: int, renewals: Sequence[Renewal], cursor: Mapping[str, Any], at: datetime
    ) -> frozenset[int]:
        from pipeline.store import joining  # noqa: PLC0415 - loads numpy

        async with self._db.write() as c:
            ids = [renewal.standing.article_id for renewal in renewals]
            await verdict_rows.lock(c, ids)
            rows = await c.execute(
                select(articles.c.id, articles.c.text_hash, newest(verdicts, "id").label("verdict_id")).where(
                    articles.c.id.in_(ids)
                )
            )
            now = {row.id: (row.text_hash, row.verdict_id) for row in rows}
            due = [
                r for r in renewals if now.get(r.standing.article_id) == (r.standing.text_hash, r.standing.verdict_id)
            ]
            for renewal in due:
                await article_rows.renew(c, renewal.standing.article_id, renewal.article)
            await verdict_rows.add_again(c, [j for r in due if (j := _judgement(r, run_id, at)) is not None])
            if due:
                await c.execute(insert(events), [_event(renewal, run_id, at) for renewal in due])
            await c.execute(update(runs).where(runs.c.id == run_id).values(cursor=dict(cursor)))
            await joining.revise(c, [renewal.standing.article_id for renewal in due])
        return frozenset(renewal.standing.article_id for renewal in due)


def _judgement(renewal: Renewal, run_id: int, at: datetime) -> Judgement | None:
    if renewal.verdict is None:
        return None
    text_hash = article_rows.text_hash(renewal.article.text)
    return Judgement(renewal.standing.article_id, renewal.verdict, text_hash, at, run_id, renewal.article.site_memory)


def _event(renewal: Renewal, run_id: int, at: datetime) -> dict[str, Any]:
    detail = {"changes": list(renewal.changes), "extractor": renewal.article.extractor}
    return {"at": at, "kind": RENEWED, "article_id": renewal.standing.article_id, "run_id": run_id, "detail": detail}
