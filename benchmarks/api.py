"""How long API and pages take to answer, beside a bare Starlette that returns the same bytes, asked in turn in one run.

A scratch SQLite database is filled with made-up articles (zipf-distributed words, seeds fixed); `--file` takes another,
such as the million that `benchmarks/search.py --keep` makes. Both applications are called in this process, without a
network between: what is measured is the server's own time. Their clock stands at the newest article.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.engine import Engine
from pipeline.entrypoints.api import application
from pipeline.entrypoints.filling import Fillings
from pipeline.model import Article, DateOrigin, Entry, Evidence, Feed, FeedState, Label, Outcome, Verdict
from pipeline.query import Query
from pipeline.settings import Settings
from pipeline.store import Ending, PollEnding, Store, open_store, schema

SLOWEST_MS = 150.0  # p95 of an answer
WORDS = [f"word{n}" for n in range(20_000)]
COMMON, RARE = WORDS[3], WORDS[3_000]
LAST = datetime(2025, 7, 31, tzinfo=UTC)
FEED = Feed(id=0, url="https://feed.example/rss", title="A feed")
EVIDENCE = (Evidence("air drills", 0, 10, "text", 1.5),)
VERDICT = Verdict(
    Label.DEFENSE, 0.9, 0.5, False, ("operations",), EVIDENCE, "made@1", countries=("KR",), tagger="made@1"
)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of our answers and of the peer's."""

    ours: list[float]
    peer: list[float]


def made(count: int) -> Iterator[Article]:
    """Articles of 3.4 kB, ten minutes apart."""
    draw = random.Random(1)
    weights = [1 / (rank + 1) ** 1.05 for rank in range(len(WORDS))]
    for number in range(count):
        url = f"https://site{number % 50}.example/{number}"
        words = draw.choices(WORDS, weights, k=420)
        published_at = LAST - timedelta(minutes=10 * number)
        title = " ".join(words[:8])
        yield Article(url, url, title, " ".join(words), published_at, DateOrigin.PAGE, extractor="made@1", lang="en")


async def fill(store: Store, count: int) -> None:
    """Store articles as if one feed had brought them."""
    run = await store.runs.start("poll", LAST)
    await store.feeds.add([FEED], LAST)
    ((feed, _),) = await store.feeds.claim(run.id, LAST, 1)
    by_url = {article.url: article for article in made(count)}
    entries = tuple(Entry(id=a.url, url=a.url, title=a.title, published_at=a.published_at) for a in by_url.values())
    state = FeedState(next_poll_at=LAST + timedelta(days=1), next_poll_reason="interval", last_poll_at=LAST)
    await store.feeds.finish(PollEnding(feed, run.id, state, LAST, entries))
    while works := await store.work.claim(run.id, LAST, 50):
        found = ((work, by_url[work.lead.entry.url or ""]) for work in works)
        endings = (Ending(work, LAST, Outcome.STORED, article, VERDICT) for work, article in found)
        await asyncio.gather(*(store.endings.put(ending) for ending in endings))
    await store.runs.end(run.id, "done", LAST)


def bare(answer: httpx.Response) -> Starlette:
    """A Starlette that returns these bytes to everything."""

    async def same(_request: Request) -> Response:
        return Response(answer.content, media_type=answer.headers["content-type"])

    return Starlette(routes=[Route("/{path:path}", same)])


def client_of(app: Any) -> httpx.AsyncClient:
    """A client of an application in this process; nothing is compressed."""
    transport = httpx.ASGITransport(app)
    identity = {"Accept-Encoding": "identity"}
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=identity)


async def measure(app: Any, path: str, rounds: int) -> Times:
    """Ask both in turn."""
    async with client_of(app) as ours:
        answer = (await ours.get(path)).raise_for_status()
        async with client_of(bare(answer)) as peer:
            times = Times([], [])
            for _ in range(rounds):
                for client, taken in ((ours, times.ours), (peer, times.peer)):
                    began = time.perf_counter()
                    await client.get(path)
                    taken.append(time.perf_counter() - began)
            return times


def p95_ms(seconds: list[float]) -> float:
    """The 95th percentile in milliseconds."""
    return sorted(seconds)[int(0.95 * len(seconds))] * 1000


class _Still:
    """A clock that stands."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


async def scratch(count: int, rounds: int) -> dict[str, Any]:
    """All figures, over a scratch database."""
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{Path(directory) / 'scratch.db'}"
        schema.upgrade(url)
        async with await open_store(url) as store:
            await fill(store, count)
            words = {
                "a rare word": f"/api/v1/articles?q={RARE}",
                "a common word, by relevance": f"/api/v1/articles?q={COMMON}&sort=relevance",
            }
            return await figures(store, words, rounds)


async def given(url: str, rounds: int) -> dict[str, Any]:
    """All figures but those of words, over a database that there is."""
    async with await open_store(url) as store:
        return await figures(store, {}, rounds)


async def figures(store: Store, words: Mapping[str, str], rounds: int) -> dict[str, Any]:
    """What is asked of a store, and these words."""
    (newest,) = await store.search.find(Query(limit=1))
    nothing = cast(Any, None)
    engine = Engine(store, nothing, nothing, nothing, cast(Any, _Still(newest.published_at)), nothing)
    settings = Settings()
    health = {"tick_age_s": 0.0, "ticks": {}, "unexpected_errors": 0}
    app = application(engine, settings, lambda: health, Fillings(engine, settings))
    asked = {
        "newest articles": "/api/v1/articles?label=defense",
        **words,
        "200 whole texts": "/api/v1/articles?limit=200&text=true",
        "one article": f"/api/v1/articles/{newest.id}",
        "an Atom feed": "/feed.atom?label=defense",
        "feeds": "/api/v1/feeds",
        "counts": "/api/v1/stats",
        "page: front": "/",
        "page: search": "/search?label=defense",
        "page: article": f"/articles/{newest.id}",
        "page: review": "/review",
        "page: feeds": "/feeds",
        "page: status": "/status",
        "page: map": "/countries",
        "page: country": "/countries/US",
        "page: topic": "/topics/nuclear",
    }
    return {name: _figure(name, await measure(app, path, rounds)) for name, path in asked.items()}


def _figure(name: str, times: Times) -> dict[str, Any]:
    ours, peer = p95_ms(times.ours), p95_ms(times.peer)
    print(f"{name:<30}{ours:>10.1f}{peer:>10.2f}")
    return {"ours": ours, "peer": peer, "ratio": ours / peer, "reach": SLOWEST_MS, "holds": ours <= SLOWEST_MS}


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="1,000 articles in place of 20,000")
    options.add_argument("--file", type=Path, help="a SQLite file of ours; it is only read")
    wanted = options.parse_args()
    rounds = 40 if wanted.quick else 200
    print(f"{'p95, ms':<30}{'ours':>10}{'bare':>10}")
    if wanted.file:
        found = asyncio.run(given(f"sqlite:///{wanted.file.absolute()}", rounds))
    else:
        found = asyncio.run(scratch(1_000 if wanted.quick else 20_000, rounds))
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "api", "figures": found, "machine": machine}))
    return 0 if all(figure["holds"] for figure in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
