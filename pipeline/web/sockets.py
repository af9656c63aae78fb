"""TCP and TLS in the shape that httpcore wants, on asyncio's own streams: anyio's cost a third of a request more."""

import asyncio
import ssl
from contextlib import AbstractAsyncContextManager, nullcontext
from types import TracebackType
from typing import Any

from pipeline.web.failure import Failed, Reason
from pipeline.web.http import httpcore

READ_BYTES = 65_536  # that wait to be read; then the other side waits, at twice that


class Stream(httpcore.AsyncNetworkStream):
    """A connection; it does not outlive a TLS handshake that failed or was given up."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - as httpcore wants
        """What has come; empty at the end."""
        with _translated(httpcore.ReadTimeout, httpcore.ReadError):
            async with _within(timeout):
                return await self._reader.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Send all of it."""
        with _translated(httpcore.WriteTimeout, httpcore.WriteError):
            async with _within(timeout):
                self._writer.write(buffer)
                await self._writer.drain()

    async def aclose(self) -> None:
        """At once: nobody waits for what the other side still has to say."""
        self._writer.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """The same connection, encrypted.

        Raises:
            Failed: it is not trusted, or not spoken (`tls`).
        """
        try:
            with _translated(httpcore.ConnectTimeout, httpcore.ConnectError):
                async with _within(timeout):
                    await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except BaseException as e:
            await self.aclose()
            if isinstance(e.__cause__, ssl.SSLError):
                raise Failed(Reason.TLS, str(e)) from e
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        """What httpcore wants to know of it: whether HTTP/2 was agreed on."""
        return self._writer.get_extra_info(info)


async def connect(address: str, port: int, seconds: float) -> Stream:
    """Open a connection to an address, which is none of the kinds that must be looked up.

    Raises:
        httpcore.ConnectError, httpcore.ConnectTimeout: it cannot be had.
    """
    with _translated(httpcore.ConnectTimeout, httpcore.ConnectError):
        async with asyncio.timeout(seconds):
            return Stream(*await asyncio.open_connection(address, port, limit=READ_BYTES))


def _within(seconds: float | None) -> AbstractAsyncContextManager[object]:
    """A deadline, where there is one: the exchange has its own."""
    return _FOR_EVER if seconds is None else asyncio.timeout(seconds)


_FOR_EVER: AbstractAsyncContextManager[object] = nullcontext()


class _translated:  # noqa: N801 - used as a function; as a generator it would cost twice as much
    """Errors of a socket, as httpcore calls them."""

    __slots__ = ("_broken", "_late")

    def __init__(self, late: type[Exception], broken: type[Exception]) -> None:
        self._late, self._broken = late, broken

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, TimeoutError):
            raise self._late(str(error)) from error
        if isinstance(error, OSError):  # and so ssl.SSLError
            raise self._broken(str(error)) from error
