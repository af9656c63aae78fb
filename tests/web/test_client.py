"""Web.send: what is sent, what comes back, and every limit on the way."""

import asyncio
import gzip
import time
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from pipeline.errors import UsageError, WebError
from pipeline.model import Request, RequestKind
from pipeline.web.http import ERRORS, httpcore, reason_of
from tests.web.internet import AGENT, START, Answer, Asked, MemoryPace, a_web, drip, feed, reply, serving, silence

HEAD = b"HTTP/1.1 200 OK\r\n"


async def failure(answer: Answer | bytes, **limits: Any) -> WebError:
    """The error of one request to a server that answers so."""
    pace = MemoryPace()
    async with serving(answer) as site, a_web(pace, **limits) as web:
        with pytest.raises(WebError) as caught:
            await web.send(feed(site.url()))
        assert len(pace[site.key()].releases) == 1  # the host is given back whatever happened
        assert pace[site.key()].leased_until == START
        assert caught.value.subject == site.url()
    return caught.value


def test_a_request_says_who_we_are_and_nothing_of_where_we_were() -> None:
    async def ask() -> Asked:
        async with serving(reply(b"ok", Set_Cookie="id=1; Path=/")) as site, a_web() as web:
            await web.send(feed(site.url("/first")))
            await web.send(feed(f"http://user:secret@news.example:{site.port}/path?q=1#fragment"))
            return site.asked[1]

    asked = asyncio.run(ask())
    assert asked.path == "/path?q=1"
    names = {line.partition(":")[0].lower() for line in asked.head.strip().split("\r\n")[1:]}
    assert names == {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert asked.header("user-agent") == AGENT
    assert asked.header("accept-encoding") == "gzip, deflate"


async def test_the_headers_of_a_request_go_out_as_given() -> None:
    headers = {"If_None_Match": 'W/"a\xe9"', "If_Modified_Since": "Wed, 21 oct 2015 7:28", "User_Agent": "mine/1"}
    async with serving(reply(b"ok")) as site, a_web() as web:
        await web.send(feed(site.url(), **headers))
        assert [site.asked[0].header(name.replace("_", "-")) for name in headers] == list(headers.values())


async def test_the_headers_of_a_response_come_back_as_they_are() -> None:
    async with serving(reply(b"ok", ETag='W/"a\xe9 b"', LAST_MODIFIED="yesterday,  or so")) as site, a_web() as web:
        response = await web.send(feed(site.url()))
        assert response.header("ETag") == 'W/"a\xe9 b"'
        assert ("last-modified", "yesterday,  or so") in response.headers
        assert response.received_at == START


async def test_a_validator_survives_the_way_there_and_back() -> None:
    async with serving(reply(b"ok", ETag='"\xfc\xff"')) as site, a_web() as web:
        etag = (await web.send(feed(site.url()))).header("etag")
        assert etag is not None
        await web.send(feed(site.url(), If_None_Match=etag))
        assert site.asked[1].header("if-none-match") == '"\xfc\xff"'


@pytest.mark.parametrize("status", [200, 204, 304, 400, 404, 410, 418, 500])
async def test_every_final_status_is_a_response(status: int) -> None:
    async with serving(reply(b"", f"{status} X")) as site, a_web() as web:
        assert (await web.send(feed(site.url()))).status == status


async def test_a_compressed_body_comes_back_decoded() -> None:
    text = b"<rss>" + bytes(range(256)) * 50
    async with serving(reply(gzip.compress(text), Content_Encoding="gzip")) as site, a_web() as web:
        assert (await web.send(feed(site.url()))).body == text


@pytest.mark.parametrize("coding", ["gzip", "br"])
@pytest.mark.parametrize("status", ["304 Not Modified", "204 No Content"])
async def test_a_status_without_a_body_may_speak_of_any(status: str, coding: str) -> None:
    answer = f"HTTP/1.1 {status}\r\nContent-Encoding: {coding}\r\nContent-Length: 99999999\r\n\r\n".encode()
    async with serving(answer) as site, a_web() as web:
        assert (await web.send(feed(site.url()))).body == b""


async def test_an_error_does_not_show_the_headers_of_its_request() -> None:
    async with serving(reply(b"ok")) as site, a_web() as web:
        with pytest.raises(WebError) as caught:
            await web.send(feed(site.url(), Authorization="Bearer secret\n"))
        assert "secret" not in str(caught.value)


async def test_a_body_without_a_length_ends_with_its_connection() -> None:
    async with serving(HEAD + b"\r\nall of it") as site, a_web() as web:
        assert (await web.send(feed(site.url()))).body == b"all of it"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "news",
        "/path",
        "ftp://x/",
        "file:///etc/passwd",
        "http://",
        "http://[::1",
        "http://a:0/",
        "http:///x",
        "http://a\x00b/",
    ],
)
async def test_what_is_no_web_address_is_a_bad_url(url: str) -> None:
    async with a_web() as web:
        with pytest.raises(WebError) as caught:
            await web.send(feed(url))
        assert (caught.value.reason, caught.value.retryable) == ("bad-url", False)


@pytest.mark.parametrize("headers", [{"X": "a\nb: c"}, {"X": "\u20ac"}, {"X Y": "a"}, {"\u20ac": "a"}])
async def test_a_header_that_http_cannot_carry_is_a_bad_request(headers: dict[str, str]) -> None:
    async with serving(reply(b"ok")) as site, a_web() as web:
        with pytest.raises(WebError) as caught:
            await web.send(feed(site.url(), **headers))
        assert (caught.value.reason, caught.value.retryable) == ("bad-request", False)
        assert not site.asked


@pytest.mark.parametrize(
    ("kind", "limit"), [(RequestKind.FEED, 3000), (RequestKind.PAGE, 2000), (RequestKind.ARCHIVE, 4000)]
)
@pytest.mark.parametrize("more", [0, 1])
async def test_each_kind_of_request_has_its_own_limit(kind: RequestKind, limit: int, more: int) -> None:
    sizes = {RequestKind.FEED: 3000, RequestKind.PAGE: 2000, RequestKind.ARCHIVE: 4000}
    answer = reply(gzip.compress(b"a" * (limit + more)), Content_Encoding="gzip")

    def with_robots(asked: Asked) -> bytes:
        return reply(b"") if asked.path == "/robots.txt" else answer

    async with serving(with_robots) as site, a_web(max_bytes=sizes) as web:
        if more:
            with pytest.raises(WebError, match="too-large"):
                await web.send(Request(site.url(), kind))
        else:
            assert len((await web.send(Request(site.url(), kind))).body) == limit


async def test_an_announced_giant_is_not_transferred() -> None:
    error = await failure(HEAD + b"Content-Length: 99999999999\r\n\r\n")
    assert (error.reason, error.retryable) == ("too-large", False)


async def test_an_endless_body_is_ended() -> None:
    sent = 0

    async def endless(_: Asked) -> object:
        nonlocal sent
        yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        while True:
            sent += 65536
            yield b"10000\r\n" + b"a" * 65536 + b"\r\n"

    error = await failure(endless, max_bytes={RequestKind.FEED: 1_000_000})  # type: ignore[arg-type]
    assert error.reason == "too-large"
    assert sent < 20_000_000


async def test_a_bomb_is_stopped() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    error = await failure(reply(bomb, Content_Encoding="gzip"))
    assert (error.reason, error.retryable) == ("too-large", False)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip"])
async def test_a_coding_that_was_not_offered_is_refused(coding: str) -> None:
    error = await failure(reply(b"x", Content_Encoding=coding))
    assert (error.reason, error.retryable) == ("bad-encoding", False)


async def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    started = time.monotonic()
    error = await failure(silence, timeout=timedelta(seconds=0.3))
    assert (error.reason, error.retryable) == ("timeout", True)
    assert time.monotonic() - started < 2


async def test_slow_headers_do_not_outlive_the_deadline() -> None:
    letters = (bytes([letter]) for letter in HEAD + b"X: " + b"a" * 1000)
    error = await failure(lambda _: drip(letters, 0.02), timeout=timedelta(seconds=0.4))
    assert error.reason == "timeout"


async def test_a_stalled_body_does_not_outlive_the_deadline() -> None:
    parts = (HEAD + b"Content-Length: 100000\r\n\r\n" + b"a" * 5000, b"b")
    error = await failure(lambda _: drip(parts, 5), timeout=timedelta(seconds=0.4))
    assert error.reason == "timeout"


async def test_a_dripping_body_is_too_slow() -> None:
    parts = (HEAD + b"Content-Length: 100000\r\n\r\n", *[b"a"] * 1000)
    error = await failure(lambda _: drip(parts, 0.02), grace=timedelta(seconds=0.2))
    assert (error.reason, error.retryable) == ("too-slow", True)


async def test_a_server_may_think_before_it_speaks() -> None:
    parts = (HEAD + b"Content-Length: 2\r\n\r\n", b"ok")
    async with serving(lambda _: drip(parts, 0.3)) as site, a_web(grace=timedelta(seconds=0.1)) as web:
        assert (await web.send(feed(site.url()))).body == b"ok"


async def test_the_deadline_is_over_all_hops() -> None:
    def answer(asked: Asked) -> object:
        step = int(asked.path.strip("/") or 0)
        return drip((b"", f"HTTP/1.1 302 Found\r\nLocation: /{step + 1}\r\n\r\n".encode()), 0.15)

    error = await failure(answer, timeout=timedelta(seconds=0.4))  # type: ignore[arg-type]
    assert error.reason == "timeout"


async def test_waiting_for_a_turn_is_no_part_of_the_deadline() -> None:
    class SlowPace(MemoryPace):
        async def claim(self, host: str, now: object, lease: timedelta) -> object:  # type: ignore[override]
            await asyncio.sleep(0.4)
            return await super().claim(host, now, lease)  # type: ignore[arg-type]

    async with serving(reply(b"ok")) as site, a_web(SlowPace(), timeout=timedelta(seconds=0.3)) as web:
        assert (await web.send(feed(site.url()))).body == b"ok"


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Content-Length: 100\r\n\r\nonly this",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n50\r\nhello",
        HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"text")[:-4],
        HEAD,
        b"",
    ],
    ids=["length", "chunks", "in a chunk", "gzip", "headers", "nothing"],
)
async def test_a_response_that_ends_early_is_truncated(answer: bytes) -> None:
    error = await failure(answer)
    assert (error.reason, error.retryable) == ("truncated", True)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpcore.ConnectTimeout(), "timeout"),
        (httpcore.ConnectError(), "connect"),
        (httpcore.ReadError(), "truncated"),
        (httpcore.WriteError(), "truncated"),
        (httpcore.UnsupportedProtocol(), "bad-request"),
        (httpcore.RemoteProtocolError(), "protocol"),
    ],
    ids=repr,
)
def test_an_error_of_the_library_has_a_reason(error: Exception, reason: str) -> None:
    assert isinstance(error, ERRORS)
    assert reason_of(error).reason == reason


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        HEAD + b"Content-Length: many\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        HEAD + b"no colon here\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"220 mail.example ESMTP\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02P\r\n\r\n",
        b"HTTP/1.1 999999 No\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_a_protocol_error(answer: bytes) -> None:
    assert (await failure(answer)).reason == "protocol"


async def test_endless_headers_are_too_large() -> None:
    error = await failure(HEAD + b"".join(b"X-%d: %s\r\n" % (number, b"a" * 1000) for number in range(2000)))
    assert error.reason == "too-large"


async def test_no_more_connections_than_allowed_are_open() -> None:
    open_now = most = 0

    async def slow(_: Asked) -> object:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.05)
        open_now -= 1
        yield reply(b"ok")

    async with serving(slow) as site, a_web(max_connections=3) as web:  # type: ignore[arg-type]
        await asyncio.gather(*(web.send(feed(site.url(host=f"host{number}.example"))) for number in range(12)))
    assert most == 3


async def test_a_request_leaves_one_line_for_debugging() -> None:
    async with serving(reply(b"ok")) as site, a_web() as web:
        with capture_logs() as lines:
            await web.send(feed(f"http://user:secret@news.example:{site.port}/a"))
    assert [(line["event"], line["log_level"], line["url"]) for line in lines] == [("request", "debug", site.url("/a"))]


async def test_a_failed_request_leaves_one_line_for_debugging() -> None:
    async with a_web() as web:
        with capture_logs() as lines, pytest.raises(WebError):
            await web.send(feed("ftp://x/"))
    assert [(line["event"], line["log_level"], line["reason"]) for line in lines] == [
        ("request failed", "debug", "bad-url")
    ]


async def test_a_proxy_is_asked_instead_and_warned_of_once() -> None:
    async with serving(reply(b"through the proxy")) as proxy:
        with capture_logs() as lines:
            web = a_web(proxy=f"http://me:pass@127.0.0.1:{proxy.port}", allow_private=())
        assert [line["log_level"] for line in lines] == ["warning"]
        assert "pass" not in str(lines)
        async with web:
            for _ in range(2):
                assert (await web.send(feed("http://news.example/a"))).body == b"through the proxy"
        assert proxy.paths == ["http://news.example/a"] * 2
        assert proxy.asked[0].header("proxy-authorization") == "Basic bWU6cGFzcw=="


async def test_a_proxy_that_refuses_a_tunnel_is_worth_another_try() -> None:
    async with serving(reply(b"", "403 Forbidden")) as proxy, a_web(proxy=f"http://127.0.0.1:{proxy.port}") as web:
        with pytest.raises(WebError) as caught:
            await web.send(feed("https://news.example/a"))
        assert (caught.value.reason, caught.value.retryable) == ("proxy", True)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "127.0.0.1:3128", "http://", "ftp://x", "http://[::1"])
def test_a_proxy_of_another_kind_is_a_usage_error(proxy: str) -> None:
    with pytest.raises(UsageError, match=r"web\.proxy"):
        a_web(proxy=proxy)
