"""Where the page of an entry is kept: the rows; the bytes are in files (`kept.py`)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.model import Outcome
from pipeline.store.database import Database
from pipeline.store.tables import article_entries, articles, entries, pages

if TYPE_CHECKING:
    from pipeline.store.endings import Ending


@dataclass(frozen=True, slots=True)
class KeptAt:
    """Where the bytes of a page begin."""

    file: str  # its name; begins with the day
    offset: int


@dataclass(frozen=True, slots=True)
class LastPage:
    """Where the page is kept that an article was read from last."""

    at: KeptAt
    is_revision: bool  # a feed had announced the article anew: its date is of an earlier page
    seen_at: datetime  # when the article was first seen


class PageRows:
    """The places of kept pages."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_articles(self, ids: Collection[int]) -> dict[int, LastPage]:
        """The page that each article was read from last; articles of which it is not kept are left out."""
        newest = func.row_number().over(
            partition_by=article_entries.c.article_id, order_by=(entries.c.done_at.desc(), entries.c.id.desc())
        )
        ranked = (
            select(articles.c.id, articles.c.first_seen_at, entries.c.revision, pages, newest.label("rank"))
            .join(article_entries, article_entries.c.article_id == articles.c.id)
            .join(entries, entries.c.id == article_entries.c.entry_id)
            .outerjoin(pages, pages.c.entry_id == entries.c.id)
            .where(articles.c.id.in_(ids), entries.c.outcome == Outcome.STORED.value)
            .subquery()
        )
        query = select(ranked).where(ranked.c.rank == 1, ranked.c.file.is_not(None))
        async with self._db.read() as c:
            return {
                row.id: LastPage(KeptAt(row.file, row.offset), row.revision > 0, row.first_seen_at)
                for row in await c.execute(query)
            }

    async def forget_before(self, day: date) -> None:
        """The files of earlier days are gone."""
        async with self._db.write() as c:
            await c.execute(delete(pages).where(pages.c.file < day.isoformat()))


async def remember(c: AsyncConnection, db: Database, settled: Collection["Ending"]) -> None:
    """Note where the pages are kept that brought work to its end; older bytes of the same entry count no more."""
    done = [ending for ending in settled if ending.outcome is not None]
    rows: list[dict[str, Any]] = [
        {"entry_id": ending.work.lead.id, "file": ending.kept.file, "offset": ending.kept.offset}
        for ending in done
        if ending.kept is not None
    ]
    if rows:
        statement = db.insert(pages)
        change = {"file": statement.excluded.file, "offset": statement.excluded.offset}
        await c.execute(statement.on_conflict_do_update(index_elements=["entry_id"], set_=change), rows)
    if lost := [ending.work.lead.id for ending in done if ending.work.is_revision and ending.kept is None]:
        await c.execute(delete(pages).where(pages.c.entry_id.in_(lost)))
