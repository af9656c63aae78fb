"""Each fault does what it says, as often as it was asked to."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from pipeline.newsroom import Fault, FaultKind, Newsroom, Server, serve

AT = datetime(2025, 7, 12, 12, tzinfo=UTC)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serve(Newsroom(seed=1, at=AT)) as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=5, headers={"Accept-Encoding": "identity"}) as opened:
        yield opened


def feed_of(server: Server) -> str:
    return server.room.feeds[0].url


@pytest.mark.parametrize(
    ("retry_after", "header"),
    [
        (None, None),
        (timedelta(minutes=2), "120"),
        (datetime(2025, 7, 12, 13, tzinfo=UTC), "Sat, 12 Jul 2025 13:00:00 GMT"),
    ],
    ids=["none", "seconds", "date"],
)
async def test_a_status_comes_with_retry_after_as_asked(
    server: Server, client: httpx.AsyncClient, retry_after: timedelta | datetime | None, header: str | None
) -> None:
    server.fault(feed_of(server), Fault(FaultKind.STATUS, status=429, retry_after=retry_after))
    response = await client.get(feed_of(server))
    assert (response.status_code, response.headers.get("retry-after")) == (429, header)


async def test_a_fault_ends_after_its_count_and_is_named_in_the_log(server: Server, client: httpx.AsyncClient) -> None:
    server.fault(feed_of(server), Fault(FaultKind.STATUS, count=2))
    assert [(await client.get(feed_of(server))).status_code for _ in range(3)] == [503, 503, 200]
    assert [(seen.status, seen.fault) for seen in server.log] == [(503, "status"), (503, "status"), (200, None)]


async def test_a_lifted_fault_is_over(server: Server, client: httpx.AsyncClient) -> None:
    server.fault(feed_of(server), Fault(FaultKind.STATUS))
    server.fault(feed_of(server), None)
    assert (await client.get(feed_of(server))).status_code == 200


async def test_a_fault_of_a_site_hits_every_path_of_it_only(server: Server, client: httpx.AsyncClient) -> None:
    server.fault(server.room.origins[0], Fault(FaultKind.STATUS))
    assert (await client.get(server.room.origins[0] + "/robots.txt")).status_code == 503
    assert (await client.get(server.room.origins[1] + "/robots.txt")).status_code == 200


async def test_the_body_and_headers_of_an_answer_can_be_given(server: Server, client: httpx.AsyncClient) -> None:
    headers = (("Content-Type", "text/html"), ("Cache-Control", "max-age=60"))
    server.fault(feed_of(server), Fault(FaultKind.STATUS, status=200, body=b"<html>", headers=headers))
    response = await client.get(feed_of(server))
    assert (response.content, response.headers["content-type"]) == (b"<html>", "text/html")
    assert response.headers["cache-control"] == "max-age=60"


async def test_the_ailing_page_heals_after_two_requests(server: Server, client: httpx.AsyncClient) -> None:
    (url,) = server.room.faults
    assert server.room.truth[url].outcome == "stored"
    assert [(await client.get(url)).status_code for _ in range(3)] == [500, 500, 200]


async def test_slow_headers_come_late_but_whole(server: Server, client: httpx.AsyncClient) -> None:
    loop = asyncio.get_running_loop()
    server.fault(feed_of(server), Fault(FaultKind.SLOW_HEADERS, seconds=0.2))
    start = loop.time()
    response = await client.get(feed_of(server))
    assert (response.status_code, loop.time() - start >= 0.2) == (200, True)


async def test_a_dripped_body_is_slow_but_whole(server: Server, client: httpx.AsyncClient) -> None:
    whole = (await client.get(feed_of(server))).content
    server.fault(feed_of(server), Fault(FaultKind.DRIP, seconds=0.01, chunk=len(whole) // 10))
    start = asyncio.get_running_loop().time()
    assert (await client.get(feed_of(server))).content == whole
    assert asyncio.get_running_loop().time() - start >= 0.1


async def test_an_endless_body_goes_on(server: Server, client: httpx.AsyncClient) -> None:
    server.fault(feed_of(server), Fault(FaultKind.ENDLESS))
    size = 0
    async with client.stream("GET", feed_of(server)) as response:
        async for block in response.aiter_raw():
            size += len(block)
            if size > 3_000_000:
                break
    assert size > 3_000_000


async def test_a_truncated_body_breaks_its_promise(server: Server, client: httpx.AsyncClient) -> None:
    server.fault(feed_of(server), Fault(FaultKind.TRUNCATED))
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(feed_of(server))


async def test_a_wrong_charset_is_named(server: Server, client: httpx.AsyncClient) -> None:
    server.fault(feed_of(server), Fault(FaultKind.CHARSET, charset="koi8-r"))
    assert (await client.get(feed_of(server))).headers["content-type"] == "application/rss+xml; charset=koi8-r"


async def test_a_gzip_bomb_is_small_on_the_wire(server: Server, client: httpx.AsyncClient) -> None:
    server.fault(feed_of(server), Fault(FaultKind.BOMB, size=20_000_000))
    async with client.stream("GET", feed_of(server)) as response:
        wire = b"".join([block async for block in response.aiter_raw()])
    assert response.headers["content-encoding"] == "gzip"
    assert len(wire) < 30_000
    assert len(zlib.decompress(wire, wbits=31)) == 20_000_000


async def test_a_redirect_loop_never_arrives(server: Server, client: httpx.AsyncClient) -> None:
    server.fault(feed_of(server), Fault(FaultKind.LOOP))
    with pytest.raises(httpx.TooManyRedirects):
        await client.get(feed_of(server), follow_redirects=True)


async def test_a_reset_ends_the_connection(server: Server, client: httpx.AsyncClient) -> None:
    server.fault(feed_of(server), Fault(FaultKind.RESET, count=1))
    with pytest.raises(httpx.ReadError):
        await client.get(feed_of(server))
    assert server.log[-1].status is None
    assert (await client.get(feed_of(server))).status_code == 200


async def test_a_hang_answers_nothing(server: Server, client: httpx.AsyncClient) -> None:
    server.fault(feed_of(server), Fault(FaultKind.HANG))
    with pytest.raises(httpx.ReadTimeout):
        await client.get(feed_of(server), timeout=0.2)


async def test_faults_ignore_validators_so_that_there_is_a_body(server: Server, client: httpx.AsyncClient) -> None:
    tag = (await client.get(feed_of(server))).headers["etag"]
    server.fault(feed_of(server), Fault(FaultKind.CHARSET))
    assert (await client.get(feed_of(server), headers={"If-None-Match": tag})).status_code == 200


@pytest.mark.parametrize("kind", [FaultKind.DRIP, FaultKind.ENDLESS, FaultKind.TRUNCATED, FaultKind.BOMB])
async def test_a_head_request_gets_no_body_from_a_fault(
    server: Server, client: httpx.AsyncClient, kind: FaultKind
) -> None:
    server.fault(feed_of(server), Fault(kind, seconds=0))
    assert (await client.head(feed_of(server))).content == b""


async def test_the_server_ends_while_clients_are_stuck() -> None:
    async with serve(Newsroom(seed=1, at=AT)) as server, httpx.AsyncClient(trust_env=False, timeout=30) as client:
        server.fault(feed_of(server), Fault(FaultKind.HANG))
        stuck = asyncio.ensure_future(client.get(feed_of(server)))
        await asyncio.sleep(0.3)
        assert [seen.fault for seen in server.log] == ["hang"]
    with pytest.raises(httpx.HTTPError):
        await stuck
