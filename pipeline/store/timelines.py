"""How many articles there were when, and of what: for charts. Ranges are those of ids, which are ordered by time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, select

from pipeline.model import Label
from pipeline.store.articles import ID_HASH_BITS
from pipeline.store.database import Database
from pipeline.store.tables import articles, tags


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
    """Counts of articles by time, and of what stands together in them."""

    def __init__(self, db: Database) -> None:
        self._db = db

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

    async def of_tag(self, kind: str, name: str, span: Range) -> tuple[int, ...]:
        """Articles in each step that bear a tag."""
        is_meant = (_is_tag(tags, kind, name), _within(tags.c.article_id, span))
        return _filled(await self._rows(_counted(tags.c.name, span, tags.c.article_id).where(*is_meant)), name, span)

    async def most(self, kind: str, span: Range, limit: int) -> tuple[tuple[str, int], ...]:
        """The most frequent tags of a kind among defense articles, with their counts."""
        count = func.count()
        query = (
            select(tags.c.name, count)
            .join(articles, articles.c.id == tags.c.article_id)
            .where(tags.c.kind == kind, articles.c.label == Label.DEFENSE.value)
            .where(_within(articles.c.id, span), _within(tags.c.article_id, span))
        )
        rows = await self._rows(query.group_by(tags.c.name).order_by(count.desc(), tags.c.name).limit(limit))
        return tuple((row[0], row[1]) for row in rows)

    async def beside(self, kind: str, name: str, wanted: str, span: Range, limit: int) -> tuple[tuple[str, int], ...]:
        """The most frequent other tags of the wanted kind in the articles that bear a tag, with their counts."""
        other, count = tags.alias(), func.count()
        is_other = other.c.name != name if wanted == kind else other.c.name.is_not(None)
        query = (
            select(other.c.name, count)
            .select_from(tags.join(other, other.c.article_id == tags.c.article_id))
            .where(_is_tag(tags, kind, name), _within(tags.c.article_id, span), other.c.kind == wanted, is_other)
        )
        rows = await self._rows(query.group_by(other.c.name).order_by(count.desc(), other.c.name).limit(limit))
        return tuple((row[0], row[1]) for row in rows)

    async def names(self, kind: str) -> tuple[str, ...]:
        """All tags of a kind, which should be few: topics."""
        first = select(func.min(tags.c.name).label("name")).where(tags.c.kind == kind).cte("names", recursive=True)
        following = select(func.min(tags.c.name)).where(tags.c.kind == kind, tags.c.name > first.c.name)
        names = first.union_all(select(following.scalar_subquery()).where(first.c.name.is_not(None)))
        rows = await self._rows(select(names.c.name).where(names.c.name.is_not(None)))
        return tuple(row[0] for row in rows)

    async def _rows(self, query: Select[Any]) -> list[Any]:
        async with self._db.read() as c:
            return list(await c.execute(query))


def _within(key: ColumnElement[int], span: Range) -> ColumnElement[bool]:
    return and_(key >= _first_id(span.since), key < _first_id(span.until))


def _first_id(at: datetime) -> int:
    """No article of that second or later has a smaller id."""
    return int(at.timestamp()) << ID_HASH_BITS


def _is_tag(table: Any, kind: str, name: str) -> ColumnElement[bool]:
    return and_(table.c.kind == kind, table.c.name == name)


def _counted(group: ColumnElement[Any], span: Range, key: ColumnElement[int]) -> Select[Any]:
    """Rows of group, number of the step, count."""
    length = int(span.step.total_seconds()) << ID_HASH_BITS
    since = _first_id(span.since)
    step: ColumnElement[int] = literal_column(f"({key.table.name}.{key.name} - {since}) / {length}")  # type: ignore[attr-defined]
    return select(group, step.label("step"), func.count()).group_by(group, step)


def _filled(rows: list[Any], group: Any, span: Range) -> tuple[int, ...]:
    found = {step: count for name, step, count in rows if name == group}
    return tuple(found.get(step, 0) for step in range(len(span.starts)))
