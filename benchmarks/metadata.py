"""How well and how fast title, authors and day of publication are read off a page, beside trafilatura's metadata.

The pages and their facts are below $DEFNEWS_DEV_DATA/pages; they are split by site, and what is shown as "held out" was
not looked at while the rules were written. How it is counted: titles and names are case-folded, whitespace and quotes
are folded; authors are sets of names without forms of address, credentials and roles. A day is right when it is the one
that the page names in its own zone; beside it stands how often the day of the update is what the readers wrote down.
Authors are counted twice: on all pages with a byline, and on those whose byline names people ("people"): elsewhere it
is the outlet or its staff, whom ours leaves out on purpose. What the readers wrote down as the day is, on some pages,
that of an update that is shown alone, or is nowhere on the page: no reader of the page's own claims gets these right.
"""

import argparse
import gzip
import hashlib
import json
import os
import platform
import re
import statistics
import sys
import time
import unicodedata
from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trafilatura.metadata import extract_metadata

from pipeline.errors import ExtractError
from pipeline.model import Page
from pipeline.stages import language, markup
from pipeline.stages.extract import authors
from pipeline.stages.extract.metadata import facts
from pipeline.stages.extract.titles import Outlet
from pipeline.stages.fetch import utf8
from pipeline.urls import site

SEEN = datetime(2026, 11, 22, tzinfo=UTC)
REACH = {"title": 0.85, "authors": 0.82, "people": 0.82, "day": 0.985}
MOST_TIME = 1 / 3  # of the peer's
_QUOTES = str.maketrans("‘’“”«»`–—‐‑", '\'\'""""\'----')


def folded(text: str | None) -> str:
    """A text as it is compared."""
    return " ".join(unicodedata.normalize("NFKC", text or "").translate(_QUOTES).casefold().split())


def people(names: str | tuple[str, ...] | None) -> frozenset[str]:
    """The names in a byline, or the names given, as they are compared; a byline of no person is itself."""
    listed = (names,) if isinstance(names, str) else names or ()
    split = (authors.names(one) or (re.sub(r"\(.*?\)|,.*", "", one),) for one in listed)
    return frozenset(folded(name) for some in split for name in some) - {""}


def are_people(byline: str | None, url: str) -> bool:
    """Whether a byline names anybody but the outlet and its staff."""
    outlet = Outlet.of(url, ())
    return any(not (outlet.is_named(name) or outlet.is_in_domain(name)) for name in authors.names(byline or ""))


def is_held_out(url: str) -> bool:
    """Whether the page's site belongs to the half that nobody looked at."""
    try:
        name = site(url)
    except ValueError:
        name = url
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 1


def measure(gold: dict[str, Any], folder: Path, counts: Counter[str], spent: dict[str, list[float]]) -> None:
    """Read one page with both, and count what was right."""
    url = gold["url"] or f"https://nowhere{gold['id']}.example/x"
    page = Page(url, gzip.decompress((folder / gold["path"]).read_bytes()), "text/html", SEEN)
    try:
        tree = markup.parse(utf8(page), url)
    except ExtractError:
        return
    other = deepcopy(tree)
    began = time.process_time()
    told = facts(tree, page, has_date=False)
    language.tag(told.title or "", gold["text"] or "", told.lang)
    spent["ours"].append(time.process_time() - began)
    began = time.process_time()
    peer = extract_metadata(other, default_url=url)
    spent["peer"].append(time.process_time() - began)
    half = "held" if is_held_out(url) else "seen"
    day = told.published.at.date().isoformat() if told.published else None
    updated = told.updated_at.date().isoformat() if told.updated_at else None
    theirs = tuple((peer.author or "").split("; "))
    for fact, wanted, ours, others in (
        ("title", folded(gold["title"]), folded(told.title), folded(peer.title)),
        ("authors", people(gold["author"]), people(told.authors), people(theirs)),
        ("people", people(gold["author"]), people(told.authors), people(theirs)),
        ("day", gold["published_at"], day, peer.date),
    ):
        if wanted and (fact != "people" or are_people(gold["author"], url)):
            counts[f"{half} {fact}"] += 1
            counts[f"{half} {fact} ours"] += ours == wanted
            counts[f"{half} {fact} peer"] += others == wanted
    counts[f"{half} day or update"] += bool(gold["published_at"]) and gold["published_at"] in (day, updated)


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a quarter of the pages")
    quick = options.parse_args().quick
    data = os.environ.get("DEFNEWS_DEV_DATA")
    if data is None:
        print("DEFNEWS_DEV_DATA is not set: it names the directory of the pages", file=sys.stderr)
        return 1
    folder = Path(data) / "pages"
    with gzip.open(folder / "gold.jsonl.gz", "rt", encoding="utf-8") as lines:
        golds = [json.loads(one) for one in lines][:: 4 if quick else 1]
    counts: Counter[str] = Counter()
    spent: dict[str, list[float]] = {"ours": [], "peer": []}
    for gold in golds:
        measure(gold, folder, counts, spent)
    figures = {}
    print(f"{'fact':<10} {'half':<5} {'pages':>5} {'ours':>6} {'trafilatura':>12}")
    for fact, reach in REACH.items():
        for half in ("seen", "held"):
            pages = counts[f"{half} {fact}"]
            ours, peer = (counts[f"{half} {fact} {who}"] / max(pages, 1) for who in ("ours", "peer"))
            print(f"{fact:<10} {half:<5} {pages:>5} {ours:>6.3f} {peer:>12.3f}")
        figures[f"{fact}, held out"] = {
            **{"ours": ours, "peer": peer, "ratio": ours / max(peer, 1e-9), "reach": reach, "holds": ours >= reach}
        }
    for half in ("seen", "held"):
        print(f"day or update, {half}: {counts[f'{half} day or update'] / max(counts[f'{half} day'], 1):.3f}")
    ours, peer = (statistics.median(spent[who]) * 1e3 for who in ("ours", "peer"))
    print(f"CPU ms a page, median: {ours:.2f} (with language), trafilatura's metadata {peer:.2f}")
    figures["CPU"] = {"ours": ours, "peer": peer, "ratio": ours / peer, "reach": MOST_TIME}
    figures["CPU"]["holds"] = ours / peer <= MOST_TIME
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "metadata", "figures": figures, "machine": machine}))
    return 0 if all(one["holds"] for one in figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
