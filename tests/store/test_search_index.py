"""The search index: what is stored is in it, at a place of its own, also when many share a second."""

from dataclasses import replace

import pytest

from pipeline.query import Query, parse
from pipeline.store import Store
from pipeline.store.invariants import INVARIANTS, violations
from tests import make
from tests.make import AT
from tests.store.filling import fill

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
