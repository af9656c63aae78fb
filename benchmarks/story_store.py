"""What it costs to find the stories of new articles among many stored ones, and what stories keep on disk.

The reports are those of `training/stories`, told again every month under other outlets, so that nearly every one joins
a story: that costs more than articles that stand alone. Sketching, probing, joining and writing are measured, in
transactions of a few articles, as a daemon has them. There is no peer that does this in a database.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from classifier import TRAINING, Figure

from pipeline.model import Article, DateOrigin, Label, Verdict
from pipeline.stages import dedup, story
from pipeline.store import Store, joining, open_store, schema
from pipeline.store.articles import Filing, add, article_id

BATCH = 10
APART = timedelta(days=30)  # between two tellings
VERDICT = Verdict(Label.DEFENSE, 0.9, 0.5, needs_review=False, topics=(), evidence=(), classifier="none@1")
TABLES = ("stories", "story_members", "story_keys")
MOST_MS, MOST_BYTES = 2.0, 600  # a report; what finds copies has to fit in too


def told() -> list[Article]:
    """The reports, by the time of their publication."""
    rows = [json.loads(line) for path in sorted((TRAINING / "stories").glob("*.jsonl")) for line in path.open("rb")]
    return sorted(
        (
            Article(
                "", "", row["title"], row["text"], datetime.fromisoformat(row["at"]), DateOrigin.PAGE, "x@1", lang="en"
            )
            for row in rows
        ),
        key=lambda article: article.published_at,
    )


def filing(article: Article, number: int, run_id: int) -> Filing:
    """An article as a feed might have brought it."""
    url = f"https://site{number}.example/news"
    at = article.published_at
    known = Article(url, url, article.title, article.text, at, article.published_from, article.extractor, lang="en")
    return Filing(
        id=article_id(known),
        article=known,
        fingerprint=dedup.fingerprint("", "", ""),
        verdict=VERDICT,
        second=None,
        at=at,
        run_id=run_id,
        feed_id=None,
        archive=None,
        first_seen_at=at,
    )


class Filled:
    """A database that takes in the reports again and again, and what that costs."""

    def __init__(self, store: Store, run_id: int) -> None:
        self._store, self._run_id = store, run_id
        self._number = 0

    async def keep(self, articles: Sequence[Article]) -> float:
        """Store reports, and let them find their stories; returns the CPU seconds that the latter took."""
        filings = {}
        for article in articles:
            self._number += 1
            made = filing(article, self._number, self._run_id)
            filings[made.id] = made
        began = time.process_time()
        sketches = {key: _sketch(one.article) for key, one in filings.items()}
        spent = time.process_time() - began
        async with self._store.db.write() as c:
            await add(c, [*filings.values()])
            began = time.process_time()
            await joining.add(c, sketches)
            spent += time.process_time() - began
        return spent

    async def bytes_of_tables(self) -> int:
        """What the tables of stories take; they are gone then."""
        async with self._store.db.write() as c:
            if not self._store.db.is_sqlite:
                sizes = [await c.exec_driver_sql(f"SELECT pg_total_relation_size('{name}')") for name in TABLES]
                return sum(int(size.scalar_one()) for size in sizes)
            for name in TABLES:
                await c.exec_driver_sql(f"DROP TABLE {name}")
            pages = (await c.exec_driver_sql("PRAGMA freelist_count")).scalar_one()
            return int(pages * (await c.exec_driver_sql("PRAGMA page_size")).scalar_one())


def _sketch(article: Article) -> story.Sketch:
    return story.sketch(article.title, article.text, article.lang, (), article.published_at)


async def measure(url: str, count: int) -> dict[str, Figure]:
    """Every figure, on an empty database."""
    schema.upgrade(url)
    reports = told()
    async with await open_store(url) as store:
        filled = Filled(store, (await store.runs.start("poll", reports[0].published_at)).id)
        stored, spent, last = 0, 0.0, 0.0
        while stored < count:
            later = stored // len(reports) * APART
            round_ = [replace(one, published_at=one.published_at + later) for one in reports]
            last = sum([await filled.keep(round_[at : at + BATCH]) for at in range(0, len(round_), BATCH)])
            stored, spent = stored + len(reports), spent + last
            print(f"{stored} reports, {last / len(reports) * 1000:.2f} ms", file=sys.stderr)
        size = await filled.bytes_of_tables() / stored
    return {
        "CPU of a new report, ms": Figure(spent / stored * 1000, None, MOST_MS, at_most=True),
        "CPU of one of the last reports, ms": Figure(last / len(reports) * 1000, None, MOST_MS, at_most=True),
        "bytes of a report": Figure(size, None, MOST_BYTES, at_most=True),
    }


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="20,000 reports")
    options.add_argument("--database", help="address of an empty database; default a SQLite file that is removed again")
    given = options.parse_args()
    count = 20_000 if given.quick else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(given.database or f"sqlite:///{Path(folder)}/scratch.db", count))
    print(f"{count} reports\n{'figure':<36} {'ours':>9} {'reach':>9}")
    for name, it in figures.items():
        print(f"{name:<36} {it.ours:>9.3f} {it.reach:>9.3f}{'' if it.holds else '  does not hold'}")
    table: dict[str, Any] = {
        name: {"ours": it.ours, "peer": None, "ratio": None, "reach": it.reach, "holds": it.holds}
        for name, it in figures.items()
    }
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "story_store", "figures": table, "machine": machine}))
    return 0 if all(it.holds for it in figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
