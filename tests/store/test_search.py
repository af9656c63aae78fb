"""Search: the same answers on both databases, and no input becomes their syntax."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import CommandError, UsageError
from pipeline.model import FeedKind
from pipeline.query import Filters, Query, parse
from pipeline.store import Count, Said, Store
from pipeline.store.search import RANKED
from tests import make
from tests.make import AT
from tests.store.filling import fill

ARTICLES = (
    make.article(
        1,
        title="Missile test over the sea",
        text="A ballistic missile flew 1,000 km.\nTokyo protested.",
        lang="en",
        authors=("Lee Min",),
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
    make.article(4, title="훈련 시작", text="한미 연합 훈련이 시작됐다. KF-21을 Freedom Shield 2025", lang="ko"),
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


@pytest.mark.parametrize("is_by_relevance", [False, True], ids=["newest", "relevance"])
async def test_what_arrives_between_pages_shifts_none_of_them(filled: Store, is_by_relevance: bool) -> None:
    query = Query(parse("missile", AT), Filters(), is_by_relevance, limit=1)
    before = await filled.search.find(replace(query, limit=10))
    (first,) = await filled.search.find(query)
    later = [make.article(n, title="Missiles", published_at=AT + timedelta(hours=1), text="drills") for n in (11, 12)]
    await fill(filled, later, [make.other()] * 2, feed=make.feed(2))
    rest = await filled.search.find(replace(query, cursor=first.cursor, limit=10))
    assert [found.id for found in (first, *rest)] == [found.id for found in before]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("-missile", ["Frigates", "훈련"], id="all but a word"),
        pytest.param("tokyo OR -missile", ["Missile", "Frigates", "훈련"], id="a word or all but another"),
        pytest.param("(tokyo OR frigate) -(b-52h drills)", ["Missile"], id="groups"),
        pytest.param("title:missile", ["Missile"], id="a word of the title"),
        pytest.param('-title:"missile test" missile', ["Bank"], id="without a phrase in the title"),
        pytest.param("title:frig*", ["Frigates"], id="a prefix in the title"),
        pytest.param("author:lee", ["Missile"], id="an author"),
        pytest.param("author:missile", [], id="a word that is no author"),
        pytest.param("country:KP OR country:US", ["Missile", "Frigates"], id="countries"),
        pytest.param("-country:KP -label:other", ["Frigates", "훈련"], id="without"),
        pytest.param("-kind:trade topic:weapons", ["Missile"], id="without a kind"),
        pytest.param("-score:<0.7", ["Missile", "Frigates"], id="without low scores"),
        pytest.param("score:>0.8", ["Missile"], id="more than a score"),
        pytest.param("score:0.8..", ["Missile", "Frigates"], id="a score at least"),
        pytest.param("lang:en-gb", ["Frigates"], id="a language of a country"),
        pytest.param("published:2025-07-11", ["Missile", "Frigates", "Bank", "훈련"], id="a day"),
        pytest.param("published:..2025-07-10", [], id="up to a day"),
        pytest.param("published:2025-07-11T10:00:00Z..", ["Missile", "Frigates"], id="since a moment"),
        pytest.param("feed:1", ["Missile", "Frigates", "Bank", "훈련"], id="a feed"),
        pytest.param("-feed:1", [], id="without a feed"),
        pytest.param("연합", ["훈련"], id="a whole Korean word"),
        pytest.param("합훈", [], id="no pair over a space"),
        pytest.param("작됐", ["훈련"], id="a part of a Korean word"),
        pytest.param("됐", ["훈련"], id="one character"),
        pytest.param('"연합 훈련"', ["훈련"], id="a phrase with an ending behind"),
        pytest.param("KF-21", ["훈련"], id="a name with an ending behind"),
    ],
)
async def test_fields_and_groups_find(filled: Store, query: str, found: list[str]) -> None:
    assert await titles(filled, query) == found


async def test_options_and_fields_both_hold(filled: Store) -> None:
    assert await titles(filled, "country:KP", countries=("JP",)) == ["Missile"]
    assert await titles(filled, "country:KP", countries=("US",)) == []


async def test_a_feed_that_is_not_there_is_told(filled: Store) -> None:
    with pytest.raises(CommandError, match="no such feed: x"):
        await titles(filled, "feed:x")


async def test_facets_follow_labels_and_verdicts(filled: Store) -> None:
    (missile,) = await filled.search.find(Query(parse("title:missile", AT)))
    await filled.labels.add(missile.id, Said.NO, "me", AT)
    assert await titles(filled, "label:other") == ["Missile", "Bank"]
    assert await titles(filled, "missile label:defense") == []
    assert await titles(filled, "missile label:other country:KP") == ["Missile"]


async def test_counts_end_at_a_cap(filled: Store) -> None:
    assert await filled.search.count(Query(parse("missile", AT))) == Count(2, is_least=False)
    assert await filled.search.count(Query()) == Count(4, is_least=False)


async def test_the_facets_of_a_result_are_counted(filled: Store) -> None:
    facets = await filled.search.facets(Query(parse("-label:other", AT)))
    assert (facets.articles, facets.is_least) == (3, False)
    assert facets.topics == (("operations", 2), ("weapons", 1), ("nuclear", 1))
    assert set(facets.countries) == {("KP", 1), ("JP", 1), ("US", 1)}
    assert ("Hwasong-18", 1) in facets.entities
    assert facets.feeds == (("Feed 1", 3),)
    assert facets.months == (("2025-07", 3),)


async def test_the_index_of_sqlite_agrees_with_what_it_is_made_of(filled: Store) -> None:
    if filled.db.is_sqlite:
        async with filled.db.write() as c:
            await c.exec_driver_sql("INSERT INTO search_index(search_index, rank) VALUES ('integrity-check', 1)")


QUERIES = st.lists(
    st.sampled_from(("a", "b*", '"', "-", "OR", "(", ")", " ", "title:", "author:", "entity:", "훈", "'", "\ue000c"))
    | st.text(max_size=5)
).map("".join)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(words=QUERIES)
async def test_no_query_breaks_the_database(filled: Store, words: str) -> None:
    try:
        terms = parse(words, AT)
    except UsageError:
        return
    for is_by_relevance in (False, True):
        await filled.search.find(Query(terms, Filters(), is_by_relevance))


async def test_a_text_with_more_words_than_an_index_row_holds_is_found_by_its_first(store: Store) -> None:
    run = "".join(map(chr, range(0x20000, 0x2A6D0)))
    words = "".join((run, run[::-1], run[::2], run[::3]))  # 120,000 pairs of eight bytes, no two of them the same
    await fill(store, [make.article(1, text=words)], [make.verdict()])
    assert len(await store.search.find(Query(parse(words[:3], AT)))) == 1


async def test_relevance_ranks_the_newest_matches_whatever_months_they_are_of(store: Store) -> None:
    many = [
        make.article(n, title=f"Drill {n}", text=f"Ships {n} sail.", published_at=AT - timedelta(hours=8 * n))
        for n in range(600)
    ]
    await fill(store, many, [make.verdict()] * len(many))
    newest = [found.id for found in await store.search.find(Query(parse("drill", AT), limit=1_000))]
    ranked = await store.search.find(Query(parse("drill", AT), is_by_relevance=True, limit=1_000))
    assert len(newest) == len(many)
    assert sorted((found.id for found in ranked), reverse=True) == newest[: RANKED[store.db.is_sqlite]]
