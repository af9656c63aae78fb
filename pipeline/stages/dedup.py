"""Article -> Fingerprint: the runs of words of a text, by which a near-duplicate and wire copy are known.

Every run of six words is hashed. Two texts are compared by the share of runs that they have in common, so that edits,
cut paragraphs and a frame around the text cost only the runs that they touch. The smallest hashes of a text are its
marks: texts that share most of their runs share a mark almost surely, and a mark is an index probe.
Three kinds of text look alike and are no near-duplicates: a report with a beginning of its own above the background
that its outlet repeats for weeks; one that is made anew every day from the same form, with other numbers; and what a
site shows in place of many articles ("Subscribe to read on").
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from heapq import nsmallest
from itertools import chain, repeat

RUN = 6  # words
MARKS = 12  # of a text
MARK_BITS = 47  # a mark is a positive integer below 2**47: six bytes in a row of SQLite
LEAD = 60  # words, and LEAST_OF_LEAD of their runs stand anywhere in the other text
LEAST_OF_LEAD = 0.25
FEWEST_RUNS = 12  # of a text that is compared
LEAST_SHARED = 0.55  # of the runs of the shorter text
LEAST_SIZE = 0.4  # of the longer text: a short text within a long one is quoted, not copied
WHOLE = 0.9  # from this share on numbers do not matter
FEWEST_NUMBERS = 3  # of a text that may be a form
LEAST_NUMBERS = 0.6  # of the numbers of a text, where the other has more: that other has them too
LONGEST_NOTICE = 60  # runs of a text that a site may show in place of articles
LEAST_OF_TITLE = 0.5  # of the words of the shorter title
MOST_OWN = 0.35  # of the runs of a copy: one that has more to say is a report of its own
MOST_OWN_AT_HOME = 0.1  # where a site goes on with its own report

# Words are written apart but in Chinese, Japanese and Thai, whose letters count as words.
_LETTERS = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_LETTERS}]|[^\W_{_LETTERS}]+")
_HARD = re.compile(f"[_{_LETTERS}]")  # what only that pattern takes apart
_WORD = re.compile(r"\w+")
_ASCII = bytes(code if chr(code).isalnum() and code < 128 else ord(" ") for code in range(256))
_NUMBER = re.compile(r"\d+")
_PRIME = 2**61 - 1
_BASE = 0x1F58476D1CE4E5B9  # any large number below the prime
_LEAVING = pow(_BASE, RUN, _PRIME)


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
    runs: frozenset[int]  # hashes of 61 bits
    lead: frozenset[int]  # those of its beginning
    numbers: frozenset[str]
    marks: tuple[int, ...]  # MARKS at most, ascending; none of a text that is too short to be compared


@dataclass(frozen=True, slots=True)
class Kin:
    """What two texts share."""

    kinship: Kinship
    shared: float  # share of the runs of the shorter text that the longer has, 0 to 1


def fingerprint(site: str, title: str, text: str) -> Fingerprint:
    """The runs of words of an article's text, case and punctuation aside."""
    tokens = _tokens(text)
    hashed = _runs(tokens)
    runs = frozenset(hashed)
    smallest = nsmallest(MARKS, runs) if len(runs) >= FEWEST_RUNS else ()
    return Fingerprint(
        site=site,
        title=frozenset(_tokens(title)),
        runs=runs,
        lead=frozenset(hashed[: LEAD - RUN + 1]),
        numbers=frozenset(_NUMBER.findall(" ".join([token for token in tokens if not token.isalpha()]))),
        marks=tuple(dict.fromkeys(run >> (61 - MARK_BITS) for run in smallest)),
    )


def kin(one: Fingerprint, other: Fingerprint) -> Kin | None:
    """How two articles' texts are related; None when neither is a copy of the other."""
    shorter, longer = sorted((one, other), key=lambda f: len(f.runs))
    if len(shorter.runs) < FEWEST_RUNS or len(shorter.runs) < LEAST_SIZE * len(longer.runs):
        return None
    both = len(shorter.runs & longer.runs)
    shared = both / len(shorter.runs)
    if shared < LEAST_SHARED or not (_has_lead(shorter, longer) and _has_lead(longer, shorter)):
        return None
    if _are_filled_anew(shorter, longer, shared) or _are_a_notice(shorter, longer):
        return None
    if both == len(longer.runs):
        return Kin(Kinship.SAME, 1.0)
    is_cut = shared >= WHOLE and len(shorter.runs) < WHOLE * len(longer.runs)
    return Kin(Kinship.SYNDICATED if is_cut else Kinship.NEAR, shared)


def says_more(new: Fingerprint, known: Fingerprint) -> bool:
    """Whether a text that is kin to a known one has so much of its own that it would be missed."""
    most = MOST_OWN_AT_HOME if new.site == known.site else MOST_OWN
    return len(new.runs - known.runs) > most * len(new.runs)


def _are_filled_anew(one: Fingerprint, other: Fingerprint, shared: float) -> bool:
    """Whether two texts look like one form with other numbers in it."""
    fewer = min(len(one.numbers), len(other.numbers))
    return shared < WHOLE and fewer >= FEWEST_NUMBERS and len(one.numbers & other.numbers) < LEAST_NUMBERS * fewer


def _are_a_notice(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether two texts look like what one site shows in place of articles: short, under titles of their own."""
    if one.site != other.site or min(len(one.runs), len(other.runs)) > LONGEST_NOTICE:
        return False
    return len(one.title & other.title) < LEAST_OF_TITLE * min(len(one.title), len(other.title))


def _has_lead(one: Fingerprint, other: Fingerprint) -> bool:
    """Whether a text has, anywhere, some of the beginning of the other one."""
    return len(one.runs & other.lead) >= LEAST_OF_LEAD * len(other.lead)


def _tokens(text: str) -> list[str]:
    """The words of a text, as the pattern takes them apart; most texts need less than that."""
    folded = text.casefold()
    if folded.isascii():
        return folded.encode().translate(_ASCII).decode().split()
    return (_TOKEN if _HARD.search(folded) else _WORD).findall(folded)


def _runs(tokens: Sequence[str]) -> list[int]:
    """A hash of every RUN words in a row, in their order.

    Source:
        Karp & Rabin, "Efficient randomized pattern-matching algorithms", 1987: the hash rolls on from word to word.
    """
    words = [*map(_hash, tokens)]
    rolled, found = 0, []
    for word, gone in zip(words, chain(repeat(0, RUN), words), strict=False):
        rolled = (rolled * _BASE + word - gone * _LEAVING) % _PRIME
        found.append(rolled)
    return found[RUN - 1 :]


@lru_cache(maxsize=100_000)
def _hash(token: str) -> int:
    return int.from_bytes(blake2b(token.encode(errors="surrogatepass"), digest_size=7).digest(), "big")
