"""Two versions of a text -> Changes: which paragraphs were added, removed or edited, and in those which words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice

MOST_CHANGES = 40
MOST_PARAGRAPHS = 500  # that are compared
MOST_WORDS = 400  # of a paragraph that are compared
AROUND = 6  # words that are shown on either side of an edit
LEAST_ALIKE = 0.3  # of the words of two paragraphs, when one is the other edited


@dataclass(frozen=True, slots=True)
class Change:
    """A paragraph that two versions of a text do not share."""

    kind: str  # added, removed, edited
    text: str  # the paragraph; of an edited one [-what went-] and {+what came+} in its surroundings


def changes(before: str, after: str) -> tuple[Change, ...]:
    """What was changed between two versions, in the order of the text; at most MOST_CHANGES.

    A title is a text of one paragraph.
    """
    return tuple(islice(_changes(before, after), MOST_CHANGES))


def _changes(before: str, after: str) -> Iterator[Change]:
    old, new = (text.split("\n")[:MOST_PARAGRAPHS] for text in (before, after))
    for _, a, b, c, d in _edits(old, new):
        paired = min(b - a, d - c)
        for was, now in zip(old[a : a + paired], new[c : c + paired], strict=True):
            yield from _rewritten(was, now)
        yield from (Change("removed", _short(text)) for text in old[a + paired : b])
        yield from (Change("added", _short(text)) for text in new[c + paired : d])


def _rewritten(was: str, now: str) -> Iterator[Change]:
    """Two paragraphs in the same place: one edited, or one in place of another."""
    old, new = (text.split()[:MOST_WORDS] for text in (was, now))
    edits = list(_edits(old, new))
    kept = len(old) - sum(b - a for _, a, b, _, _ in edits)
    if kept < LEAST_ALIKE * max(len(old), len(new)):
        yield Change("removed", _short(was))
        yield Change("added", _short(now))
    elif edits:
        yield Change("edited", _marked(old, new, edits))


def _edits(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return (code for code in codes if code[0] != "equal")


def _marked(old: Sequence[str], new: Sequence[str], edits: Sequence[tuple[str, int, int, int, int]]) -> str:
    """The words around each edit, with what went and what came; an ellipsis for what lies between."""
    parts: list[str] = []
    at = 0
    for _, a, b, c, d in edits:
        parts += _between(old[at:a], is_first=not parts)
        parts += [f"[-{' '.join(old[a:b])}-]"] * (b > a) + [f"{{+{' '.join(new[c:d])}+}}"] * (d > c)
        at = b
    rest = old[at:]
    return " ".join([*parts, *rest[:AROUND], *["…"] * (len(rest) > AROUND)])


def _between(words: Sequence[str], *, is_first: bool) -> list[str]:
    """Words that stayed, before an edit."""
    if is_first:
        return [*["…"] * (len(words) > AROUND), *words[-AROUND:]]
    return list(words) if len(words) <= 2 * AROUND else [*words[:AROUND], "…", *words[-AROUND:]]


def _short(paragraph: str) -> str:
    words = paragraph.split()
    return " ".join([*words[:MOST_WORDS], *["…"] * (len(words) > MOST_WORDS)])
