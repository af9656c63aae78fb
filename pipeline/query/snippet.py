"""The piece of a text that shows why it was found, with the words that matched marked."""

import re

from pipeline.query.parse import All
from pipeline.query.words import fold

LENGTH = 200  # characters
_WORD = re.compile(r"[^\W_]+")


def snippet(text: str, terms: All | None, mark: tuple[str, str] = ("[", "]"), length: int = LENGTH) -> str:
    """About `length` characters of the text around the first place where most of the terms stand.

    Words match as in the search's stemming: a shared beginning of at least four letters counts.
    """
    flat = text.replace("\n", " ")
    stems = _stems(terms)
    hits = [m for m in _WORD.finditer(flat) if stems and _matches(fold(m[0]), stems)]
    start, end = _window(flat, [m.start() for m in hits], length)
    pieces, at = [], start
    for hit in hits:
        if start <= hit.start() and hit.end() <= end:
            pieces += [flat[at : hit.start()], mark[0], hit[0], mark[1]]
            at = hit.end()
    pieces.append(flat[at:end])
    return ("…" if start else "") + "".join(pieces).strip() + ("…" if end < len(flat) else "")


def _stems(terms: All | None) -> tuple[tuple[str, bool], ...]:
    found: dict[tuple[str, bool], None] = {}
    for term in terms.positive if terms else ():
        for at, word in enumerate(term.words):
            found[word, term.is_prefix and at == len(term.words) - 1] = None
    return tuple(found)


def _matches(word: str, stems: tuple[tuple[str, bool], ...]) -> bool:
    for stem, is_prefix in stems:
        if word == stem or (is_prefix and word.startswith(stem)):
            return True
        root = re.sub(r"(ing|ed|es|s|e)$", "", stem)
        if len(root) >= 4 and re.fullmatch(re.escape(root) + r"(ing|ed|es|s|e)?", word):
            return True
    return False


def _window(text: str, hits: list[int], length: int) -> tuple[int, int]:
    """Start and end, on word borders, of the stretch with the most hits; the earliest of them."""
    if not hits:
        start = 0
    else:
        best = max(hits, key=lambda at: (sum(at <= other < at + length * 3 // 4 for other in hits), -at))
        start = max(best - length // 4, 0)
    end = min(start + length, len(text))
    if start:
        start = text.find(" ", start, end) + 1 or start
    if end < len(text):
        end = text.rfind(" ", start + 1, end) if " " in text[start + 1 : end] else end
    return start, end
