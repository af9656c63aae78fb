"""How fast feeds are read beside feedparser in the same run, and whether what is read is the same.

The feeds are below $DEFNEWS_DEV_DATA/feeds: `kagi-*` are feeds of today, `misc-*` are other parsers' fixtures of what
is odd or broken. The peer is feedparser as it comes. What is the same is judged by our reading of feedparser's result:
it drops a DOCTYPE, which our fast reader leaves to it.
"""

import argparse
import gzip
import io
import json
import os
import platform
import re
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import feedparser
from classifier import Figure

from pipeline.errors import ParseError
from pipeline.model import ParsedFeed
from pipeline.stages import charset
from pipeline.stages.parse import parse, strict, xml

URL = "https://example.com/feed"
ROUNDS = 2  # the faster one counts, for both


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed: CPU seconds of both, and what the fast reader made of it."""

    is_real: bool
    ours: float
    peer: float
    is_fast: bool
    is_same: bool  # in number and order of entries, their links, ids and dates
    is_equal: bool  # in everything

    @property
    def speed(self) -> float:
        """How many times as fast as the peer."""
        return self.peer / self.ours


def seconds(read: Callable[[bytes], object], body: bytes) -> float:
    """CPU seconds of one reading; a body that is refused took its time too."""
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        with suppress(ParseError):
            read(body)
        spent.append(time.process_time() - began)
    return min(spent)


def facts(feed: ParsedFeed) -> list[tuple[object, ...]]:
    """What has to be the same in any case."""
    return [(entry.id, entry.url, entry.published_at, entry.updated_at) for entry in feed.entries]


def measured(path: Path) -> Feed:
    """Read one feed with both."""
    body = gzip.decompress(path.read_bytes())
    text = charset.decode(body, (charset.of_xml(body),)).strip("\ufeff \t\r\n")
    text = text[max(text.find("<?xml "), 0) :]  # comments before it are junk
    is_fast = text.startswith("<") and strict.read(text) is not None
    is_same = is_equal = True
    if is_fast:
        found = xml.parse(text, URL)
        judged = xml.parse(re.sub(r"<(?=[a-zA-Z])", "<!DOCTYPE x><", text, count=1), URL)
        is_same, is_equal = facts(found) == facts(judged), found == judged
    peer = seconds(lambda body: feedparser.parse(io.BytesIO(body)), body)
    ours = seconds(lambda body: parse(body, URL), body)
    return Feed(path.name.startswith("kagi"), ours, peer, is_fast, is_same, is_equal)


def table(name: str, feeds: list[Feed]) -> None:
    """Print what was measured of a set of feeds."""
    speeds = sorted(feed.speed for feed in feeds)
    total = sum(feed.peer for feed in feeds) / sum(feed.ours for feed in feeds)
    tenth, half, nine = (speeds[int(share * (len(speeds) - 1))] for share in (0.1, 0.5, 0.9))
    print(
        f"{name:<16} {len(feeds):>4} feeds, {sum(feed.is_fast for feed in feeds):>4} read fast | times as fast: "
        f"p10 {tenth:.1f}  median {half:.1f}  p90 {nine:.1f}  in total {total:.1f}"
    )


def figures(feeds: list[Feed]) -> dict[str, Figure]:
    """Print the tables and weigh them."""
    real = [feed for feed in feeds if feed.is_real]
    table("feeds of today", real)
    table("odd fixtures", [feed for feed in feeds if not feed.is_real])
    table("all", feeds)
    same, equal = (sum(getattr(feed, name) for feed in feeds) / len(feeds) for name in ("is_same", "is_equal"))
    return {
        "times as fast, median feed of today": Figure(statistics.median(feed.speed for feed in real), 1.0, 15),
        "feeds with the same entries, links, ids and dates": Figure(same, None, 1),
        "feeds that are the same in everything": Figure(equal, None, 1),
    }


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="every eighth feed")
    step = 8 if options.parse_args().quick else 1
    data = os.environ.get("DEFNEWS_DEV_DATA")
    if data is None:
        print("DEFNEWS_DEV_DATA is not set: nothing is measured", file=sys.stderr)
        return 1
    warnings.simplefilter("ignore")  # feedparser's, about its own past
    found = figures([measured(path) for path in sorted(Path(data, "feeds").glob("*.gz"))[::step]])
    out = {
        name: {"ours": it.ours, "peer": it.peer, "ratio": it.ratio, "reach": it.reach, "holds": it.holds}
        for name, it in found.items()
    }
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "feeds", "figures": out, "machine": machine}))
    return 0 if all(it.holds for it in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
