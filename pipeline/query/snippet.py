"""The piece of a text that shows why it was found, with the words that matched marked."""

import re
from bisect import bisect_left
from collections.abc import Iterator

from pipeline.query.asked import Term, positive
from pipeline.query.words import WORD, fold, is_unspaced

LENGTH = 200  # characters
_ENDING = re.compile(r"(ing|ed|es|s|e)$")
_ENDINGS = ("", "ing", "ed", "es", "s", "e")


def snippet(text: str, terms: Term | None, mark: tuple[str, str] = ("[", "]"), length: int = LENGTH) -> str:
    """About `length` characters of the text around the first place where most of the terms stand.

    Words match as in the search's stemming: a shared beginning of at least four letters counts.
    """
    flat = text.replace("\n", " ")
    hits = list(_hits(flat, terms))
    start, end = _window(flat, [first for first, _ in hits], length)
    pieces, at = [], start
    for first, last in hits:
        if at <= first and last <= end:
            pieces += [flat[at:first], mark[0], flat[first:last], mark[1]]
            at = last
    pieces.append(flat[at:end])
    return ("…" if start else "") + "".join(pieces).strip() + ("…" if end < len(flat) else "")


def _hits(text: str, terms: Term | None) -> Iterator[tuple[int, int]]:
    """Where the words that match begin and end; of runs of a script without spaces, the parts that do."""
    forms, prefixes = _wanted(terms)
    parts = sorted(filter(is_unspaced, forms), key=len, reverse=True)
    part = re.compile("|".join(parts)) if parts else None
    for word in WORD.finditer(text) if forms else ():
        if _matches(fold(word[0]), forms, prefixes):
            yield word.span()
        elif part is not None and not word[0].isascii():
            yield from (found.span() for found in part.finditer(text, *word.span()))


def _wanted(terms: Term | None) -> tuple[frozenset[str], tuple[str, ...]]:
    """The words that match, in all their forms, and the beginnings that do."""
    forms: set[str] = set()
    prefixes: set[str] = set()
    for term in positive(terms):
        for word in term.words:
            forms.add(word)
            root = _ENDING.sub("", word)
            if len(root) >= 4:
                forms.update(root + ending for ending in _ENDINGS)
        if term.is_prefix:
            prefixes.add(term.words[-1])
    return frozenset(forms), tuple(prefixes)


def _matches(word: str, forms: frozenset[str], prefixes: tuple[str, ...]) -> bool:
    return word in forms or word.startswith(prefixes)


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
