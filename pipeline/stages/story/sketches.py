"""Article -> Sketch: what a report is about, in some 200 bytes, and the keys under which it is found again."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from struct import Struct
from typing import NamedTuple

from pipeline.stages.story import terms as terms_
from pipeline.stages.story.days import days
from pipeline.stages.story.terms import ENGLISH, Rarity, Term, stem, terms

READ = 1_000  # characters of the text; the classifier reads as many, which are then cut into words once
MOST = 50  # terms
COMMON = 2.5  # rarity; terms below say nothing, nor do those of the calendar: the days that are meant are kept
TITLE = 1.5  # what a mention in the title counts
STEP, MOST_STEPS = 0.5, 63  # of a weight as it is kept
COUNTRIES = 4
KEYS = 8  # terms under which a sketch is kept
BUCKET = 3  # days
BUCKET_BITS = 16
OF_NAME, OF_TITLE = 8.0, 2.0  # weight that a term has more as a key: other reports have names, and words of the title

CALENDAR = frozenset(
    map(stem, ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february"))
) | frozenset(
    map(stem, ("march", "april", "may", "june", "july", "august", "september", "october", "november", "december"))
)

_HEAD = Struct("<BBB")  # numbers of terms, days and countries
_TERM = Struct("<I")  # 24 bits of hash, 6 of weight, is a name, is in the title
_DAY = Struct("<b")
_EPOCH = date(1970, 1, 1)


class Sums(NamedTuple):
    """What the terms of a sketch weigh together."""

    terms: float
    names: float
    titled: float
    norm: float  # the length of the vector


class Calendar(NamedTuple):
    """When a report was published and of which days it tells, as ordinals: numbers are compared fast."""

    published: int
    days: tuple[int, ...]  # of the events, the main one first; that of the publication where none is named
    newest: int  # of them, the latest that was not still to come; that of the publication where there is none


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a report is about. Weights are rounded, so that what was kept is what was made."""

    published_at: datetime
    terms: Mapping[int, float]  # weights by hash, the heaviest first
    names: frozenset[int]  # the terms that are names
    titled: frozenset[int]  # the terms that are in the title
    days: tuple[date, ...]  # of the events, the main one first
    countries: tuple[str, ...]  # ISO 3166-1 alpha-2, most prominent first
    surfaces: Mapping[int, str] = field(default_factory=dict, compare=False, repr=False)  # as written; not kept
    sums: Sums = field(init=False, compare=False, repr=False)
    calendar: Calendar = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Add up the weights and number the days, which every comparison needs."""
        weights = self.terms
        names, titled = (sum(map(weights.__getitem__, some)) for some in (self.names, self.titled))
        sums = Sums(sum(weights.values()), names, titled, math.hypot(*weights.values()))
        published = self.published_at.astimezone(UTC).toordinal()
        days = tuple([day.toordinal() for day in self.days]) or (published,)
        newest = max((day for day in days if day <= published), default=published)
        object.__setattr__(self, "sums", sums)
        object.__setattr__(self, "calendar", Calendar(published, days, newest))

    def to_bytes(self) -> bytes:
        """The sketch without its moment and its surfaces, in at most 220 bytes."""
        published = self.published_at.astimezone(UTC).date()
        parts = [_HEAD.pack(len(self.terms), len(self.days), len(self.countries))]
        for term, weight in self.terms.items():
            flags = (term in self.names) | (term in self.titled) << 1
            parts.append(_TERM.pack(term << 8 | round(weight / STEP) << 2 | flags))
        parts += [_DAY.pack((day - published).days) for day in self.days]
        return b"".join([*parts, "".join(self.countries).encode()])

    @classmethod
    def from_bytes(cls, data: bytes, published_at: datetime) -> "Sketch":
        """The sketch that `to_bytes` kept; `published_at` must be what it was made with: its days count from there."""
        count, days_, _ = _HEAD.unpack_from(data)
        first_day = _HEAD.size + count * _TERM.size
        first_country = first_day + days_ * _DAY.size
        kept = [one for (one,) in _TERM.iter_unpack(data[_HEAD.size : first_day])]
        published = published_at.astimezone(UTC).date()
        codes = data[first_country:].decode()
        return cls(
            published_at=published_at,
            terms={one >> 8: (one >> 2 & MOST_STEPS) * STEP for one in kept},
            names=frozenset(one >> 8 for one in kept if one & 1),
            titled=frozenset(one >> 8 for one in kept if one & 2),
            days=tuple(published + timedelta(one) for (one,) in _DAY.iter_unpack(data[first_day:first_country])),
            countries=tuple(codes[at : at + 2] for at in range(0, len(codes), 2)),
        )


def sketch(title: str, text: str, lang: str | None, countries: Iterable[str], published_at: datetime) -> Sketch:
    """What a report is about, by its title and the beginning of its text."""
    return sketched((title, text), (lang or "").partition("-")[0], countries, published_at, terms_.shipped())


def sketched(
    report: tuple[str, str], lang: str, countries: Iterable[str], published_at: datetime, rarity: Rarity
) -> Sketch:
    """What a report of title and text is about, when terms are as rare as a table says."""
    title, text = report
    titled, told = terms(title, lang), terms(text[:READ], lang)
    weights = _weights(titled, told, rarity)
    heaviest = sorted(weights.items(), key=lambda one: (-one[1], one[0]))[:MOST]
    kept = {terms_.hashed(key): (key, weight) for key, weight in heaviest}
    names, surfaces = _names(titled, told), dict((*told[::-1], *titled[::-1]))
    in_title = {term.key for term in titled}
    published = published_at.astimezone(UTC).date()
    return Sketch(
        published_at=published_at,
        terms={hash_: weight for hash_, (_, weight) in kept.items()},
        names=frozenset(hash_ for hash_, (key, _) in kept.items() if key in names),
        titled=frozenset(hash_ for hash_, (key, _) in kept.items() if key in in_title),
        days=days(f"{title}\n{text}", published) if lang == ENGLISH else (),
        countries=tuple(countries)[:COUNTRIES],
        surfaces={hash_: surfaces[key] for hash_, (key, _) in kept.items()},
    )


def _weights(titled: Iterable[Term], told: Iterable[Term], rarity: Rarity) -> dict[str, float]:
    """What each term weighs that is not common: the rarer and the more often it occurs, the more."""
    in_title, in_text = (Counter([term.key for term in found]) for found in (titled, told))
    weights: dict[str, float] = {}
    for key in {**in_text, **in_title}:
        idf = rarity.of(key)
        if idf >= COMMON and key not in CALENDAR:
            weight = idf * (1 + math.log(TITLE * in_title.get(key, 0) + in_text.get(key, 0)))
            weights[key] = min(round(weight / STEP), MOST_STEPS) * STEP
    return weights


def _names(titled: Iterable[Term], told: Iterable[Term]) -> set[str]:
    """The terms that are written with a capital, and nowhere without."""
    found = [*titled, *told]
    capital = {term.key for term in found if term.surface[:1].isupper()}
    return capital - {term.key for term in found if term.surface[:1].islower()}


def keys(sketch: Sketch) -> tuple[int, ...]:
    """The integers below 2**40, at most KEYS, under which a sketch is kept: a heavy term and some days each."""
    at = _bucket(sketch, 0)
    return tuple(term << BUCKET_BITS | at for term in _telling(sketch)[:KEYS])


def probes(sketch: Sketch) -> tuple[int, ...]:
    """The keys under which reports of the event may be kept that came some days before or after: three a term."""
    buckets = [_bucket(sketch, later) for later in (-1, 0, 1)]
    return tuple(term << BUCKET_BITS | at for term in _telling(sketch) for at in buckets)


def _telling(sketch: Sketch) -> list[int]:
    """The terms by how likely other reports of the event have them."""
    worth = {
        term: weight + OF_NAME * (term in sketch.names) + OF_TITLE * (term in sketch.titled)
        for term, weight in sketch.terms.items()
    }
    return sorted(worth, key=lambda term: (-worth[term], term))


def _bucket(sketch: Sketch, later: int) -> int:
    """Some days as a number: those in which the report was published, or so many times BUCKET later."""
    days_since = (sketch.published_at.astimezone(UTC).date() - _EPOCH).days
    return (days_since // BUCKET + later) % (1 << BUCKET_BITS)
