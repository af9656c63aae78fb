"""How many articles there were when: for charts. Ranges are those of ids, which are ordered by time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, select

from pipeline.model import Label
from pipeline.query import Query
from pipeline.store.articles import ID_HASH_BITS, first_id
from pipeline.store.database import Database
from pipeline.store.search import Search
from pipeline.store.tables import articles


@dataclass(frozen=True, slots=True)
class Range:
    """A time in steps of equal length: [since, since + step), and so on up to `until`, which is excluded."""

    since: datetime
    until: datetime
    step: timedelta

    @classmethod
    def of(cls, until: datetime, step: timedelta, steps: int) -> "Range":
        """The last steps up to the one that holds `until`, on whole steps since 1970; that of a week begins Monday."""
        length = int(step.total_seconds())
        shift = 3 * 86_400 if step == timedelta(weeks=1) else 0  # 1970 began on a Thursday
        end = (int(until.timestamp()) + shift) // length * length - shift + length
        last = datetime.fromtimestamp(end, until.tzinfo)
        return cls(last - steps * step, last, step)

    @property
    def starts(self) -> tuple[datetime, ...]:
        """When each step begins."""
        return tuple(self.since + n * self.step for n in range((self.until - self.since) // self.step))


class TimelineRows:
    """Counts of articles by time."""

    def __init__(self, db: Database, search: Search) -> None:
        self._db, self._search = db, search

    async def volume(self, span: Range) -> Mapping[str, tuple[int, ...]]:
        """Articles of each label in each step."""
        labels = tuple(label.value for label in Label)
        is_meant = (articles.c.label.in_(labels), _within(articles.c.id, span))
        rows = await self._rows(_counted(articles.c.label, span, articles.c.id).where(*is_meant))
        return {label: _filled(rows, label, span) for label in labels}

    async def of_feeds(self, feed_ids: Collection[int], span: Range) -> Mapping[int, tuple[int, ...]]:
        """Articles that each feed brought first, in each step."""
        is_meant = (articles.c.feed_id.in_(feed_ids), _within(articles.c.id, span))
        rows = await self._rows(_counted(articles.c.feed_id, span, articles.c.id).where(*is_meant))
        return {feed_id: _filled(rows, feed_id, span) for feed_id in feed_ids}

    async def of_matches(self, query: Query, span: Range) -> tuple[int, ...]:
        """Articles in each step that match."""
        first, last = first_id(span.since), first_id(span.until) - 1
        hits = self._search.hits(query, first, last, roughly=True).subquery("hits")
        step = _step(hits.c.id, span)
        async with self._db.read() as c:
            rows = await c.execute(select(step, func.count()).select_from(hits).group_by(step))
            found = {row[0]: row[1] for row in rows}
        return tuple(found.get(number, 0) for number in range(len(span.starts)))

    async def _rows(self, query: Select[Any]) -> list[Any]:
        async with self._db.read() as c:
            return list(await c.execute(query))


def _within(key: ColumnElement[int], span: Range) -> ColumnElement[bool]:
    return and_(key >= first_id(span.since), key < first_id(span.until))


def _counted(group: ColumnElement[Any], span: Range, key: ColumnElement[int]) -> Select[Any]:
    """Rows of group, number of the step, count."""
    step = _step(key, span)
    return select(group, step, func.count()).group_by(group, step)


def _step(key: ColumnElement[int], span: Range) -> ColumnElement[int]:
    """The number of the step that an id is in."""
    length = int(span.step.total_seconds()) << ID_HASH_BITS
    return literal_column(f"({key.table.name}.{key.name} - {first_id(span.since)}) / {length}")


def _filled(rows: list[Any], group: Any, span: Range) -> tuple[int, ...]:
    found = {step: count for name, step, count in rows if name == group}
    return tuple(found.get(step, 0) for step in range(len(span.starts)))
