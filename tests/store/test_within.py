"""Many ids in one parameter find what a list of parameters would, by the same index."""

from sqlalchemy import insert, select
from sqlalchemy.dialects import sqlite

from pipeline.store import Store
from pipeline.store.story_tables import story_keys
from pipeline.store.within import within

ASKED = select(story_keys.c.article_id).where(within(story_keys.c.key, "keys")).order_by(story_keys.c.article_id)


async def test_any_number_of_ids_is_looked_for(store: Store) -> None:
    ids = [1, 2**40, 2**62]
    async with store.db.write() as c:
        await c.execute(insert(story_keys), [{"key": key, "article_id": at} for at, key in enumerate(ids)])
    async with store.db.read() as c:
        for keys, found in (((), []), ({2**62}, [2]), (range(5_000), [0]), (ids, [0, 1, 2])):
            assert (await c.execute(ASKED, {"keys": keys})).scalars().all() == found


async def test_sqlite_looks_ids_up_in_its_index(store: Store) -> None:
    if not store.db.is_sqlite:
        return
    statement = str(ASKED.compile(dialect=sqlite.dialect()))
    async with store.db.read() as c:
        plan = await c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", ("[1]",))
        assert "SEARCH story_keys" in plan.all()[0].detail
