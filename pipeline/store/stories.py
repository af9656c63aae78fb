"""Stories: reports of one event as they are listed, split and merged.

`StoryRows.listing(asked, now)` is a page of stories, `.get(id)` one of them, `.reports(id)` what is in it, `.of(ids)`
the stories of articles. A story is listed from two reports on.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.errors import UsageError
from pipeline.query import Filters, Query, facets
from pipeline.stages.owners import Corroboration, Told, families
from pipeline.store.database import Database
from pipeline.store.search import Search
from pipeline.store.story_tables import stories, story_members
from pipeline.store.tables import articles, events

GROWTH = timedelta(days=1)  # over which the growth of a story is counted
SPLIT, MERGED = "story-split", "story-merged"  # the events


class StorySort(StrEnum):
    """What comes first."""

    NEWEST = "newest"  # by the newest report
    SIZE = "size"
    GROWTH = "growth"  # those that have grown


@dataclass(frozen=True, slots=True)
class StoriesAsked:
    """Which stories are wanted; empty tuples do not filter."""

    since: datetime | None = None  # of the newest report
    until: datetime | None = None  # of the first report, excluded
    countries: tuple[str, ...] = ()  # of any report
    topics: tuple[str, ...] = ()
    min_outlets: int = 1
    sort: StorySort = StorySort.NEWEST
    limit: int = 20
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """An event, by its reports."""

    id: int
    title: str  # of the most central report
    central_id: int
    first_at: datetime  # published
    last_at: datetime
    size: int
    growth: int  # reports published in the last 24 hours
    corroboration: Corroboration
    cursor: str = ""  # a listing goes on after this one


@dataclass(frozen=True, slots=True)
class StoryReport:
    """An article, as a report of an event."""

    article_id: int
    title: str
    url: str
    site: str
    agency: str | None  # that wrote it
    published_at: datetime
    lang: str | None
    is_pinned: bool  # a person put it there


@dataclass(frozen=True, slots=True)
class Head:
    """The newest article of a story that matches a query; an article without a story is one of its own."""

    article_id: int
    story_id: int | None
    more: int  # older ones of the story that match


class StoryRows:
    """The stories of the database."""

    def __init__(self, db: Database, search: Search) -> None:
        self._db, self._search = db, search

    async def listing(self, asked: StoriesAsked, now: datetime) -> tuple[Story, ...]:
        """A page of stories.

        Raises:
            UsageError: the cursor is none that a listing gave.
        """
        growth = _growth(now)
        by = {StorySort.NEWEST: stories.c.last_at, StorySort.SIZE: stories.c.size, StorySort.GROWTH: growth}[asked.sort]
        wanted = (
            _selected(growth).where(*_conditions(asked)).order_by(by.desc(), stories.c.id.desc()).limit(asked.limit)
        )
        if asked.sort is StorySort.GROWTH:
            wanted = wanted.where(stories.c.id.in_(select(story_members.c.story_id).where(_is_growth(now))))
        if asked.cursor:
            value, key = _after(asked.cursor, asked.sort)
            wanted = wanted.where(or_(by < value, and_(by == value, stories.c.id < key)))
        name = {StorySort.NEWEST: "last_at", StorySort.SIZE: "size", StorySort.GROWTH: "growth"}[asked.sort]
        async with self._db.read() as c:
            return await _stories(c, wanted, name)

    async def get(self, story_id: int, now: datetime) -> Story | None:
        """One story; None where no two reports have that one."""
        async with self._db.read() as c:
            found = await _stories(c, _selected(_growth(now)).where(stories.c.id == story_id))
        return found[0] if found else None

    async def of(self, article_ids: Collection[int], now: datetime) -> dict[int, Story]:
        """The stories of articles, by article id, of those that have one."""
        homes = select(story_members.c.article_id, story_members.c.story_id)
        async with self._db.read() as c:
            rows = (await c.execute(homes.where(story_members.c.article_id.in_(article_ids)))).all()
            wanted = _selected(_growth(now)).where(stories.c.id.in_({row.story_id for row in rows}))
            found = {one.id: one for one in await _stories(c, wanted)}
        return {row.article_id: found[row.story_id] for row in rows if row.story_id in found}

    async def reports(self, story_id: int) -> tuple[StoryReport, ...]:
        """What is in a story, the oldest first."""
        columns = (articles.c.title, articles.c.canonical_url, articles.c.site, articles.c.agency)
        wanted = (
            select(story_members.c.article_id, *columns, articles.c.published_at, articles.c.lang)
            .add_columns(story_members.c.is_pinned)
            .join(articles, articles.c.id == story_members.c.article_id)
            .where(story_members.c.story_id == story_id)
            .order_by(articles.c.published_at, articles.c.id)
        )
        async with self._db.read() as c:
            return tuple(StoryReport(*row) for row in await c.execute(wanted))

    async def heads(self, query: Query) -> tuple[Head, ...]:
        """A page of the newest matches of each story, newest first."""
        own = func.coalesce(story_members.c.story_id, -articles.c.id)  # below 0: in no story
        newest = func.max(articles.c.id)
        wanted = (
            select(newest.label("id"), own.label("story"), func.count().label("size"))
            .select_from(articles)
            .outerjoin(story_members, story_members.c.article_id == articles.c.id)
            .where(self._search.matches(query))
            .group_by(own)
            .order_by(newest.desc())
            .limit(query.limit)
        )
        if query.cursor:
            wanted = wanted.having(newest < _id_of(query.cursor))
        async with self._db.read() as c:
            rows = await c.execute(wanted)
            return tuple(Head(row.id, row.story if row.story > 0 else None, row.size - 1) for row in rows)

    async def split(self, story_id: int, article_ids: Collection[int], at: datetime) -> int:
        """Take articles out of a story, into one of their own that is never joined with it again.

        Returns:
            The id of the new story.

        Raises:
            UsageError: they are not all in the story, or are all that is in it.
        """
        from pipeline.store import joining  # noqa: PLC0415 - loads numpy

        moved = {*article_ids}
        async with self._db.write() as c:
            await joining.lock(c)
            held = {*(await _members_of(c, [story_id]))}
            if not moved or not moved < held:
                raise UsageError(f"story {story_id} has {len(held)} reports: name some of them, not all, and no others")
            new = await joining.free_id(c, min(moved))
            await _move(c, moved, new)
            await joining.refresh(c, {story_id, new})
            await _record(c, SPLIT, dict.fromkeys(moved, story_id), new, at)
        return new

    async def merge(self, story_ids: Collection[int], at: datetime) -> int:
        """Make one story of several; the smallest id stays.

        Raises:
            UsageError: there are not two at least, or one of them has no reports.
        """
        from pipeline.store import joining  # noqa: PLC0415 - loads numpy

        same = {*story_ids}
        async with self._db.write() as c:
            await joining.lock(c)
            held = await _members_of(c, same)
            if missing := same - {*held.values()}:
                raise UsageError(f"no story {', '.join(map(str, sorted(missing)))}")
            if len(same) < 2:
                raise UsageError("name two stories at least")
            into = min(same)
            moved = {key: story_id for key, story_id in held.items() if story_id != into}
            await _move(c, moved, into)
            await joining.refresh(c, same)
            await _record(c, MERGED, moved, into, at)
        return into

    async def find(self, after: int, limit: int) -> tuple[int, ...]:
        """Let the next articles that are in no story find theirs, in one transaction; those with ids above `after`."""
        from pipeline.store import joining  # noqa: PLC0415 - loads numpy

        async with self._db.write() as c:
            ids = await joining.unfound(c, after, limit)
            await joining.settle(c, ids)
        return tuple(ids)


def _growth(now: datetime) -> ColumnElement[int]:
    """How many reports of a story are new: ids begin with the seconds of the publication."""
    newest = select(func.count()).select_from(story_members)
    return newest.where(story_members.c.story_id == stories.c.id, _is_growth(now)).correlate(stories).scalar_subquery()


def _is_growth(now: datetime) -> ColumnElement[bool]:
    """Whether a report was published in the last 24 hours."""
    return story_members.c.article_id >= int((now - GROWTH).timestamp()) << 20


def _selected(growth: ColumnElement[int]) -> Select[Any]:
    columns = (stories, articles.c.title, growth.label("growth"))
    return select(*columns).select_from(stories).join(articles, articles.c.id == stories.c.central_id)


def _conditions(asked: StoriesAsked) -> Iterator[ColumnElement[bool]]:
    yield stories.c.outlets >= asked.min_outlets
    if asked.since is not None:
        yield stories.c.last_at >= asked.since
    if asked.until is not None:
        yield stories.c.first_at < asked.until
    for tokens in facets.alternatives(Filters(topics=asked.topics, countries=asked.countries)):
        yield _has_one(tokens)


def _has_one(tokens: Sequence[str]) -> ColumnElement[bool]:
    """Whether a report of a story has one of these facets."""
    reports = select(articles.c.id).join(story_members, story_members.c.article_id == articles.c.id)
    is_so = or_(*(articles.c.facets.contains(token) for token in tokens))
    return reports.where(story_members.c.story_id == stories.c.id, is_so).correlate(stories).exists()


async def _stories(c: AsyncConnection, wanted: Select[Any], sorted_by: str = "last_at") -> tuple[Story, ...]:
    rows = (await c.execute(wanted)).all()
    reports = select(story_members.c.story_id, articles.c.site, articles.c.published_at, articles.c.agency)
    reports = reports.join(articles, articles.c.id == story_members.c.article_id)
    told = defaultdict[int, list[Told]](list)
    for story_id, *report in await c.execute(reports.where(story_members.c.story_id.in_([row.id for row in rows]))):
        told[story_id].append(Told(*report))
    return tuple(
        Story(
            id=row.id,
            title=row.title,
            central_id=row.central_id,
            first_at=row.first_at,
            last_at=row.last_at,
            size=row.size,
            growth=row.growth,
            corroboration=families(told[row.id]),
            cursor=_cursor(row._mapping[sorted_by], row.id),
        )
        for row in rows
    )


def _cursor(value: datetime | int, key: int) -> str:
    return f"{value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value}_{key}"


def _after(cursor: str, sort: StorySort) -> tuple[datetime | int, int]:
    """Where the page before ended.

    Raises:
        UsageError: it is no cursor of ours.
    """
    value, _, key = cursor.rpartition("_")
    try:
        return (_instant(value) if sort is StorySort.NEWEST else int(value)), int(key)
    except ValueError as e:
        raise UsageError(f"--cursor: {cursor!r} is not one that `stories` printed with this --sort") from e


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("without a zone")
    return moment


def _id_of(cursor: str) -> int:
    try:
        return int(cursor)
    except ValueError as e:
        raise UsageError(f"--cursor: {cursor!r} is not one that `search --group story` printed") from e


async def _members_of(c: AsyncConnection, story_ids: Collection[int]) -> dict[int, int]:
    """The articles of stories, with the story of each."""
    held = select(story_members.c.article_id, story_members.c.story_id).where(story_members.c.story_id.in_(story_ids))
    return {row.article_id: row.story_id for row in await c.execute(held)}


async def _move(c: AsyncConnection, article_ids: Collection[int], into: int) -> None:
    moved = update(story_members).where(story_members.c.article_id.in_(article_ids))
    await c.execute(moved.values(story_id=into, is_pinned=True))


async def _record(c: AsyncConnection, kind: str, moved: dict[int, int], into: int, at: datetime) -> None:
    rows = [
        {"at": at, "kind": kind, "article_id": key, "detail": {"from": moved[key], "to": into}} for key in sorted(moved)
    ]
    await c.execute(insert(events), rows)
