"""Words -> weights: what is learnt of words, of pairs of neighbours and of pairs of concepts, looked up all at once.

The code of a word is its number, that of two neighbours holds both numbers. A table of all codes that are known is
kept by a hash of each, so that those of an article are found in it by few operations on arrays.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.stages import words
from pipeline.stages.classify.lexicon import Hits, Reading
from pipeline.stages.words import Hit

FEWEST = 4  # words and pairs; fewer are weighed as if there were as many
PAIRS = 0.5  # factor of the pairs of concepts
FEWEST_PAIRS = 2
NEAR = 5  # words between two concepts that are weighed as a pair
STEP = 1 / 256  # log-odds; all weights are whole numbers of it

_SECOND = np.uint64(32)  # bits of a code below the first of two words
_NONE = np.uint64(2**64 - 1)  # the code of the last word of the title with the first of the text
_END = np.uint64(2**64 - 2)  # behind the table
_MIXER = np.uint64(0x9E3779B97F4A7C15)  # 2 ** 64 over the golden ratio
_HASHED = np.uint64(48)  # bits of a mixed code that are no part of its hash
_HASHES = 2**16

Codes = NDArray[np.uint64]


class Grams:
    """The table: of each code its weight, and whether a phrase of the lexicon begins so."""

    def __init__(self, codes: Codes, steps: NDArray[np.int16], is_start: NDArray[np.bool_]) -> None:
        hashes = (codes * _MIXER >> _HASHED).astype(np.uint16)
        order = hashes.argsort(kind="stable")
        counts = np.bincount(hashes, minlength=_HASHES)
        self._begins = np.concatenate(([0], counts.cumsum()[:-1]))  # of the codes of each hash
        self._places = np.arange(max(counts.max(), 1))  # among those of one hash
        self._codes = np.append(codes[order], np.full(len(self._places), _END))
        self.steps = steps[order]
        self._weights = self.steps * STEP
        self.is_start = is_start[order]

    @property
    def codes(self) -> Codes:
        """All codes, by their hash; `steps` and `is_start` have the same order."""
        return self._codes[: len(self.steps)]

    def of(self, reading: Reading) -> "Found":
        """What is known of the words and pairs of an article."""
        codes = _codes(reading)
        order = codes.argsort(kind="stable")
        codes = codes[order]
        is_first = np.ones(len(codes), bool)
        np.not_equal(codes[1:], codes[:-1], out=is_first[1:])
        begins = self._begins.take((codes * _MIXER >> _HASHED).view(np.int64))
        candidates = begins[:, None] + self._places
        known, place = (self._codes.take(candidates) == codes[:, None]).nonzero()
        slots = begins.take(known) + place
        order = order.take(known)
        different = np.count_nonzero(is_first) - (0 < reading.parts[1].begin < len(reading.numbers))
        share = 1 / math.sqrt(max(different, FEWEST))
        weights = self._weights.take(slots) * share * is_first.take(known)
        return Found(order, weights, order[self.is_start.take(slots)].tolist())


class Found(NamedTuple):
    """What is known of an article."""

    places: NDArray[np.intp]  # of the words and pairs that are known: first all words, then each word with its next
    weights: NDArray[np.float64]  # what each adds, at its first place; 0 at others
    starts: list[int]  # the places at which a phrase may begin


def _codes(reading: Reading) -> Codes:
    """The codes of all words, then of each word with its next."""
    numbers = reading.numbers.view(np.uint64)
    pairs = numbers[:-1] + np.uint64(1) << _SECOND | numbers[1:]
    begin = reading.parts[1].begin
    if 0 < begin < len(numbers):
        pairs[begin - 1] = _NONE
    return np.concatenate((numbers, pairs))


def steps(weight: float) -> int:
    """A weight as it is kept."""
    return round(weight / STEP)


def tabled(weights: Mapping[str, float], starts: Iterable[str], numbers: Mapping[str, int]) -> Grams:
    """The table of words and pairs as they are written, with a space between; so are the beginnings of phrases."""
    is_start = frozenset(starts)
    coded = sorted((_code(gram, numbers), gram) for gram in weights.keys() | is_start)
    codes = np.array([code for code, _ in coded], np.uint64)
    kept = np.array([steps(weights.get(gram, 0)) for _, gram in coded], np.int16)
    return Grams(codes, kept, np.array([gram in is_start for _, gram in coded], bool))


def _code(gram: str, numbers: Mapping[str, int]) -> int:
    """The code of a word, or of two."""
    first, _, second = gram.partition(" ")
    return (numbers[first] + 1) << int(_SECOND) | numbers[second] if second else numbers[first]


def begin_of(phrase: str) -> str:
    """How a phrase begins: with one word that is all of it, or with two."""
    return " ".join(words.read(phrase).keys[:2])


def near(hits: Hits) -> Iterator[tuple[Hit[int], Hit[int]]]:
    """Each two concepts that follow each other closely."""
    for first, second in pairwise(hits):
        if second.start - first.end <= NEAR:
            yield first, second
