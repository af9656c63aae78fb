"""Kin: the stored articles whose texts new ones repeat, looked up by the marks of texts."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline.stages import dedup
from pipeline.stages.dedup import Fingerprint, Kin
from pipeline.store.tables import articles, marks, texts

KEPT = 7  # marks of an article: its smallest that others have not filled
MOST_OF_MARK = 8  # articles that a mark is kept for; what more of them share is a phrase of a site
CLOSEST = 3  # articles, those that share most marks, that a text is compared with

# Ascending, so that no two wait for each other; marks have 47 bits, so that other locks have other numbers.
_LOCKED = text(
    "SELECT pg_advisory_xact_lock(1 << 60 | mark) FROM"
    " (SELECT unnest(CAST(:marks AS bigint[])) AS mark ORDER BY mark) AS wanted"
)


class Kindred:
    """The articles that new ones may repeat: stored ones, and those that are stored with them."""

    def __init__(self, known: Mapping[int, Fingerprint]) -> None:
        self._known: dict[int, Fingerprint] = {}
        self._by_mark: defaultdict[int, list[int]] = defaultdict(list)
        for key in sorted(known):
            self.add(key, known[key])

    def add(self, key: int, one: Fingerprint) -> None:
        """Later ones may repeat this one too."""
        self._known[key] = one
        for mark in one.marks:
            self._by_mark[mark].append(key)

    def of(self, one: Fingerprint) -> tuple[int, Kin] | None:
        """The article that is most like this one, and how; the oldest of several."""
        candidates = {key for mark in one.marks for key in self._by_mark.get(mark, ())}
        related = ((key, dedup.kin(one, self._known[key])) for key in sorted(candidates))
        found = [(key, kin) for key, kin in related if kin is not None]
        return max(found, key=lambda pair: pair[1].shared, default=None)

    def of_site(self, one: Fingerprint) -> int | None:
        """The article on its own site that this one is most like."""
        found = self.of(one)
        return found[0] if found is not None and self._known[found[0]].site == one.site else None

    def repeated(self, one: Fingerprint) -> tuple[int, Kin] | None:
        """The article that this one repeats without much of its own, and how."""
        found = self.of(one)
        return None if found is None or dedup.says_more(one, self._known[found[0]]) else found


async def lock(c: AsyncConnection, new: Iterable[Fingerprint]) -> None:
    """Wait until nobody else is storing a text that may be a copy of a new one; SQLite has one writer anyway."""
    if c.dialect.name == "postgresql":
        await c.execute(_LOCKED, {"marks": sorted({mark for one in new for mark in one.marks[:KEPT]})})


async def near(c: AsyncConnection, wanted: Iterable[Fingerprint]) -> Kindred:
    """The stored articles that share most marks with new ones."""
    prints = list(wanted)
    sharing = defaultdict(list)
    every = sorted({mark for one in prints for mark in one.marks})
    for mark, key in await c.execute(select(marks).where(marks.c.mark.in_(every))):
        sharing[mark].append(key)
    closest = {key for one in prints for key, _ in _counted(one, sharing).most_common(CLOSEST)}
    query = (
        select(articles.c.id, articles.c.site, articles.c.title, texts.c.body)
        .join(texts)
        .where(articles.c.id.in_(sorted(closest)))
    )
    rows = await c.execute(query)
    return Kindred({row.id: dedup.fingerprint(row.site, row.title, row.body) for row in rows})


def _counted(one: Fingerprint, sharing: Mapping[int, Sequence[int]]) -> Counter[int]:
    """How many of its marks each article has, the oldest article first."""
    return Counter(sorted(key for mark in one.marks for key in sharing.get(mark, ())))


async def mark(c: AsyncConnection, new: Mapping[int, Fingerprint]) -> None:
    """Remember KEPT marks of articles, each for MOST_OF_MARK of them at most; rival writers may pass that by a few."""
    every = sorted({mark for one in new.values() for mark in one.marks})
    counted = select(marks.c.mark, func.count()).where(marks.c.mark.in_(every)).group_by(marks.c.mark)
    held = Counter({row.mark: row[1] for row in await c.execute(counted)})
    rows = []
    for key, one in new.items():
        kept = [mark for mark in one.marks if held[mark] < MOST_OF_MARK][:KEPT]
        rows += [{"mark": mark, "article_id": key} for mark in kept]
        held.update(kept)
    if rows:
        await c.execute(insert(marks), rows)


async def forget(c: AsyncConnection, key: int, old: Fingerprint) -> None:
    """Forget the marks of a text that is gone."""
    await c.execute(marks.delete().where(marks.c.article_id == key, marks.c.mark.in_(old.marks)))


async def mark_anew(c: AsyncConnection, key: int, old: Fingerprint, new: Fingerprint) -> None:
    """Forget the marks of the text that an article had, and remember those of the one that it has."""
    await c.execute(marks.delete().where(marks.c.article_id == key, marks.c.mark.in_({*old.marks, *new.marks})))
    await mark(c, {key: new})
