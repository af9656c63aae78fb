"""What labels on the articles that `review` asks about first are worth, beside as many labels drawn at random.

Simulated on our own English items (training/items): a model of a few of them meets the rest, whose labels are hidden,
in the queue of `review`; the labels of the first ones are told, and it is trained again. The peer starts from the same
few and is told labels drawn at random. Both are judged on the held-out items and matched pairs (training/heldout).
"""

import argparse
import json
import math
import os
import platform
import random
import sys
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, stdev

from classifier import auc, f1, held_out
from threadpoolctl import threadpool_limits

from pipeline.entrypoints import training
from pipeline.entrypoints.judging import CANDIDATES, varied
from pipeline.model import Article, DateOrigin
from pipeline.stages.classify import Cuts, fit
from pipeline.stages.classify.english import English
from pipeline.stages.classify.lexicon import Lexicon
from pipeline.store import Doubtful

TRAINING = Path(__file__).parent.parent / "training"
START = 300  # items that the first model is trained on
TOLD = 200  # labels that are drawn
WAYS = ("start", "queue", "random")

Scores = dict[str, float]  # by measure


@dataclass(frozen=True, slots=True)
class Texts:
    """Our own items and the held-out ones, read once."""

    items: list[fit.Item]
    seen: list[fit.Seen]
    lexicon: Lexicon
    labels: list[int]  # of the held-out ones
    held: list[fit.Seen]


def texts() -> Texts:
    """Read everything; no third-party rows."""
    ours = training.own(TRAINING)

    def look(title: str, text: str) -> fit.Seen:
        return fit.look(ours.lexicon, title, text)

    held = [row for name in ("items", "boundaries") for row in held_out(name)]
    return Texts(
        items=ours.items,
        seen=[look(item.title, item.text) for item in ours.items],
        lexicon=ours.lexicon,
        labels=[label for label, _, _ in held],
        held=[look(title, text) for _, title, text in held],
    )


def start(items: Sequence[fit.Item], draw: random.Random) -> list[int]:
    """Places of the items that are labelled from the beginning; no pair is parted."""
    pairs: defaultdict[str, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        pairs[item.pair].append(place)
    chosen: list[int] = []
    for pair in draw.sample(sorted(pairs), len(pairs)):
        if len(chosen) + len(pairs[pair]) <= START:
            chosen += pairs[pair]
    return sorted(chosen)


def queue(given: Texts, known: Sequence[int], pool: Sequence[int]) -> list[int]:
    """The places of the pool in the order in which `review` asks about them, by the model of what is known.

    The database finds what needs review, nearest to the threshold first; `varied` is the function of `review` itself.
    """
    cuts = Cuts()
    model = fit.fit([given.items[place] for place in known], given.lexicon, "start@1")
    judge = English(model, cuts.threshold, cuts.review)
    waiting = []
    for place in pool:
        item = given.items[place]
        verdict = judge.classify(article(item))
        if verdict.needs_review:
            evidence = tuple(asdict(piece) for piece in verdict.evidence)
            waiting.append(
                Doubtful(place, verdict.score, verdict.threshold, verdict.classifier, "en", item.title, None, evidence)
            )
    waiting.sort(key=lambda doubtful: (abs(doubtful.score - doubtful.threshold), -doubtful.id))
    return [doubtful.id for doubtful in varied(waiting[:CANDIDATES])]


def article(item: fit.Item) -> Article:
    """An item as the classifier meets it."""
    return Article(
        url="https://news.example/",
        canonical_url="https://news.example/",
        title=item.title,
        text=item.text,
        published_at=datetime(2025, 1, 1, tzinfo=UTC),
        published_from=DateOrigin.FEED,
        extractor="benchmark@1",
        lang="en",
    )


def scores(given: Texts, places: Sequence[int]) -> Scores:
    """How well a model of these items judges the held-out ones."""
    at = sorted(places)  # the order of items moves a network's training a little: the same for every way
    judges = fit.train([given.items[place] for place in at], [given.seen[place] for place in at], given.lexicon.inputs)
    said = [1 / (1 + math.exp(-fit.total(judges, seen))) for seen in given.held]
    return {"F1": f1(given.labels, said)[0], "AUC": auc(given.labels, said)}


def compared(given: Texts, seed: int) -> dict[str, Scores]:
    """The scores of each way from one random start."""
    draw = random.Random(seed)
    known = start(given.items, draw)
    pool = sorted(set(range(len(given.items))) - set(known))
    asked = queue(given, known, pool)[:TOLD]
    told = draw.sample(pool, len(asked))
    doubtful = [sum(given.items[place].target == 0.5 for place in drawn) for drawn in (asked, told)]
    found = {way: scores(given, [*known, *more]) for way, more in zip(WAYS, ([], asked, told), strict=True)}
    cells = "".join(f"  {found[way]['F1']:.3f} {found[way]['AUC']:.4f}" for way in WAYS)
    print(f"{seed:>4} {len(known):>5} {len(asked):>6} {doubtful[0]:>6} {doubtful[1]:>6}{cells}", flush=True)
    return found


def figure(name: str, rounds: Sequence[dict[str, Scores]]) -> dict[str, float | bool | None]:
    """The mean gain of a measure by either way, and the spread for people."""
    ours, peer = ([found[way][name] - found["start"][name] for found in rounds] for way in WAYS[1:])
    for way, gains in zip(WAYS[1:], (ours, peer), strict=True):
        print(f"{name:<4} gain, {way:<6} {mean(gains):+.4f}, spread {stdev(gains):.4f}")
    ahead = [one - other for one, other in zip(ours, peer, strict=True)]
    error = stdev(ahead) / math.sqrt(len(ahead))
    wins = sum(more > 0 for more in ahead)
    print(f"{name:<4} queue - random {mean(ahead):+.4f}, standard error {error:.4f}; ahead in {wins} of {len(ahead)}")
    ratio = mean(ours) / mean(peer) if mean(peer) > 0 else None
    return {
        "ours": mean(ours),
        "peer": mean(peer),
        "ratio": ratio,
        "reach": 1.0,  # of the ratio
        "holds": ratio is not None and ratio >= 1,
    }


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="three starts instead of eight")
    seeds = 3 if options.parse_args().quick else 8
    given = texts()
    print(f"{len(given.items)} items of ours; held out: {len(given.labels)}, {sum(given.labels)} defense")
    print("seed start labels  borderline  " + "".join(f"  {way:<12}" for way in WAYS))
    print("           drawn  queue random" + "  F1    AUC   " * len(WAYS))
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="sklearn")  # few items, few epochs
        rounds = [compared(given, seed) for seed in range(seeds)]
    table = {f"{name} gained by {TOLD} labels": figure(name, rounds) for name in ("F1", "AUC")}
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "active_learning", "figures": table, "machine": machine}))
    return 0 if all(it["holds"] for it in table.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
