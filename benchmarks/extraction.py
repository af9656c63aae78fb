"""How well and how fast the text of an article is found, beside trafilatura, readability-lxml and newspaper4k.

The pages and their texts are below $DEFNEWS_DEV_DATA/pages. Ours reads each page with a forest that was trained
without its site: five folds by site. Texts are compared by their runs of four words, counted, as in scrapinghub's
article-extraction-benchmark. Every extractor runs over all pages in a process of its own, so that its memory is its
own. readability-lxml and newspaper4k are measured when they are installed.
"""

import argparse
import asyncio
import importlib
import importlib.util
import json
import multiprocessing
import os
import platform
import random
import re
import resource
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trafilatura
from lxml import html

from pipeline.compute import Compute
from pipeline.entrypoints.extraction import FOLDERS, GoldPage, gold_pages, samples
from pipeline.errors import ExtractError
from pipeline.model import Entry, Page
from pipeline.stages.extract import extract, prose
from pipeline.stages.extract.fit import fit
from pipeline.stages.forest import Forest
from pipeline.urls import site

FOLDS = 5
RUN = 4  # words
ROUNDS = 1_000
BAD = 0.5  # F1 under which a page is lost
SEEN = datetime(2026, 1, 1, tzinfo=UTC)
_WORD = re.compile(r"\w+")

Reader = Callable[[GoldPage], str]


@dataclass(frozen=True, slots=True)
class Run:
    """What one extractor did: precision, recall, F1 and CPU milliseconds of each page."""

    scores: list[tuple[float, float, float]]
    spent: list[float]
    peak_mb: float
    exact: float

    @property
    def f1(self) -> list[float]:
        """F1 of each page."""
        return [score[2] for score in self.scores]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number beside the peer's, and the mark that it has to reach."""

    ours: float
    peer: float | None
    reach: float
    holds: bool


class Ours:
    """Our body, each page read with the forest of its fold."""

    def __init__(self, forests: dict[int, Forest]) -> None:
        self.forests = forests

    def __call__(self, page: GoldPage) -> str:
        """The text of a page."""
        return prose.main_text(page.tree(), page.url, self.forests[fold_of(page)]).text


def whole(page: GoldPage) -> str:
    """Ours with all metadata and the language, as it ships: for its time; it has learnt from these very pages."""
    try:
        return extract(Page(page.url, page.body, "text/html", SEEN), Entry(page.url, page.url, title="-")).text
    except ExtractError:
        return ""


def by_trafilatura(page: GoldPage, *, with_metadata: bool = True, **options: Any) -> str:
    """A peer."""
    document: Any = trafilatura.bare_extraction(
        page.body, url=page.url, include_comments=False, with_metadata=with_metadata, **options
    )
    return (document.text or "") if document else ""


def fast(page: GoldPage) -> str:
    """A peer."""
    return by_trafilatura(page, fast=True)


def precise(page: GoldPage) -> str:
    """A peer."""
    return by_trafilatura(page, favor_precision=True)


def by_readability(page: GoldPage) -> str:
    """A peer."""
    readability = importlib.import_module("readability")
    try:
        summary = readability.Document(page.body.decode("utf-8", "replace")).summary()
        return "\n".join(html.fromstring(summary).itertext()) if summary else ""
    except Exception:  # noqa: BLE001 - whatever a peer raises is its failure
        return ""


def by_newspaper(page: GoldPage) -> str:
    """A peer."""
    newspaper = importlib.import_module("newspaper")
    try:
        article = newspaper.Article(page.url, fetch_images=False)
        article.download(input_html=page.body.decode("utf-8", "replace"))
        article.parse()
        return article.text or ""
    except Exception:  # noqa: BLE001 - whatever a peer raises is its failure
        return ""


def grams(text: str) -> Counter[tuple[str, ...]]:
    """The runs of words of a text, counted; of a shorter text the text itself."""
    words = _WORD.findall(text.lower())
    return Counter(tuple(words[at : at + RUN]) for at in range(max(len(words) - RUN + 1, 1)))


def compared(found: str, known: str) -> tuple[float, float, float]:
    """Precision, recall and F1 of a text."""
    ours, wanted = grams(found), grams(known)
    common = (ours & wanted).total()
    if not common:
        return 0.0, 0.0, 0.0
    precision, recall = common / ours.total(), common / wanted.total()
    return precision, recall, 2 * precision * recall / (precision + recall)


def fold_of(page: GoldPage) -> int:
    """The fold of a page's site."""
    return zlib.crc32(site(page.url).encode()) % FOLDS


def forests(data: Path, folds: Sequence[int]) -> dict[int, Forest]:
    """For each fold the forest that has not seen its sites."""
    pages = [page for folder in FOLDERS for page in gold_pages(data / folder)]
    learnt, columns = samples(pages)
    known = [(fold_of(page), one) for page, one in zip(pages, learnt, strict=True) if one is not None]
    return {fold: fit([one for other, one in known if other != fold], columns) for fold in folds}


def run(reader: Reader, pages: Sequence[GoldPage]) -> Run:
    """Read all pages; the first one twice, for what is loaded once."""
    reader(pages[0])
    scores, spent, exact = [], [], 0
    for page in pages:
        began = time.process_time()
        text = reader(page)
        spent.append((time.process_time() - began) * 1_000)
        scores.append(compared(text, page.text))
        exact += _WORD.findall(text.lower()) == _WORD.findall(page.text.lower())
    return Run(scores, spent, peak_mb(), exact / len(pages))


def peak_mb() -> float:
    """The most memory that this process has had; on Linux not by getrusage, which passes on the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % bootstrap interval of a mean."""
    draw = random.Random(1)
    means = sorted(sum(draw.choices(values, k=len(values))) / len(values) for _ in range(ROUNDS))
    return means[int(0.025 * ROUNDS)], means[int(0.975 * ROUNDS)]


def median(values: Sequence[float], at: float = 0.5) -> float:
    """The median, or another quantile."""
    return sorted(values)[min(int(at * len(values)), len(values) - 1)]


def row(name: str, one: Run) -> str:
    """A line of the table."""
    precision, recall, f1 = (sum(column) / len(one.scores) for column in zip(*one.scores, strict=True))
    low, high = interval(one.f1)
    bad = sum(score < BAD for score in one.f1)
    return (
        f"{name:<26} {precision:.3f} {recall:.3f} {f1:.4f} [{low:.3f}, {high:.3f}] {one.exact:5.3f} {bad:4}"
        f" {median(one.spent):7.1f} {median(one.spent, 0.95):7.1f} {one.peak_mb:7.0f}"
    )


async def pooled(pages: Sequence[GoldPage], workers: int) -> float:
    """Seconds that our pool takes for all pages."""
    async with Compute(workers, timedelta(seconds=60), preload=("pipeline.stages.extract",)) as compute:
        await asyncio.gather(*(compute(whole, pages[0]) for _ in range(workers)))
        began = time.perf_counter()
        await asyncio.gather(*(compute(whole, page) for page in pages))
        return time.perf_counter() - began


def looped(pages: Sequence[GoldPage]) -> float:
    """Seconds that trafilatura takes in a plain loop."""
    by_trafilatura(pages[0])
    began = time.perf_counter()
    for page in pages:
        by_trafilatura(page)
    return time.perf_counter() - began


def figures(runs: dict[str, Run], seconds: tuple[float, float], pages: int) -> dict[str, Figure]:
    """What has to hold."""
    ours, peer = runs["ours"], runs["trafilatura"]
    ahead = [one - other for one, other in zip(ours.f1, peer.f1, strict=True)]
    mean, (low, high) = sum(ahead) / len(ahead), interval(ahead)
    print(f"paired difference of F1 to trafilatura {mean:+.4f} [{low:+.4f}, {high:+.4f}]")
    bad, others = (sum(score < BAD for score in one.f1) for one in (ours, peer))
    times = [sum(runs[name].spent) / pages for name in ("ours, shipped (in-sample)", "trafilatura")]
    rates = [pages / each for each in seconds]
    print(f"pages a second: pool {rates[0]:.1f}, trafilatura in a loop {rates[1]:.1f}")
    return {
        "F1 ahead of trafilatura": Figure(mean, 0, 0.01, mean >= 0.01 and low > 0),
        "pages under .5": Figure(bad, others, others / 2, bad <= others / 2),
        "CPU ms a page, whole article": Figure(times[0], times[1], times[1] / 3, times[0] <= times[1] / 3),
        "pages a second": Figure(rates[0], rates[1], 5 * rates[1], rates[0] >= 5 * rates[1]),
    }


def measured(pages: Sequence[GoldPage], trained: dict[int, Forest]) -> dict[str, Run]:
    """Every extractor that is installed, each in a process of its own."""
    readers: dict[str, Reader] = {
        "ours": Ours(trained),
        "ours, shipped (in-sample)": whole,
        "trafilatura": by_trafilatura,
        "trafilatura fast": fast,
        "trafilatura precision": precise,
    }
    others: tuple[tuple[str, str, Reader], ...] = (
        ("readability-lxml", "readability", by_readability),
        ("newspaper4k", "newspaper", by_newspaper),
    )
    for name, module, reader in others:
        if importlib.util.find_spec(module):
            readers[name] = reader
        else:
            print(f"{name} is not installed: not measured", file=sys.stderr)
    print(f"{'':<26} prec. recall     F1  95 % interval exact  <.5  median     p95 peak MB")
    found = {}
    for name, reader in readers.items():
        with multiprocessing.get_context("spawn").Pool(1) as alone:
            found[name] = alone.apply(run, (reader, pages))
        print(row(name, found[name]), flush=True)
    return found


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="40 pages of one fold")
    quick = options.parse_args().quick
    if "DEFNEWS_DEV_DATA" not in os.environ:
        print("DEFNEWS_DEV_DATA is not set: there are no pages to measure on", file=sys.stderr)
        return 1
    data = Path(os.environ["DEFNEWS_DEV_DATA"])
    pages = list(gold_pages(data / "pages"))
    trained = forests(data, range(1 if quick else FOLDS))
    if quick:
        pages = [page for page in pages if fold_of(page) == 0][:40]
    runs = measured(pages, trained)
    seconds = asyncio.run(pooled(pages, os.cpu_count() or 1)), looped(pages)
    found = figures(runs, seconds, len(pages))
    table = {
        name: {
            "ours": it.ours,
            "peer": it.peer,
            "ratio": it.ours / it.peer if it.peer else None,
            "reach": it.reach,
            "holds": it.holds,
        }
        for name, it in found.items()
    }
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "extraction", "figures": table, "machine": machine}))
    return 0 if all(it.holds for it in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
