"""Joining: reports find the stories that they belong to, in the transaction that stores or changes them.

Only articles that are labelled defense, or that a person should look at, are reports. A story has the id of the
article that opened it; one that is alone in its story has no row in `stories`. The trees that judge need numpy:
commands that only ask the database do not load this module.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, distinct, func, insert, or_, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.model import Label
from pipeline.stages import story
from pipeline.stages.story import Member, Sketch
from pipeline.store.story_tables import stories, story_keys, story_members
from pipeline.store.tables import articles, texts, verdicts

MOST_OF_KEY = 24  # reports that are kept under a key; what more of them share tells nothing
CLOSEST = 30  # reports, those that share most keys, whose stories a new one may join
STORIES = 4  # of them that are compared
REPORTS = 8  # of a story that are: the newest
_CLASHES = 4  # stories of one id that are looked for: only where one has lost the article that opened it
TITLED_BY = 24  # reports, the oldest, of which one gives a story its title
_LOCK = 720174  # of PostgreSQL: one transaction at a time changes stories


class _Near:
    """The reports that new ones may join: stored ones, and those that join with them."""

    def __init__(self, keyed: Mapping[int, Iterable[int]], homes: Mapping[int, int], settled: Collection[int]) -> None:
        self._keyed = defaultdict[int, list[int]](list, {key: [*ids] for key, ids in keyed.items()})
        self._homes = dict(homes)  # the stories of all that is known by its key
        self._settled = settled  # stories that a person has split or merged
        self._stories = defaultdict[int, dict[int, Sketch]](dict)  # the newest reports of each
        self.merged: list[tuple[int, int]] = []  # from, to
        self.touched: set[int] = set()  # stories that have grown

    def know(self, member: Member) -> None:
        """Others may join this one."""
        self._homes[member.article_id] = member.story_id
        self._stories[member.story_id][member.article_id] = member.sketch

    def add(self, key: int, sketch: Sketch, taken: Collection[int]) -> None:
        """Let a report join its story, merging what it shows to be one, or open one; later ones may join it too."""
        story_id = self._join(sketch)
        if story_id is None:
            story_id = key
            while story_id in taken or story_id in self._stories:
                story_id += 1
        else:
            self.touched.add(story_id)
        self.know(Member(key, story_id, sketch))
        for one in story.keys(sketch):
            self._keyed[one].append(key)

    def story_of(self, key: int) -> int:
        """Where a report is now."""
        return self._homes[key]

    def _join(self, sketch: Sketch) -> int | None:
        joined = story.join(sketch, [member for one in self._candidates(sketch) for member in self._members(one)])
        if joined.story_id is None:
            return None
        same = {joined.story_id, *joined.merged}
        if joined.merged and not same.isdisjoint(self._settled):
            likely = {one: story.join(sketch, self._members(one)).because.score for one in same}
            return min(same, key=lambda one: (-likely[one], one))
        for other in joined.merged:
            self._merge(other, joined.story_id)
        return joined.story_id

    def _candidates(self, sketch: Sketch) -> list[int]:
        """The stories of the reports that share most keys."""
        best = dict[int, tuple[int, int]]()
        for key, shared in closest(story.probes(sketch), self._keyed):
            if key in self._homes:
                most, count = best.get(self._homes[key], (0, 0))
                best[self._homes[key]] = (max(most, shared), count + 1)
        return sorted(best, key=lambda one: (-best[one][0], -best[one][1], one))[:STORIES]

    def _members(self, story_id: int) -> list[Member]:
        known = self._stories[story_id]
        return [Member(key, story_id, known[key]) for key in sorted(known)[-REPORTS:]]

    def _merge(self, other: int, into: int) -> None:
        self._stories[into] |= self._stories.pop(other)
        self._homes |= {key: into for key, story_id in self._homes.items() if story_id == other}
        self.merged.append((other, into))
        self.touched |= {other, into}


def closest(probes: Iterable[int], keyed: Mapping[int, Iterable[int]]) -> list[tuple[int, int]]:
    """The reports that share most keys with one, and how many."""
    shared = Counter(article_id for key in probes for article_id in keyed.get(key, ()))
    return sorted(shared.items(), key=lambda one: (-one[1], one[0]))[:CLOSEST]


async def add(c: AsyncConnection, new: Mapping[int, Sketch]) -> None:
    """Let new reports, by article id, join their stories: each sees those before it, in the order of their ids."""
    if new:
        await lock(c)
        await _add(c, new)


async def settle(c: AsyncConnection, ids: Collection[int]) -> None:
    """Take articles whose labels have changed into stories, or out of them."""
    if not ids:
        return
    await lock(c)
    is_in = select(story_members.c.article_id).where(story_members.c.article_id.in_(ids))
    leaving = select(articles.c.id).where(articles.c.id.in_(is_in), ~_is_report())
    joining = select(articles.c.id).where(articles.c.id.in_(ids), _is_report(), articles.c.id.not_in(is_in))
    await leave(c, (await c.execute(leaving)).scalars().all())
    await _add(c, await _sketches(c, (await c.execute(joining)).scalars().all()))


async def revise(c: AsyncConnection, ids: Collection[int]) -> None:
    """Sketch articles anew that say something else now; each stays in its story as long as it fits."""
    if not ids:
        return
    await lock(c)
    rows = (await c.execute(select(story_members).where(story_members.c.article_id.in_(ids)))).all()
    meant = select(articles.c.id).where(articles.c.id.in_(ids), _is_report())
    sketches = await _sketches(c, (await c.execute(meant)).scalars().all())
    homes = {row.article_id: row.story_id for row in rows}
    others = await _members(c, {*homes.values()}, story_members.c.article_id.desc(), REPORTS + 1)
    pinned = {row.article_id for row in rows if row.is_pinned}
    for key, sketch in sketches.items():
        beside = [one for one in others if one.story_id == homes.get(key) and one.article_id != key]
        if key in homes and key not in pinned and story.join(sketch, beside[:REPORTS]).story_id is None:
            del homes[key]
    await _remove(c, rows)
    stay = {key: homes[key] for key in sketches if key in homes}
    await _insert(c, {key: sketches[key] for key in stay}, stay, pinned)
    await _add(c, {key: sketch for key, sketch in sketches.items() if key not in stay})
    await refresh(c, {row.story_id for row in rows})


async def leave(c: AsyncConnection, ids: Collection[int]) -> None:
    """Take articles out of their stories."""
    if ids:
        rows = (await c.execute(select(story_members).where(story_members.c.article_id.in_(ids)))).all()
        await _remove(c, rows)
        await refresh(c, {row.story_id for row in rows})


async def lock(c: AsyncConnection) -> None:
    """Keep others from changing stories until we are done; SQLite has one writer anyway."""
    if c.dialect.name == "postgresql":
        await c.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))


async def unfound(c: AsyncConnection, after: int, limit: int) -> Sequence[int]:
    """The next reports that are in no story: those with ids above `after`."""
    is_in = select(story_members.c.article_id).where(story_members.c.article_id == articles.c.id)
    wanted = select(articles.c.id).where(articles.c.id > after, _is_report(), ~is_in.exists())
    return (await c.execute(wanted.order_by(articles.c.id).limit(limit))).scalars().all()


async def taken_ids(c: AsyncConnection, wanted: Iterable[int]) -> set[int]:
    """The ids of stories at and right after those that are wanted."""
    near = [one + step for one in wanted for step in range(_CLASHES)]
    return set((await c.execute(_story_ids(story_members.c.story_id.in_(near)))).scalars())


async def refresh(c: AsyncConnection, ids: Collection[int]) -> None:
    """Count stories anew."""
    if not ids:
        return
    await c.execute(delete(stories).where(stories.c.id.in_(ids)))
    counted = (
        select(
            story_members.c.story_id.label("id"),
            func.min(story_members.c.published_at).label("first_at"),
            func.max(story_members.c.published_at).label("last_at"),
            func.count().label("size"),
            func.count(distinct(articles.c.site)).label("outlets"),
        )
        .join(articles, articles.c.id == story_members.c.article_id)
        .where(story_members.c.story_id.in_(ids))
        .group_by(story_members.c.story_id)
        .having(func.count() > 1)
    )
    rows = [dict(row._mapping) for row in await c.execute(counted)]
    if rows:
        by_story = defaultdict[int, list[Member]](list)
        for member in await _members(c, [row["id"] for row in rows], story_members.c.article_id, TITLED_BY):
            by_story[member.story_id].append(member)
        central = {key: story.central(members) for key, members in by_story.items()}
        await c.execute(insert(stories), [{**row, "central_id": central[row["id"]]} for row in rows])


def _is_report() -> ColumnElement[bool]:
    return or_(articles.c.label == Label.DEFENSE.value, articles.c.needs_review.is_(true()))


async def _add(c: AsyncConnection, new: Mapping[int, Sketch]) -> None:
    if not new:
        return
    near, taken = await _near(c, new.values()), await taken_ids(c, new)
    for key in sorted(new):
        near.add(key, new[key], taken)
    for other, into in near.merged:
        await c.execute(update(story_members).where(story_members.c.story_id == other).values(story_id=into))
    await _insert(c, new, {key: near.story_of(key) for key in new}, frozenset())
    await refresh(c, near.touched)


async def _near(c: AsyncConnection, new: Iterable[Sketch]) -> _Near:
    """The stored reports of the stories that new ones may join."""
    asked = [story.probes(sketch) for sketch in new]
    keyed = defaultdict[int, list[int]](list)
    wanted = select(story_keys).where(story_keys.c.key.in_({key for probes in asked for key in probes}))
    for key, article_id in await c.execute(wanted):
        keyed[key].append(article_id)
    found = {article_id for probes in asked for article_id, _ in closest(probes, keyed)}
    rows = await c.execute(
        select(story_members.c.article_id, story_members.c.story_id).where(story_members.c.article_id.in_(found))
    )
    homes = {row.article_id: row.story_id for row in rows}
    if not homes:
        return _Near(keyed, homes, ())
    near = {*homes.values()}
    settled = _story_ids(story_members.c.is_pinned.is_(true()), story_members.c.story_id.in_(near))
    known = _Near(keyed, homes, set((await c.execute(settled)).scalars()))
    for member in await _members(c, near, story_members.c.article_id.desc(), REPORTS):
        known.know(member)
    return known


def _story_ids(*conditions: ColumnElement[bool]) -> Select[Any]:
    return select(story_members.c.story_id).where(*conditions)


async def _members(c: AsyncConnection, ids: Collection[int], order: Any, limit: int) -> list[Member]:
    """The first reports of each story, in that order, with their sketches."""
    place = func.row_number().over(partition_by=story_members.c.story_id, order_by=order)
    placed = (
        select(story_members.c.article_id, place.label("place")).where(story_members.c.story_id.in_(ids)).subquery()
    )
    wanted = (
        select(story_members)
        .join(placed, placed.c.article_id == story_members.c.article_id)
        .where(placed.c.place <= limit)
        .order_by(placed.c.place, story_members.c.article_id)
    )
    rows = await c.execute(wanted)
    return [Member(row.article_id, row.story_id, Sketch.from_bytes(row.sketch, row.published_at)) for row in rows]


async def _sketches(c: AsyncConnection, ids: Collection[int]) -> dict[int, Sketch]:
    """What stored articles are about."""
    if not ids:
        return {}
    newest = select(func.max(verdicts.c.id)).where(verdicts.c.article_id.in_(ids)).group_by(verdicts.c.article_id)
    wanted = (
        select(articles, texts.c.body, verdicts.c.countries)
        .join(texts, texts.c.article_id == articles.c.id)
        .join(verdicts, verdicts.c.article_id == articles.c.id)
        .where(verdicts.c.id.in_(newest))
    )
    rows = await c.execute(wanted)
    return {row.id: story.sketch(row.title, row.body, row.lang, row.countries, row.published_at) for row in rows}


async def _insert(
    c: AsyncConnection, new: Mapping[int, Sketch], homes: Mapping[int, int], pinned: Collection[int]
) -> None:
    """Put reports into stories, and remember their keys, each for MOST_OF_KEY reports at most."""
    if not new:
        return
    rows = [
        {
            "article_id": key,
            "story_id": homes[key],
            "published_at": sketch.published_at,
            "sketch": sketch.to_bytes(),
            "is_pinned": key in pinned,
        }
        for key, sketch in new.items()
    ]
    await c.execute(insert(story_members), rows)
    every = {key for sketch in new.values() for key in story.keys(sketch)}
    counted = select(story_keys.c.key, func.count()).where(story_keys.c.key.in_(every)).group_by(story_keys.c.key)
    held = Counter({row.key: row[1] for row in await c.execute(counted)})
    keyed = []
    for article_id, sketch in new.items():
        own = [key for key in dict.fromkeys(story.keys(sketch)) if held[key] < MOST_OF_KEY]
        keyed += [{"key": key, "article_id": article_id} for key in own]
        held.update(own)
    if keyed:
        await c.execute(insert(story_keys), keyed)


async def _remove(c: AsyncConnection, rows: Iterable[Any]) -> None:
    """Forget reports and their keys."""
    for row in rows:
        keys = story.keys(story.Sketch.from_bytes(row.sketch, row.published_at))
        await c.execute(delete(story_keys).where(story_keys.c.article_id == row.article_id, story_keys.c.key.in_(keys)))
        await c.execute(delete(story_members).where(story_members.c.article_id == row.article_id))
