"""The invariants see what they are there to see."""

from sqlalchemy import text

from pipeline.store import Store
from pipeline.store.invariants import INVARIANTS, violations
from tests import make
from tests.store.filling import fill


async def broken(store: Store) -> dict[str, int]:
    """The invariants that do not hold, and by how many rows."""
    counts = zip(INVARIANTS, await violations(store.db), strict=True)
    return {name: count for name, count in counts if count}


async def filled(store: Store) -> None:
    await fill(store, [make.article(n, text=make.text(n)) for n in (1, 2)], [make.verdict()] * 2)
    assert await broken(store) == {}


async def test_a_text_that_is_not_indexed_is_seen(store: Store) -> None:
    await filled(store)
    empty = "INSERT INTO search_index(search_index) VALUES ('delete-all')"
    async with store.db.write() as c:
        await c.execute(text(empty if store.db.is_sqlite else "DELETE FROM search_index"))
    assert await broken(store) == {"every text is indexed": 2}


async def test_a_text_that_is_gone_but_not_from_the_index_is_seen(store: Store) -> None:
    await filled(store)
    async with store.db.write() as c:
        await c.execute(text("DELETE FROM texts"))
    assert await broken(store) == {
        "every article has its text, or was purged of it": 2,
        "nothing but texts is indexed": 2,
    }


async def test_an_article_that_does_not_know_its_facets_is_seen(store: Store) -> None:
    await filled(store)
    async with store.db.write() as c:
        await c.execute(text("UPDATE articles SET facets = NULL"))
    assert await broken(store) == {"every article knows the facets that it is indexed with": 2}
