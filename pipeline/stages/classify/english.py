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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.model import Article, Evidence, Label, Verdict
from pipeline.stages import words
from pipeline.stages.classify import lexicon
from pipeline.stages.classify.grams import FEWEST_PAIRS, PAIRS, Found, Grams, near
from pipeline.stages.classify.lexicon import Floats, Hits, Lexicon, Part, Reading

SUMMARY = 400  # characters of text; longer is calibrated as a whole article
STRONGEST = 16  # pieces of evidence that are named
MOST = 24  # words and pairs of words that are looked at for them
WEAKEST = 0.05  # log-odds; what is weaker goes into the base
LEAST_TOPIC = 0.5  # probability of a topic that is named; the likeliest always is

Parts = tuple[Part, Part]
Places = NDArray[np.intp]


class Scale(NamedTuple):
    """The calibration of one length of text: logit(score) = slope * sum + shift."""

    slope: float
    shift: float


@dataclass(frozen=True, slots=True)
class Network:
    """Rectifiers over concept counts; rows are the inputs: of `lexicon.counted` the roots, then `lexicon.rest_of`."""

    scale: Floats  # (inputs,) what an input is divided by
    weights: Floats  # (inputs, hidden)
    bias: Floats  # (hidden,)
    out: Floats  # (hidden,)


@dataclass(frozen=True, slots=True)
class Model:
    """What is learnt; `weights.py` reads and writes it."""

    name: str  # name@version
    grams: Grams  # of words and pairs of words: log-odds
    pairs: Mapping[tuple[int, int], float]  # of concepts: log-odds
    lexicon: Lexicon
    network: Network
    bias: float
    scales: dict[str, Scale]  # by length: headline, summary, article
    topics: tuple[str, ...]
    topic_weights: Floats  # (inputs + 1, topics), the last row is the bias


def length_of(text: str) -> str:
    """The name of the calibration for a text."""
    return "article" if len(text) > SUMMARY else "summary" if text.strip() else "headline"


class Inputs(NamedTuple):
    """The inputs of the network; concepts that do not occur are zero."""

    concepts: Places  # which occur, those of the text above all of the title
    roots: Floats  # of how often each occurs
    rest: Floats


class Seen(NamedTuple):
    """What the network makes of its inputs, and how much each of them would move it: exact, around here."""

    total: float
    concepts: Floats
    rest: Floats


class Pair(NamedTuple):
    """Two concepts beside each other, the places of their words, and what they add."""

    weight: float
    first: tuple[int, int]
    second: tuple[int, int]


class English:
    """The trained classifier of English text."""

    def __init__(self, model: Model, threshold: float, review: tuple[float, float]) -> None:
        self.name = model.name
        self._model = model
        self._network = Unscaled(model.network)
        self._topic_weights = model.topic_weights[:-1] / model.network.scale[:, None]
        self._threshold = threshold
        self._review = review

    def classify(self, article: Article) -> Verdict:
        """Say whether an article is defense-related, with the terms that moved the score most."""
        model = self._model
        reading = lexicon.read(model.lexicon.vectors, article.title, article.text)
        found = model.grams.of(reading)
        hits = self._hits(reading, found.starts)
        pairs = _pairs(reading.parts, hits, model.pairs)
        inputs = _inputs(reading.parts, hits, len(model.lexicon.concepts))
        seen = self._network.see(inputs)
        slope, shift = model.scales[length_of(article.text)]
        weighed = float(found.weights.sum()) + math.fsum(pair.weight for pair in pairs)
        logit = slope * (model.bias + seen.total + weighed) + shift
        sums = _meanings(reading, seen.rest, WEAKEST / slope)
        _add_words(sums, reading, found, pairs, 2 * WEAKEST / slope)
        _add_concepts(sums, reading.parts, hits, self._each(inputs, seen))
        evidence = _evidence(reading.parts, hits, sums, slope)
        score = 1 / (1 + math.exp(-logit))
        label = Label.DEFENSE if score >= self._threshold else Label.OTHER
        low, high = self._review
        return Verdict(
            label=label,
            score=score,
            threshold=self._threshold,
            needs_review=low <= score <= high,
            topics=self._topics(inputs) if label is Label.DEFENSE else (),
            evidence=evidence,
            classifier=self.name,
            base=logit - math.fsum(piece.weight for piece in evidence),
        )

    def _hits(self, reading: Reading, starts: Sequence[int]) -> tuple[Hits, Hits]:
        """The phrases of title and text; `starts` are words, or pairs of words, at which one may begin."""
        (title, text), count = reading.parts, len(reading.numbers)
        first, second = _parted([at if at < count else at - count for at in starts], text.begin)
        find = self._model.lexicon.phrases.find
        return [*find(title.words, first)], [*find(text.words, [at - text.begin for at in second])]

    def _each(self, inputs: Inputs, seen: Seen) -> dict[tuple[str, int], float]:
        """What each phrase adds by its concept, in each field: those of one concept have its root's share equally."""
        concepts = len(self._model.lexicon.concepts)
        shares = zip(inputs.concepts.tolist(), (seen.concepts / inputs.roots).tolist(), strict=True)
        return {("title", at) if at < concepts else ("text", at - concepts): share for at, share in shares}

    def _topics(self, inputs: Inputs) -> tuple[str, ...]:
        """The topics that are likely, the likeliest first."""
        weights = self._topic_weights
        logits = inputs.roots @ weights[inputs.concepts] + inputs.rest @ weights[-len(inputs.rest) :]
        logits += self._model.topic_weights[-1]
        ranked = sorted(zip(logits.tolist(), self._model.topics, strict=True), reverse=True)
        least = min(math.log(LEAST_TOPIC / (1 - LEAST_TOPIC)), ranked[0][0])
        return tuple(topic for logit, topic in ranked if logit >= least)


def _parted(places: Sequence[int], begin: int) -> tuple[list[int], list[int]]:
    """Those words that are of the title, and those of the text."""
    return [at for at in places if at < begin], [at for at in places if at >= begin]


class Unscaled:
    """A network, ready to see inputs as they are."""

    def __init__(self, network: Network) -> None:
        self._weights = network.weights / network.scale[:, None]
        self._bias = network.bias
        self._out = network.out

    def see(self, inputs: Inputs) -> Seen:
        """What it makes of its inputs."""
        concepts = self._weights.take(inputs.concepts, 0)
        rest = self._weights[-len(inputs.rest) :]
        hidden = inputs.roots @ concepts + inputs.rest @ rest + self._bias
        out = self._out * (hidden > 0)
        return Seen(float(hidden @ out), concepts @ out, rest @ out)


def _inputs(parts: Parts, hits: tuple[Hits, Hits], concepts: int) -> Inputs:
    counts = lexicon.counted(hits, concepts)
    roots = np.sqrt(np.array([*counts.values()], np.float32))
    return Inputs(np.array([*counts], np.intp), roots, lexicon.rest_of(parts))


def _pairs(parts: Parts, hits: tuple[Hits, Hits], weights: Mapping[tuple[int, int], float]) -> list[Pair]:
    """The different pairs of concepts that weigh, each where it stands last, in the title if it can."""
    spans = {}
    for part, found in zip(reversed(parts), reversed(hits), strict=True):
        begin = part.begin
        for first, second in near(found):
            places = (begin + first.start, begin + first.end), (begin + second.start, begin + second.end)
            spans[first.value, second.value] = places
    share = PAIRS / math.sqrt(max(len(spans), FEWEST_PAIRS))
    return [Pair(weights[pair] * share, *places) for pair, places in spans.items() if pair in weights]


def _meanings(reading: Reading, slopes: Floats, weakest: float) -> list[float]:
    """What is worth naming of what each word adds by its meaning; `slopes` are those of the inputs but the concepts."""
    sums = np.zeros(len(reading.numbers))
    at = 0
    for part in reading.parts:
        dimensions = part.vectors.shape[1]
        shares = part.vectors @ slopes[at : at + dimensions]
        sums[part.begin + part.known] = shares * (np.abs(shares) >= weakest)
        at += dimensions
    return sums.tolist()


def _add_words(sums: list[float], reading: Reading, found: Found, pairs: Sequence[Pair], weakest: float) -> None:
    """Add what is worth naming of the words and pairs, each where it stands first."""
    strong = (np.abs(found.weights) >= weakest).nonzero()[0]
    count = len(reading.numbers)
    moves = [
        (weight, [(at, at + 1) if at < count else (at - count, at - count + 2)])
        for weight, at in zip(found.weights[strong].tolist(), found.places[strong].tolist(), strict=True)
    ]
    moves += [(pair.weight, [pair.first, pair.second]) for pair in pairs if abs(pair.weight) >= weakest]
    moves.sort(key=lambda move: -abs(move[0]))
    for weight, spans in moves[:MOST]:
        for start, end in spans:
            _add(sums, start, end, weight / len(spans))


def _add_concepts(
    sums: list[float], parts: Parts, hits: tuple[Hits, Hits], shares: Mapping[tuple[str, int], float]
) -> None:
    """Add what each phrase adds by its concept, which its like share equally."""
    for part, found in zip(parts, hits, strict=True):
        for start, end, concept in found:
            _add(sums, part.begin + start, part.begin + end, shares[part.name, concept])


def _add(sums: list[float], start: int, end: int, weight: float) -> None:
    """Share a weight among some words."""
    for word in range(start, end):
        sums[word] += weight / (end - start)


def _evidence(parts: Parts, hits: tuple[Hits, Hits], sums: list[float], slope: float) -> tuple[Evidence, ...]:
    """What phrases add up to, and words where no phrase was found; the strongest, largest first."""
    lasts = {}
    for part, found in zip(parts, hits, strict=True):
        for hit in found:
            if hit.end > hit.start + 1:
                start, end = part.begin + hit.start, part.begin + hit.end
                lasts[start] = end - 1
                sums[start:end] = [math.fsum(sums[start:end]), *repeat(0.0, end - start - 1)]
    weakest = WEAKEST / slope
    strong = [(abs(weight), -word) for word, weight in enumerate(sums) if not -weakest < weight < weakest]
    chosen = [-word for _, word in sorted(strong, reverse=True)[:STRONGEST]]
    pieces: list[Evidence] = []
    for part, firsts in zip(parts, _parted(chosen, parts[1].begin), strict=True):
        places = words.places(part.text, {at - part.begin for word in firsts for at in (word, lasts.get(word, word))})
        for word in firsts:
            start, end = places[word - part.begin][0], places[lasts.get(word, word) - part.begin][1]
            pieces.append(Evidence(part.text[start:end], start, end, part.name, slope * sums[word]))
    return tuple(sorted(pieces, key=lambda piece: -piece.weight))
