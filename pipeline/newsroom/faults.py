"""What can go wrong with an answer on demand: each fault, and how it plays out on the connection."""

import asyncio
import socket
import struct
import zlib
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from enum import StrEnum
from http import HTTPStatus

Headers = tuple[tuple[str, str], ...]


class FaultKind(StrEnum):
    """The ways in which a server misbehaves."""

    STATUS = "status"  # answers `status` with `body`, and with Retry-After when asked
    SLOW_HEADERS = "slow-headers"  # waits `seconds`, then answers well
    DRIP = "drip"  # answers well, `chunk` bytes every `seconds`
    ENDLESS = "endless"  # a body that never stops
    TRUNCATED = "truncated"  # promises the whole body, sends half, closes
    CHARSET = "charset"  # names a wrong `charset` in Content-Type
    BOMB = "gzip-bomb"  # a small gzip body that unpacks to `size` bytes
    LOOP = "redirect-loop"  # 302 to itself
    RESET = "reset"  # a TCP reset instead of an answer
    HANG = "hang"  # no answer, the connection stays open


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave, for the next `count` requests or for ever; `headers` are added to whatever is answered."""

    kind: FaultKind
    count: int | None = None  # None: until it is lifted
    headers: Headers = ()
    status: int = 503
    body: bytes | None = None  # None: a line that names the status
    retry_after: timedelta | datetime | None = None  # sent as seconds or as an HTTP-date
    seconds: float = 1.0
    chunk: int = 1  # bytes
    charset: str = "utf-16"
    size: int = 100_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A response before it is written; Content-Length is set when it is."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    is_head: bool = False  # answers a HEAD: the body is measured, not sent


@dataclass(frozen=True, slots=True)
class Line:
    """The two directions of a connection."""

    reader: StreamReader
    writer: StreamWriter

    async def send(self, data: bytes) -> None:
        """Write, and wait until the peer has room for more."""
        self.writer.write(data)
        await self.writer.drain()


def head(answer: Answer, *, framing: Headers | None = None) -> bytes:
    """Status line and headers; `framing` replaces the right Content-Length."""
    bodiless = answer.status == HTTPStatus.NOT_MODIFIED
    length = () if bodiless else (("Content-Length", str(len(answer.body))),)
    lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
    lines += [f"{name}: {value}" for name, value in (*answer.headers, *(length if framing is None else framing))]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def write(line: Line, answer: Answer) -> None:
    """Send an answer as it should be sent."""
    await line.send(head(answer) + (b"" if answer.is_head else answer.body))


async def misbehave(fault: Fault, line: Line, answer: Answer, target: str) -> bool:
    """Send `answer` the wrong way.

    Returns:
        Whether the connection can serve another request.
    """
    return await _PLAYS[fault.kind](fault, line, replace(answer, headers=answer.headers + fault.headers), target)


async def _status(fault: Fault, line: Line, answer: Answer, _: str) -> bool:
    headers = [] if any(name == "Content-Type" for name, _ in fault.headers) else [("Content-Type", "text/plain")]
    headers += fault.headers
    if isinstance(fault.retry_after, datetime):
        headers.append(("Retry-After", format_datetime(fault.retry_after, usegmt=True)))
    elif fault.retry_after is not None:
        headers.append(("Retry-After", str(int(fault.retry_after.total_seconds()))))
    body = f"{fault.status} {_phrase(fault.status)}\n".encode() if fault.body is None else fault.body
    await write(line, Answer(fault.status, tuple(headers), body, answer.is_head))
    return True


async def _slow_headers(fault: Fault, line: Line, answer: Answer, _: str) -> bool:
    await asyncio.sleep(fault.seconds)
    await write(line, answer)
    return True


async def _drip(fault: Fault, line: Line, answer: Answer, _: str) -> bool:
    await line.send(head(answer))
    for start in range(0, 0 if answer.is_head else len(answer.body), fault.chunk):
        await asyncio.sleep(fault.seconds)
        await line.send(answer.body[start : start + fault.chunk])
    return True


async def _endless(_: Fault, line: Line, answer: Answer, __: str) -> bool:
    await line.send(head(answer, framing=(("Transfer-Encoding", "chunked"),)))
    block = (answer.body or b" ") * (1 + 16_384 // max(len(answer.body), 1))
    while not answer.is_head:  # ends when the client goes away: drain raises
        await line.send(b"%x\r\n%b\r\n" % (len(block), block))
        await asyncio.sleep(0)
    return False


async def _truncated(_: Fault, line: Line, answer: Answer, __: str) -> bool:
    await line.send(head(answer) + (b"" if answer.is_head else answer.body[: len(answer.body) // 2]))
    return False


async def _charset(fault: Fault, line: Line, answer: Answer, _: str) -> bool:
    headers = tuple(
        (name, f"{value.split(';')[0]}; charset={fault.charset}" if name == "Content-Type" else value)
        for name, value in answer.headers
    )
    await write(line, Answer(answer.status, headers, answer.body, answer.is_head))
    return True


async def _bomb(fault: Fault, line: Line, answer: Answer, _: str) -> bool:
    headers = tuple((name, value) for name, value in answer.headers if name != "Content-Encoding")
    framing = (("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked"))
    await line.send(head(Answer(200, headers), framing=framing))
    for block in () if answer.is_head else _zeros(fault.size):
        await line.send(b"%x\r\n%b\r\n" % (len(block), block))
    await line.send(b"" if answer.is_head else b"0\r\n\r\n")
    return True


async def _loop(_: Fault, line: Line, answer: Answer, target: str) -> bool:
    await write(line, Answer(302, (("Location", target),), b"", answer.is_head))
    return True


async def _reset(_: Fault, line: Line, __: Answer, ___: str) -> bool:
    linger = struct.pack("ii", 1, 0)  # closing drops what is unsent and sends RST
    line.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    line.writer.transport.abort()
    return False


async def _hang(_: Fault, line: Line, __: Answer, ___: str) -> bool:
    while await line.reader.read(4_096):  # until the client gives up
        pass
    return False


def _zeros(size: int) -> Iterator[bytes]:
    """A gzip member of `size` zero bytes, block by block."""
    packer = zlib.compressobj(9, wbits=31)
    step = 1_000_000
    for done in range(0, size, step):
        if block := packer.compress(bytes(min(step, size - done))):
            yield block
    yield packer.flush()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unassigned"


_Play = Callable[[Fault, Line, Answer, str], Awaitable[bool]]
_PLAYS: dict[FaultKind, _Play] = {
    FaultKind.STATUS: _status,
    FaultKind.SLOW_HEADERS: _slow_headers,
    FaultKind.DRIP: _drip,
    FaultKind.ENDLESS: _endless,
    FaultKind.TRUNCATED: _truncated,
    FaultKind.CHARSET: _charset,
    FaultKind.BOMB: _bomb,
    FaultKind.LOOP: _loop,
    FaultKind.RESET: _reset,
    FaultKind.HANG: _hang,
}
