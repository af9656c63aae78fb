"""How fast WARC files are read and their articles stored, beside fastwarc's bare loop and news-please's CC-NEWS path.

The file is made of the newsroom's pages, one in a hundred records, and of filler from other hosts. news-please is
looked for in this interpreter or in the one that --peer-python names; without it that figure is left out.
"""

import argparse
import gzip
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastwarc.warc import ArchiveIterator

from pipeline import urls
from pipeline.archives import Span, warc
from pipeline.newsroom.documents import document
from pipeline.newsroom.room import Newsroom

SHARE = 100  # of the records one is wanted
ROUNDS = 5
AT = datetime.now(UTC) - timedelta(minutes=1)
PEER = """
import json, logging, sys, time
logging.disable(logging.CRITICAL)
from pathlib import Path
from newsplease.crawler import commoncrawl_crawler
from newsplease.crawler.commoncrawl_extractor import CommonCrawlExtractor
path, hosts = Path(sys.argv[1]), json.loads(sys.argv[2])
found = []
began = time.perf_counter()
CommonCrawlExtractor().extract_from_commoncrawl(
    path.name, lambda article: found.append(article.maintext), lambda *counts: None, valid_hosts=hosts,
    local_download_dir_warc=str(path.parent), delete_warc_after_extraction=False,
)
print(json.dumps([sum(bool(text) for text in found), time.perf_counter() - began]))
"""


def record(url: str, body: bytes) -> bytes:
    """A response as a crawler writes it, packed on its own."""
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + body
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:0>\r\nWARC-Date: {AT:%Y-%m-%dT%H:%M:%SZ}\r\n"
        f"WARC-Target-URI: {url}\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(block)}\r\n\r\n"
    )
    return gzip.compress(head.encode() + block + b"\r\n\r\n", 6, mtime=0)


def pages(count: int) -> Iterator[tuple[str, bytes]]:
    """So many articles of the newsroom."""
    room = Newsroom(seed=1, at=AT, extra=count)
    articles = [article for article in room.articles if article.outcome == "stored"][:count]
    for article in articles:
        origin = "/".join(article.url.split("/")[:3])
        yield article.url, document(room, origin, article.url.removeprefix(origin)).body


def make(path: Path, count: int) -> frozenset[str]:
    """Write the file; returns the sites that are wanted."""
    draw = random.Random(1)
    words = [f"{draw.getrandbits(40):x}" for _ in range(5_000)]
    fillers = [f"<html><body><p>{' '.join(draw.choices(words, k=3_000))}</p></body></html>" for _ in range(50)]
    sites = set()
    with path.open("wb") as out:
        for number, (url, body) in enumerate(pages(count // SHARE)):
            out.write(record(url, body))
            sites.add(urls.site(url))
            for place in range(SHARE - 1):
                key = number * SHARE + place
                out.write(record(f"https://host{key % 500}.example/news/{key}", fillers[key % 50].encode()))
    return frozenset(sites)


def bare(path: Path) -> int:
    """fastwarc's own loop."""
    with path.open("rb") as stream:
        return sum(1 for _ in ArchiveIterator(stream))


def filtered(path: Path, sites: frozenset[str]) -> int:
    """Our reading: the records that were looked at, in stretches as in a backfill."""
    sought, at, records = warc.Sought("warc", sites, Span(), datetime.now(UTC)), 0, 0
    while True:
        with path.open("rb") as stream:
            stretch = warc.read(warc.Source(path.name, stream), at, sought)
        records += stretch.counts["records"]
        if stretch.next is None:
            return records
        at = stretch.next


def cpu(work: Callable[[], int]) -> float:
    """CPU seconds of one go."""
    began = time.process_time()
    work()
    return time.process_time() - began


def ours(path: Path, folder: Path) -> float:
    """Articles a second of the run, its worker processes' start included, the command's not: as with the peer."""
    origins = {"/".join(url.split("/")[:3]) for url, _ in pages(200)}
    feeds = (f'[[feed]]\nurl = "{origin}/feed"\ntitle = "{origin}"\nkind = "general"\n' for origin in sorted(origins))
    (folder / "feeds.toml").write_text("# The newsroom's sites.\n" + "\n".join(feeds))
    (folder / "pipeline.toml").write_text("# Only defaults.\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEFNEWS_")}
    environment = kept | {"DEFNEWS_CONFIG": str(folder), "DEFNEWS_DATABASE_URL": f"sqlite:///{folder}/news.db"}
    command = [sys.executable, "-m", "pipeline", "-q", "backfill"]
    subprocess.run([*command, "--input", str(path)], env=environment, capture_output=True, check=True)
    listed = subprocess.run([*command, "list", "--format", "json"], env=environment, capture_output=True, check=True)
    (run,) = json.loads(listed.stdout)
    elapsed = (datetime.fromisoformat(run["ended_at"]) - datetime.fromisoformat(run["started_at"])).total_seconds()
    print(f"ours: {run['stored']} articles stored in {elapsed:.1f} s")
    return float(run["stored"] / elapsed)


def peers(path: Path, python: str, sites: frozenset[str]) -> float | None:
    """Articles with a text a second of news-please, its start not included; None when it is not there."""
    hosts = [site.partition(":")[0] for site in sites]
    done = subprocess.run(
        [python, "-c", PEER, str(path), json.dumps(hosts)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"news-please is not measured: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    count, elapsed = json.loads(done.stdout.splitlines()[-1])
    print(f"news-please: {count} articles in {elapsed:.1f} s")
    return float(count / elapsed)


def figure(ours: float, peer: float, reach: float) -> dict[str, float | bool]:
    """A figure beside the peer's."""
    return {"ours": ours, "peer": peer, "ratio": ours / peer, "reach": reach, "holds": ours / peer >= reach}


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a tenth of the records")
    options.add_argument("--peer-python", default=sys.executable, help="the interpreter that has news-please")
    asked = options.parse_args()
    count = 2_000 if asked.quick else 20_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "crawl.warc.gz"
        sites = make(path, count)
        print(f"{count} records, {path.stat().st_size / 1e6:.0f} MB, one in {SHARE} wanted")
        goes = [(cpu(lambda: filtered(path, sites)), cpu(lambda: bare(path))) for _ in range(ROUNDS)]
        reading, loop = (count / min(seconds) for seconds in zip(*goes, strict=True))
        found = {"records a CPU second": figure(reading, loop, 0.85)}
        stored, peer = ours(path, folder), peers(path, asked.peer_python, sites)
        if peer is not None:
            found["articles a second"] = figure(stored, peer, 5)
    for what, one in found.items():
        print(
            f"{what}: ours {one['ours']:.1f}, peer {one['peer']:.1f}, ratio {one['ratio']:.2f} (reach {one['reach']})"
        )
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "warc", "figures": found, "machine": machine}))
    return 0 if all(one["holds"] for one in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
