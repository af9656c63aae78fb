"""The piece of a text that shows why it was found, with the words that matched marked."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import contains

from pipeline.query.asked import Term, positive
from pipeline.query.words import WORD, fold, is_unspaced

LENGTH = 200  # characters
_ENDING = re.compile(r"(ing|ed|es|s|e)$")
_ENDINGS = ("", "ing", "ed", "es", "s", "e")


def snippet(text: str, terms: Term | None, mark: tuple[str, str] = ("[", "]"), length: int = LENGTH) -> str:
    """About `length` characters of the text around the first place where most of the terms stand.

    Words match as in the search's stemming: a shared beginning of at least four letters counts. Those of a phrase
    ("air drill", F-16) are marked where they stand together.
    """
    flat = text.replace("\n", " ")
    hits = sorted(_hits(flat, terms))
    start, end = _window(flat, [first for first, _ in hits], length)
    pieces, at = [], start
    for first, last in hits:
        if at <= first and last <= end:
            pieces += [flat[at:first], mark[0], flat[first:last], mark[1]]
            at = last
    pieces.append(flat[at:end])
    return ("…" if start else "") + "".join(pieces).strip() + ("…" if end < len(flat) else "")


@dataclass(frozen=True, slots=True)
class _Phrase:
    """Words next to each other, each in all its forms; of the last one the beginning may be enough."""

    words: tuple[frozenset[str], ...]
    beginning: str | None

    def length_at(self, there: Sequence[str]) -> int:
        """How many of these words it takes up from the first; 0 where it does not stand."""
        if len(there) < len(self.words) or not all(map(contains, self.words[:-1], there)):
            return 0
        last = there[len(self.words) - 1]
        stands = last in self.words[-1] or (self.beginning is not None and last.startswith(self.beginning))
        return len(self.words) if stands else 0


def _hits(text: str, terms: Term | None) -> Iterator[tuple[int, int]]:
    """Where the phrases that match begin and end; of runs of a script without spaces, the parts that do."""
    phrases, part = _wanted(terms)
    if not phrases and part is None:
        return
    words = list(WORD.finditer(text))
    folded = [fold(word[0]) for word in words]
    longest = max((len(phrase.words) for phrase in phrases), default=0)
    for n in _likely(folded, phrases):
        if found := max(phrase.length_at(folded[n : n + longest]) for phrase in phrases):
            yield words[n].start(), words[n + found - 1].end()
    if part is not None:
        yield from (
            found.span() for word in words if not word[0].isascii() for found in part.finditer(text, *word.span())
        )


def _likely(folded: Sequence[str], phrases: Sequence[_Phrase]) -> list[int]:
    """The words with which one of the phrases may begin."""
    first = {form for phrase in phrases for form in phrase.words[0]}
    beginnings = tuple(p.beginning for p in phrases if p.beginning and len(p.words) == 1)
    return [n for n, word in enumerate(folded) if word in first or word.startswith(beginnings)]


def _wanted(terms: Term | None) -> tuple[list[_Phrase], re.Pattern[str] | None]:
    """The phrases that match, and what matches as a part of a run of a script without spaces."""
    phrases: list[_Phrase] = []
    parts: set[str] = set()
    for term in positive(terms):
        for is_part, run in groupby(term.words, is_unspaced):
            words = list(run)
            if is_part:
                parts.update(words)
            else:
                beginning = words[-1] if term.is_prefix and words[-1] is term.words[-1] else None
                phrases.append(_Phrase(tuple(map(_forms, words)), beginning))
    return phrases, re.compile("|".join(sorted(parts, key=len, reverse=True))) if parts else None


def _forms(word: str) -> frozenset[str]:
    root = _ENDING.sub("", word)
    return frozenset((word, *(root + ending for ending in _ENDINGS if len(root) >= 4)))


def _window(text: str, hits: list[int], length: int) -> tuple[int, int]:
    """Start and end, on word borders, of the stretch with the most hits; the earliest of them."""
    reach = length * 3 // 4
    best = max(range(len(hits)), key=lambda n: bisect_left(hits, hits[n] + reach) - n, default=None)
    anchor = 0 if best is None else hits[best]
    start = max(anchor - length // 4, 0)
    if start:
        start = text.find(" ", start, anchor) + 1 or start
    end = min(start + length, len(text))
    if end < len(text) and " " in text[anchor + 1 : end]:
        end = text.rfind(" ", anchor + 1, end)
    return start, end
