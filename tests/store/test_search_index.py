"""The search index: what is stored is in it, at a place of its own, also when many share a second."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.query import Query, parse
from pipeline.store import Store, reindexing
from pipeline.store.invariants import INVARIANTS, violations
from tests import make
from tests.make import AT
from tests.store.filling import fill

EMPTY = {True: "INSERT INTO search_index(search_index) VALUES ('delete-all')", False: "DELETE FROM search_index"}
CROWD = 40  # more than a second has places for


@pytest.fixture
async def crowded(store: Store) -> Store:
    many = [make.article(n, published_at=AT, title=f"Drill {n}", text=f"Ships {n} sail.") for n in range(1, CROWD + 1)]
    await fill(store, many, [make.verdict()] * CROWD)
    return store


@pytest.mark.parametrize("is_by_relevance", [False, True], ids=["newest", "relevance"])
async def test_articles_of_one_second_are_all_found_page_by_page(crowded: Store, is_by_relevance: bool) -> None:
    found, query = [], Query(parse("ships", AT), is_by_relevance=is_by_relevance, limit=7)
    while page := await crowded.search.find(query):
        found += [one.id for one in page]
        query = replace(query, cursor=page[-1].cursor)
    assert len(found) == len(set(found)) == CROWD


async def test_what_joins_a_crowded_second_later_finds_a_place_too(crowded: Store) -> None:
    late = [make.article(n, published_at=AT, text="Ships again.") for n in (71, 72)]
    await fill(crowded, late, [make.verdict()] * 2, feed=make.feed(2))
    assert (await crowded.search.count(Query(parse("ships", AT)))).number == CROWD + 2
    assert await violations(crowded.db) == [0] * len(INVARIANTS)


async def test_a_text_that_is_missing_in_the_index_is_told(crowded: Store) -> None:
    (last,) = await crowded.search.find(Query(limit=1))
    table, key = ("search_index_docsize", "id") if crowded.db.is_sqlite else ("search_index", "article_id")
    place = f"(SELECT place FROM search_index_places WHERE article_id = {last.id})" if crowded.db.is_sqlite else last.id
    async with crowded.db.write() as c:
        await c.exec_driver_sql(f"DELETE FROM {table} WHERE {key} = {place}")
    told = dict(zip(INVARIANTS, await violations(crowded.db), strict=True))
    assert told["every text is indexed"] == 1


async def test_the_index_of_sqlite_can_be_made_anew_by_itself(crowded: Store) -> None:
    if crowded.db.is_sqlite:
        async with crowded.db.write() as c:
            await c.exec_driver_sql("INSERT INTO search_index(search_index) VALUES ('rebuild')")
            await c.exec_driver_sql("INSERT INTO search_index(search_index, rank) VALUES ('integrity-check', 1)")
        assert (await crowded.search.count(Query(parse("ships", AT)))).number == CROWD


BREAKS: dict[str, Callable[[bool], str]] = {  # by whether it is SQLite
    "an empty index": lambda is_sqlite: EMPTY[is_sqlite],
    "an index that lacks the half": lambda is_sqlite: (
        "DELETE FROM search_index_docsize WHERE id & 1 = 0"
        if is_sqlite
        else "DELETE FROM search_index WHERE article_id & 1 = 0"
    ),
    "facets that are forgotten": lambda _: "UPDATE articles SET facets = NULL WHERE id & 1 = 0",
    "places that are lost": lambda is_sqlite: f"DELETE FROM search_index{'_places' if is_sqlite else ''}",
    "facets that are others": lambda _: "UPDATE articles SET facets = 'x'",
}


@pytest.mark.parametrize("name", BREAKS)
async def test_what_is_broken_is_brought_in_order(crowded: Store, name: str) -> None:
    async with crowded.db.write() as c:
        await c.exec_driver_sql(BREAKS[name](crowded.db.is_sqlite))
    told = [done async for done in reindexing.reindex(crowded.db, is_anew=name == "facets that are others")]
    assert 0 < told[-1] <= CROWD
    assert (await crowded.search.count(Query(parse("ships label:defense", AT)))).number == CROWD
    assert await violations(crowded.db) == [0] * len(INVARIANTS)
    assert [done async for done in reindexing.reindex(crowded.db)] == []


async def test_what_the_index_holds_without_a_text_goes(crowded: Store) -> None:
    await fill(crowded, [make.article(71, text="Ships again.")], [make.verdict()], feed=make.feed(2))
    (last,) = await crowded.search.find(Query(parse("again", AT)))
    async with crowded.db.write() as c:
        await c.exec_driver_sql(f"DELETE FROM texts WHERE article_id = {last.id}")
        await c.exec_driver_sql(f"UPDATE articles SET purged_at = stored_at, facets = NULL WHERE id = {last.id}")
    assert [done async for done in reindexing.reindex(crowded.db)] == ([CROWD] if crowded.db.is_sqlite else [])
    assert (await crowded.search.count(Query(parse("ships", AT)))).number == CROWD
    assert await violations(crowded.db) == [0] * len(INVARIANTS)


async def test_reindexing_that_was_stopped_goes_on_where_it_was(crowded: Store) -> None:
    many = [make.article(n, text=f"Planes {n}.") for n in range(100, 100 + reindexing.BATCH)]
    await fill(crowded, many, [make.verdict()] * reindexing.BATCH, feed=make.feed(2))
    stopped = reindexing.reindex(crowded.db, is_anew=True)
    assert await anext(stopped) == reindexing.BATCH
    await stopped.aclose()
    assert [done async for done in reindexing.reindex(crowded.db)] == [CROWD]
    assert await violations(crowded.db) == [0] * len(INVARIANTS)
