"""How well the lexicon classifier judges labelled news text, beside a plain keyword filter in the same run.

Reads the sets below $DEFNEWS_DEV_DATA/classify. They are labelled by other definitions than ours and hold known noise,
so that the figures compare classifiers and do not grade them.
"""

import argparse
import gzip
import json
import os
import platform
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

from pipeline.model import Article, DateOrigin
from pipeline.stages.classify import load

BOTH = ("nyt_cap", "liar", "dev_wiki2019", "wiki2020", "aux_uscongress")  # sets with positives and negatives
NEGATIVE = ("aux_agnews", "aux_bbc")
POSITIVE = ("aux_dvids",)
LEAD = 1_000  # characters that both classifiers see
KEYWORDS = (
    "war|wars|military|army|navy|air force|marines|troops|soldier|soldiers|missile|missiles|strike|strikes|attack|"
    "attacks|defense|defence|weapon|weapons|nuclear|bomb|bombs|bombing|combat|drone|drones|pentagon|nato|invasion|"
    "tank|tanks|fighter|fighters|submarine|warship|ceasefire|militants|rebels|terrorist|insurgents|battle"
)
_KEYWORD = re.compile(rf"\b(?:{KEYWORDS})\b", re.IGNORECASE)

Row = tuple[int, str, str]  # label, title, text
Judge = Callable[[str, str], float]  # title, text -> score; 0.5 and more: defense


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number beside the peer's, and how far it has to reach."""

    ours: float
    peer: float | None
    reach: float
    at_most: bool = False

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's."""
        return None if not self.peer else self.ours / self.peer

    @property
    def holds(self) -> bool:
        """Whether the ratio, or without a peer the figure itself, reaches its mark."""
        measured = self.ours if self.ratio is None else self.ratio
        return measured <= self.reach if self.at_most else measured >= self.reach


def keyword_filter(title: str, text: str) -> float:
    """The peer: any keyword means defense; more distinct ones rank higher."""
    found = {match.lower() for match in _KEYWORD.findall(f"{title}\n{text[:LEAD]}")}
    return 1 - 0.5 ** len(found)


def lexicon() -> Judge:
    """Ours, behind the same signature."""
    classifier = load("lexicon")

    def judge(title: str, text: str) -> float:
        article = Article(
            url="https://news.example/",
            canonical_url="https://news.example/",
            title=title,
            text=text,
            published_at=datetime(2025, 1, 1, tzinfo=UTC),
            published_from=DateOrigin.FEED,
            extractor="benchmark@1",
            lang="en",
        )
        return classifier.classify(article).score

    return judge


def rows(folder: Path, name: str, most: int) -> list[Row]:
    """The labelled items of a set, at most so many, drawn with a fixed seed."""
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        items = [json.loads(line) for line in lines]
    labelled = [
        (item["label"], item["title"] or "", item["text"] or "") for item in items if item.get("label") is not None
    ]
    return random.Random(0).sample(labelled, min(most, len(labelled)))


def f1(labels: Sequence[int], scores: Sequence[float]) -> tuple[float, float, float]:
    """F1, precision and recall at 0.5."""
    said = [score >= 0.5 for score in scores]
    right = sum(label and yes for label, yes in zip(labels, said, strict=True))
    precision, recall = right / max(sum(said), 1), right / max(sum(labels), 1)
    return 2 * right / max(sum(said) + sum(labels), 1), precision, recall


def auc(labels: Sequence[int], scores: Sequence[float]) -> float:
    """The chance that a positive scores above a negative; ties count half."""
    negatives = Counter(score for score, label in zip(scores, labels, strict=True) if not label)
    positives = Counter(score for score, label in zip(scores, labels, strict=True) if label)
    wins = below = 0.0
    for score in sorted(negatives | positives):
        wins += positives[score] * (below + negatives[score] / 2)
        below += negatives[score]
    return wins / (positives.total() * negatives.total())


def interval(measure: Callable[[list[int]], float], size: int, rounds: int) -> tuple[float, float]:
    """The 95 % bootstrap interval of a measure over the places of a set's items."""
    draw = random.Random(1)
    found = sorted(measure(draw.choices(range(size), k=size)) for _ in range(rounds))
    return found[int(0.025 * rounds)], found[min(int(0.975 * rounds), rounds - 1)]


def with_interval(
    measure: Callable[[Sequence[int], Sequence[float]], float], labels: list[int], scores: list[float], rounds: int
) -> str:
    """A measure with its interval, for people."""

    def resampled(places: list[int]) -> float:
        return measure([labels[place] for place in places], [scores[place] for place in places])

    low, high = interval(resampled, len(labels), rounds)
    return f"{measure(labels, scores):.3f} [{low:.3f}, {high:.3f}]"


def measured(judge: Judge, items: Sequence[Row]) -> tuple[list[float], float]:
    """The scores of a set, and the CPU milliseconds an item took."""
    began = time.process_time()
    scores = [judge(title, text) for _, title, text in items]
    return scores, (time.process_time() - began) * 1_000 / len(items)


def report(name: str, who: str, labels: list[int], scores: list[float], rounds: int) -> None:
    """Print one row of the table: all four figures, or for a set of one label the share said to be defense."""
    if 0 < sum(labels) < len(labels):
        cells = [
            with_interval(lambda truth, said: f1(truth, said)[0], labels, scores, rounds),
            with_interval(lambda truth, said: f1(truth, said)[1], labels, scores, rounds),
            with_interval(lambda truth, said: f1(truth, said)[2], labels, scores, rounds),
            with_interval(auc, labels, scores, rounds),
        ]
    else:
        share = with_interval(lambda _, said: sum(score >= 0.5 for score in said) / len(said), labels, scores, rounds)
        cells = [f"said defense {share}"]
    print(f"{name:<15} {len(labels):>5} {who:<8} " + "  ".join(f"{cell:<22}" for cell in cells))


def figures(folder: Path, most: int, rounds: int) -> dict[str, Figure]:
    """Judge every set with both classifiers."""
    judges: dict[str, Judge] = {"ours": lexicon(), "keywords": keyword_filter}
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    print(
        f"{'set':<15} {'items':>5} {'who':<8} "
        + "  ".join(f"{head:<22}" for head in ("F1", "precision", "recall", "AUC"))
    )
    for name in (*BOTH, *NEGATIVE, *POSITIVE):
        items = rows(folder, name, most)
        labels = [label for label, _, _ in items]
        for who, judge in judges.items():
            scores, ms = measured(judge, items)
            report(name, who, labels, scores, rounds)
            found["ms " + name, who].append(ms)
            if name in BOTH:
                found["F1", who].append(f1(labels, scores)[0])
                found["AUC", who].append(auc(labels, scores))
            elif name in NEGATIVE:
                found["alarms", who].append(sum(score >= 0.5 for score in scores) / len(scores))
    return {
        "mean F1": Figure(fmean(found["F1", "ours"]), fmean(found["F1", "keywords"]), 1.1),
        "mean AUC": Figure(fmean(found["AUC", "ours"]), fmean(found["AUC", "keywords"]), 1.05),
        "false alarms on general news": Figure(
            fmean(found["alarms", "ours"]), fmean(found["alarms", "keywords"]), 0.25, at_most=True
        ),
        "CPU ms an article of 1,000 characters": Figure(found["ms aux_bbc", "ours"][0], None, 1.5, at_most=True),
    }


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a tenth of the items")
    quick = options.parse_args().quick
    data = os.environ.get("DEFNEWS_DEV_DATA")
    if data is None:
        print("DEFNEWS_DEV_DATA is not set: it names the directory of the labelled sets", file=sys.stderr)
        return 1
    found = figures(Path(data) / "classify", 400 if quick else 4_000, 50 if quick else 200)
    table = {
        name: {"ours": it.ours, "peer": it.peer, "ratio": it.ratio, "reach": it.reach, "holds": it.holds}
        for name, it in found.items()
    }
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "lexicon", "figures": table, "machine": machine}))
    return 0 if all(it.holds for it in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
