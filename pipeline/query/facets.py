"""Facets: what an article can be asked for besides its words, as tokens that stand in the search index beside them.

A token is a kind and a value between two private characters, which stand in no word of ours and in no text as it is
indexed: no text and no query can pretend to be one.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType

from pipeline.query.asked import Filters, Span
from pipeline.query.words import split_words

LAST_YEAR = 2099
_MARK = "\ue000"
EVERY = f"{_MARK}a{_MARK}"  # every article has it
KINDS: Mapping[str, str] = MappingProxyType(  # of Filters, and the letters of their tokens
    {
        "labels": "l",
        "topics": "t",
        "countries": "c",
        "entities": "e",
        "feed_ids": "f",
        "sites": "s",
        "langs": "g",
    }
)
_NAMES = {letter: name for name, letter in KINDS.items()} | {"m": "months"}


def alternatives(filters: Filters) -> Iterator[tuple[str, ...]]:
    """The tokens of each filter, of which an article that passes has one at least."""
    for name, letter in KINDS.items():
        if values := getattr(filters, name):
            yield tuple(_token(letter, str(value)) for value in values)
    if filters.is_teaser is not None:
        yield (_token("b", str(filters.is_teaser)),)


def of_article(passes: Filters, published_at: datetime) -> str:
    """All tokens of an article, apart by spaces.

    Args:
        passes: Every value of every filter that lets the article through.
        published_at: Its date.
    """
    year, month = _token("y", f"{published_at:%Y}"), _token("m", f"{published_at:%Y%m}")
    found = [token for tokens in alternatives(passes) for token in tokens]
    return " ".join(dict.fromkeys((EVERY, *found, year, month)))


def of_time(span: Span[datetime]) -> tuple[str, ...] | None:
    """Tokens of which every article within a span has one; None: they cannot be named."""
    if span.low is None or span.low.year > LAST_YEAR:
        return None
    low, high = span.low.astimezone(UTC), (span.high or datetime.max.replace(tzinfo=UTC)).astimezone(UTC)
    last = min(high.year, LAST_YEAR)
    months = {
        year: [month for month in range(1, 13) if low < _month(year, month + 1) and _month(year, month) < high]
        for year in (low.year, last)
    }
    years = (year for year in range(low.year, last + 1) if len(months.get(year, range(12))) == 12)
    partial = (f"{year}{m:02}" for year, inside in months.items() if len(inside) < 12 for m in inside)
    return (*(_token("y", str(year)) for year in years), *(_token("m", month) for month in partial))


def of_months(last: datetime, months: int) -> tuple[str, ...]:
    """Tokens of which every article has one that is of so many months, the month of the last article among them."""
    return of_time(Span(_month(last.year, last.month + 1 - months), _month(last.year, last.month + 1))) or ()


def _month(year: int, month: int) -> datetime:
    return datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)


def read(tokens: str) -> Iterator[tuple[str, str]]:
    """What `of_article` wrote: (name of the filter, or months; value)."""
    for token in tokens.split(" "):
        if name := _NAMES.get(token[1:2]):
            yield name, token[2:-1].replace(_MARK, " ")


def spelled(value: str) -> str:
    """A value as `read` gives it back."""
    return " ".join(split_words(value))


@lru_cache(4_096)  # most articles have what others have
def _token(letter: str, value: str) -> str:
    return f"{_MARK}{letter}{_MARK.join(split_words(value))}{_MARK}"
