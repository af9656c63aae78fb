"""Bringing the search index in order: what it lacks is indexed, what it cannot be believed in goes, batch by batch."""

from collections.abc import AsyncGenerator, Sequence

from sqlalchemy import text

from pipeline.store import search_index
from pipeline.store import verdicts as verdict_rows
from pipeline.store.database import Database
from pipeline.store.search_index import EMPTY, INDEXED, PLACES, TABLE

BATCH = 500  # articles of a transaction
_HELD = {  # whether the index holds a text
    True: f"SELECT 1 FROM {PLACES} p JOIN {TABLE}_docsize d ON d.id = p.place WHERE p.article_id = t.article_id",  # noqa: S608
    False: f"SELECT 1 FROM {TABLE} i WHERE i.article_id = t.article_id",  # noqa: S608
}
_MISSING = (
    "SELECT t.article_id FROM texts t WHERE t.article_id BETWEEN :first AND :last"
    " AND NOT EXISTS ({held}) ORDER BY t.article_id LIMIT :limit"
)
_STRAY = (  # it is indexed without a text, or nobody knows with which facets
    "SELECT i.article_id FROM {indexed} i LEFT JOIN articles a ON a.id = i.article_id"
    " LEFT JOIN texts t ON t.article_id = i.article_id WHERE a.facets IS NULL OR t.article_id IS NULL"
)
_LARGEST = 2**63 - 1


async def reindex(db: Database, *, is_anew: bool = False) -> AsyncGenerator[int]:
    """Index every text that is not, beside whoever else writes; what was done stays when it is stopped.

    FTS5 can only take out what it is told word by word. So on SQLite the index is also made anew when it holds what is
    not known any more.

    Args:
        is_anew: Begin with an empty index: what is in it may be wrong too.

    Yields:
        How many texts were indexed so far.
    """
    await _clear(db, is_anew=is_anew)
    done, last = 0, -1
    while missing := await _missing(db, last + 1, _LARGEST):
        done += await db.settle(lambda missing=missing: _index(db, missing))  # type: ignore[misc]
        last = missing[-1]
        yield done


async def _clear(db: Database, *, is_anew: bool) -> None:
    """Take out what the index should not hold."""
    strays = text(_STRAY.format(indexed=INDEXED[db.is_sqlite]))
    async with db.write() as c:
        found = [] if is_anew else (await c.execute(strays)).scalars().all()
        if is_anew or (found and db.is_sqlite):
            await c.execute(text(EMPTY[db.is_sqlite]))
        elif found:
            await search_index.remove(c, found)


async def _missing(db: Database, first: int, last: int) -> Sequence[int]:
    async with db.read() as c:
        query = text(_MISSING.format(held=_HELD[db.is_sqlite]))
        return (await c.execute(query, {"first": first, "last": last, "limit": BATCH})).scalars().all()


async def _index(db: Database, ids: Sequence[int]) -> int:
    """Index those of them that nobody else indexed, or purged, since; returns how many."""
    query = text(_MISSING.format(held=_HELD[db.is_sqlite]))
    async with db.write() as c:
        await verdict_rows.lock(c, ids)
        still = await c.execute(query, {"first": ids[0], "last": ids[-1], "limit": BATCH})
        found = sorted(set(still.scalars()) & set(ids))
        await search_index.restore(c, found)
    return len(found)
