"""The pages as a browser without scripts gets them."""

import hashlib
from pathlib import Path

import httpx
import pytest

from pipeline.entrypoints.pages.article import legend, paragraphs, pieces
from pipeline.entrypoints.pages.feeds import ROWS
from pipeline.entrypoints.pages.screen import country_name, hits, redlined, span
from pipeline.query import Filters, Query
from pipeline.store import Said, Store
from tests import make
from tests.conftest import StillClock
from tests.entrypoints.api.conftest import asking
from tests.entrypoints.pages.conftest import HOSTILE
from tests.store.filling import fill

ROOT = Path(__file__).parents[3]
PLACES = (
    "/search?country=KR&country=JP&site=x.example&story=1",
    "/", "/search", "/search?q=jeju&label=defense&country=KR", "/search?q=nowhere", "/review", "/feeds", "/feeds/1",
    "/status", "/backfill", "/countries", "/countries?q=jeju&topic=operations",
    "/topics/operations", "/countries/KR", "/entities/B-52H", "/entities/nothing%20of%20ours",
)  # fmt: skip


async def id_of(store: Store, title: str) -> int:
    found = await store.search.find(Query(filters=Filters(), limit=50))
    return next(row.id for row in found if row.title == title)


async def test_every_page_is_shown_and_allows_no_script_but_ours(client: httpx.AsyncClient) -> None:
    for place in PLACES:
        answer = await client.get(place)
        assert (place, answer.status_code) == (place, 200)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "style=" not in answer.text
        assert 'onerror="' not in answer.text
        assert "<script>" not in answer.text
        assert ("aria-current" in answer.text) == (not place.startswith(("/topics", "/entities")))


async def test_an_empty_store_has_the_same_pages(store: Store, clock: StillClock) -> None:
    async with asking(store, clock) as client:
        found = {place: (await client.get(place)).status_code for place in PLACES}
    assert found == dict.fromkeys(PLACES, 200) | {"/feeds/1": 404}


async def test_an_empty_store_says_on_each_page_what_to_do_first(store: Store, clock: StillClock) -> None:
    first = '<a href="/feeds">Add the first one.</a>'
    async with asking(store, clock) as client:
        for place in ("/", "/search", "/review", "/backfill"):
            assert (place, first in (await client.get(place)).text) == (place, True)
        await store.feeds.add([make.feed()], clock.now())
        for place in ("/", "/search"):
            page = (await client.get(place)).text
            assert (place, "One feed is being polled" in page, first in page) == (place, True, False)


async def test_hostile_articles_are_shown_as_text(client: httpx.AsyncClient, filled: Store) -> None:
    for title in HOSTILE:
        page = (await client.get(f"/articles/{await id_of(filled, title)}")).text
        for markup in ("<script>", "<img", "<iframe", "<svg/onload", "javascript:document.title='owned'\""):
            assert markup not in page


NOT_THERE = (
    "/articles/999", "/articles/x", "/articles/99999999999999999999", f"/articles/{'0' * 20}{'9' * 20}", "/feeds/999",
    "/countries/QQ", "/static/../screen.py", "/static/nothing.js",
)  # fmt: skip
NO_SEARCH = (
    "q=OR",
    "label=red",
    "feed=nobody",
    "cursor=x",
    "since=never",
    "country=QQ",
    "min_score=2x",
    "teaser=no",
    "story=x",
)


async def test_what_is_not_there_or_cannot_be_is_said_to_be_so(client: httpx.AsyncClient) -> None:
    found = {place: (await client.get(place)).status_code for place in NOT_THERE}
    assert found == dict.fromkeys(NOT_THERE, 404)
    for wrong in NO_SEARCH:
        answer = await client.get(f"/search?{wrong}")
        assert (wrong, answer.status_code) == (wrong, 422)
        assert 'role="alert"' in answer.text


async def test_a_search_marks_what_was_found_and_names_its_feed(client: httpx.AsyncClient) -> None:
    page = (await client.get("/search?q=jeju&label=defense")).text
    assert "<mark>Jeju</mark>" in page
    assert 'href="/feed.atom?q=jeju+label%3Adefense"' in page


async def test_a_search_without_results_says_what_may_help(client: httpx.AsyncClient) -> None:
    page = (await client.get("/search?q=zebra&label=defense&since=7d")).text
    assert "the same with any label" in page
    assert "the same at any time" in page


async def test_a_persons_word_counts_and_leads_back(client: httpx.AsyncClient, filled: Store) -> None:
    key = await id_of(filled, "Bombers over Jeju")
    answer = await client.post(f"/articles/{key}", data={"said": "no"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/articles/{key}")
    found = await filled.search.get(key)
    assert found is not None
    assert found.label == "other"
    assert "A person said: <b>no</b>" in (await client.get(f"/articles/{key}")).text


async def test_the_queue_goes_on_after_an_answer_which_can_be_given_again(
    client: httpx.AsyncClient, filled: Store
) -> None:
    key = await id_of(filled, "Shipyard strike goes on")
    assert "Shipyard strike" in (await client.get("/review")).text
    answer = await client.post("/review", data={"id": key, "said": "yes"})
    following = await client.get(answer.headers["location"])
    assert "You said yes of “<bdi>Shipyard strike goes on</bdi>”" in following.text
    assert "Nothing waits for you" in following.text
    again = await client.get(f"/review?again={key}")
    assert "borderline" in again.text
    assert 'value="yes" data-key="y" aria-pressed="true"' in again.text


async def test_each_article_is_among_the_last_answers_once_with_the_newest_one(store: Store) -> None:
    await fill(store, [make.article(n, text=make.text(n)) for n in (1, 2, 3)], [make.verdict()] * 3)
    ids = [row.id for row in await store.search.find(Query(limit=3))]
    for n, said in ((0, Said.YES), (1, Said.NO), (0, Said.BORDERLINE)):
        await store.labels.add(ids[n], said, "me", make.AT)
    await store.labels.add(ids[2], Said.NO, "another", make.AT)
    lately = await store.labels.lately("me", 5)
    assert [(one.article_id, one.said) for one in lately] == [(ids[0], "borderline"), (ids[1], "no")]
    assert await store.labels.lately("me", 1) == lately[:1]


async def test_an_answer_that_is_none_is_refused(client: httpx.AsyncClient) -> None:
    answers: list[dict[str, str]] = [{"said": "maybe", "id": "1"}, {"said": "yes", "id": "x"}, {}]
    assert [(await client.post("/review", data=sent)).status_code for sent in answers] == [422, 422, 422]
    assert (await client.post("/review", data={"said": "yes", "id": "1"})).status_code == 404


async def test_a_number_that_no_article_can_have_is_none(client: httpx.AsyncClient) -> None:
    for asked in ("again", "last"):
        assert (await client.get(f"/review?{asked}={'9' * 19}")).status_code == 200
    assert (await client.post("/review", data={"said": "yes", "id": "9" * 19})).status_code == 422


async def test_a_page_of_another_site_cannot_answer(client: httpx.AsyncClient) -> None:
    answer = await client.post("/review", data={"id": "1"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


async def test_a_feed_is_paused_taken_up_again_and_made_due(
    client: httpx.AsyncClient, filled: Store, clock: StillClock
) -> None:
    for to, is_enabled in (("pause", False), ("resume", True), ("poll", True)):
        assert (await client.post("/feeds/1", data={"to": to})).status_code == 303
        (row,) = await filled.feeds.listing()
        assert row.is_enabled is is_enabled
    assert row.state.next_poll_reason == "asked for"
    assert row.state.next_poll_at == clock.now()
    assert (await client.post("/feeds/1", data={"to": "explode"})).status_code == 422


async def test_a_feed_whose_title_is_the_number_of_another_is_not_taken_for_it(
    client: httpx.AsyncClient, filled: Store, clock: StillClock
) -> None:
    await filled.feeds.add([make.feed(7, title="3"), make.feed(8, title="Other")], clock.now())
    assert (await client.post("/feeds/3", data={"to": "pause"})).status_code == 303
    rows = {row.feed.id: row.is_enabled for row in await filled.feeds.listing()}
    assert rows == {1: True, 2: True, 3: False}


async def test_what_is_no_address_is_no_feed(client: httpx.AsyncClient) -> None:
    answer = await client.post("/feeds", data={"url": "ftp://x.example"})
    assert answer.status_code == 422
    assert "starts with http:// or https://" in answer.text


async def test_who_may_not_write_sees_no_buttons(filled: Store, clock: StillClock) -> None:
    async with asking(filled, clock, token="a-token-that-nobody-guesses") as client:
        page = (await client.get("/review")).text
    assert "data-key" not in page
    assert "/sign-in?next=" in page


def test_evidence_cuts_a_text_where_it_stands() -> None:
    terms = [
        {"term": "air drill", "start": 6, "end": 15, "weight": 1.5},
        {"term": "drill", "start": 10, "end": 15, "weight": 0.5},
    ]
    assert pieces("Joint air drill ends", terms) == [
        ("Joint ", "", 0.0), ("air drill", "air drill", 1.5), (" ends", "", 0.0),
    ]  # fmt: skip
    assert [len(p) for p in paragraphs("Joint air drill ends\n\nMore of it", terms)] == [3, 1]


def test_a_legend_adds_up_the_places_of_a_term() -> None:
    terms = [{"term": "navy", "weight": 0.5}, {"term": "sale", "weight": -2.0}, {"term": "navy", "weight": 1.0}]
    assert legend(terms) == [("sale", -2.0, 1), ("navy", 1.5, 2)]


def test_marks_of_hits_are_the_only_markup() -> None:
    assert str(hits("a \x02<b>\x03 \x02 <i>")) == "a <mark>&lt;b&gt;</mark> \x02 &lt;i&gt;"


def test_an_edit_is_cut_into_what_went_and_what_came() -> None:
    assert redlined("… of [-two-] {+three+} ships") == [
        ("", "… of "), ("del", "two"), ("", " "), ("ins", "three"), ("", " ships"),
    ]  # fmt: skip


@pytest.mark.parametrize(("seconds", "shown"), [(None, "-"), (0, "0 s"), (90, "2 min"), (7200, "2 h"), (90_000, "1 d")])
def test_a_span_is_told_in_its_largest_unit(seconds: float | None, shown: str) -> None:
    assert span(seconds) == shown


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("GB", "United Kingdom"),
        ("US", "United States"),
        ("FR", "France"),
        ("GU", "Guam"),
        ("CN", "China"),
        ("KP", "North Korea"),
        ("QQ", "QQ"),
    ],
)
def test_a_country_has_a_name(code: str, name: str) -> None:
    assert country_name(code) == name


@pytest.mark.parametrize("folder", ["pipeline/ui/static/vendor", "tests/entrypoints/pages/vendor"])
def test_what_others_wrote_is_as_they_published_it(folder: str) -> None:
    listed = dict(line.split()[::-1] for line in (ROOT / folder / "VENDORED").read_text().splitlines()[1:])
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (ROOT / folder).iterdir()}
    del there["VENDORED"]
    assert there == listed


async def test_many_feeds_come_in_pages_and_are_narrowed_by_words(
    client: httpx.AsyncClient, filled: Store, clock: StillClock
) -> None:
    await filled.feeds.add([make.feed(n, title=f"Outlet {n}") for n in range(100, 100 + ROWS)], clock.now())
    first = (await client.get("/feeds")).text
    second = (await client.get("/feeds?q=&from=200")).text
    assert first.count("data-row") == ROWS
    assert 'href="/feeds?q=&amp;from=200">1 further feeds' in first
    assert (second.count("data-row"), "further feeds" in second) == (1, False)
    narrowed = (await client.get("/feeds?q=outlet+NEW+10")).text
    assert "Outlet 110<" in narrowed
    assert "Outlet 120<" not in narrowed.split('role="region"')[1]
    assert "No feed has all of these words" in (await client.get("/feeds?q=nowhere")).text
