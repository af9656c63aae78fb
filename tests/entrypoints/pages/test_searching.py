"""The search page: facets that narrow, downloads, saved searches."""

import csv
import io
import json
import re
from html import unescape

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
    link, number = re.findall(
        r'<a href="(/search\?q=jeju&amp;country=[^"]*)">[^<]*</a> <span class="number">(\d+)', page
    )[0]
    assert f"<b>{number}</b> article" in (await client.get(unescape(link))).text


@pytest.mark.parametrize(
    ("address", "narrowed"),
    [
        ("q=jeju", "q=jeju&country=JP"),
        ("q=jeju&country=KR", "country=KR&q=jeju+country%3AJP"),
        ("country=KR", "country=KR&q=country%3AJP"),
        ("q=country%3AUS&country=KR", None),
    ],
)
def test_a_value_narrows_once_as_a_filter_and_once_in_the_words(address: str, narrowed: str | None) -> None:
    found = Wanted.in_address(address).narrowed("country", "JP")
    assert (found and found.address) == narrowed


def test_a_value_of_several_words_is_quoted() -> None:
    found = Wanted.in_address("entity=B-52H").narrowed("entity", "Freedom Shield")
    assert found is not None
    assert found.first["q"] == 'entity:"Freedom Shield"'


def test_what_the_form_has_no_place_for_is_kept_beside_it() -> None:
    wanted = Wanted.in_address("country=KR&country=JP&site=x.example&min_score=0.5&q=a&evil=1")
    assert wanted.beside == (("min_score", "0.5"), ("country", "JP"), ("site", "x.example"))


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
