"""Joining: reports find the stories that they belong to, in the transaction that stores or changes them.

Only articles that are labelled defense, or that a person should look at, are reports. A story has the id of the
article that opened it; one that is alone in its story has no row in `stories`. The trees that judge need numpy:
commands that only ask the database do not load this module.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, count
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    delete,
    distinct,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.model import Label
from pipeline.stages import story
from pipeline.stages.story import Member, Sketch
from pipeline.store.story_tables import stories, story_keys, story_members
from pipeline.store.tables import articles, texts, verdicts
from pipeline.store.within import within

MOST_OF_KEY = 24  # reports that are kept under a key; what more of them share tells nothing
CLOSEST = 30  # reports, those that share most keys, whose stories a new one may join
STORIES = 4  # of them that are compared
REPORTS = 8  # of a story that are: the newest
_CLASHES = 4  # stories of one id that are looked for: only where one has lost the article that opened it
TITLED_BY = 24  # reports, the oldest, of which one gives a story its title
_LOCK = 720174  # of PostgreSQL: one transaction at a time changes stories

# Asked for every batch of articles: each is put together once.
_KEYED = select(story_keys).where(within(story_keys.c.key, "keys"))
_HOMES = select(story_members.c.article_id, story_members.c.story_id).where(within(story_members.c.article_id, "ids"))
_RESERVED = union_all(
    select(story_members.c.story_id, literal(value=True)).where(
        story_members.c.is_pinned.is_(true()), within(story_members.c.story_id, "near")
    ),
    select(story_members.c.story_id, literal(value=False)).where(within(story_members.c.story_id, "wanted")),
)
_COUNTED = (
    select(
        story_members.c.story_id.label("id"),
        func.min(story_members.c.published_at).label("first_at"),
        func.max(story_members.c.published_at).label("last_at"),
        func.count().label("size"),
        func.count(distinct(articles.c.site)).label("outlets"),
    )
    .join(articles, articles.c.id == story_members.c.article_id)
    .where(within(story_members.c.story_id, "ids"))
    .group_by(story_members.c.story_id)
    .having(func.count() > 1)
)


def _first_of(order: ColumnElement[int]) -> Select[Any]:
    """The first reports of each story in that order, with their sketches."""
    place = func.row_number().over(partition_by=story_members.c.story_id, order_by=order)
    placed = select(story_members.c.article_id, place.label("place")).where(within(story_members.c.story_id, "ids"))
    part = placed.subquery()
    wanted = select(story_members).join(part, part.c.article_id == story_members.c.article_id)
    return wanted.where(part.c.place <= bindparam("most")).order_by(part.c.place, story_members.c.article_id)


_NOTHING: Mapping[int, Sequence[Member]] = MappingProxyType({})
_OLDEST, _NEWEST = _first_of(story_members.c.article_id.asc()), _first_of(story_members.c.article_id.desc())
_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert(stories), "postgresql": postgresql.insert(stories)}
_UPSERTS = {
    name: new.on_conflict_do_update(index_elements=["id"], set_={c.name: c for c in new.excluded if c.name != "id"})
    for name, new in _INSERTS.items()
}


class _Near:
    """The reports that new ones may join: stored ones, and those that join with them."""

    def __init__(self, keyed: Mapping[int, Iterable[int]], homes: Mapping[int, int]) -> None:
        self._keyed = defaultdict[int, list[int]](list, {key: [*ids] for key, ids in keyed.items()})
        self._homes = dict(homes)  # the stories of all that is known by its key
        self._stories = defaultdict[int, dict[int, Sketch]](dict)  # the newest reports of each
        self.settled: Collection[int] = ()  # stories that a person has split or merged
        self.taken: Collection[int] = ()  # ids of stories
        self.merged: list[tuple[int, int]] = []  # from, to
        self.touched: set[int] = set()  # stories that have grown, or are gone

    def know(self, member: Member) -> None:
        """Others may join this one."""
        self._homes[member.article_id] = member.story_id
        self._stories[member.story_id][member.article_id] = member.sketch

    def add(self, key: int, sketch: Sketch, probes: Iterable[int]) -> None:
        """Let a report join its story, merging what it shows to be one, or open one; later ones may join it too."""
        story_id = self._join(sketch, probes)
        if story_id is None:
            story_id = key
            while story_id in self.taken or story_id in self._stories:
                story_id += 1
        else:
            self.touched.add(story_id)
        self.know(Member(key, story_id, sketch))
        for one in story.keys(sketch):
            self._keyed[one].append(key)

    def story_of(self, key: int) -> int:
        """Where a report is now."""
        return self._homes[key]

    def candidates(self, probes: Iterable[int]) -> list[int]:
        """The stories of the reports that share most keys.

        Reports that are added later only drive others from here, or draw their own story up, which is known then.
        """
        best = dict[int, tuple[int, int]]()
        for key, shared in closest(probes, self._keyed):
            if key in self._homes:
                most, count = best.get(self._homes[key], (0, 0))
                best[self._homes[key]] = (max(most, shared), count + 1)
        return sorted(best, key=lambda one: (-best[one][0], -best[one][1], one))[:STORIES]

    def members(self, story_id: int) -> list[Member]:
        """The reports of a story that are known, the oldest first."""
        known = self._stories[story_id]
        return [Member(key, story_id, known[key]) for key in sorted(known)]

    def _join(self, sketch: Sketch, probes: Iterable[int]) -> int | None:
        near = [member for one in self.candidates(probes) for member in self.members(one)[-REPORTS:]]
        joined = story.join(sketch, near)
        if joined.story_id is None:
            return None
        same = {joined.story_id, *joined.merged}
        if joined.merged and not same.isdisjoint(self.settled):
            likely = {one: story.join(sketch, self.members(one)[-REPORTS:]).because.score for one in same}
            return min(same, key=lambda one: (-likely[one], one))
        for other in joined.merged:
            self._merge(other, joined.story_id)
        return joined.story_id

    def _merge(self, other: int, into: int) -> None:
        self._stories[into] |= self._stories.pop(other)
        self._homes |= {key: into for key, story_id in self._homes.items() if story_id == other}
        self.merged.append((other, into))
        self.touched |= {other, into}


def closest(probes: Iterable[int], keyed: Mapping[int, Iterable[int]]) -> list[tuple[int, int]]:
    """The reports that share most keys with one, and how many."""
    shared = Counter(chain.from_iterable(keyed[key] for key in probes if key in keyed))
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
    others = await _members(c, _NEWEST, {*homes.values()}, REPORTS + 1)
    pinned = {row.article_id for row in rows if row.is_pinned}
    for key, sketch in sketches.items():
        beside = [one for one in others if one.story_id == homes.get(key) and one.article_id != key]
        if key in homes and key not in pinned and story.join(sketch, beside[:REPORTS]).story_id is None:
            del homes[key]
    await _remove(c, rows)
    stay = {key: homes[key] for key in sketches if key in homes}
    staying = {key: sketches[key] for key in stay}
    keyed = await _keyed(c, chain.from_iterable(map(story.keys, staying.values())))
    await _insert(c, staying, stay, pinned, {key: len(ids) for key, ids in keyed.items()})
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


async def free_id(c: AsyncConnection, wanted: int) -> int:
    """The id of a story that there is not, at or right after the one that is wanted."""
    rows = await c.execute(_RESERVED, {"near": (), "wanted": _following([wanted])})
    taken = {row.story_id for row in rows}
    return next(one for one in count(wanted) if one not in taken)


def _following(ids: Iterable[int]) -> list[int]:
    return [one + step for one in ids for step in range(_CLASHES)]


async def refresh(c: AsyncConnection, ids: Collection[int], known: Mapping[int, Sequence[Member]] = _NOTHING) -> None:
    """Count stories anew; `known` are reports of theirs that need not be read again."""
    if not ids:
        return
    rows = [dict(row._mapping) for row in await c.execute(_COUNTED, {"ids": ids})]
    if gone := {*ids} - {row["id"] for row in rows}:
        await c.execute(delete(stories).where(stories.c.id.in_(gone)))
    members = {row["id"]: known.get(row["id"], ()) for row in rows}
    lacking = [row["id"] for row in rows if len(members[row["id"]]) < row["size"]]
    if lacking:
        read = defaultdict[int, list[Member]](list)
        for member in await _members(c, _OLDEST, lacking, TITLED_BY):
            read[member.story_id].append(member)
        members |= read
    if rows:
        central = {key: story.central(told[:TITLED_BY]) for key, told in members.items()}
        await c.execute(_UPSERTS[c.dialect.name], [{**row, "central_id": central[row["id"]]} for row in rows])


def _is_report() -> ColumnElement[bool]:
    return or_(articles.c.label == Label.DEFENSE.value, articles.c.needs_review.is_(true()))


async def _add(c: AsyncConnection, new: Mapping[int, Sketch]) -> None:
    if not new:
        return
    probes = {key: story.probes(sketch) for key, sketch in new.items()}
    keyed = await _keyed(c, chain.from_iterable(probes.values()))
    near = await _near(c, probes, keyed)
    for key in sorted(new):
        near.add(key, new[key], probes[key])
    for other, into in near.merged:
        await c.execute(update(story_members).where(story_members.c.story_id == other).values(story_id=into))
    homes = {key: near.story_of(key) for key in new}
    await _insert(c, new, homes, frozenset(), {key: len(ids) for key, ids in keyed.items()})
    await refresh(c, near.touched, {one: near.members(one) for one in near.touched})


async def _keyed(c: AsyncConnection, keys: Iterable[int]) -> dict[int, list[int]]:
    """The reports that are kept under keys."""
    keyed = defaultdict[int, list[int]](list)
    for key, article_id in await c.execute(_KEYED, {"keys": {*keys}}):
        keyed[key].append(article_id)
    return dict(keyed)


async def _near(c: AsyncConnection, new: Mapping[int, Iterable[int]], keyed: Mapping[int, Sequence[int]]) -> _Near:
    """The stored reports of the stories that new ones, by their probes, may join."""
    found = {article_id for probes in new.values() for article_id, _ in closest(probes, keyed)}
    rows = await c.execute(_HOMES, {"ids": found}) if found else ()
    near = _Near(keyed, {row.article_id: row.story_id for row in rows})
    wanted = {one for probes in new.values() for one in near.candidates(probes)}
    reserved = (await c.execute(_RESERVED, {"near": wanted, "wanted": _following(new)})).all()
    near.settled = {story_id for story_id, is_pinned in reserved if is_pinned}
    near.taken = {story_id for story_id, _ in reserved}
    for member in await _members(c, _NEWEST, wanted, REPORTS) if wanted else ():
        near.know(member)
    return near


async def _members(c: AsyncConnection, first: Select[Any], ids: Collection[int], most: int) -> list[Member]:
    """The first reports of each story."""
    rows = await c.execute(first, {"ids": ids, "most": most})
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
    c: AsyncConnection,
    new: Mapping[int, Sketch],
    homes: Mapping[int, int],
    pinned: Collection[int],
    held: Mapping[int, int],
) -> None:
    """Put reports into stories, and remember their keys, each for MOST_OF_KEY reports at most.

    `held` says for how many their keys are kept already.
    """
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
    counts = Counter(held)
    keyed = []
    for article_id, sketch in new.items():
        own = [key for key in dict.fromkeys(story.keys(sketch)) if counts[key] < MOST_OF_KEY]
        keyed += [{"key": key, "article_id": article_id} for key in own]
        counts.update(own)
    if keyed:
        await c.execute(insert(story_keys), keyed)


async def _remove(c: AsyncConnection, rows: Iterable[Any]) -> None:
    """Forget reports and their keys."""
    for row in rows:
        keys = story.keys(story.Sketch.from_bytes(row.sketch, row.published_at))
        await c.execute(delete(story_keys).where(story_keys.c.article_id == row.article_id, story_keys.c.key.in_(keys)))
        await c.execute(delete(story_members).where(story_members.c.article_id == row.article_id))
