"""Gaps: the times of which entries of a feed were missed, and what backfills found of them since."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, true, update

from pipeline.model import Gap, Outcome
from pipeline.store.database import Database
from pipeline.store.tables import article_entries, articles, entries, feeds, gaps


@dataclass(frozen=True, slots=True)
class GapRow:
    """A gap of a feed."""

    id: int
    feed_id: int
    gap: Gap
    run_id: int | None  # the backfill that looked last for what was missed
    found: int | None  # articles that it stored
    repaired_at: datetime | None  # when an archive was found that goes back to the gap's beginning


class GapRows:
    """The table of gaps."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_feeds(self, feed_ids: Collection[int], *, is_open: bool = False) -> tuple[GapRow, ...]:
        """The gaps of feeds, newest first; the open ones: those that are not repaired."""
        query = select(gaps).where(gaps.c.feed_id.in_(feed_ids), gaps.c.repaired_at.is_(None) if is_open else true())
        async with self._db.read() as c:
            return tuple(_row(row) for row in await c.execute(query.order_by(gaps.c.id.desc())))

    async def tried(self, gap: GapRow, run_id: int, days: Gap, repaired_at: datetime | None) -> int:
        """Note that a backfill looked for what was missed; returns how many articles of those days it stored."""
        is_of_feed = or_(entries.c.feed_id == gap.feed_id, articles.c.site == feeds.c.site)
        stored = (
            select(func.count(articles.c.id.distinct()))
            .select_from(entries)
            .join(article_entries, article_entries.c.entry_id == entries.c.id)
            .join(articles, articles.c.id == article_entries.c.article_id)
            .join(feeds, feeds.c.id == gap.feed_id)
            .where(entries.c.origin_run_id == run_id, entries.c.outcome == Outcome.STORED.value, is_of_feed)
            .where(articles.c.published_at >= days.since, articles.c.published_at < days.until)
        )
        async with self._db.write() as c:
            found = int((await c.execute(stored)).scalar_one())
            values = {"run_id": run_id, "found": found, "repaired_at": repaired_at}
            await c.execute(update(gaps).where(gaps.c.id == gap.id).values(**values))
        return found


def _row(row: Any) -> GapRow:
    return GapRow(row.id, row.feed_id, Gap(row.since_at, row.until_at), row.run_id, row.found, row.repaired_at)
