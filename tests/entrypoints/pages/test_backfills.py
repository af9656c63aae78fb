"""Backfills over HTTP: counted first, started, paused, taken up again; lists that are sent."""

import asyncio

import httpx
import pytest
from starlette.requests import Request

from pipeline.clock import SystemClock
from pipeline.entrypoints.backfill import Asked, begin
from pipeline.entrypoints.discovery import Discovery
from pipeline.entrypoints.pages.uploads import sent
from pipeline.settings import Settings
from pipeline.stages import opml
from pipeline.store import Store
from tests import make
from tests.entrypoints.api.conftest import engine_of

LIST = '<opml version="2.0"><body><outline xmlUrl="https://one.example/feed" title="One"/></body></opml>'


async def settled(client: httpx.AsyncClient, place: str) -> str:
    """A page once nothing moves on it any more."""
    for _ in range(100):
        page = (await client.get(place)).text
        if 'hx-trigger="every' not in page:
            return page
        await asyncio.sleep(0.05)
    raise AssertionError(page)


async def test_a_list_of_urls_is_counted_and_nothing_is_stored(client: httpx.AsyncClient, filled: Store) -> None:
    urls = f"https://one.example/a\n{make.article(1).url}\nhttps://one.example/a\nno url\n"
    answer = await client.post("/backfill", data={"via": "auto"}, files={"file": ("list.txt", urls)})
    assert answer.status_code == 303
    page = await settled(client, answer.headers["location"])
    assert '<button id="start"' in page
    assert '<th scope="row">urls</th>' in page
    assert await filled.runs.listing("backfill") == ()


async def test_a_run_tells_all_that_its_file_listed(filled: Store) -> None:
    engine, urls = engine_of(filled, SystemClock()), "https://one.example/a\nhttps://one.example/b\nno url\n"
    run = await begin(engine, Settings(), Asked(via="urls", inputs=("list.txt",)), {"list.txt": urls})
    await Discovery(engine, run, run.plan).run()
    kept = await filled.runs.get(run.id)
    assert kept is not None
    found = kept.cursor["found"]["urls"]
    assert (found["candidates"], found["new"], found["bad_lines"]) == (2, 2, 1)


async def test_a_look_that_finds_nothing_new_cannot_be_started(client: httpx.AsyncClient) -> None:
    answer = await client.post("/backfill", data={"via": "urls"}, files={"file": ("list.txt", make.article(1).url)})
    page = await settled(client, answer.headers["location"])
    assert "Nothing new was found" in page
    assert '<button id="start"' not in page


async def test_a_path_of_the_server_is_never_read(client: httpx.AsyncClient) -> None:
    for sent_fields in ({"via": "urls", "file": "/etc/passwd"}, {"via": "urls", "inputs": "/etc/passwd"}):
        answer = await client.post("/backfill", data=sent_fields)
        assert answer.status_code == 422
    answer = await client.post("/backfill", data={"via": "urls"}, files={"file": ("/etc/passwd", "x")})
    page = await settled(client, answer.headers["location"])
    assert "root:" not in page


async def test_a_warc_on_the_web_is_asked_like_a_page(client: httpx.AsyncClient) -> None:
    address = "https://archive.example/a.warc.gz"
    answer = await client.post("/backfill", data={"warc": f" {address}\r\n{address}\r\n", "via": "auto"})
    assert answer.status_code == 303
    assert f"{address} via warc" in await settled(client, answer.headers["location"])
    both = await client.post("/backfill", data={"warc": address}, files={"file": ("a.txt", "https://one.example/a")})
    assert (both.status_code, "not both" in both.text, address in both.text) == (422, True, True)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"via": "warc", "since": "7d"}, "via: &#39;warc&#39;"),
        ({"via": "auto"}, "since is needed"),
        ({"since": "7d", "maximum": "-1"}, "is no number"),
        ({"via": "opml"}, "choose a file"),
        ({"warc": "https://archive.example/a.warc /etc/b.warc"}, "&#39;/etc/b.warc&#39;: expected"),
        ({"warc": "file:///etc/b.warc"}, "expected the https address"),
    ],
)
async def test_what_cannot_be_is_told_beside_the_form(
    client: httpx.AsyncClient, fields: dict[str, str], told: str
) -> None:
    answer = await client.post("/backfill", data=fields)
    assert answer.status_code == 422
    assert told in answer.text


async def test_a_look_that_fails_says_why_and_can_be_forgotten(client: httpx.AsyncClient) -> None:
    answer = await client.post("/backfill", data={"since": "2d", "until": "3d"})
    place = answer.headers["location"]
    assert "is not before" in await settled(client, place)
    assert (await client.post(place, data={"to": "forget"})).status_code == 303
    assert (await client.get(place)).status_code == 404
    assert (await client.post(place, data={"to": "start"})).status_code == 422
    assert (await client.get("/backfill/99")).status_code == 404
    assert (await client.post("/backfill/99", data={"to": "resume"})).status_code == 422
    assert (await client.post("/backfill/99", data={"to": "pause"})).status_code == 422


async def test_opml_goes_out_and_comes_in(client: httpx.AsyncClient, filled: Store) -> None:
    answer = await client.post("/feeds/opml", files={"file": ("feeds.opml", LIST)})
    assert answer.headers["location"] == "/feeds?listed=1&new=1"
    assert "1 of the file's 1 feeds are new" in (await client.get(answer.headers["location"])).text.replace(
        "&#39;", "'"
    )
    written = await client.get("/feeds.opml")
    assert "https://one.example/feed" in {feed.url for feed in opml.read(written.content, "out")}
    assert (await client.post("/feeds/opml", files={"file": ("x.opml", "<html/>")})).status_code == 422
    assert (await client.post("/feeds/opml", data={"file": ""})).status_code == 422


async def test_a_form_with_files_is_read_as_it_was_sent() -> None:
    request = httpx.Request(
        "POST", "http://x", data={"feed": ["1", "2"], "since": "ü"}, files={"file": ("a.txt", b"\x00\xff\r\nb\n\n")}
    )
    body = request.read()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body}

    headers = [(b"content-type", request.headers["content-type"].encode())]
    given = await sent(Request({"type": "http", "method": "POST", "headers": headers}, receive))
    assert (given.all("feed"), given.first("since")) == (("1", "2"), "ü")
    assert given.files == [("a.txt", b"\x00\xff\r\nb\n\n")]
