"""Text -> Query: words, "phrases", OR, -not, prefix*; words side by side must all occur, with or without AND.

Nothing of the text reaches a database but words made of letters and digits, so no input can become its syntax.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.errors import UsageError
from pipeline.query.words import split_words

_JOINING = ("AND", "OR")
_TOKEN = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


@dataclass(frozen=True, slots=True)
class Words:
    """Words in this order, next to each other; the last may be a prefix."""

    words: tuple[str, ...]
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """What must not occur."""

    term: Words


@dataclass(frozen=True, slots=True)
class Any:
    """At least one occurs."""

    terms: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class All:
    """The whole query: every part holds."""

    parts: tuple[Words | Not | Any, ...]

    @property
    def positive(self) -> tuple[Words, ...]:
        """The terms that a found text holds at least one of."""
        found: list[Words] = []
        for part in self.parts:
            found.extend((part,) if isinstance(part, Words) else part.terms if isinstance(part, Any) else ())
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Filters:
    """What an article must be besides holding the words; empty tuples do not filter."""

    labels: tuple[str, ...] = ()  # defense, other, review
    topics: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-2, upper case
    entities: tuple[str, ...] = ()  # names, in any case
    feed_ids: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    stories: tuple[int, ...] = ()
    since: datetime | None = None
    until: datetime | None = None  # excluded
    min_score: float | None = None
    is_teaser: bool | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for, in which order, and which part of the result."""

    terms: All | None = None
    filters: Filters = field(default_factory=Filters)
    is_by_relevance: bool = False
    limit: int = 20
    cursor: str | None = None


def parse(text: str) -> All | None:
    """Read a query.

    Returns:
        None for a blank text: everything matches.

    Raises:
        UsageError: there is no word in it, it only excludes, or AND or OR stands at an end; says at which column.
    """
    parts: list[Words | Not | Any] = []
    joins: re.Match[str] | None = None  # the AND or OR that waits for its right side
    for match in _TOKEN.finditer(text):
        if match["word"] in _JOINING and not match["minus"]:
            if joins or not parts or (match["word"] == "OR" and isinstance(parts[-1], Not)):
                raise UsageError(f"query, column {match.start() + 1}: {match['word']} needs a word on its left")
            joins = match
            continue
        term = _term(match)
        if term is None:
            continue
        if joins and joins["word"] == "OR":
            parts[-1] = _either(parts[-1], term, is_negative=bool(match["minus"]), column=match.start() + 1)
        else:
            parts.append(Not(term) if match["minus"] else term)
        joins = None
    if joins:
        raise UsageError(f"query, column {joins.start() + 1}: {joins['word']} needs a word on its right")
    if text.strip() and all(isinstance(part, Not) for part in parts):
        raise UsageError("query, column 1: it needs at least one word without a minus")
    return All(tuple(parts)) if parts else None


def _term(match: re.Match[str]) -> Words | None:
    raw = match["phrase"] if match["phrase"] is not None else match["word"]
    words = tuple(split_words(raw))
    if not words:
        return None
    return Words(words, is_prefix=match["word"] is not None and raw.endswith("*"))


def _either(left: Words | Not | Any, right: Words, *, is_negative: bool, column: int) -> Any:
    if is_negative or isinstance(left, Not):
        raise UsageError(f"query, column {column}: OR joins words that must occur, not -words")
    return Any((*(left.terms if isinstance(left, Any) else (left,)), right))
