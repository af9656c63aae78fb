"""The search page: facets that narrow, downloads, saved searches."""

import csv
import io
import json
import re
from html import unescape
from urllib.parse import parse_qsl

import httpx
import pyarrow.parquet
import pytest

from pipeline.entrypoints.exporting import COLUMNS
from pipeline.entrypoints.pages.wanted import Wanted
from pipeline.store import Store
from tests.conftest import StillClock

NOW_SAVED = {"search": "q=jeju&country=KR&label=defense", "name": " Jeju  watch "}


async def test_a_facet_adds_to_the_search_and_what_it_leads_to_has_as_many_articles(client: httpx.AsyncClient) -> None:
    page = (await client.get("/search?q=jeju")).text
    link, number = re.findall(r'<a href="(/search\?q=jeju\+country[^"]*)">[^<]*</a> <span class="number">(\d+)', page)[
        0
    ]
    assert f"<b>{number}</b> article" in (await client.get(unescape(link))).text


@pytest.mark.parametrize(
    ("address", "narrowed"),
    [
        ("q=jeju", "q=jeju+country%3AJP"),
        ("q=jeju+country%3AKR", "q=jeju+country%3AKR&country=JP"),
        ("country=KR", "q=country%3AJP&country=KR"),
        ("q=country%3AUS&country=KR", None),
    ],
)
def test_a_value_narrows_once_in_the_words_and_once_beside_them(address: str, narrowed: str | None) -> None:
    found = Wanted.in_address(address).narrowed("country", "JP")
    assert (found and found.address) == narrowed


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("q=jeju&label=defense&country=KR&country=JP", "q=jeju+label%3Adefense+country%3AKR+country%3AJP"),
        ("entity=Freedom+Shield&min_score=0.5", "q=entity%3A%22Freedom+Shield%22+score%3A%3E%3D0.5"),
        ("since=7d&sort=relevance", "q=published%3A7d&sort=relevance"),
        ("since=2025-07-01&until=2025-07-31", "q=published%3A2025-07-01..2025-07-31"),
        ("entity=a+%22b%22&entity=c&label=+", "entity=a+%22b%22&entity=c&label=+"),
        ("q=country%3AUS&country=KR&teaser=true&until=7d", "q=country%3AUS+published%3A..7d&teaser=true&country=KR"),
    ],
)
def test_filters_of_an_address_become_fields_as_far_as_words_say_the_same(address: str, words: str) -> None:
    assert Wanted.in_address(address).in_words() == Wanted.in_address(words)


def test_what_words_cannot_say_is_kept_beside_them() -> None:
    wanted = Wanted.in_address("q=country%3AKR&country=JP&teaser=true&sort=newest&evil=1")
    assert wanted.beside == (("teaser", "true"), ("country", "JP"))


def test_a_search_without_some_fields_loses_them_in_the_words_and_beside_them() -> None:
    wanted = Wanted.in_address("q=a+country%3AKR+label%3Aother&country=JP")
    assert wanted.lacking("country").address == "q=a+label%3Aother"


FORM = {
    "was": "",
    "q": "",
    "panel-label": "",
    "panel-country": "",
    "panel-since": "",
    "panel-until": "",
    "sort": "newest",
}


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        pytest.param({"panel-label": "defense"}, "label:defense", id="chosen"),
        pytest.param({"q": "jeju", "panel-country": "KR"}, "jeju country:KR", id="typed and chosen"),
        pytest.param({"was": "a", "q": "a label:other"}, "a label:other", id="typed, while the panel said any"),
        pytest.param({"was": "label:other", "q": "a label:other", "panel-label": "other"}, "a label:other", id="left"),
        pytest.param({"was": "label:other", "q": "a", "panel-label": "other"}, "a", id="deleted in the words"),
        pytest.param({"was": "a label:other", "q": "a label:other"}, "a", id="any again"),
        pytest.param(
            {"was": "country:KR country:JP", "q": "a country:KR country:JP", "panel-country": "*"},
            "a country:KR country:JP",
            id="several stay",
        ),
        pytest.param(
            {"was": "country:KR country:JP", "q": "a country:KR country:JP", "panel-country": "US"},
            "a country:US",
            id="one in place of several",
        ),
        pytest.param({"was": "country:QQ", "q": "country:QQ", "panel-country": "*"}, "country:QQ", id="none there is"),
        pytest.param({"panel-entity": " Freedom Shield "}, 'entity:"Freedom Shield"', id="named"),
        pytest.param({"was": "entity:a entity:b", "q": "entity:a entity:b"}, "entity:a entity:b", id="several names"),
        pytest.param({"panel-since": "7d"}, "published:7d", id="an age"),
        pytest.param({"panel-since": "7d", "panel-until": "1d"}, "published:7d..1d", id="ages"),
        pytest.param({"panel-until": "2025-07-11"}, "published:..2025-07-11", id="an end"),
        pytest.param(
            {"was": "published:7d", "q": "published:7d", "panel-since": "7d"}, "published:7d", id="an age stays"
        ),
        pytest.param(
            {"was": "published:2025-07-11", "q": "published:2025-07-11", "panel-since": "2025-07-11"},
            "published:2025-07-11..",
            id="a day, and on from there",
        ),
        pytest.param(
            {"was": "published:7d published:2025", "q": "published:7d published:2025"},
            "published:7d published:2025",
            id="several ranges",
        ),
    ],
)
async def test_what_is_chosen_in_the_panel_is_written_into_the_words(
    client: httpx.AsyncClient, sent: dict[str, str], words: str
) -> None:
    answer = await client.get("/search", params=FORM | sent)
    assert answer.status_code == 303
    assert dict(parse_qsl(answer.headers["location"].partition("?")[2])) == {"q": words}


@pytest.mark.parametrize(
    ("sent", "anew"),
    [
        ({"panel-label": "defense"}, ["words"]),
        ({"q": "label:defense"}, ["panel"]),
        ({"q": "jeju", "panel-label": "defense"}, ["words", "panel"]),
        ({}, []),
    ],
)
async def test_live_results_come_with_what_was_not_touched_and_leave_what_was(
    client: httpx.AsyncClient, sent: dict[str, str], anew: list[str]
) -> None:
    page = (await client.get("/search", params=FORM | sent, headers={"HX-Request": "true"})).text
    assert re.findall(r'id="(\w+)"[^>]* hx-swap-oob="true"', page) == anew


async def test_a_feed_in_the_words_is_chosen_in_the_panel(client: httpx.AsyncClient) -> None:
    page = (await client.get("/search?feed=1")).text
    assert 'value="feed:1"' in page
    assert '<option value="1" selected>' in page
    assert "q=feed%3A1&amp;feed=1" not in page  # it is narrow enough


async def test_downloads_hold_all_results_in_each_format(client: httpx.AsyncClient) -> None:
    answers = {form: await client.get(f"/export.{form}?label=defense") for form in ("jsonl", "csv", "parquet")}
    lines = [json.loads(line) for line in answers["jsonl"].text.splitlines()]
    cells = list(csv.DictReader(io.StringIO(answers["csv"].text)))
    table = pyarrow.parquet.read_table(io.BytesIO(answers["parquet"].content))
    assert [row["url"] for row in lines] == [row["url"] for row in cells] == table["url"].to_pylist()
    assert len(lines) == 8
    assert list(lines[0]) == list(cells[0]) == table.column_names == list(COLUMNS)
    assert answers["csv"].headers["content-disposition"].startswith('attachment; filename="defnews-')


async def test_a_download_of_what_is_no_search_or_no_format_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get("/export.csv?q=OR")).status_code == 422
    assert (await client.get("/export.exe")).status_code == 404


async def test_a_search_is_saved_found_again_and_deleted(client: httpx.AsyncClient, filled: Store) -> None:
    answer = await client.post("/saved", data=NOW_SAVED)
    assert (answer.status_code, answer.headers["location"]) == (303, "/search?q=jeju&country=KR&label=defense")
    ((kept, _),) = await filled.saved.listing()
    assert (kept.name, kept.words, kept.filters) == ("Jeju watch", "jeju", {"country": ["KR"], "label": ["defense"]})
    assert set(Wanted.of_saved(kept).pairs) == set(Wanted.in_address(NOW_SAVED["search"]).pairs)
    assert "Jeju watch" in (await client.get("/search")).text
    assert (await client.post(f"/saved/{kept.id}", data={"to": "delete"})).status_code == 303
    assert await filled.saved.listing() == ()


async def test_a_name_that_is_taken_or_none_and_words_that_are_none_are_told(client: httpx.AsyncClient) -> None:
    await client.post("/saved", data=NOW_SAVED)
    for wrong, told in (
        (NOW_SAVED, "called Jeju watch already"),
        ({**NOW_SAVED, "name": " "}, "a saved search has a name"),
        ({"search": "q=OR", "name": "x"}, "OR"),
    ):
        answer = await client.post("/saved", data=wrong)
        assert answer.status_code == 422
        assert told in answer.text


async def test_alerts_of_a_saved_search_are_shown_without_the_secret_part_of_their_address(
    client: httpx.AsyncClient, filled: Store, clock: StillClock
) -> None:
    hook = {"slack": "https://hooks.example/services/SECRET"}
    await filled.saved.add("Drills", "drill", {"is_teaser": False, "min_score": 0.5}, hook, clock.now())
    page = (await client.get("/search")).text
    assert "slack hooks.example" in page
    assert "SECRET" not in page
    assert "/search?q=drill&amp;teaser=false&amp;min_score=0.5" in page
    ((kept, _),) = await filled.saved.listing()
    await client.post(f"/saved/{kept.id}", data={"to": "pause"})
    assert "paused" in (await client.get("/search")).text
    await client.post(f"/saved/{kept.id}", data={"to": "resume"})
    assert (await filled.saved.listing())[0][0].paused_at is None
    assert (await client.post(f"/saved/{kept.id}", data={"to": "explode"})).status_code == 422
