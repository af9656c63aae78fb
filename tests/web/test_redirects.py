"""Redirects: followed politely and not for ever, and what is not meant for another host stays behind."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import WebError
from pipeline.model import Request, RequestKind
from pipeline.web.exchange import Budget, Exchange, parse
from pipeline.web.failure import Failed
from tests import make
from tests.web.internet import START, Asked, MemoryPace, a_web, feed, moved, reply, serving


def counting(asked: Asked) -> bytes:
    """`/3` leads to `/2`, and so on down to the page at `/0`."""
    step = int(asked.path.strip("/"))
    return moved(f"/{step - 1}") if step else reply(b"ok")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_a_redirect_is_followed_and_kept_as_a_hop(status: str) -> None:
    def answer(asked: Asked) -> bytes:
        return moved("/new?x=1#part", status) if asked.path == "/old" else reply(b"ok")

    async with serving(answer) as site, a_web() as web:
        response = await web.send(feed(site.url("/old")))
        assert response.url == site.url("/new?x=1")
        assert response.hops == ((site.url("/old"), int(status[:3])),)
        assert response.body == b"ok"


@pytest.mark.parametrize("status", ["300 Multiple Choices", "304 Not Modified", "305 Use Proxy", "201 Created"])
async def test_other_statuses_with_a_location_are_final(status: str) -> None:
    async with serving(reply(b"", status, Location="/new")) as site, a_web() as web:
        response = await web.send(feed(site.url("/old")))
        assert (response.status, response.hops) == (int(status[:3]), ())


async def test_a_redirect_without_a_location_is_final() -> None:
    async with serving(reply(b"text", "302 Found")) as site, a_web() as web:
        assert (await web.send(feed(site.url()))).status == 302


async def test_as_many_redirects_as_allowed_are_followed() -> None:
    async with serving(counting) as site, a_web(max_redirects=3) as web:
        response = await web.send(feed(site.url("/3")))
        assert [status for _, status in response.hops] == [302, 302, 302]


async def test_one_redirect_more_is_an_error() -> None:
    async with serving(counting) as site, a_web(max_redirects=3) as web:
        with pytest.raises(WebError) as caught:
            await web.send(feed(site.url("/4")))
        assert (caught.value.reason, caught.value.retryable) == ("too-many-redirects", False)
        assert len(site.asked) == 4


@pytest.mark.parametrize("to", ["/a", "/b", "#top", "", "//", "http://", "http://news.example:{port}/a#x"])
async def test_a_circle_is_an_error(to: str) -> None:
    async with serving(lambda asked: moved("/b" if asked.path == "/a" else to.format(port=site.port))) as site:
        async with a_web() as web:
            with pytest.raises(WebError) as caught:
                await web.send(feed(site.url("/a")))
        assert caught.value.reason == "redirect-loop"


@pytest.mark.parametrize(
    "to",
    [
        "file:///etc/passwd",
        "ftp://x/",
        "javascript:alert(1)",
        "data:,x",
        "http://[::1",
        "http://a:0/",
        "http://0x7f.1/",
        "gopher://x",
    ],
)
async def test_a_redirect_to_anything_but_http_is_an_error(to: str) -> None:
    async with serving(moved(to)) as site, a_web() as web:
        with pytest.raises(WebError) as caught:
            await web.send(feed(site.url("/a")))
        assert (caught.value.reason, caught.value.retryable) == ("bad-redirect", False)


@given(st.text(max_size=60))
def test_a_location_leads_to_http_or_fails(location: str) -> None:
    exchange = Exchange(parse("http://news.example/a"), (), Budget(5, 5, 1000))
    with suppress(Failed):
        exchange.redirect(302, location)
    assert exchange.url.scheme in {"http", "https"}
    assert exchange.url.host
    assert "#" not in str(exchange.url)


@given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{0,20}/?.{0,20}"))
def test_a_url_is_http_with_a_host_or_fails(url: str) -> None:
    with suppress(Failed):
        parsed = parse(url)
        assert parsed.scheme in {"http", "https"}
        assert parsed.host
        assert not parsed.userinfo
        assert parse(str(parsed)) == parsed


async def test_every_host_on_the_way_is_asked_in_its_turn() -> None:
    pace = MemoryPace()
    async with serving(reply(b"ok")) as there, serving(moved(there.url(host="there.example"))) as here:
        await pace.release(there.key("there.example"), START + timedelta(seconds=30))
        pace[there.key("there.example")].releases.clear()
        async with a_web(pace) as web:
            response = await web.send(feed(here.url(host="here.example")))
        assert response.url == there.url(host="there.example")
        assert pace[here.key("here.example")].releases == [START + timedelta(seconds=5)]
        assert pace[there.key("there.example")].claims == [START + timedelta(seconds=30)]
        assert pace[there.key("there.example")].releases == [START + timedelta(seconds=35)]


async def test_a_redirect_within_a_host_waits_for_no_second_turn() -> None:
    pace = MemoryPace()
    async with serving(counting) as site, a_web(pace) as web:
        await web.send(feed(site.url("/3")))
        assert len(site.asked) == 4
        assert pace[site.key()].claims == [START]


async def test_a_resting_host_at_the_end_of_a_redirect_is_not_asked() -> None:
    pace = MemoryPace()
    async with serving(reply(b"ok")) as there, serving(moved(there.url(host="there.example"))) as here:
        await pace.rest(there.key("there.example"), make.rest(START + timedelta(hours=1)))
        async with a_web(pace) as web:
            with pytest.raises(WebError) as caught:
                await web.send(feed(here.url()))
        assert caught.value.retry_at == START + timedelta(hours=1)
        assert there.connections == 0


async def test_secrets_stay_with_the_host_they_were_given_for() -> None:
    headers = {
        "Authorization": "Bearer x",
        "Cookie": "a=b",
        "X_Api_Key": "k",
        "If_None_Match": '"e"',
        "Accept": "text/xml",
    }
    async with serving(reply(b"ok")) as there:

        def answer(asked: Asked) -> bytes:
            return moved("/b") if asked.path == "/a" else moved(there.url(host="there.example"))

        async with serving(answer) as here, a_web() as web:
            await web.send(feed(here.url("/a"), **headers))
        for asked in here.asked:
            assert [asked.header(name.replace("_", "-")) for name in headers] == list(headers.values())
        assert there.asked[0].header("if-none-match") == '"e"'
        assert there.asked[0].header("accept") == "text/xml"
        for name in ("authorization", "cookie", "x-api-key"):
            assert there.asked[0].header(name) is None


async def test_secrets_do_not_come_back_with_a_redirect_back() -> None:
    async with serving(lambda asked: moved(here.url("/end", host="here.example"))) as there:

        def answer(asked: Asked) -> bytes:
            return moved(there.url(host="there.example")) if asked.path == "/a" else reply(b"ok")

        async with serving(answer) as here, a_web() as web:
            await web.send(feed(here.url("/a", host="here.example"), Authorization="Bearer x"))
            assert [asked.header("authorization") for asked in here.asked] == ["Bearer x", None]


async def test_the_same_name_at_another_port_is_another_host() -> None:
    async with serving(reply(b"ok")) as there, serving(moved(there.url())) as here, a_web() as web:
        await web.send(feed(here.url(), Authorization="Bearer x"))
        assert there.asked[0].header("authorization") is None


async def test_a_location_in_utf_8_is_understood() -> None:
    def answer(asked: Asked) -> bytes:
        if asked.path == "/a":
            return b"HTTP/1.1 302 Found\r\nLocation: /\xc3\xbcber uns\r\nContent-Length: 0\r\n\r\n"
        return reply(b"ok")

    async with serving(answer) as site, a_web() as web:
        assert (await web.send(feed(site.url("/a")))).url == site.url("/%C3%BCber%20uns")


@pytest.mark.parametrize("status", ["307 Temporary", "308 Permanent"])
async def test_a_form_is_posted_again_where_the_redirect_keeps_it(status: str) -> None:
    def answer(asked: Asked) -> bytes:
        return moved("/new", status) if asked.path == "/old" else reply(b"", "202 Accepted")

    async with serving(answer) as site, a_web() as web:
        response = await web.send(Request(site.url("/old"), RequestKind.HUB, form=b"a=1"))
        assert (response.status, [asked.head[:5] for asked in site.asked]) == (202, ["POST ", "POST "])
        assert [asked.body for asked in site.asked] == [b"a=1", b"a=1"]
        assert site.asked[-1].header("content-type") == "application/x-www-form-urlencoded"
        assert site.asked[-1].header("content-length") == "3"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other"])
async def test_a_form_never_becomes_a_get(status: str) -> None:
    async with serving(moved("/new", status)) as site, a_web() as web:
        with pytest.raises(WebError) as caught:
            await web.send(Request(site.url("/old"), RequestKind.HUB, form=b"a=1"))
        assert (caught.value.reason, len(site.asked)) == ("bad-redirect", 1)
