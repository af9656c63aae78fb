"""A newsroom with a loopback host for every feed, in a process of its own: what `polling.py` polls.

Feed n is at 127.x.y.z, all on one port of 0.0.0.0 (Linux takes all of 127/8 for itself; whoever comes from elsewhere is
sent away). The first `bodies` feeds hold entries that nobody else holds, texts of the newsroom's filler, written as the
newsroom writes RSS with whole texts. A request with `If-None-Match` is answered 304, as are all to the other feeds. One
host in `hanging` takes a request and never answers. Prints its port as one line, then serves until its input ends.
"""

import argparse
import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.newsroom import feeds
from pipeline.newsroom.filler import filler
from pipeline.newsroom.room import Newsroom
from pipeline.newsroom.sites import SITES, Format

PATH = "/rss"
AT = datetime(2025, 7, 12, 12, tzinfo=UTC)
_SITE = next(site for site in SITES if any(plan.format is Format.RSS20_FULL for plan in site.feeds))
_PLAN = next(plan for plan in _SITE.feeds if plan.format is Format.RSS20_FULL)
_END = b"\r\n\r\n"


def address(number: int) -> str:
    """The host of a feed."""
    high, low = divmod(number, 250)
    return f"127.{1 + high // 250}.{high % 250}.{1 + low}"


def number_of(host: str) -> int:
    """The feed of a host."""
    _, second, third, last = map(int, host.split("."))
    return ((second - 1) * 250 + third) * 250 + last - 1


def url(number: int, port: int) -> str:
    """Where a feed is."""
    return f"http://{address(number)}:{port}{PATH}"


def etag(number: int) -> str:
    """The validator of a feed, as it stands in its headers."""
    return f'"{number:x}-1"'


def bodies(count: int, holds: int, port: int) -> list[bytes]:
    """The documents of the first feeds."""
    like = next(
        article
        for article in Newsroom(seed=1, at=AT).articles
        if article.site == _SITE.key and article.outcome == "stored"
    )
    texts = filler(1, count * holds)
    found = []
    for number in range(count):
        origin = f"http://{address(number)}:{port}"
        entries = [
            replace(
                like,
                key=text.key,
                title=text.title,
                text=text.body,
                link=f"{origin}/{text.key}",
                url=f"{origin}/{text.key}",
                published_at=AT - timedelta(minutes=7 * place + number % 7),
            )
            for place, text in enumerate(texts[number * holds : (number + 1) * holds])
        ]
        found.append(feeds.render(_SITE, _PLAN, origin, entries))
    return found


class Hosts(asyncio.Protocol):
    """One connection to any of the hosts."""

    def __init__(self, documents: list[bytes], hanging: int) -> None:
        self._documents, self._hanging = documents, hanging
        self._number, self._asked = -1, b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        host = transport.get_extra_info("sockname")[0]
        if not host.startswith("127."):
            transport.abort()
            return
        self._transport, self._number = transport, number_of(host)

    def data_received(self, data: bytes) -> None:
        self._asked += data
        while _END in self._asked and self._transport is not None:
            head, _, self._asked = self._asked.partition(_END)
            if self._hanging and self._number % self._hanging == 0:
                continue
            self._transport.write(self._answer(head.lower()))
            if b"\r\nconnection: close" in head.lower():
                self._transport.close()

    def _answer(self, head: bytes) -> bytes:
        same = f"ETag: {etag(self._number)}\r\nLast-Modified: {AT:%a, %d %b %Y %H:%M:%S} GMT\r\n".encode()
        if b"\r\nif-none-match:" in head or self._number >= len(self._documents):
            return b"HTTP/1.1 304 Not Modified\r\n" + same + b"\r\n"
        body = self._documents[self._number]
        kind = f"Content-Type: application/rss+xml; charset=utf-8\r\nContent-Length: {len(body)}\r\n".encode()
        return b"HTTP/1.1 200 OK\r\n" + kind + same + b"\r\n" + body


async def serve(count: int, holds: int, hanging: int) -> None:
    """Serve until the input ends."""
    documents: list[bytes] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Hosts(documents, hanging), "0.0.0.0", 0, backlog=4096)
    port = server.sockets[0].getsockname()[1]
    documents += bodies(count, holds, port)
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


def main() -> None:
    """Read the arguments and serve."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--bodies", type=int, default=0)
    given.add_argument("--holds", type=int, default=25)
    given.add_argument("--hanging", type=int, default=0, help="one host in so many; 0: none")
    asked = given.parse_args()
    asyncio.run(serve(asked.bodies, asked.holds, asked.hanging))


if __name__ == "__main__":
    main()
