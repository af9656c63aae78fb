"""The HTTP library behind web/: named here alone, so that its fork `httpx2` is a change of two lines."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpcore
import httpx

from pipeline.errors import UsageError
from pipeline.web.failure import Failed, Reason

__all__ = ["OneShotTransport", "httpcore", "httpx"]

ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)
_ENDED_EARLY = ("closed connection", "disconnected")  # how h11 and httpcore put it
_BAD_PROXY = "web.proxy: must be an http:// or https:// URL"  # without its text, which may hold a password
_HEADERS_TOO_LARGE = 431  # h11's hint about a header block over its 100 KiB


_Connection = httpcore.AsyncHTTP11Connection | httpcore.AsyncConnectionPool


class _Stream(httpx.AsyncByteStream):
    """A body that takes its connection with it."""

    def __init__(self, response: httpcore.Response, connection: _Connection) -> None:
        self._response = response
        self._connection = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.aiter_stream():
            yield chunk

    async def aclose(self) -> None:
        await self._connection.aclose()


class OneShotTransport(httpx.AsyncBaseTransport):
    """A connection for each request.

    A host is asked once in several seconds, so a kept connection would seldom be used again, and httpcore's pool goes
    through all that it keeps at each start and end of a request: over thousands of hosts that costs more than to
    connect. Nobody else waits for such a connection either, so it does without the lock of those of a pool. Only the
    way through a proxy needs a pool, of one.

    It is used without httpx's client, which would keep cookies, read Location and log on its own.
    """

    def __init__(self, backend: httpcore.AsyncNetworkBackend, tls: ssl.SSLContext | None, proxy: str | None) -> None:
        self._backend = backend
        self._tls = tls or httpx.create_ssl_context(trust_env=False)
        self._tls.set_alpn_protocols(["http/1.1"])
        self._proxy = _proxy(proxy) if proxy else None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the errors are httpcore's."""
        core = _core(request)
        connection = await self._connection(core.url.origin)
        try:
            response = await connection.handle_async_request(core)
        except BaseException:
            await connection.aclose()
            raise
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Stream(response, connection),
            extensions=response.extensions,
        )

    @asynccontextmanager
    async def asking(self, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        """The response to a request, of any status, as long as it is read; then its connection is closed.

        Raises:
            Failed: there is none, or it breaks off.
        """
        try:
            response = await self.handle_async_request(request)
            try:
                yield response
            finally:
                await response.aclose()
        except ERRORS as e:
            raise reason_of(e) from e

    async def _connection(self, origin: httpcore.Origin) -> _Connection:
        if self._proxy is not None:
            return httpcore.AsyncConnectionPool(
                ssl_context=self._tls, proxy=self._proxy, max_connections=1, network_backend=self._backend
            )
        host = origin.host.decode("ascii")
        stream = await self._backend.connect_tcp(host, origin.port)
        if origin.scheme == b"https":
            stream = await stream.start_tls(self._tls, host)
        return httpcore.AsyncHTTP11Connection(origin, stream)


def reason_of(error: Exception) -> Failed:
    """What one of `ERRORS` means for an exchange."""
    text = str(error)
    cause = error.args[0] if error.args else None  # httpcore hands the original on as its argument
    match error:
        case httpcore.TimeoutException():
            return Failed(Reason.TIMEOUT, text)
        case httpcore.ConnectError():
            return Failed(Reason.CONNECT, text)
        case httpcore.ProxyError():
            return Failed(Reason.PROXY, text)
        case httpcore.LocalProtocolError() | httpcore.UnsupportedProtocol():
            return Failed(Reason.BAD_REQUEST, type(error).__name__)  # h11's text shows the header, which may be a key
        case httpcore.RemoteProtocolError():
            return Failed(_protocol(cause, text), text)
        case _:  # a read or a write that broke off
            return Failed(Reason.TRUNCATED, text)


def _protocol(cause: object, text: str) -> Reason:
    if getattr(cause, "error_status_hint", None) == _HEADERS_TOO_LARGE:
        return Reason.TOO_LARGE
    return Reason.TRUNCATED if any(phrase in text for phrase in _ENDED_EARLY) else Reason.PROTOCOL


def _proxy(url: str) -> httpcore.Proxy:
    try:
        parsed = httpx.Proxy(url)
    except (httpx.InvalidURL, ValueError) as e:
        raise UsageError(_BAD_PROXY) from e
    if parsed.url.scheme not in {"http", "https"} or not parsed.url.host:
        raise UsageError(_BAD_PROXY)
    return httpcore.Proxy(_core_url(parsed.url), auth=parsed.raw_auth)


def _core(request: httpx.Request) -> httpcore.Request:
    return httpcore.Request(
        method=request.method,
        url=_core_url(request.url),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _core_url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
