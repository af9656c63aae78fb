"""The piece of a text that shows why it was found, with the words that matched marked."""

import re
from bisect import bisect_left

from pipeline.query.asked import Term, positive
from pipeline.query.words import fold

LENGTH = 200  # characters
_WORD = re.compile(r"[^\W_]+")
_ENDING = re.compile(r"(ing|ed|es|s|e)$")
_ENDINGS = ("", "ing", "ed", "es", "s", "e")


def snippet(text: str, terms: Term | None, mark: tuple[str, str] = ("[", "]"), length: int = LENGTH) -> str:
    """About `length` characters of the text around the first place where most of the terms stand.

    Words match as in the search's stemming: a shared beginning of at least four letters counts.
    """
    flat = text.replace("\n", " ")
    forms, prefixes = _wanted(terms)
    hits = [m for m in _WORD.finditer(flat) if _matches(fold(m[0]), forms, prefixes)] if forms else []
    start, end = _window(flat, [m.start() for m in hits], length)
    pieces, at = [], start
    for hit in hits:
        if start <= hit.start() and hit.end() <= end:
            pieces += [flat[at : hit.start()], mark[0], hit[0], mark[1]]
            at = hit.end()
    pieces.append(flat[at:end])
    return ("…" if start else "") + "".join(pieces).strip() + ("…" if end < len(flat) else "")


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
