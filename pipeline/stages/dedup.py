"""Article -> Fingerprint: the runs of words of a text, by which a near-duplicate and wire copy are known.

Every run of six words is hashed. Two texts are compared by the share of runs that they have in common, so that edits,
cut paragraphs and a frame around the text cost only the runs that they touch. The smallest hashes of a text are its
marks: texts that share most of their runs share a mark almost surely, and a mark is an index probe.
A report that is made anew every day from the same form, with other numbers, is no near-duplicate of yesterday's; and
what a site shows in place of many articles ("Subscribe to read on") is none of them.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

RUN = 6  # words
MARKS = 5  # of a text
MARK_BITS = 47  # a mark is a positive integer below 2**47: six bytes in a row of SQLite
FEWEST_RUNS = 12  # of a text that is compared
LEAST_SHARED = 0.55  # of the runs of the shorter text
LEAST_SIZE = 0.4  # of the longer text: a short text within a long one is quoted, not copied
WHOLE = 0.9  # from this share on numbers do not matter
FEWEST_NUMBERS = 3  # of a text that may be a form
LEAST_NUMBERS = 0.6  # of the numbers of a text, where the other has more: that other has them too
LONGEST_NOTICE = 60  # runs of a text that a site may show in place of articles
LEAST_OF_TITLE = 0.5  # of the words of the shorter title

# Words are written apart but in Chinese, Japanese and Thai, whose letters count as words.
_LETTERS = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_LETTERS}]|[^\W_{_LETTERS}]+")
_NUMBER = re.compile(r"\d+")
_GOLDEN, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(29)


class Kinship(StrEnum):
    """How two texts are related."""

    SAME = "same-text"  # word for word
    NEAR = "near-duplicate"  # edited
    SYNDICATED = "syndicated"  # one is mostly within the other: cut or framed


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """The runs of words of a text, and what else tells copies apart."""

    site: str  # registered domain
    title: frozenset[str]  # words
    runs: NDArray[np.uint64]  # hashes, sorted, each once
    numbers: frozenset[str]
    marks: tuple[int, ...]  # MARKS at most, ascending; none of a text that is too short to be compared


@dataclass(frozen=True, slots=True)
class Kin:
    """What two texts share."""

    kinship: Kinship
    shared: float  # share of the runs of the shorter text that the longer has, 0 to 1


def fingerprint(site: str, title: str, text: str) -> Fingerprint:
    """The runs of words of an article's text, case and punctuation aside."""
    tokens = _TOKEN.findall(text.casefold())
    words = np.fromiter(map(_hash, tokens), np.uint64, len(tokens))
    runs = _runs(words)
    marks = (runs[:MARKS] >> np.uint64(64 - MARK_BITS)).tolist() if len(runs) >= FEWEST_RUNS else []
    return Fingerprint(
        site=site,
        title=frozenset(_TOKEN.findall(title.casefold())),
        runs=runs,
        numbers=frozenset(_NUMBER.findall(text)),
        marks=tuple(dict.fromkeys(marks)),
    )


def kin(one: Fingerprint, other: Fingerprint) -> Kin | None:
    """How two articles' texts are related; None when neither is a copy of the other."""
    shorter, longer = sorted((one, other), key=lambda f: len(f.runs))
    if len(shorter.runs) < FEWEST_RUNS or len(shorter.runs) < LEAST_SIZE * len(longer.runs):
        return None
    both = len(np.intersect1d(shorter.runs, longer.runs, assume_unique=True))
    shared = both / len(shorter.runs)
    if shared < LEAST_SHARED or _are_filled_anew(shorter, longer, shared) or _are_a_notice(shorter, longer):
        return None
    if both == len(longer.runs):
        return Kin(Kinship.SAME, 1.0)
    is_cut = shared >= WHOLE and len(shorter.runs) < WHOLE * len(longer.runs)
    return Kin(Kinship.SYNDICATED if is_cut else Kinship.NEAR, shared)


def _are_filled_anew(one: Fingerprint, other: Fingerprint, shared: float) -> bool:
    """Whether two texts look like one form with other numbers in it."""
    fewer = min(len(one.numbers), len(other.numbers))
    return shared < WHOLE and fewer >= FEWEST_NUMBERS and len(one.numbers & other.numbers) < LEAST_NUMBERS * fewer


def _are_a_notice(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether two texts look like what one site shows in place of articles: short, under titles of their own."""
    if one.site != other.site or min(len(one.runs), len(other.runs)) > LONGEST_NOTICE:
        return False
    return len(one.title & other.title) < LEAST_OF_TITLE * min(len(one.title), len(other.title))


def _runs(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A hash of every RUN words in a row, sorted, each once."""
    mixed = np.zeros(max(len(words) - RUN + 1, 0), np.uint64)
    with np.errstate(over="ignore"):
        for at in range(RUN):
            mixed = (mixed ^ words[at : at + len(mixed)]) * _GOLDEN
            mixed ^= mixed >> _SHIFT
        mixed *= _MIX
        mixed ^= mixed >> _SHIFT
    return np.unique(mixed)


@lru_cache(maxsize=100_000)
def _hash(token: str) -> int:
    return crc32(token.encode(errors="surrogatepass"))
