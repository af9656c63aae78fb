"""Search: the same answers on both databases, and no input becomes their syntax."""

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from pipeline.errors import UsageError
from pipeline.model import FeedKind
from pipeline.query import Filters, Query, parse
from pipeline.store import Store
from pipeline.store.tables import articles
from tests import make
from tests.make import AT
from tests.store.filling import fill

ARTICLES = (
    make.article(
        1, title="Missile test over the sea", text="A ballistic missile flew 1,000 km.\nTokyo protested.", lang="en"
    ),
    make.article(
        2,
        title="Frigates sail for Crète",
        text="The frigate drills began near Souda Bay with a B-52H overhead.",
        lang="en-GB",
    ),
    make.article(
        3,
        title="Bank raises rates",
        text="Nothing military happened; the missile of inflation rose.",
        lang="en",
        is_teaser=True,
    ),
    make.article(4, title="훈련 시작", text="한미 연합 훈련이 시작됐다. Freedom Shield 2025", lang="ko"),
)
VERDICTS = (
    make.tagged(
        score=0.95, topics=("weapons", "nuclear"), countries=("KP", "JP"), entities=(("Hwasong-18", "missile"),)
    ),
    make.tagged(score=0.8, topics=("operations",), countries=("US",)),
    make.other(),
    make.verdict(score=0.6, needs_review=True, topics=("operations",)),
)


@pytest.fixture
async def filled(store: Store) -> Store:
    await fill(store, ARTICLES, VERDICTS, feed=make.feed(1, kind=FeedKind.WIRE))
    return store


async def titles(store: Store, words: str = "", *, is_by_relevance: bool = False, **filters: Any) -> list[str]:
    query = Query(parse(words, AT), Filters(**filters), is_by_relevance)
    return [found.title.split()[0] for found in await store.search.find(query)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param("", ["Missile", "Frigates", "Bank", "훈련"], id="nothing asked: all, newest first"),
        pytest.param("missile", ["Missile", "Bank"], id="a word"),
        pytest.param("missiles", ["Missile", "Bank"], id="another form of it"),
        pytest.param("drill", ["Frigates"], id="the plural is found by the singular"),
        pytest.param("MISSILE tokyo", ["Missile"], id="all words"),
        pytest.param("missile -inflation", ["Missile"], id="without a word"),
        pytest.param("tokyo OR frigate", ["Missile", "Frigates"], id="one of two"),
        pytest.param('"ballistic missile"', ["Missile"], id="a phrase"),
        pytest.param('"missile ballistic"', [], id="not in the other order"),
        pytest.param("B-52H", ["Frigates"], id="a weapon with a hyphen"),
        pytest.param("crete", ["Frigates"], id="without accents"),
        pytest.param("frig*", ["Frigates"], id="a prefix"),
        pytest.param("훈련", ["훈련"], id="a Korean word"),
        pytest.param("the of", ["Bank"], id="no word is too common to be found"),
        pytest.param('tokyo" OR 1=1 --', [], id="an injection is only words"),
    ],
)
async def test_words_find(filled: Store, words: str, found: list[str]) -> None:
    assert await titles(filled, words) == found


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"labels": ("defense",)}, ["Missile", "Frigates", "훈련"]),
        ({"labels": ("other",)}, ["Bank"]),
        ({"labels": ("review",)}, ["훈련"]),
        ({"labels": ("other", "review")}, ["Bank", "훈련"]),
        ({"topics": ("weapons", "policy")}, ["Missile"]),
        ({"countries": ("JP",)}, ["Missile"]),
        ({"countries": ("US", "KP")}, ["Missile", "Frigates"]),
        ({"countries": ("DE",)}, []),
        ({"entities": ("hwasong-18",)}, ["Missile"]),
        ({"entities": ("RIMPAC", "HWASONG-18")}, ["Missile", "Frigates"]),
        ({"entities": ("aircraft",)}, []),
        ({"entities": ("KP",)}, []),
        ({"topics": ("operations",), "countries": ("US",), "entities": ("b-52h",)}, ["Frigates"]),
        ({"kinds": ("wire",)}, ["Missile", "Frigates", "Bank", "훈련"]),
        ({"kinds": ("trade",)}, []),
        ({"sites": ("site2.example",)}, ["Frigates"]),
        ({"langs": ("en",)}, ["Missile", "Frigates", "Bank"]),
        ({"min_score": 0.8}, ["Missile", "Frigates"]),
        ({"is_teaser": True}, ["Bank"]),
        ({"is_teaser": False}, ["Missile", "Frigates", "훈련"]),
        ({"since": AT - timedelta(hours=2)}, ["Missile", "Frigates"]),
        ({"until": AT - timedelta(hours=2)}, ["Bank", "훈련"]),
        ({"feed_ids": (1,)}, ["Missile", "Frigates", "Bank", "훈련"]),
        ({"feed_ids": (2,)}, []),
    ],
    ids=str,
)
async def test_filters_narrow(filled: Store, filters: dict[str, Any], found: list[str]) -> None:
    assert await titles(filled, **filters) == found


async def test_relevance_puts_the_title_first(filled: Store) -> None:
    assert await titles(filled, "missile", is_by_relevance=True) == ["Missile", "Bank"]
    assert await titles(filled, "missile OR rates OR inflation", is_by_relevance=True, labels=("other",)) == ["Bank"]


@pytest.mark.parametrize("is_by_relevance", [False, True], ids=["newest", "relevance"])
async def test_a_cursor_goes_on_without_gap_or_repetition(filled: Store, is_by_relevance: bool) -> None:
    query = Query(parse("missile OR drills OR 훈련이", AT), Filters(), is_by_relevance, limit=10)
    whole = await filled.search.find(query)
    pages, cursor = [], None
    for _ in whole:
        (row,) = await filled.search.find(Query(query.asked, Filters(), is_by_relevance, limit=1, cursor=cursor))
        pages.append(row.id)
        cursor = row.cursor
    assert pages == [found.id for found in whole]
    assert await filled.search.find(Query(query.asked, Filters(), is_by_relevance, limit=1, cursor=cursor)) == ()


async def test_a_cursor_that_no_search_printed_is_refused(filled: Store) -> None:
    with pytest.raises(UsageError, match="--cursor"):
        await filled.search.find(Query(cursor="x_y"))


async def test_a_stream_gives_all_rows_with_their_tags_strongest_first(filled: Store) -> None:
    rows = [found async for found in filled.search.stream(Query(limit=100))]
    assert [found.topics for found in rows] == [("weapons", "nuclear"), ("operations",), (), ("operations",)]
    assert [found.countries for found in rows] == [("KP", "JP"), ("US",), (), ()]
    assert rows[0].entities == (("Hwasong-18", "missile"),)
    assert await filled.search.get(rows[0].id) == rows[0]


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        pytest.param(Filters(topics=("weapons",)), "tags", id="topic"),
        pytest.param(Filters(countries=("KR",)), "tags", id="country"),
        pytest.param(Filters(entities=("B-52H", "RIMPAC")), "tags", id="entity"),
        pytest.param(Filters(labels=("review",)), "ix_articles_review", id="review"),
    ],
)
async def test_filters_by_tag_and_by_review_use_an_index(filled: Store, filters: Filters, index: str) -> None:
    wanted = (
        select(articles.c.id).where(*filled.search.conditions(Query(filters=filters))).order_by(articles.c.id.desc())
    )
    async with filled.db.read() as c:
        if not filled.db.is_sqlite:
            await c.execute(text("SET LOCAL enable_seqscan = off"))  # few rows fit on a page, which no index beats
        asked = wanted.compile(dialect=c.dialect, compile_kwargs={"literal_binds": True})
        words = "EXPLAIN QUERY PLAN " if filled.db.is_sqlite else "EXPLAIN "
        plan = " | ".join(str(row[-1]) for row in await c.execute(text(words + str(asked))))
    used = re.findall(r"(?:USING (?:COVERING )?INDEX|Index(?: Only)? Scan(?: Backward)? (?:using|on)) (\w+)", plan)
    assert [name for name in used if index in name], plan
    assert "SCAN tags" not in plan
    assert "Seq Scan on tags" not in plan


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(words=st.text(max_size=40))
async def test_no_query_breaks_the_database(filled: Store, words: str) -> None:
    try:
        terms = parse(words, AT)
    except UsageError:
        return
    for is_by_relevance in (False, True):
        await filled.search.find(Query(terms, Filters(), is_by_relevance))
