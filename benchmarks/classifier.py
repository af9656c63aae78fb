"""How well the classifier that ships judges texts it was not trained on, beside a plain keyword filter in the same run.

Held-out items and matched pairs are ours (training/heldout); general news without politics is below
$DEFNEWS_DEV_DATA/classify: rows that our readers called defense or borderline are left out, and their ids printed.
"""

import argparse
import gzip
import json
import os
import platform
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.entrypoints.training import item_rows
from pipeline.model import Article, DateOrigin
from pipeline.stages.classify import load

TRAINING = Path(__file__).parent.parent / "training"
GENERAL = ("aux_agnews", "aux_bbc")
LEAD = 1_000  # characters that both classifiers see
BINS = 10  # of equal mass
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
    """One measured number beside the peer's, and the mark that it has to reach."""

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
        """Whether the figure reaches its mark."""
        return self.ours <= self.reach if self.at_most else self.ours >= self.reach


def keyword_filter(title: str, text: str) -> float:
    """The peer: any keyword means defense; more distinct ones rank higher."""
    found = {match.lower() for match in _KEYWORD.findall(f"{title}\n{text[:LEAD]}")}
    return 1 - 0.5 ** len(found)


def classifier() -> Judge:
    """Ours, behind the same signature."""
    ours = load()

    def judge(title: str, text: str) -> float:
        article = Article(
            url="https://news.example/",
            canonical_url="https://news.example/",
            title=title,
            text=text[:LEAD],
            published_at=datetime(2025, 1, 1, tzinfo=UTC),
            published_from=DateOrigin.FEED,
            extractor="benchmark@1",
            lang="en",
        )
        return ours.classify(article).score

    return judge


def held_out(name: str) -> list[Row]:
    """Our held-out items, without the borderline ones."""
    rows = item_rows(TRAINING / "heldout" / f"{name}.tsv")
    return [(int(row["label"] == "yes"), row["title"], row["text"]) for row in rows if row["label"] != "borderline"]


def general(folder: Path, most: int) -> list[Row]:
    """General news that no reader of ours called defense or borderline."""
    lines = (line.split("\t") for line in (TRAINING / "readings.tsv").read_text("utf-8").splitlines()[1:])
    doubtful = {(line[0], line[1]) for line in lines if line[2] != "n"}
    found, left_out = [], []
    for name in GENERAL:
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as items:
            for item in map(json.loads, items):
                if item.get("label") == 0:
                    if (name, item["id"]) in doubtful:
                        left_out.append(item["id"])
                    else:
                        found.append((0, item["title"] or "", item["text"] or ""))
    print(f"left out, {len(left_out)} rows that are defense or borderline to our readers: {' '.join(sorted(left_out))}")
    return random.Random(0).sample(found, min(most, len(found)))


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


def accuracy(labels: Sequence[int], scores: Sequence[float]) -> float:
    """The share that is right at 0.5."""
    return sum((score >= 0.5) == bool(label) for label, score in zip(labels, scores, strict=True)) / len(labels)


def calibration_error(labels: Sequence[int], scores: Sequence[float]) -> float:
    """How far scores are from shares, on average over bins of equal mass."""
    ranked = sorted(zip(scores, labels, strict=True))
    bins = [ranked[at * len(ranked) // BINS : (at + 1) * len(ranked) // BINS] for at in range(BINS)]
    return sum(abs(sum(score - label for score, label in one)) for one in bins) / len(ranked)


def plot(labels: Sequence[int], scores: Sequence[float]) -> str:
    """The calibration as an SVG: the share of defense over the mean score of each bin, with its interval."""
    ranked = sorted(zip(scores, labels, strict=True))
    shapes = ['<path d="M40 360 L360 40" stroke="#999" stroke-dasharray="4"/>']
    for at in range(BINS):
        one = ranked[at * len(ranked) // BINS : (at + 1) * len(ranked) // BINS]
        score, share = (sum(column) / len(one) for column in zip(*one, strict=True))
        spread = 1.96 * max(share * (1 - share) / len(one), 1 / (4 * len(one) ** 2)) ** 0.5
        x, low, high = 40 + 320 * score, max(share - spread, 0), min(share + spread, 1)
        shapes.append(f'<path d="M{x:.1f} {360 - 320 * low:.1f} V{360 - 320 * high:.1f}" stroke="#1f5fa8"/>')
        shapes.append(f'<circle cx="{x:.1f}" cy="{360 - 320 * share:.1f}" r="4" fill="#1f5fa8"/>')
    words = '<text x="200" y="392" text-anchor="middle">mean score</text>'
    words += '<text x="14" y="200" text-anchor="middle" transform="rotate(-90 14 200)">share that is defense</text>'
    frame = '<rect x="40" y="40" width="320" height="320" fill="none" stroke="#333"/>'
    return (
        "<!-- Calibration of the English model on held-out items: made by benchmarks/classifier.py, option plot. -->\n"
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" font-family="sans-serif" font-size="13">\n'
        + "\n".join((frame, *shapes, words))
        + "\n</svg>\n"
    )


def scored(judge: Judge, items: Sequence[Row]) -> tuple[list[int], list[float], list[float]]:
    """Labels, scores, and the CPU milliseconds of each item."""
    scores, spent = [], []
    for _, title, text in items:
        began = time.process_time()
        scores.append(judge(title, text))
        spent.append((time.process_time() - began) * 1_000)
    return [label for label, _, _ in items], scores, spent


def loading() -> float:
    """Milliseconds of CPU to read the model in a fresh process, imports apart; the least of three."""
    script = (
        "import time\nfrom pipeline.stages.classify import load\n"
        "began = time.process_time()\nload()\nprint((time.process_time() - began) * 1000)"
    )
    runs = [subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True) for _ in "123"]
    return min(float(run.stdout) for run in runs)


def figures(folder: Path | None, most: int, rounds: int) -> dict[str, Figure]:
    """Judge every set with both classifiers."""
    found: dict[str, Figure] = {}
    ours, peer = classifier(), keyword_filter
    marks = (("items", "F1", lambda truth, said: f1(truth, said)[0], 0.95), ("boundaries", "accuracy", accuracy, 0.92))
    for name, what, measure, reach in marks:
        rows = held_out(name)
        labels, scores, _ = scored(ours, rows)
        _, others, _ = scored(peer, rows)
        print(f"held-out {name}, {len(rows)}, {sum(labels)} defense")
        for who, said in (("ours", scores), ("keywords", others)):
            print(f"  {who:<9} {what} {with_interval(measure, labels, said, rounds)}  AUC {auc(labels, said):.3f}")
        found[f"held-out {name}: {what}"] = Figure(measure(labels, scores), measure(labels, others), reach)
        if name == "items":
            error = with_interval(calibration_error, labels, scores, rounds)
            print(f"  calibration error {error}")
            found["calibration error"] = Figure(calibration_error(labels, scores), None, 0.03, at_most=True)
    if folder is not None:
        rows = general(folder, most)
        labels, scores, spent = scored(ours, rows)
        _, others, _ = scored(peer, rows)
        alarms = [sum(score >= 0.5 for score in said) / len(said) for said in (scores, others)]
        print(f"false alarms on {len(rows)} rows of general news: {alarms[0]:.4f}, keywords {alarms[1]:.4f}")
        found["false alarms on general news"] = Figure(alarms[0], alarms[1], 0.005, at_most=True)
        ranked = sorted(spent)
        print(f"CPU ms an article: median {ranked[len(ranked) // 2]:.3f}, p95 {ranked[int(0.95 * len(ranked))]:.3f}")
        found["CPU ms an article, p95"] = Figure(ranked[int(0.95 * len(ranked))], None, 0.3, at_most=True)
    found["CPU ms to load"] = Figure(loading(), None, 150, at_most=True)
    return found


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a tenth of the items")
    options.add_argument("--plot", type=Path, help="write the calibration on the held-out items to this .svg, and end")
    asked = options.parse_args()
    if asked.plot:
        labels, scores, _ = scored(classifier(), held_out("items"))
        asked.plot.write_text(plot(labels, scores))
        return 0
    quick = asked.quick
    data = os.environ.get("DEFNEWS_DEV_DATA")
    if data is None:
        print("DEFNEWS_DEV_DATA is not set: false alarms on general news are not measured", file=sys.stderr)
    found = figures(Path(data) / "classify" if data else None, 1_000 if quick else 10_000, 50 if quick else 500)
    table = {
        name: {"ours": it.ours, "peer": it.peer, "ratio": it.ratio, "reach": it.reach, "holds": it.holds}
        for name, it in found.items()
    }
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "classifier", "figures": table, "machine": machine}))
    return 0 if all(it.holds for it in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
