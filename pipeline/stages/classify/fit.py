"""Labelled items -> Model: how the English model is trained; needs the extra defnews[train].

The linear judge and the network are trained apart on the same items and added up, which measured better than either.
Items that their judges have not seen (five folds; a pair is never parted) give the calibration of each length.
Weights are rounded as the file keeps them, so that the file scores as what was trained. One thread and fixed seeds: the
same items make the same bytes on one machine and one lock.
"""

import hashlib
import math
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from pipeline.stages.classify import lexicon as reader
from pipeline.stages.classify.english import Model, Network, Scale, length_of
from pipeline.stages.classify.grams import FEWEST, FEWEST_PAIRS, PAIRS, STEP, Grams, begin_of, near, steps, tabled
from pipeline.stages.classify.lexicon import Lexicon
from pipeline.stages.classify.weights import halved

FOLDS = 5
SEEN = 3  # items that a word must occur in
STRENGTH = 2.0  # inverse of the linear judge's penalty
HIDDEN, NETWORKS, EPOCHS, BATCH, PENALTY = 48, 4, 6, 256, 1e-3
SHARE = 0.4  # of the weight that the defense-related items are given
TOPIC_STRENGTH = 0.3
LEAST_SPREAD = 0.05  # added to an input's standard deviation, so that a rare concept does not shout
WEAKEST_GRAM = 0.06  # log-odds; weaker ones are left out of the file

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Item:
    """A labelled text."""

    id: str
    title: str
    text: str
    target: float  # 1 defense-related, 0 not, between: doubtful
    weight: float
    pair: str  # items of one pair are in one fold
    topics: tuple[str, ...] = ()
    is_calibrating: bool = False  # labelled by the codebook, and like what the classifier will meet


class Seen(NamedTuple):
    """What the judges see of an item."""

    grams: dict[str, float]
    places: NDArray[np.intp]
    values: Array


class Learnt(NamedTuple):
    """What is kept in a model of grams and lexicon."""

    grams: Grams
    pairs: dict[tuple[int, int], float]
    lexicon: Lexicon


class Judges(NamedTuple):
    """Both judges and their bias; they add up to a sum that is not yet calibrated."""

    grams: dict[str, float]
    network: Network
    bias: float


def fit(items: Sequence[Item], lexicon: Lexicon, name: str) -> Model:
    """Train the model called `name`."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        seen = [look(lexicon, item.title, item.text) for item in items]
        judges = train(items, seen, lexicon.inputs)
        topics, weights = _topics(items, seen, judges.network)
        model = Model(
            name=name,
            **learnt(judges.grams, lexicon)._asdict(),
            network=judges.network,
            bias=judges.bias,
            scales={length: Scale(1.0, 0.0) for length in ("headline", "summary", "article")},
            topics=topics,
            topic_weights=weights,
        )
        return replace(model, scales=_scales(items, seen, lexicon.inputs))


def look(lexicon: Lexicon, title: str, text: str) -> Seen:
    """What the judges see of title and lead: grams as they are written, a pair of concepts as "3>17"."""
    parts = reader.read(lexicon.vectors, title, text).parts
    hits = [[*lexicon.phrases.find(part.words)] for part in parts]
    grams = {gram for part in parts for gram in (*part.words.keys, *map(" ".join, pairwise(part.words.keys)))}
    pairs = {f"{first.value}>{second.value}" for found in hits for first, second in near(found)}
    shares = dict.fromkeys(sorted(grams), 1 / math.sqrt(max(len(grams), FEWEST)))
    shares |= dict.fromkeys(sorted(pairs), PAIRS / math.sqrt(max(len(pairs), FEWEST_PAIRS)))
    counts = reader.counted(hits, len(lexicon.concepts))
    places = np.array([*counts, *range(2 * len(lexicon.concepts), lexicon.inputs)])
    roots = np.sqrt(np.array([*counts.values()], np.float32))
    return Seen(shares, places, np.concatenate((roots, reader.rest_of(parts))))


def learnt(grams: Mapping[str, float], lexicon: Lexicon) -> Learnt:
    """What the model holds of grams, "3>17" being a pair of concepts; and the lexicon, with all words that it needs."""
    pairs = {gram: weight for gram, weight in grams.items() if ">" in gram}
    weights = {gram: weight for gram, weight in grams.items() if gram not in pairs}
    starts = {begin_of(phrase) for listed in lexicon.phrases.index[0].values() for phrase, _ in listed}
    vectors = lexicon.vectors
    others = sorted({word for gram in weights.keys() | starts for word in gram.split()} - vectors.numbers.keys())
    numbers = {word: at for at, word in enumerate((*sorted(vectors.numbers, key=vectors.numbers.__getitem__), *others))}
    return Learnt(
        tabled(weights, starts, numbers),
        {(int(first), int(second)): weight for pair, weight in pairs.items() for first, second in [pair.split(">")]},
        lexicon._replace(vectors=vectors._replace(numbers=numbers)),
    )


def train(items: Sequence[Item], seen: Sequence[Seen], width: int) -> Judges:
    """Both judges, from the items given; `width` is the number of the network's inputs."""
    targets = np.array([item.target for item in items])
    weights = _balanced(targets, np.array([item.weight for item in items]))
    vocabulary = _vocabulary(seen)
    scale, inputs = _scaled(seen, width)
    linear = LogisticRegression(C=STRENGTH, solver="liblinear", max_iter=200, random_state=0)
    doubled, sides, shares = _both_sides(_matrix(seen, vocabulary), targets, weights)
    linear.fit(doubled, sides, sample_weight=shares)
    network, bias = _network(inputs, targets, weights)
    found = zip(vocabulary, linear.coef_[0].tolist(), strict=True)
    grams = {gram: steps(weight) * STEP for gram, weight in found if abs(weight) >= WEAKEST_GRAM}
    return Judges(grams, replace(network, scale=scale), bias + float(linear.intercept_[0]))


def total(judges: Judges, seen: Seen) -> float:
    """The sum of both judges, before calibration."""
    net = judges.network
    inputs = seen.values / net.scale[seen.places]
    hidden = np.maximum(inputs @ net.weights[seen.places] + net.bias, 0)
    by_network = float(hidden @ net.out)
    by_words = math.fsum(judges.grams[gram] * share for gram, share in seen.grams.items() if gram in judges.grams)
    return judges.bias + by_network + by_words


def folds(items: Sequence[Item]) -> Array:
    """The fold of each item, by its pair."""
    return np.array([int(hashlib.sha256(item.pair.encode()).hexdigest(), 16) % FOLDS for item in items])


def unseen_totals(items: Sequence[Item], seen: Sequence[Seen], width: int) -> Array:
    """The sum for each item by judges that were trained without its fold."""
    fold = folds(items)
    sums = np.zeros(len(items))
    for held in range(FOLDS):
        rest = np.flatnonzero(fold != held).tolist()
        judges = train([items[at] for at in rest], [seen[at] for at in rest], width)
        for at in np.flatnonzero(fold == held).tolist():
            sums[at] = total(judges, seen[at])
    return sums


def _scales(items: Sequence[Item], seen: Sequence[Seen], width: int) -> dict[str, Scale]:
    """Platt's calibration of each length, on sums by judges that had not seen the item."""
    sums = unseen_totals(items, seen, width)
    scales = {}
    for length in ("headline", "summary", "article"):
        chosen = [
            at
            for at, item in enumerate(items)
            if item.is_calibrating and length_of(item.text) == length and item.target in (0, 1)
        ]
        sides = [items[at].target for at in chosen]
        platt = LogisticRegression(C=1e3, solver="lbfgs").fit(sums[chosen].reshape(-1, 1), sides)
        scales[length] = Scale(float(platt.coef_[0, 0]), float(platt.intercept_[0]))
    return scales


def _network(inputs: Array, targets: Array, weights: Array) -> tuple[Network, float]:
    """Some small networks side by side, each with its share of the say; and their bias."""
    doubled, sides, shares = _both_sides(inputs, targets, weights)
    fitted = [
        MLPClassifier(
            (HIDDEN,),
            alpha=PENALTY,
            batch_size=min(BATCH, len(sides)),
            learning_rate_init=2e-3,
            max_iter=EPOCHS,
            random_state=seed,
        ).fit(doubled, sides, sample_weight=shares)
        for seed in range(NETWORKS)
    ]
    network = Network(
        scale=np.ones(inputs.shape[1], np.float32),
        weights=halved(np.hstack([net.coefs_[0] for net in fitted])),
        bias=halved(np.hstack([net.intercepts_[0] for net in fitted])),
        out=halved(np.hstack([net.coefs_[1][:, 0] / NETWORKS for net in fitted])),
    )
    return network, float(np.mean([net.intercepts_[1][0] for net in fitted]))


def _topics(items: Sequence[Item], seen: Sequence[Seen], network: Network) -> tuple[tuple[str, ...], Array]:
    """One linear judge a topic over the network's inputs, learnt from the items whose topics are known."""
    told = [at for at, item in enumerate(items) if item.topics and item.target > 0]
    inputs = _filled([seen[at] for at in told], len(network.scale)) / network.scale
    names = tuple(sorted({topic for at in told for topic in items[at].topics}))
    columns = []
    for name in names:
        sides = [name in items[at].topics for at in told]
        judge = LogisticRegression(C=TOPIC_STRENGTH, solver="liblinear", random_state=0).fit(inputs, sides)
        columns.append(np.append(judge.coef_[0], judge.intercept_[0]))
    return names, halved(np.array(columns).T)


def _balanced(targets: Array, weights: Array) -> Array:
    """The weights, with the defense-related items given their share; 1 on average."""
    share = float((weights * targets).sum() / weights.sum())
    balanced = weights * np.where(targets >= 0.5, SHARE / share, (1 - SHARE) / (1 - share))
    scaled: Array = balanced / balanced.mean()
    return scaled


def _vocabulary(seen: Sequence[Seen]) -> dict[str, int]:
    """The column of each gram that is frequent enough."""
    counts: Counter[str] = Counter()
    for one in seen:
        counts.update(one.grams.keys())
    return {gram: at for at, gram in enumerate(sorted(gram for gram, count in counts.items() if count >= SEEN))}


def _matrix(seen: Sequence[Seen], vocabulary: dict[str, int]) -> Any:
    columns, values, ends = [], [], [0]
    for one in seen:
        for gram, share in one.grams.items():
            if gram in vocabulary:
                columns.append(vocabulary[gram])
                values.append(share)
        ends.append(len(columns))
    return csr_matrix((values, columns, ends), shape=(len(seen), len(vocabulary)))


def _filled(seen: Sequence[Seen], width: int) -> Array:
    inputs = np.zeros((len(seen), width), np.float32)
    for row, one in zip(inputs, seen, strict=True):
        row[one.places] = one.values
    return inputs


def _scaled(seen: Sequence[Seen], width: int) -> tuple[Array, Array]:
    """What each input is divided by, and the inputs so divided."""
    inputs = _filled(seen, width)
    scale = halved(inputs.std(axis=0) + LEAST_SPREAD)
    return scale, inputs / scale


def _both_sides(inputs: Any, targets: Array, weights: Array) -> tuple[Any, Array, Array]:
    """Doubtful items stand on both sides, with their share of the weight on each."""
    doubtful = np.flatnonzero((targets > 0) & (targets < 1))
    stack = vstack if isinstance(inputs, csr_matrix) else np.vstack
    sides = np.append(np.where(targets > 0, 1, 0), np.zeros(len(doubtful), int))
    first = np.where((targets > 0) & (targets < 1), weights * targets, weights)
    return stack([inputs, inputs[doubtful]]), sides, np.append(first, (weights * (1 - targets))[doubtful])
