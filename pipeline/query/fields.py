"""The fields of the query language, such as country:KR: one row each."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from pipeline import urls
from pipeline.model import FeedKind
from pipeline.query import moments
from pipeline.query.asked import Span
from pipeline.query.countries import COUNTRIES
from pipeline.stages.reread import TOPICS

LABELS = ("defense", "other", "review")
COLUMNS: Mapping[str, str] = MappingProxyType({"title": "title"})  # whose words can be asked for
_LANG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
_NUMBER = r"\d*\.?\d+"
_SCORE = re.compile(rf"(?P<sign>[<>]=?)(?P<bound>{_NUMBER})|(?P<low>{_NUMBER})?\.\.(?P<high>{_NUMBER})?")


@dataclass(frozen=True, slots=True)
class Field:
    """A field: which of the filters it fills, and what is read there.

    `read` takes the value and the present moment; it raises ValueError with what was expected.
    """

    fills: str
    read: Callable[[str, datetime], Any]


def country(value: str, _now: datetime) -> str:
    """A country's code as it is stored."""
    code = value.upper()
    if code not in COUNTRIES:
        raise ValueError(f"{value!r} is no ISO 3166-1 alpha-2 code, such as KR")
    return code


def site(value: str, _now: datetime) -> str:
    """A registered domain, of any URL or host within it."""
    try:
        return urls.site(value if "//" in value else f"https://{value}")
    except ValueError as e:
        raise ValueError(f"{value!r} is no domain, such as yna.co.kr") from e


def _one_of(names: tuple[str, ...]) -> Callable[[str, datetime], str]:
    def read(value: str, _now: datetime) -> str:
        if value.lower() not in names:
            raise ValueError(f"{value!r}: expected {', '.join(names)}")
        return value.lower()

    return read


def _lang(value: str, _now: datetime) -> str:
    if not _LANG.fullmatch(value.lower()):
        raise ValueError(f"{value!r} is no language, such as en")
    return value.lower()


def _name(value: str, _now: datetime) -> str:
    return value


def _score(value: str, _now: datetime) -> Span[float]:
    """>0.8, >=0.8, <0.3, <=0.3, 0.4..0.6 (both included)."""
    found = _SCORE.fullmatch(value)
    if found is None or value == "..":
        raise ValueError(f"{value!r}: expected such as >0.8, <=0.3 or 0.4..0.6")
    if found["sign"]:
        bound = float(found["bound"])
        edge = bound if found["sign"] in (">=", "<") else math.nextafter(bound, math.inf)
        return Span(edge, None) if found["sign"][0] == ">" else Span(None, edge)
    low, high = (float(found[end]) if found[end] else None for end in ("low", "high"))
    return _forward(Span(low, None if high is None else math.nextafter(high, math.inf)), value)


def _published(value: str, now: datetime) -> Span[datetime]:
    """A date, 2025-07-01..2025-07-31 (both included, either may be missing), or an age: since then."""
    first, dots, last = value.partition("..")
    if not dots:
        low, high = moments.read(first, now)
        return Span(low, None if moments.is_age(first) else high)
    if not (first or last):
        raise ValueError(f"{value!r}: expected such as 2025-07-01..2025-07-31 or 7d")
    return _forward(
        Span(moments.read(first, now)[0] if first else None, moments.read(last, now)[1] if last else None), value
    )


def _forward(span: Span[Any], value: str) -> Span[Any]:
    if span.low is not None and span.high is not None and span.high <= span.low:
        raise ValueError(f"{value!r} ends before it begins")
    return span


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "site": Field("sites", site),
        "feed": Field("feeds", _name),
        "country": Field("countries", country),
        "topic": Field("topics", _one_of(tuple(TOPICS))),
        "entity": Field("entities", _name),
        "label": Field("labels", _one_of(LABELS)),
        "lang": Field("langs", _lang),
        "kind": Field("kinds", _one_of(tuple(FeedKind))),
        "score": Field("scores", _score),
        "published": Field("published", _published),
    }
)
