"""What can be asked for: terms to be found in articles, and filters that they must pass."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeAlias, TypeVar

Bound = TypeVar("Bound", float, datetime)


@dataclass(frozen=True, slots=True)
class Words:
    """Words in this order, next to each other; the last may be a prefix."""

    words: tuple[str, ...]
    is_prefix: bool = False
    column: str | None = None  # title, authors; None: anywhere in the article


@dataclass(frozen=True, slots=True)
class Not:
    """What must not occur."""

    term: "Term"


@dataclass(frozen=True, slots=True)
class Any:
    """At least one occurs."""

    terms: "tuple[Term, ...]"


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: "tuple[Term, ...]"


Term: TypeAlias = Words | Not | Any | All


def positive(term: Term | None) -> tuple[Words, ...]:
    """The words of which a text that was found holds some."""
    if term is None or isinstance(term, Not):
        return ()
    if isinstance(term, Words):
        return (term,)
    return tuple(words for part in (term.terms if isinstance(term, Any) else term.parts) for words in positive(part))


@dataclass(frozen=True, slots=True)
class Span(Generic[Bound]):
    """From low up to high, which is excluded; None: no end on that side."""

    low: Bound | None
    high: Bound | None


@dataclass(frozen=True, slots=True)
class Filters:
    """What an article must be besides holding the words: values of one are alternatives, none do not filter."""

    labels: tuple[str, ...] = ()  # defense, other, review
    topics: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-2, upper case
    entities: tuple[str, ...] = ()  # names, in any case
    feed_ids: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None  # excluded
    min_score: float | None = None
    is_teaser: bool | None = None
    feeds: tuple[str, ...] = ()  # ids, URLs or titles
    scores: tuple[Span[float], ...] = ()
    published: tuple[Span[datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a text asks for; nothing when it is blank, which matches everything."""

    terms: Term | None = None
    filters: Filters = field(default_factory=Filters)
    without: Filters = field(default_factory=Filters)  # of which an article passes none


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for, in which order, and which part of the result.

    What was asked in words and the filters both hold.
    """

    asked: Asked = field(default_factory=Asked)
    filters: Filters = field(default_factory=Filters)
    is_by_relevance: bool = False
    limit: int = 20
    cursor: str | None = None
