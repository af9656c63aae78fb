"""Does each archive find all articles of a range and none twice; does memory stay where it is when it lists millions?

A site on loopback that is made up as it is asked, since the newsroom knows but thirty days: its articles are evenly
spread over ten years, as sitemaps, an API of WordPress, archive documents of its feed, GDELT's index and the Wayback
Machine's list them. Candidates are put in line; no page is fetched. Memory is that of the largest process of
`backfill --dry-run`, which counts them all.
There is no peer: all figures are absolute.
"""

import argparse
import asyncio
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from pipeline.entrypoints import backfill, feeds, wiring
from pipeline.entrypoints.discovery import Discovery
from pipeline.entrypoints.options import Options
from pipeline.store.tables import entries

ARTICLES, QUICK_ARTICLES = 20_000, 2_000
MILLIONS, QUICK_MILLIONS = 5_000_000, 100_000
YEARS = timedelta(days=3650)
START = datetime(2015, 1, 1, tzinfo=UTC)
RANGE = (datetime(2020, 3, 1, tzinfo=UTC), datetime(2021, 3, 1, tzinfo=UTC))
LARGEST_MB = 300
GROWTH = 1.25  # of memory, that four times the URLs may bring
KINDS = ("rfc5005", "wordpress", "sitemap", "gdelt", "wayback")
A_CHILD, A_DOCUMENT, MOST_INDEXED = 10_000, 500, 250
DIGITS = "%Y%m%d%H%M%S"

Query = Mapping[str, str]


class Site:
    """So many articles over ten years, and every kind of archive of them."""

    def __init__(self, articles: int) -> None:
        self.articles = articles
        self.origin = ""
        self._step = YEARS / articles

    def at(self, number: int) -> datetime:
        """When an article was published, by the second."""
        return (START + self._step * number).replace(microsecond=0)

    def url(self, number: int) -> str:
        """Where it is."""
        return f"{self.origin}/news/{number}"

    def first_since(self, moment: datetime) -> int:
        """The number of the first article of a time or later."""
        number = max(math.floor((moment - START) / self._step) - 1, 0)
        while number < self.articles and self.at(number) < moment:
            number += 1
        return min(number, self.articles)

    def within(self, since: datetime, until: datetime) -> range:
        """The numbers of the articles of a range."""
        return range(self.first_since(since), self.first_since(until))

    def answer(self, target: str) -> tuple[int, str]:
        """The status and body of a path."""
        parts = urlsplit(target)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        head, _, tail = parts.path.strip("/").partition("/")
        answers: dict[str, Callable[[], str]] = {
            "robots.txt": lambda: f"Sitemap: {self.origin}/sitemap.xml\n",
            "sitemap.xml": self._index,
            "child": lambda: self._child(int(tail)),
            "feed": lambda: self._feed(self.articles // A_DOCUMENT),
            "past": lambda: self._feed(int(tail)),
            "wp-json": lambda: self._posts(asked),
            "cdx": lambda: self._captures(asked),
            "gdelt": lambda: self._indexed(asked),
        }
        found = answers[head]() if head in answers and "paged" not in asked else ""
        return (200 if found or head == "cdx" else 404), found

    def _index(self) -> str:
        starts = range(0, self.articles, A_CHILD)
        rows = (
            f"<sitemap><loc>{self.origin}/child/{start}</loc>"
            f"<lastmod>{self.at(min(start + A_CHILD, self.articles) - 1).isoformat()}</lastmod></sitemap>"
            for start in starts
        )
        return f"<sitemapindex>{''.join(rows)}</sitemapindex>"

    def _child(self, start: int) -> str:
        rows = (
            f"<url><loc>{self.url(number)}</loc><lastmod>{self.at(number).isoformat()}</lastmod></url>"
            for number in range(start, min(start + A_CHILD, self.articles))
        )
        return f"<urlset>{''.join(rows)}</urlset>"

    def _feed(self, document: int) -> str:
        numbers = range(document * A_DOCUMENT, min((document + 1) * A_DOCUMENT, self.articles))
        rows = (
            f"<entry><id>{number}</id><title>{number}</title><link href='{self.url(number)}'/>"
            f"<published>{self.at(number).isoformat()}</published></entry>"
            for number in reversed(numbers)
        )
        older = f"<link rel='prev-archive' href='{self.origin}/past/{document - 1}'/>" if document else ""
        mark = "" if document == self.articles // A_DOCUMENT else "<fh:archive/>"
        names = "xmlns='http://www.w3.org/2005/Atom' xmlns:fh='http://purl.org/syndication/history/1.0'"
        return f"<feed {names}><id>x</id><title>x</title>{mark}{older}{''.join(rows)}</feed>"

    def _posts(self, asked: Query) -> str:
        after, before = (
            datetime.fromisoformat(asked[name]) if name in asked else default
            for name, default in (("after", START - YEARS), ("before", START + 2 * YEARS))
        )
        size, page = int(asked["per_page"]), int(asked["page"])
        wanted = self.within(after, before)[size * (page - 1) : size * page]
        posts = [
            {"link": self.url(n), "date_gmt": f"{self.at(n):%Y-%m-%dT%H:%M:%S}", "title": {"rendered": str(n)}}
            for n in wanted
        ]
        return json.dumps(posts)

    def _captures(self, asked: Query) -> str:
        if asked["matchType"] == "exact":
            return ""  # the feed itself was never captured
        since, until = (
            datetime.strptime(asked[name], DIGITS).replace(tzinfo=UTC) if name in asked else default
            for name, default in (("from", START), ("to", START + 2 * YEARS))
        )
        fitting = self.within(since, until)
        start, limit = int(asked.get("resumeKey", "0")), int(asked["limit"])
        lines = [f"{self.at(number):{DIGITS}} {self.url(number)}" for number in fitting[start : start + limit]]
        more = ["", str(start + limit)] if len(fitting) > start + limit else []
        return "".join(f"{line}\n" for line in [*lines, *more])

    def _indexed(self, asked: Query) -> str:
        since, until = (
            datetime.strptime(asked[name], DIGITS).replace(tzinfo=UTC) for name in ("startdatetime", "enddatetime")
        )
        found = self.within(since, until + timedelta(seconds=1))[:MOST_INDEXED]
        articles = [
            {"url": self.url(number), "title": "x", "seendate": f"{self.at(number):%Y%m%dT%H%M%SZ}"} for number in found
        ]
        return json.dumps({"articles": articles})


async def serve(site: Site) -> asyncio.Server:
    """Answer on loopback."""

    async def converse(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            status, text = await asyncio.to_thread(site.answer, head.split(" ", 2)[1])
            body = text.encode()
            writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode())
            writer.write(body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    site.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    return server


def configure(directory: Path, site: Site) -> dict[str, str]:
    """A directory for the command, and the environment that leads it there."""
    directory.mkdir()
    (directory / "pipeline.toml").write_text("# Only defaults.\n")
    (directory / "feeds.toml").write_text(
        f'# One feed.\n[[feed]]\nurl = "{site.origin}/feed"\ntitle = "x"\nkind = "general"\n'
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEFNEWS_")}
    return kept | {
        "DEFNEWS_CONFIG": str(directory),
        "DEFNEWS_DATABASE_URL": f"sqlite:///{directory}/news.db",
        "DEFNEWS_WEB__ALLOW_PRIVATE": "127.0.0.0/8",
        "DEFNEWS_WEB__HOST_DELAY_S": "0",
        "DEFNEWS_ARCHIVES__WAYBACK": site.origin,
        "DEFNEWS_ARCHIVES__GDELT": f"{site.origin}/gdelt",
    }


async def found(directory: Path, site: Site, via: str) -> tuple[int, int]:
    """How many articles of the range an archive did not find, and how many it put in line twice."""
    os.environ.update(configure(directory, site))
    options = Options(config=directory, verbosity=-2)
    settings = options.settings()
    since, until = (moment.isoformat() for moment in RANGE)
    async with wiring.open_engine(settings) as engine:
        await feeds.add_new_feeds(engine.store, options, engine.clock)
        asked = backfill.Asked(since=since, until=until, via=via)
        run = await engine.store.runs.start(
            "backfill", engine.clock.now(), await backfill.plan_of(engine, settings, asked)
        )
        await Discovery(engine, run, run.plan).run()
        async with engine.store.db.read() as c:
            listed = (await c.execute(select(entries.c.url))).scalars().all()
    return len({site.url(number) for number in site.within(*RANGE)} - set(listed)), len(listed) - len(set(listed))


def largest_mb(directory: Path, site: Site, via: str) -> tuple[int, float]:
    """How many URLs a dry run over all of the past counts, and what its largest process took at most."""
    command = [sys.executable, "-m", "pipeline", "-qq", "backfill", "--since", f"{START:%Y-%m-%d}", "--via", via]
    environment = configure(directory, site)
    with (directory / "out").open("w+b") as out:
        process = subprocess.Popen([*command, "--dry-run", "--format", "json"], env=environment, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        out.seek(0)
        rows = json.load(out) if status == 0 else [{"new": 0}]
    scale = 1 if sys.platform == "darwin" else 1024
    return sum(row["new"] for row in rows), usage.ru_maxrss * scale / 1e6


def figure(ours: float, reach: float) -> dict[str, float | bool | None]:
    """An absolute figure, which must not be above its mark."""
    return {"ours": ours, "peer": None, "ratio": None, "reach": reach, "holds": ours <= reach}


async def measure(folder: Path, articles: int, millions: int) -> dict[str, dict[str, float | bool | None]]:
    """All figures."""
    figures = {}
    site = Site(articles)
    async with await serve(site):
        for via in KINDS:
            missing, twice = await found(folder / via, site, via)
            print(f"{via}: {missing} of {len(site.within(*RANGE))} not found, {twice} found twice")
            figures[f"{via}: not found or found twice"] = figure(missing + twice, 0)
    for via in ("sitemap", "wayback"):
        taken = []
        for count in (millions // 4, millions):
            async with await serve(large := Site(count)):
                counted, size = await asyncio.to_thread(largest_mb, folder / f"{via}-{count}", large, via)
            print(f"{via}: {counted} of {count} URLs counted, at most {size:.0f} MB")
            figures[f"{via}: not counted of {count}"] = figure(count - counted, 0)
            taken.append(size)
        figures[f"{via}: MB"] = figure(max(taken), LARGEST_MB)
        figures[f"{via}: growth of memory with four times the URLs"] = figure(taken[1] / taken[0], GROWTH)
    return figures


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help=f"{QUICK_ARTICLES} articles, {QUICK_MILLIONS} URLs")
    is_quick = options.parse_args().quick
    sizes = (QUICK_ARTICLES, QUICK_MILLIONS) if is_quick else (ARTICLES, MILLIONS)
    with tempfile.TemporaryDirectory() as name:
        figures = asyncio.run(measure(Path(name), *sizes))
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "backfill", "figures": figures, "machine": machine}))
    return 0 if all(one["holds"] for one in figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
