"""Article -> Verdict: the trained model for English, whose evidence adds up.

How it reads. Title and the first 1,000 characters are cut into words. Two judges add up to one number, in log-odds.
The first weighs words, pairs of neighbours and pairs of concepts: the sum of their weights over the square root of how
many there are, so that length alone moves nothing. The second sees concepts (force, weapon, sport, court, firm ...):
each phrase of the lexicon and each name of the gazetteer counts for its concept, in title and text apart, and a small
network of rectifiers weighs them against each other, so that "defence" beside "chess" is no force. The same network
sees what the words of title and text mean on average, by a vector of each word that a sentence encoder once gave: so it
knows words that no labelled item holds. Such a network is linear around each input, so the share of each phrase and
word is exact and no estimate. A calibration by length makes the sum a probability.
base + the weights of all evidence = logit(score).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.model import Article, Evidence, Label, Verdict
from pipeline.stages import words
from pipeline.stages.words import Hit, Phrases, Words

LEAD = 1_000  # characters of the text that are read
SUMMARY = 400  # characters of text; longer is calibrated as a whole article
SHAPE = 3  # inputs of the network that describe the length
LONGEST = 60  # words of text; more are as many, to the network
FEWEST = 4  # words and pairs; fewer are weighed as if there were as many
PAIRS = 0.5  # factor of the pairs of concepts
FEWEST_PAIRS = 2
NEAR = 5  # words between two concepts that are weighed as a pair
STRONGEST = 16  # pieces of evidence that are named
MOST = 24  # words and pairs of words that are looked at for them
WEAKEST = 0.05  # log-odds; what is weaker goes into the base
LEAST_TOPIC = 0.5  # probability of a topic that is named; the likeliest always is

Floats = NDArray[np.float32]
Places = NDArray[np.intp]


class Scale(NamedTuple):
    """The calibration of one length of text: logit(score) = slope * sum + shift."""

    slope: float
    shift: float


@dataclass(frozen=True, slots=True)
class Network:
    """Rectifiers over concept counts; rows are the inputs of `inputs`."""

    scale: Floats  # (inputs,) what an input is divided by
    weights: Floats  # (inputs, hidden)
    bias: Floats  # (hidden,)
    out: Floats  # (hidden,)


class Vectors(NamedTuple):
    """What words mean, as points: words that are used alike lie close."""

    places: dict[str, int]  # the row of each word
    rows: NDArray[np.int8]  # (words, dimensions)
    scale: Floats  # (dimensions,) what a unit of a row is worth

    def of(self, keys: Sequence[str]) -> tuple[Places, Floats]:
        """Which of the words are known; and their vectors, each over the root of their number: as it counts."""
        found = np.fromiter(map(self.places.get, keys, repeat(-1)), np.intp, len(keys))
        known = np.flatnonzero(found >= 0)
        return known, self.rows[found[known]] * (self.scale / math.sqrt(len(known) + 1))


class Lexicon(NamedTuple):
    """What is known of words before anything is learnt from labelled items."""

    concepts: tuple[str, ...]
    phrases: Phrases[int]  # the concept of each
    vectors: Vectors

    @property
    def inputs(self) -> int:
        """How many inputs the network has."""
        return 2 * len(self.concepts) + 2 * len(self.vectors.scale) + SHAPE


@dataclass(frozen=True, slots=True)
class Model:
    """What is learnt; `weights.py` reads and writes it."""

    name: str  # name@version
    grams: dict[str, float]  # of a word, of two words, of two concepts as "3>17": log-odds
    lexicon: Lexicon
    network: Network
    bias: float
    scales: dict[str, Scale]  # by length: headline, summary, article
    topics: tuple[str, ...]
    topic_weights: Floats  # (inputs + 1, topics), the last row is the bias


class Part(NamedTuple):
    """One field of an article, read."""

    name: str  # title or text
    text: str
    begin: int  # how many words of other parts come before
    words: Words
    grams: list[str]  # its words, then its pairs of neighbours
    hits: tuple[Hit[int], ...]
    known: Places  # which words have a vector
    vectors: Floats  # (known, dimensions) what each adds to the meaning of the whole


def length_of(text: str) -> str:
    """The name of the calibration for a text."""
    return "article" if len(text) > SUMMARY else "summary" if text.strip() else "headline"


def parts_of(lexicon: Lexicon, title: str, text: str) -> tuple[Part, Part]:
    """Title and lead, read."""
    first = _part(lexicon, "title", title, 0)
    return first, _part(lexicon, "text", text[:LEAD], len(first.words.keys))


def _part(lexicon: Lexicon, name: str, text: str, begin: int) -> Part:
    read = words.read(text)
    grams = [*read.keys, *map(" ".join, pairwise(read.keys))]
    return Part(name, text, begin, read, grams, tuple(lexicon.phrases.find(read)), *lexicon.vectors.of(read.keys))


def pairs_of(part: Part) -> Iterator[tuple[str, Hit[int], Hit[int]]]:
    """Each two concepts that follow each other closely."""
    for first, second in pairwise(part.hits):
        if second.start - first.end <= NEAR:
            yield f"{first.value}>{second.value}", first, second


class Grams(NamedTuple):
    """The different words and pairs of an article, and for how much each counts."""

    words: frozenset[str]  # and pairs of neighbours
    share: float
    pairs: frozenset[str]  # of concepts
    pair_share: float


def grams_of(parts: tuple[Part, Part]) -> Grams:
    """The different words, pairs of neighbours and pairs of concepts of an article."""
    found = frozenset(parts[0].grams + parts[1].grams)
    pairs = frozenset(pair for part in parts for pair, _, _ in pairs_of(part))
    shares = 1 / math.sqrt(max(len(found), FEWEST)), PAIRS / math.sqrt(max(len(pairs), FEWEST_PAIRS))
    return Grams(found, shares[0], pairs, shares[1])


def weighed(grams: Grams, known: Mapping[str, float]) -> dict[str, float]:
    """What each known one of them adds."""
    weights = {gram: known[gram] * grams.share for gram in known.keys() & grams.words}
    return weights | {pair: known[pair] * grams.pair_share for pair in known.keys() & grams.pairs}


def inputs_of(parts: tuple[Part, Part], concepts: int) -> tuple[Places, Floats]:
    """Which inputs of the network may not be zero, and what they are.

    Concepts of the title come first, then those of the text: square roots of how often each occurs. Then the
    meaning of the title, and of the text. The last three are the shape: has no title, length of the text in [0, 1], has
    no text.
    """
    counts: dict[int, int] = {}
    for first, part in zip((0, concepts), parts, strict=True):
        for hit in part.hits:
            counts[first + hit.value] = counts.get(first + hit.value, 0) + 1
    title, text = (len(part.words.keys) for part in parts)
    means = [np.add.reduce(part.vectors) for part in parts]
    shape = np.array((not title, min(text, LONGEST) / LONGEST, not text), np.float32)
    end = 2 * concepts + 2 * len(means[0]) + SHAPE
    places = np.array([*counts, *range(2 * concepts, end)])
    return places, np.concatenate((np.sqrt(np.array([*counts.values()], np.float32)), *means, shape))


class Move(NamedTuple):
    """What some words of an article add to the sum; those of the text follow those of the title."""

    start: int
    end: int
    weight: float


class English:
    """The trained classifier of English text."""

    def __init__(self, model: Model, threshold: float, review: tuple[float, float]) -> None:
        self.name = model.name
        self._model = model
        self._threshold = threshold
        self._review = review

    def classify(self, article: Article) -> Verdict:
        """Say whether an article is defense-related, with the terms that moved the score most."""
        model = self._model
        parts = parts_of(model.lexicon, article.title, article.text)
        places, values = inputs_of(parts, len(model.lexicon.concepts))
        scale = model.network.scale[places]
        inputs = values / scale
        by_network, slopes = through(model.network, places, inputs)
        weights = weighed(grams_of(parts), model.grams)
        slope, shift = model.scales[length_of(article.text)]
        logit = slope * (model.bias + by_network + math.fsum(weights.values())) + shift
        moves = [
            *_word_moves(parts, weights, 2 * WEAKEST / slope),
            *_concept_moves(parts, places, slopes * inputs, len(model.lexicon.concepts)),
            *_meaning_moves(parts, slopes / scale, WEAKEST / slope),
        ]
        evidence = _evidence(parts, moves, slope)
        score = 1 / (1 + math.exp(-logit))
        label = Label.DEFENSE if score >= self._threshold else Label.OTHER
        low, high = self._review
        return Verdict(
            label=label,
            score=score,
            threshold=self._threshold,
            needs_review=low <= score <= high,
            topics=self._topics(places, inputs) if label is Label.DEFENSE else (),
            evidence=evidence,
            classifier=self.name,
            base=logit - math.fsum(piece.weight for piece in evidence),
        )

    def _topics(self, places: Places, inputs: Floats) -> tuple[str, ...]:
        """The topics that are likely, the likeliest first."""
        model = self._model
        logits = inputs @ model.topic_weights[places] + model.topic_weights[-1]
        ranked = sorted(zip(logits.tolist(), model.topics, strict=True), reverse=True)
        least = min(math.log(LEAST_TOPIC / (1 - LEAST_TOPIC)), ranked[0][0])
        return tuple(topic for logit, topic in ranked if logit >= least)


def through(network: Network, places: Places, inputs: Floats) -> tuple[float, Floats]:
    """What the network says of its inputs that are not zero, and how much each would move it: exact, around here."""
    weights = network.weights[places]
    hidden = inputs @ weights + network.bias
    out = np.where(hidden > 0, network.out, np.float32(0))
    return float(hidden @ out), weights @ out


def _word_moves(parts: tuple[Part, Part], weights: dict[str, float], weakest: float) -> Iterator[Move]:
    """What is worth naming of the words and pairs, each where it stands first."""
    strong = [(gram, weight) for gram, weight in weights.items() if not -weakest < weight < weakest]
    strong.sort(key=lambda move: (-abs(move[1]), move[0]))
    pairs = {pair: (parts[at].begin, first, second) for at in (1, 0) for pair, first, second in pairs_of(parts[at])}
    title = parts[0].grams
    for gram, weight in strong[:MOST]:
        if gram in pairs:
            begin, first, second = pairs[gram]
            yield Move(begin + first.start, begin + first.end, weight / 2)
            yield Move(begin + second.start, begin + second.end, weight / 2)
        else:
            part = parts[0 if gram in title else 1]
            place, count = part.grams.index(gram), len(part.words.keys)
            start = part.begin + (place if place < count else place - count)
            yield Move(start, start + 2 if " " in gram else start + 1, weight)


def _concept_moves(parts: tuple[Part, Part], places: Places, by_input: Floats, concepts: int) -> Iterator[Move]:
    """What each phrase adds by its concept, which its like share equally."""
    shares = dict(zip(places.tolist(), by_input.tolist(), strict=True))
    for first, part in zip((0, concepts), parts, strict=True):
        alike: defaultdict[int, list[Hit[int]]] = defaultdict(list)
        for hit in part.hits:
            alike[hit.value].append(hit)
        for concept, hits in alike.items():
            share = shares[first + concept] / len(hits)
            yield from (Move(part.begin + hit.start, part.begin + hit.end, share) for hit in hits)


def _meaning_moves(parts: tuple[Part, Part], slopes: Floats, weakest: float) -> Iterator[Move]:
    """What is worth naming of what each word adds by its meaning; `slopes` are those of the inputs."""
    dimensions = parts[0].vectors.shape[1]
    end = len(slopes) - SHAPE
    for part, first in zip(parts, (end - 2 * dimensions, end - dimensions), strict=True):
        shares = part.vectors @ slopes[first : first + dimensions]
        found = np.flatnonzero(np.abs(shares) >= weakest)
        for word, share in zip((part.begin + part.known[found]).tolist(), shares[found].tolist(), strict=True):
            yield Move(word, word + 1, share)


def _evidence(parts: tuple[Part, Part], moves: Iterable[Move], slope: float) -> tuple[Evidence, ...]:
    """The moves added up by phrase, or by word where no phrase was found; the strongest, largest first."""
    hits = [(part.begin + hit.start, part.begin + hit.end) for part in parts for hit in part.hits]
    firsts = {word: start for start, end in hits for word in range(start, end)}  # of the phrase that a word is in
    sums: defaultdict[int, float] = defaultdict(float)
    for start, end, weight in moves:
        share = slope * weight / (end - start)
        for word in range(start, end):
            sums[firsts.get(word, word)] += share
    ranked = sorted(sums.items(), key=lambda item: -abs(item[1]))[:STRONGEST]
    named = [(first, weight) for first, weight in ranked if abs(weight) >= WEAKEST]
    ends = dict(hits)
    second = parts[1].begin
    found = []
    fields = [it for it in named if it[0] < second], [it for it in named if it[0] >= second]
    for part, chosen in zip(parts, fields, strict=True):
        spans = [(first - part.begin, ends.get(first, first + 1) - part.begin - 1) for first, _ in chosen]
        places = words.places(part.text, {word for span in spans for word in span})
        for (first, last), (_, weight) in zip(spans, chosen, strict=True):
            start, end = places[first][0], places[last][1]
            found.append(Evidence(part.text[start:end], start, end, part.name, weight))
    return tuple(sorted(found, key=lambda piece: -piece.weight))
