"""Title and text -> Reading: the words that the English model reads, with what is known of them before it is trained.

Training and judging read alike, by these functions.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.stages import words
from pipeline.stages.words import Hit, Phrases, Words

LEAD = 1_000  # characters of the text that are read
SHAPE = 3  # inputs of the network that describe the length
LONGEST = 60  # words of text; more are as many, to the network

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]
Hits = Sequence[Hit[int]]


class Vectors(NamedTuple):
    """What words mean, as points: words that are used alike lie close."""

    numbers: Mapping[str, int]  # of each known word; those that have a vector come first
    rows: NDArray[np.int8]  # (words that have one, dimensions)
    scale: Floats  # (dimensions,) what a unit of a row is worth

    def of(self, numbers: Numbers) -> tuple[Numbers, Floats]:
        """Which of the words have a vector; and their vectors, each over the root of their number: as it counts."""
        known = np.flatnonzero(numbers < len(self.rows))
        return known, self.rows.take(numbers.take(known), 0) * (self.scale / math.sqrt(len(known) + 1))


class Lexicon(NamedTuple):
    """What is known of words before anything is learnt from labelled items."""

    concepts: tuple[str, ...]
    phrases: Phrases[int]  # the concept of each
    vectors: Vectors

    @property
    def inputs(self) -> int:
        """How many inputs the network has."""
        return 2 * len(self.concepts) + 2 * len(self.vectors.scale) + SHAPE


class Part(NamedTuple):
    """One field of an article, read."""

    name: str  # title or text
    text: str
    begin: int  # how many words of other parts come before
    words: Words
    known: Numbers  # which words have a vector
    vectors: Floats  # (known, dimensions) what each adds to the meaning of the whole


class Reading(NamedTuple):
    """An article, read."""

    parts: tuple[Part, Part]  # title and lead
    numbers: Numbers  # of all words; an unknown one has a number of its own, above all that are known


def read(vectors: Vectors, title: str, text: str) -> Reading:
    """Read title and lead."""
    lead = text[:LEAD]
    first, second = words.read(title), words.read(lead)
    begin = len(first.keys)
    keys = chain(first.keys, second.keys)
    numbers = np.fromiter(map(vectors.numbers.get, keys, repeat(-1)), np.int64, begin + len(second.keys))
    unknown: dict[str, int] = {}
    for at in np.flatnonzero(numbers < 0).tolist():
        key = first.keys[at] if at < begin else second.keys[at - begin]
        numbers[at] = unknown.setdefault(key, len(vectors.numbers) + len(unknown))
    parts = (
        Part("title", title, 0, first, *vectors.of(numbers[:begin])),
        Part("text", lead, begin, second, *vectors.of(numbers[begin:])),
    )
    return Reading(parts, numbers)


def counted(hits: Iterable[Hits], concepts: int) -> dict[int, int]:
    """How often each concept occurs: the first inputs of the network, those of the title before those of the text."""
    counts: dict[int, int] = {}
    for first, found in zip((0, concepts), hits, strict=True):
        for hit in found:
            counts[first + hit.value] = counts.get(first + hit.value, 0) + 1
    return counts


def rest_of(parts: tuple[Part, Part]) -> Floats:
    """The other inputs of the network.

    They are the meaning of the title, that of the text, and the shape: has no title, length of the text in [0, 1], has
    no text.
    """
    title, text = (len(part.words.keys) for part in parts)
    shape = np.array((not title, min(text, LONGEST) / LONGEST, not text), np.float32)
    return np.concatenate([*(np.add.reduce(part.vectors) for part in parts), shape])
