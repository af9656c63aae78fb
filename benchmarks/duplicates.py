"""How surely copies of stored texts are found among 100,000, what look-ups cost, and what they keep on disk.

Texts are made up: most sentences of words drawn by Zipf's law, some taken from our labelled items, so that texts share
sentences by chance. Copies are planted: sentences edited, cut to 70 %, wrapped in a frame. Ours goes through the real
store; the peer in the same run is MinHash with 64 values in 16 bands of 4 (rensa, if it is installed), in memory.
"""

import argparse
import asyncio
import importlib
import json
import os
import platform
import random
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from classifier import TRAINING, Figure

from pipeline.model import Article, DateOrigin, Label, Verdict
from pipeline.stages import dedup
from pipeline.store import Store, kin, open_store, schema
from pipeline.store.articles import Filing, add

AT = datetime(2025, 7, 11, tzinfo=UTC)
VERDICT = Verdict(Label.OTHER, 0.1, 0.5, needs_review=False, topics=(), evidence=(), classifier="none@1")
BATCH = 200
TAKEN = 0.2  # of the sentences: from items
LONGEST = 300  # characters of one of those: where words are not written apart, a "sentence" may be a whole text
ANEW = 0.3  # of the words of an edited sentence
HEAD = "Sign up to our newsletter for the morning briefing."
TAIL = "Copyright 2026 Some Media Group. All rights reserved. Reproduction without permission is prohibited."
BANDS, ROWS = 16, 4
LEAST_JACCARD = 0.5  # of the peer's copies, as its values tell it
REACH = {
    "recall, 5 % of sentences edited": 0.99,
    "recall, 10 % of sentences edited": 0.97,
    "recall, 20 % of sentences edited": 0.85,
    "recall, cut to 70 %": 0.95,
    "recall, wrapped": 1.0,
}
MOST_MS, MOST_BYTES = 2.0, 600  # an article; stories have to fit in too

Sentences = list[str]


class Writer:
    """Makes texts, and copies of them."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._items = sorted(set(_sentences()))
        words = sorted({word for line in self._items for word in line.split()})
        self._chance.shuffle(words)
        self._words = words
        self._drawn = _ranks(np.random.default_rng(seed), len(words))

    def text(self) -> Sentences:
        """Between 6 and 25 sentences."""
        return [self._sentence() for _ in range(self._chance.randint(6, 25))]

    def _sentence(self) -> str:
        if self._chance.random() < TAKEN:
            return self._chance.choice(self._items)
        return " ".join(self._words[next(self._drawn)] for _ in range(self._chance.randint(8, 30))) + "."

    def edited(self, text: Sentences, share: float) -> Sentences:
        """A share of the sentences, one at least, with other words in them."""
        wanted = set(self._chance.sample(range(len(text)), max(1, round(share * len(text)))))
        return [self._rewritten(line) if at in wanted else line for at, line in enumerate(text)]

    def _rewritten(self, line: str) -> str:
        return " ".join(
            self._words[next(self._drawn)] if self._chance.random() < ANEW else word for word in line.split()
        )

    def copies(self) -> dict[str, Callable[[Sentences], Sentences]]:
        """The ways in which a text is copied."""
        return {
            "recall, 5 % of sentences edited": lambda text: self.edited(text, 0.05),
            "recall, 10 % of sentences edited": lambda text: self.edited(text, 0.10),
            "recall, 20 % of sentences edited": lambda text: self.edited(text, 0.20),
            "recall, cut to 70 %": lambda text: text[: max(1, round(0.7 * len(text)))],
            "recall, wrapped": lambda text: [HEAD, *text, TAIL],
        }


def _ranks(chance: np.random.Generator, count: int) -> Iterator[int]:
    """Numbers below that, by Zipf's law, for ever new: a stream that comes round again makes copies nobody planted."""
    while True:
        ranks = chance.zipf(1.2, 100_000) - 1
        yield from ranks[ranks < count].tolist()


def _sentences() -> Iterator[str]:
    """What our labelled items say, sentence by sentence."""
    for path in sorted((TRAINING / "items").glob("*.tsv")):
        for row in path.read_text(encoding="utf-8").splitlines():
            for sentence in re.split(r"(?<=[.!?])\s+", row.split("\t")[-1]):
                if 6 <= len(sentence.split()) <= 45 and len(sentence) <= LONGEST:
                    yield sentence


class Ours:
    """The store's own look-up, with the CPU that it takes."""

    def __init__(self, store: Store, run_id: int) -> None:
        self._store, self._run_id = store, run_id
        self.cpu_s = 0.0
        self.ids: list[int] = []

    async def asked(self, texts: Sequence[Sentences], titles: str) -> list[int | None]:
        """The article that each text repeats, as the store would settle it."""
        async with self._store.db.read() as c:
            began = time.process_time()
            prints = [_print(f"{titles} {n}", text) for n, text in enumerate(texts)]
            near = await kin.near(c, prints)
            found = [near.repeated(one) for one in prints]
            self.cpu_s += time.process_time() - began
        return [one and one[0] for one in found]

    async def keep(self, texts: Sequence[Sentences]) -> None:
        """Store texts, whatever they repeat."""
        first = len(self.ids)
        filings = [self._filing(first + n, text) for n, text in enumerate(texts)]
        async with self._store.db.write() as c:
            await add(c, filings)
        self.ids += [filing.id for filing in filings]

    def _filing(self, number: int, text: Sentences) -> Filing:
        url = f"https://site{number}.example/news"
        at = AT + timedelta(seconds=number)
        article = Article(url, url, f"Text {number}", "\n".join(text), at, DateOrigin.PAGE, "none@1")
        return Filing(
            id=int(at.timestamp()) << 20,
            article=article,
            fingerprint=_print(article.title, text),
            verdict=VERDICT,
            second=None,
            at=at,
            run_id=self._run_id,
            feed_id=None,
            archive=None,
            first_seen_at=at,
        )

    async def bytes_of_marks(self) -> float:
        """What the table of marks takes, an article; it is gone then."""
        async with self._store.db.write() as c:
            if self._store.db.is_sqlite:
                await c.exec_driver_sql("DROP TABLE marks")
                freed = (await c.exec_driver_sql("PRAGMA freelist_count")).scalar_one()
                size = freed * (await c.exec_driver_sql("PRAGMA page_size")).scalar_one()
            else:
                size = (await c.exec_driver_sql("SELECT pg_total_relation_size('marks')")).scalar_one()
        return float(size) / len(self.ids)


def _print(title: str, text: Sentences) -> dedup.Fingerprint:
    """As if every title had a site of its own."""
    return dedup.fingerprint(title, title, "\n".join(text))


class Peer:
    """MinHash of runs of five words, bands in a dictionary; a copy is what its values say is alike."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._bands: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        self._kept: list[Any] = []
        self.cpu_s = 0.0

    def asked(self, texts: Sequence[Sentences]) -> list[int | None]:
        """The number of the text that each one is most like."""
        began = time.process_time()
        found = [self._nearest(self._hash(text)) for text in texts]
        self.cpu_s += time.process_time() - began
        return found

    def keep(self, texts: Sequence[Sentences]) -> None:
        """Remember texts."""
        for text in texts:
            made = self._hash(text)
            for band in self._banded(made):
                self._bands[band].append(len(self._kept))
            self._kept.append(made)

    def _hash(self, text: Sentences) -> Any:
        words = " ".join(text).lower().split()
        made = self._library.RMinHash(num_perm=BANDS * ROWS, seed=1)
        made.update([" ".join(words[at : at + 5]) for at in range(len(words) - 4)])
        return made

    def _banded(self, made: Any) -> Iterator[tuple[int, ...]]:
        values = made.digest()
        return ((band, *values[band * ROWS : (band + 1) * ROWS]) for band in range(BANDS))

    def _nearest(self, made: Any) -> int | None:
        near = {key for band in self._banded(made) for key in self._bands.get(band, ())}
        alike = [(made.jaccard(self._kept[key]), -key) for key in near]
        best = max(alike, default=(0.0, 0))
        return -best[1] if best[0] >= LEAST_JACCARD else None


async def measure(url: str, count: int, planted: int) -> dict[str, Figure]:
    """Every figure, on an empty database."""
    schema.upgrade(url)
    writer = Writer(7)
    texts = [writer.text() for _ in range(count)]
    peer = _peer()
    figures: dict[str, Figure] = {}
    async with await open_store(url) as store:
        ours = Ours(store, (await store.runs.start("poll", AT)).id)
        merged = [0, 0]
        for at in range(0, count, BATCH):
            part = texts[at : at + BATCH]
            merged[0] += sum(key is not None for key in await ours.asked(part, f"New {at}"))
            await ours.keep(part)
            if peer:
                merged[1] += sum(key is not None for key in peer.asked(part))
                peer.keep(part)
            if at % 10_000 == 0:
                print(f"{at} texts", file=sys.stderr)
        peers_ms = peer.cpu_s / count * 1000 if peer else None
        figures["false merges"] = Figure(merged[0], merged[1] if peer else None, 0, at_most=True)
        figures["CPU of a new text's look-up, ms"] = Figure(ours.cpu_s / count * 1000, peers_ms, MOST_MS, at_most=True)
        ours.cpu_s = 0.0
        chosen = random.Random(11).sample(range(count), planted)
        for name, copied in writer.copies().items():
            copies = [copied(texts[n]) for n in chosen]
            found = [key for at in range(0, planted, BATCH) for key in await ours.asked(copies[at : at + BATCH], name)]
            hits = sum(key == ours.ids[n] for key, n in zip(found, chosen, strict=True)) / planted
            theirs = sum(a == b for a, b in zip(peer.asked(copies), chosen, strict=True)) / planted if peer else None
            figures[name] = Figure(hits, theirs, REACH[name])
        asked = planted * len(REACH)
        figures["CPU of a copy's look-up, ms"] = Figure(ours.cpu_s / asked * 1000, None, MOST_MS, at_most=True)
        figures["bytes of marks, a text"] = Figure(await ours.bytes_of_marks(), None, MOST_BYTES, at_most=True)
    return figures


def _peer() -> Peer | None:
    try:
        return Peer(importlib.import_module("rensa"))
    except ModuleNotFoundError:
        print("rensa is not installed: no peer (pip install --target DIR rensa; PYTHONPATH=DIR)", file=sys.stderr)
        return None


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="5,000 texts")
    options.add_argument("--database", help="address of an empty database; default a SQLite file that is removed again")
    given = options.parse_args()
    count, planted = (5_000, 1_000) if given.quick else (100_000, 2_000)
    with tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite:///{Path(folder)}/scratch.db"
        figures = asyncio.run(measure(url, count, planted))
    print(f"{count} texts, {planted} copies of each kind\n{'figure':<36} {'ours':>9} {'peer':>9} {'reach':>9}")
    for name, it in figures.items():
        theirs = "-" if it.peer is None else f"{it.peer:.4f}"
        print(f"{name:<36} {it.ours:>9.4f} {theirs:>9} {it.reach:>9.4f}{'' if it.holds else '  does not hold'}")
    table = {
        name: {"ours": it.ours, "peer": it.peer, "ratio": it.ratio, "reach": it.reach, "holds": it.holds}
        for name, it in figures.items()
    }
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "duplicates", "figures": table, "machine": machine}))
    return 0 if all(it.holds for it in figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
