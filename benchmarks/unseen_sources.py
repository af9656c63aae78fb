"""How well the English model judges a source that it has never seen, beside TF-IDF with logistic regression.

Each source below $DEFNEWS_DEV_DATA/classify is left out in turn, with our readings of it; both are trained on all
the rest. F1 is taken at the cut that is best on the other sources when those are left out. Their labels follow other
definitions than ours, and hold known noise: the figures compare, they do not grade.
"""

import argparse
import json
import os
import platform
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from classifier import TRAINING, Figure, auc
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from pipeline.entrypoints import training
from pipeline.stages.classify import fit

SOURCES = {
    "newspaper headlines 1996-2006": ("nyt_cap",),
    "politicians' statements": ("liar",),
    "encyclopedia news": ("train_wiki", "dev_wiki2019", "wiki2020", "unlabelled_wiki"),
}
REACH = {"newspaper headlines 1996-2006": 0.76, "politicians' statements": 0.80}
AHEAD = 0.04  # of the peer, where there is no mark

Scores = tuple[list[float], list[float]]  # ours, the peer's


def best_f1(labels: Sequence[float], scores: Sequence[float], cut: float) -> float:
    """F1 at a cut."""
    said = [score >= cut for score in scores]
    right = sum(label == 1 and yes for label, yes in zip(labels, said, strict=True))
    return 2 * right / max(sum(said) + sum(label == 1 for label in labels), 1)


def cuts(scores: Sequence[float]) -> list[float]:
    """Forty cuts between the lowest and the highest score."""
    return [float(cut) for cut in np.quantile(scores, np.linspace(0.5, 0.995, 40))]


def peer(train: Sequence[fit.Item], test: Sequence[fit.Item]) -> list[float]:
    """TF-IDF of words and pairs with logistic regression, on the same items and weights."""
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=3, max_features=120_000, sublinear_tf=True)
    matrix = words.fit_transform([f"{item.title} {item.text}" for item in train])
    judge = LogisticRegression(C=3, class_weight="balanced", solver="liblinear", max_iter=200)
    judge.fit(matrix, [item.target >= 0.5 for item in train], sample_weight=[item.weight for item in train])
    return [
        float(score)
        for score in judge.decision_function(words.transform([f"{item.title} {item.text}" for item in test]))
    ]


def left_out(items: Sequence[fit.Item], seen: Sequence[fit.Seen], names: tuple[str, ...], width: int) -> Scores:
    """The scores of a source by judges that never saw it."""
    of = [item.id.partition("/")[0] in names for item in items]
    rest = [at for at, is_out in enumerate(of) if not is_out]
    asked = [at for at, item in enumerate(items) if of[at] and item.weight < training.READ]
    judges = fit.train([items[at] for at in rest], [seen[at] for at in rest], width)
    ours = [fit.total(judges, seen[at]) for at in asked]
    return ours, peer([items[at] for at in rest], [items[at] for at in asked])


def original(folder: Path, ours: training.Own) -> list[fit.Item]:
    """All rows with their own labels: what is judged; those that we read are trained on by our reading."""
    plain = training.Own([], {}, ours.sets, ours.lexicon)
    return training.third_party(plain, [folder])[0]


def main() -> int:
    """Measure, print the table and the JSON line; 0 only when every figure holds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a fifth of the items")
    quick = options.parse_args().quick
    data = os.environ.get("DEFNEWS_DEV_DATA")
    if data is None:
        print("DEFNEWS_DEV_DATA is not set: it names the directory of the labelled sets", file=sys.stderr)
        return 1
    ours = training.own(TRAINING)
    third, _ = training.third_party(ours, [Path(data) / "classify"])
    read = [item for item in third if item.id.count("/") and item.weight >= training.READ]
    items = [*ours.items, *original(Path(data) / "classify", ours), *read]
    if quick:
        items = random.Random(0).sample(items, len(items) // 5)
    seen = [fit.look(ours.lexicon, item.title, item.text) for item in items]
    scores: dict[str, Scores] = {}
    labels = {}
    with threadpool_limits(1):
        for source, sets in SOURCES.items():
            began = time.monotonic()
            scores[source] = left_out(items, seen, sets, ours.lexicon.inputs)
            labels[source] = [
                item.target for item in items if item.id.partition("/")[0] in sets and item.weight < training.READ
            ]
            print(f"{source}: {len(labels[source])} items, {time.monotonic() - began:.0f} s", file=sys.stderr)
    found = {}
    print(f"{'source':<32} {'F1':>6} {'peer':>6} {'AUC':>6} {'peer':>6}")
    for source in SOURCES:
        pair = []
        for who in (0, 1):
            others = [other for other in SOURCES if other != source]
            cut = max(
                cuts(scores[others[0]][who] + scores[others[1]][who]),
                key=lambda cut: sum(best_f1(labels[other], scores[other][who], cut) for other in others),
            )
            truth = [int(label) for label in labels[source]]
            pair.append((best_f1(labels[source], scores[source][who], cut), auc(truth, scores[source][who])))
        (f1, area), (peer_f1, peer_area) = pair
        print(f"{source:<32} {f1:>6.3f} {peer_f1:>6.3f} {area:>6.3f} {peer_area:>6.3f}")
        found[f"{source}: F1"] = Figure(f1, peer_f1, REACH.get(source, peer_f1 + AHEAD))
    table = {
        name: {"ours": it.ours, "peer": it.peer, "ratio": it.ratio, "reach": it.reach, "holds": it.holds}
        for name, it in found.items()
    }
    machine = f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}"
    print(json.dumps({"benchmark": "unseen_sources", "figures": table, "machine": machine}))
    return 0 if all(it.holds for it in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
