"""The server: honest HTTP/1.1, validators, compression, its log, and late news."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import feedparser
import httpx
import pytest

from pipeline.newsroom import Newsroom, Server, Text, serve
from pipeline.newsroom.server import bind

AT = datetime(2025, 7, 12, 12, tzinfo=UTC)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serve(Newsroom(seed=1, at=AT)) as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=5) as opened:
        yield opened


async def raw(server: Server, request: bytes) -> bytes:
    host, port = server.room.origins[0].removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_every_article_answers_as_the_truth_says(server: Server, client: httpx.AsyncClient) -> None:
    for article in server.room.articles:
        for _ in range(3):  # the ailing page heals
            response = await client.get(article.link, follow_redirects=True)
            if response.status_code != 500:
                break
        assert str(response.url) == article.url
        assert response.status_code == {"http-404": 404, "http-410": 410}.get(article.reason or "", 200)


async def test_sites_are_distinct_hosts(server: Server) -> None:
    assert len(set(server.room.origins)) == 10


async def test_a_validator_of_the_last_answer_gives_304(server: Server, client: httpx.AsyncClient) -> None:
    url = server.room.feeds[0].url
    first = await client.get(url)
    by_tag = await client.get(url, headers={"If-None-Match": first.headers["etag"]})
    by_date = await client.get(url, headers={"If-Modified-Since": first.headers["last-modified"]})
    assert (by_tag.status_code, by_tag.content, by_date.status_code) == (304, b"", 304)
    assert by_tag.headers["etag"] == first.headers["etag"]


async def test_an_old_validator_gives_the_whole_answer(server: Server, client: httpx.AsyncClient) -> None:
    url = server.room.feeds[0].url
    headers = {"If-None-Match": '"other"', "If-Modified-Since": "Sat, 12 Jul 2025 12:00:00 GMT"}
    assert (await client.get(url, headers=headers)).status_code == 200  # the tag comes first
    assert (await client.get(url, headers={"If-Modified-Since": "yesterday"})).status_code == 200


async def test_gzip_is_sent_only_when_asked(server: Server, client: httpx.AsyncClient) -> None:
    url = server.room.feeds[0].url
    plain = await client.get(url, headers={"Accept-Encoding": "identity"})
    packed = await client.get(url, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.content == packed.content
    assert plain.headers["etag"] != packed.headers["etag"]


async def test_head_measures_the_body_without_sending_it(server: Server, client: httpx.AsyncClient) -> None:
    url = server.room.feeds[0].url
    get = await client.get(url, headers={"Accept-Encoding": "identity"})
    head = await client.head(url, headers={"Accept-Encoding": "identity"})
    assert head.content == b""
    assert head.headers["content-length"] == str(len(get.content))


async def test_a_connection_serves_several_requests(server: Server) -> None:
    one = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert (await raw(server, one + one + last)).count(b"HTTP/1.1 200 OK") == 3


@pytest.mark.parametrize(
    ("request_line", "status"), [(b"POST / HTTP/1.1", b"405"), (b"nonsense", b"400"), (b"GET / HTTP/1.0", b"200")]
)
async def test_an_odd_request_is_answered_and_the_connection_closed(
    server: Server, request_line: bytes, status: bytes
) -> None:
    answer = await raw(server, request_line + b"\r\nHost: x\r\n\r\n")
    assert answer.split(b" ")[1] == status


async def test_the_log_tells_what_was_asked(server: Server, client: httpx.AsyncClient) -> None:
    url = server.room.feeds[0].url
    before = asyncio.get_running_loop().time()
    await client.get(url + "?x=1", headers={"User-Agent": "probe/1"})
    (seen,) = server.requests(url)
    assert (seen.method, seen.url, seen.status, seen.header("User-Agent")) == ("GET", url + "?x=1", 200, "probe/1")
    assert before <= seen.at <= asyncio.get_running_loop().time()
    assert server.log == [seen]


async def test_a_published_article_appears_in_feed_sitemap_and_page(server: Server, client: httpx.AsyncClient) -> None:
    feed = server.room.feeds[0].url
    first = await client.get(feed)
    text = Text("late", "Late edition: runway closed", ("One.", "Two."), "trade", "Air", defense=False)
    article = server.publish(text, "vector", AT + timedelta(minutes=5))
    again = await client.get(feed, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200
    assert feedparser.parse(again.content).entries[0].link == article.link
    assert "<p>Two.</p>" in (await client.get(article.url)).text
    assert article.url in (await client.get(server.room.origins[0] + "/sitemap-1.xml")).text


async def test_the_compressed_sitemap_is_gzip_as_a_file(server: Server, client: httpx.AsyncClient) -> None:
    response = await client.get(server.room.origins[0] + "/sitemap-2.xml.gz")
    assert "content-encoding" not in response.headers
    assert gzip.decompress(response.content).startswith(b"<?xml")


async def test_two_newsrooms_run_side_by_side(server: Server) -> None:
    async with serve(Newsroom(seed=2, at=AT)) as other:
        assert not set(other.room.origins) & set(server.room.origins)


async def test_a_given_port_that_is_taken_is_refused(server: Server) -> None:
    port = int(server.room.origins[0].rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"):
        async with serve(Newsroom(seed=2, at=AT), port):
            pass


def test_without_spare_addresses_each_site_gets_a_port_of_its_own() -> None:
    sockets = bind(0, "203.0.113.{}")  # reserved for documentation: no machine has them
    names = {listening.getsockname() for listening in sockets}
    for listening in sockets:
        listening.close()
    assert {host for host, _ in names} == {"127.0.0.1"}
    assert len(names) == 10
