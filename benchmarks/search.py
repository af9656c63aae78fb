"""How long searches take among a million articles, what the index costs at ingest and on disk, and what reader takes.

Articles of 3.4 kB are made up: words by Zipf's law (1.05) out of 200,000, labels, countries and dates at random, seeds
fixed. They go through the store's own doors. Each class of queries is asked 200 times, warm, with words drawn by how
many articles hold them; before, 20 are asked of a store that was just opened, with the file out of the system's cache.
The peer of ingest is the same rows put into bare tables (zstd text beside FTS5, or a tsvector with GIN) of that size;
of searching, reader at 7,500 rows, if it is installed. PostgreSQL is the tests' server, if there is one.
"""

import argparse
import asyncio
import importlib
import itertools
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import zstandard
from classifier import Figure

from pipeline.model import Article, DateOrigin, Label, Verdict
from pipeline.query import Asked, Filters, Query, parse
from pipeline.stages.dedup import Fingerprint
from pipeline.store import Store, open_store
from pipeline.store.articles import Filing, add, article_id
from tests import postgres

WORDS, EXPONENT, LENGTH = 200_000, 1.05, 560  # words in all, Zipf's exponent, words of a text: 3.4 kB
FIRST = datetime(2023, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=900)
COUNTRIES = "US RU UA CN KR JP IL IR KP GB FR DE IN PK TW PL TR AU SE FI".split()  # noqa: SIM905
TOPICS = "operations conflict weapons nuclear procurement industry policy personnel cyber".split()  # noqa: SIM905
BATCH = 500
QUERIES, COLD = 200, 20
RARE, MEDIUM, COMMON = (0.0001, 0.005), (0.01, 0.10), (0.25, 0.80)  # shares of the articles that hold a word
PEER_ROWS = 7_500
REACH_MS = {  # p95: SQLite, PostgreSQL
    "newest first, any word": (10, 90),
    "relevance, label, country, common words": (120, 180),
    "relevance, rare words": (20, 100),
    "deep page": (5, 10),
    "facets": (100, 150),
}
LEAST_INGEST, MOST_SIZE, LEAST_FASTER, MOST_MB, MOST_EXPORT_MB = 0.85, (2.6, 4.0), 5.0, 150.0, 200.0
NO_PRINT = Fingerprint("", frozenset(), frozenset(), frozenset(), frozenset(), ())
LOOK = """
import asyncio, sys
from pipeline.query import Query, parse
from pipeline.store import open_store
from datetime import UTC, datetime
async def look():
    async with await open_store(sys.argv[1]) as store:
        asked = parse(sys.argv[2], datetime.now(UTC))
        await store.search.find(Query(asked, is_by_relevance=True))
        await store.search.facets(Query(asked))
asyncio.run(look())
"""
EXPORT = """
import os, runpy, sys
os.environ["DEFNEWS_DATABASE_URL"] = sys.argv[1]
sys.argv = ["defnews", "-q", "export", sys.argv[2]]
try:
    runpy.run_module("pipeline", run_name="__main__")
except SystemExit as e:
    if e.code:
        raise
"""
PEAK = """
import resource
from pathlib import Path
status = Path("/proc/self/status")  # on Linux ru_maxrss knows the peak of the process that started this one
if status.exists():
    print(int(status.read_text().split("VmHWM:")[1].split()[0]) / 1e3)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


class Library:
    """Made-up articles, always the same."""

    def __init__(self, count: int) -> None:
        self.count = count
        share = np.arange(1, WORDS + 1) ** -EXPONENT
        self._share = share / share.sum()
        self._chance = np.random.default_rng(1)
        letters = np.random.default_rng(2).integers(97, 123, WORDS * 16, dtype=np.uint8).tobytes().decode()
        names = {letters[n * 8 : n * 8 + 3 + n % 6] for n in range(WORDS * 2)}
        self._names = np.array(sorted(names))[np.random.default_rng(3).permutation(len(names))[:WORDS]]
        self._held = 1 - (1 - self._share) ** LENGTH  # share of the articles that hold a word

    def articles(self, first: int = 0, count: int | None = None) -> Iterator[Article]:
        """Articles in the order of their dates."""
        step = SPAN / self.count
        for start in range(first, first + (self.count if count is None else count), BATCH):
            drawn = self._chance.choice(self._names, (BATCH, LENGTH + 8), p=self._share)
            for n, words in enumerate(drawn, start):
                url = f"https://site{n % 97}.example/{n}"
                at = FIRST + step * n
                yield Article(
                    url, url, " ".join(words[:8]), " ".join(words[8:]), at, DateOrigin.PAGE, "made@1", lang="en"
                )

    def verdict(self) -> Verdict:
        """A verdict by chance: two of five are defense."""
        score = float(self._chance.random())
        label = Label.DEFENSE if score > 0.6 else Label.OTHER
        countries = tuple({COUNTRIES[n] for n in self._chance.integers(0, len(COUNTRIES), 2)})
        topics = (TOPICS[self._chance.integers(0, len(TOPICS))],)
        entities = ((f"System {self._chance.integers(0, 2_000)}", "missile"),)
        return Verdict(
            label, score, 0.6, 0.5 < score < 0.7, topics, (), "made@1", countries=countries, entities=entities
        )

    def words(self, least: float, most: float, number: int, seed: int) -> list[str]:
        """Words that such a share of the articles holds."""
        fits = self._names[(self._held >= least) & (self._held <= most)]
        return list(np.random.default_rng(seed).choice(fits, number))


@dataclass(frozen=True, slots=True)
class Times:
    """What a class of queries took, in milliseconds."""

    p50: float
    p95: float
    cpu: float  # p95 of this process's own time; the whole on SQLite, whatever else the machine does
    cold: float  # p95


async def fill(store: Store, library: Library, articles: Iterator[Article]) -> float:
    """Store articles, 500 a transaction; returns how many a second."""
    stored, spent = 0, 0.0
    while batch := list(itertools.islice(articles, BATCH)):
        filings = [
            Filing(article_id(a), a, NO_PRINT, library.verdict(), None, FIRST, 1, None, None, FIRST) for a in batch
        ]
        filings.sort(key=lambda filing: filing.id)
        started = time.perf_counter()
        async with store.db.write() as c:
            await add(c, filings)
        spent += time.perf_counter() - started
        stored += len(batch)
    return stored / spent


def classes(library: Library, deep: str) -> dict[str, list[Query]]:
    """The queries of each class."""

    def queries(*words: Sequence[str], **about: Any) -> list[Query]:
        return [Query(parse(" ".join(found), FIRST), **about) for found in zip(*words, strict=True)]

    third = QUERIES // 3 + 1
    any_word = [*library.words(*RARE, third, 4), *library.words(*MEDIUM, third, 5), *library.words(*COMMON, third, 6)]
    common, second = library.words(*COMMON, QUERIES, 7), library.words(*COMMON, QUERIES, 8)
    narrow = [Filters(labels=("defense",), countries=(COUNTRIES[n % len(COUNTRIES)],)) for n in range(QUERIES)]
    both = queries(common, second, is_by_relevance=True)
    return {
        "newest first, any word": queries(any_word[:QUERIES]),
        "relevance, label, country, common words": [replace(q, filters=f) for q, f in zip(both, narrow, strict=True)],
        "relevance, rare words": queries(library.words(*RARE, QUERIES, 9), is_by_relevance=True),
        "deep page": [Query(Asked(), f, cursor=deep) for f in narrow],
        "facets": queries(library.words(*MEDIUM, QUERIES, 10)),
    }


async def ask(
    store: Store, name: str, queries: Sequence[Query], clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """What each query took, in milliseconds."""
    search: Callable[[Query], Awaitable[Any]] = store.search.facets if name == "facets" else store.search.find
    took = []
    for query in queries:
        started = clock()
        await search(query)
        took.append((clock() - started) * 1000)
    return took


async def times(url: str, library: Library) -> dict[str, Times]:
    """How long each class takes."""
    async with await open_store(url) as store:
        place = Query(limit=1, filters=Filters(until=FIRST + SPAN / 2))
        (deep,) = await store.search.find(place)
    found = {}
    for name, queries in classes(library, deep.cursor).items():
        _forget(url)
        async with await open_store(url) as store:
            cold = await ask(store, name, queries[:COLD])
            cpu = await ask(store, name, queries, time.process_time)  # which warms what the next pass reads
            warm = await ask(store, name, queries)
        kinds = ((warm, 50), (warm, 95), (cpu, 95), (cold, 95))
        found[name] = Times(*(float(np.percentile(*of)) for of in kinds))
    return found


def _forget(url: str) -> None:
    """Put a SQLite file out of the system's cache."""
    if url.startswith("sqlite"):
        with open(url.removeprefix("sqlite:///"), "rb") as file:
            os.fsync(file.fileno())
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def bare_sqlite(path: Path, articles: Iterator[Article], last: int) -> float:
    """Articles a second of the last batches, put into bare tables."""
    c = sqlite3.connect(path, isolation_level=None)
    c.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384;"
        "CREATE TABLE a (id INTEGER PRIMARY KEY, url TEXT UNIQUE, title TEXT, body BLOB);"
        "CREATE VIRTUAL TABLE f USING fts5(title, text, content='', tokenize='porter unicode61')"
    )
    rates = []
    while batch := sorted(((article_id(a), a) for a in itertools.islice(articles, BATCH)), key=lambda pair: pair[0]):
        started = time.perf_counter()
        c.execute("BEGIN")
        packed = [(key, a.url, a.title, zstandard.compress(a.text.encode(), level=9)) for key, a in batch]
        c.executemany("INSERT INTO a VALUES (?, ?, ?, ?)", packed)
        c.executemany(
            "INSERT INTO f(rowid, title, text) VALUES (?, ?, ?)", [(key, a.title, a.text) for key, a in batch]
        )
        c.execute("COMMIT")
        rates.append(len(batch) / (time.perf_counter() - started))
    c.close()
    return float(np.mean(rates[-last:]))


def bare_postgresql(url: str, articles: Iterator[Article], last: int) -> float:
    """Articles a second of the last batches, put into bare tables."""
    rates = []
    with psycopg.connect(url) as c:
        c.execute("CREATE TABLE a (id bigint PRIMARY KEY, url text UNIQUE, title text, body bytea, words tsvector)")
        c.execute("CREATE INDEX ON a USING gin (words)")
        c.commit()
        while batch := list(itertools.islice(articles, BATCH)):
            started = time.perf_counter()
            values = [
                (article_id(a), a.url, a.title, zstandard.compress(a.text.encode(), level=9), a.text) for a in batch
            ]
            with c.cursor() as cursor:
                cursor.executemany("INSERT INTO a VALUES (%s, %s, %s, %s, to_tsvector('simple', %s))", values)
            c.commit()
            rates.append(len(batch) / (time.perf_counter() - started))
    return float(np.mean(rates[-last:]))


async def size_ratio(url: str) -> float:
    """Bytes of the whole database over those of the packed texts."""
    async with await open_store(url) as store:
        whole = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        query = whole if store.db.is_sqlite else "SELECT pg_database_size(current_database())"
        async with store.db.read() as c:
            texts = (await c.exec_driver_sql("SELECT sum(length(body)) FROM texts")).scalar_one()
            return float((await c.exec_driver_sql(query)).scalar_one()) / float(texts)


def peak_mb(script: str, *given: str) -> float:
    """The most memory that a process took that does no more than that."""
    command = [sys.executable, "-c", script + PEAK, *given]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


async def against_reader(folder: Path) -> tuple[float, float] | None:
    """Median milliseconds of reader and of ours for 20 rows, at 7,500; None: it is not installed."""
    try:
        reader: Any = importlib.import_module("reader")
    except ImportError:
        print("reader is not installed: searching has no peer in this run", file=sys.stderr)
        return None
    library = Library(PEER_ROWS)
    articles = list(library.articles())
    words = [*library.words(*RARE, 30, 11), *library.words(*MEDIUM, 30, 12), *library.words(*COMMON, 30, 13)]
    theirs = reader.make_reader(str(folder / "reader.db"))
    theirs.add_feed("https://made.example/feed", allow_invalid_url=True)
    for a in articles:
        content = [{"value": a.text}]
        theirs.add_entry({"feed_url": "https://made.example/feed", "id": a.url, "title": a.title, "content": content})
    theirs.enable_search()
    theirs.update_search()
    took = []
    for word in words:
        started = time.perf_counter()
        list(theirs.search_entries(word, limit=20))
        took.append((time.perf_counter() - started) * 1000)
    async with await open_store(f"sqlite:///{folder}/peer.db") as store:
        await store.runs.start("made", FIRST)
        await fill(store, library, iter(articles))
        ours = await ask(store, "", [Query(parse(word, FIRST), is_by_relevance=True) for word in words])
    return float(np.median(took)), float(np.median(ours))


async def measure(url: str, bare: Callable[[Iterator[Article], int], float], count: int) -> dict[str, Figure]:
    """The figures of one database."""
    library, n = Library(count), 0 if url.startswith("sqlite") else 1
    figures: dict[str, Figure] = {}
    if (rate := await _filled(url, library)) is not None:
        again = Library(count)
        figures["ingest"] = Figure(rate, bare(again.articles(0, count + 4 * BATCH), 4), 0.0)
        figures["ingest over bare"] = Figure(figures["ingest"].ratio or 0, None, LEAST_INGEST)
    for name, took in (await times(url, library)).items():
        figures[f"{name}, p95"] = Figure(took.p95, None, REACH_MS[name][n], at_most=True)
        spent = f"p50 {took.p50:7.1f}  p95 {took.p95:7.1f}  cpu p95 {took.cpu:7.1f}  cold p95 {took.cold:7.1f} ms"
        print(f"  {name:<42} {spent}", flush=True)
    figures["database over zstd text"] = Figure(await size_ratio(url), None, MOST_SIZE[n], at_most=True)
    words = " ".join(library.words(*COMMON, 2, 14))
    figures["peak memory, MB"] = Figure(peak_mb(LOOK, url, words), None, MOST_MB, at_most=True)
    with tempfile.TemporaryDirectory() as folder:
        peak = peak_mb(EXPORT, url, f"{folder}/all.jsonl.zst")
    figures["peak memory of an export of everything, MB"] = Figure(peak, None, MOST_EXPORT_MB, at_most=True)
    return figures


async def _filled(url: str, library: Library) -> float | None:
    """Fill a store; returns articles a second of the last batches, or None when it was kept from an earlier run."""
    async with await open_store(url) as store:
        if await store.search.find(Query(limit=1)):
            return None
        await store.runs.start("made", FIRST)
        await fill(store, library, library.articles())
        rate = await fill(store, library, library.articles(library.count, 4 * BATCH))
        await store.db.optimize()
        return rate


async def measure_all(folder: Path, keep: Path, count: int, databases: str) -> dict[str, Figure]:
    """The figures of both databases, and of the peer."""
    figures: dict[str, Figure] = {}
    if "sqlite" in databases:
        print(f"SQLite {sqlite3.sqlite_version}, {count} articles", flush=True)
        found = await measure(f"sqlite:///{keep}/ours.db", lambda a, n: bare_sqlite(folder / "bare.db", a, n), count)
        figures |= {f"SQLite: {name}": figure for name, figure in found.items()}
        if (peer := await against_reader(folder)) is not None:
            figures["SQLite: search at 7,500 rows, times as fast"] = Figure(peer[0] / peer[1], 1.0, LEAST_FASTER)
    if "postgresql" in databases:
        figures |= await _on_postgresql(count)
    return figures


async def _on_postgresql(count: int) -> dict[str, Figure]:
    with postgres.server() as address:
        if address is None:
            print("no PostgreSQL server binaries on this machine", file=sys.stderr)
            return {}
        print(f"PostgreSQL, {count} articles", flush=True)
        with psycopg.connect(f"{address}/postgres", autocommit=True) as c:
            c.execute("CREATE DATABASE ours")
            c.execute("CREATE DATABASE bare")
        found = await measure(f"{address}/ours", lambda a, n: bare_postgresql(f"{address}/bare", a, n), count)
    return {f"PostgreSQL: {name}": figure for name, figure in found.items()}


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="20,000 articles")
    options.add_argument("--articles", type=int, default=1_000_000)
    options.add_argument("--databases", default="sqlite,postgresql")
    options.add_argument("--keep", type=Path, help="a folder: SQLite's file stays there, and is asked again next time")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        count = 20_000 if given.quick else given.articles
        figures = asyncio.run(measure_all(Path(folder), given.keep or Path(folder), count, given.databases))
    print(f"{'figure':<62} {'ours':>9} {'peer':>9} {'reach':>9}")
    for name, it in figures.items():
        theirs = "-" if it.peer is None else f"{it.peer:.2f}"
        print(f"{name:<62} {it.ours:>9.2f} {theirs:>9} {it.reach:>9.2f}{'' if it.holds else '  does not hold'}")
    table = {
        name: {"ours": it.ours, "peer": it.peer, "ratio": it.ratio, "reach": it.reach, "holds": it.holds}
        for name, it in figures.items()
    }
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "search", "figures": table, "machine": machine}))
    return 0 if all(it.holds for it in figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
