"""TLS: the certificate must be the URL's name's, although the connection goes to a judged address."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import pytest
import trustme

from pipeline.errors import WebError
from tests.web.internet import a_web, feed, reply, serving


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def server_tls(authority: trustme.CA, name: str, seen: list[str | None] | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    if seen is not None:
        context.sni_callback = lambda _, asked_for, __: seen.append(asked_for)
    return context


async def test_the_name_of_the_url_is_asked_for_and_checked(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    names: list[str | None] = []
    async with serving(reply(b"ok"), tls=server_tls(authority, "news.example", names)) as site:
        async with a_web(tls=trusting) as web:
            assert (await web.send(feed(site.url(scheme="https")))).body == b"ok"
        assert names == ["news.example"]
        assert site.asked[0].header("host") == f"news.example:{site.port}"


async def test_the_certificate_of_another_name_is_refused(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    async with serving(reply(b"ok"), tls=server_tls(authority, "evil.example")) as site, a_web(tls=trusting) as web:
        with pytest.raises(WebError) as caught:
            await web.send(feed(site.url(scheme="https")))
        assert (caught.value.reason, caught.value.retryable) == ("tls", True)
        assert not site.asked


async def test_a_certificate_of_nobody_is_refused(authority: trustme.CA) -> None:
    async with serving(reply(b"ok"), tls=server_tls(authority, "news.example")) as site, a_web() as web:
        with pytest.raises(WebError, match="tls"):
            await web.send(feed(site.url(scheme="https")))


async def raw(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> tuple[asyncio.Server, str]:
    """A server below HTTP, and its https URL."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    return server, f"https://news.example:{server.sockets[0].getsockname()[1]}/"


async def test_a_server_without_tls_is_a_tls_error(trusting: ssl.SSLContext) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    server, url = await raw(plain)
    async with server, a_web(tls=trusting) as web:
        with pytest.raises(WebError, match="tls"):
            await web.send(feed(url))


async def test_a_server_that_hangs_up_in_the_handshake_did_not_connect(trusting: ssl.SSLContext) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    server, url = await raw(hang_up)
    async with server, a_web(tls=trusting) as web:
        with pytest.raises(WebError) as caught:
            await web.send(feed(url))
        assert (caught.value.reason, caught.value.retryable) == ("connect", True)


async def test_a_stalled_handshake_ends_at_the_deadline_and_is_closed(trusting: ssl.SSLContext) -> None:
    closed = asyncio.Event()

    async def stalled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        closed.set()

    server, url = await raw(stalled)
    async with server, a_web(tls=trusting, timeout=timedelta(seconds=0.3)) as web:
        with pytest.raises(WebError, match="timeout"):
            await web.send(feed(url))
        await asyncio.wait_for(closed.wait(), 2)
