"""Title and text -> Reading: the words that the English model reads, with what is known of them before it is trained.

Training and judging read alike, by these functions.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
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


class Reading(NamedTuple):
    """An article, read."""

    parts: tuple[Part, Part]  # title and lead
    numbers: Numbers  # of all words; an unknown one has a number of its own, above all that are known


def read(known: Mapping[str, int], title: str, text: str) -> Reading:
    """Read title and lead; `known` are the numbers of known words."""
    lead = text[:LEAD]
    first, second = words.read(title), words.read(lead)
    begin = len(first.keys)
    keys = [*first.keys, *second.keys]
    numbers = np.fromiter(map(known.get, keys, repeat(-1)), np.int64, len(keys))
    unknown: dict[str, int] = {}
    for at in (numbers < 0).nonzero()[0].tolist():
        numbers[at] = unknown.setdefault(keys[at], len(known) + len(unknown))
    return Reading((Part("title", title, 0, first), Part("text", lead, begin, second)), numbers)


def counted(hits: Iterable[Hits], concepts: int) -> dict[int, int]:
    """How often each concept occurs: the first inputs of the network, those of the title before those of the text."""
    counts: dict[int, int] = {}
    for first, found in zip((0, concepts), hits, strict=True):
        for hit in found:
            counts[first + hit.value] = counts.get(first + hit.value, 0) + 1
    return counts


def shape_of(reading: Reading) -> tuple[float, float, float]:
    """The last inputs of the network: has no title, length of the text in [0, 1], has no text."""
    title, text = (len(part.words.keys) for part in reading.parts)
    return float(not title), min(text, LONGEST) / LONGEST, float(not text)
