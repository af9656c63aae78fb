"""The newsroom in a process of its own: prints one JSON line about its feeds, then serves until SIGTERM."""

import argparse
import asyncio
import json
import signal
import sys
from dataclasses import asdict
from datetime import datetime

from pipeline.newsroom.room import Newsroom
from pipeline.newsroom.server import serve


async def run(room: Newsroom, port: int) -> None:
    """Serve until the process is asked to end."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serve(room, port) as server:
        feeds = [asdict(feed) for feed in server.room.feeds]
        line = {"feeds": feeds, "origins": server.room.origins, "articles": len(server.room.articles)}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.newsroom", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--extra", type=int, default=0, help="filler articles")
    parser.add_argument("--holds", type=int, help="entries a feed; as planned when not given")
    parser.add_argument("--at", type=datetime.fromisoformat, default="2025-07-12T12:00:00+00:00", help="the moment now")
    given = parser.parse_args()
    room = Newsroom(seed=given.seed, at=given.at, extra=given.extra, holds=given.holds)
    asyncio.run(run(room, given.port))


if __name__ == "__main__":
    main()
