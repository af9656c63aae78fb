"""Two sketches -> numbers that say how much is alike in them."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, timedelta

from pipeline.stages.story.sketches import Sketch

COLUMNS = (
    "cosine", "overlap", "names", "title", "heaviest", "hours", "countries", "main-days", "nearest-days", "undated",
)  # fmt: skip
LONGEST_GAP = timedelta(days=8)  # between two reports of one event
HEAVIEST = 4  # shared terms
MOST_MAIN, MOST_NEAREST = 8, 4  # days; what is farther apart is as far
UNKNOWN = 0.5  # share of what a report does not have: countries, words in its title


def may_be_one(one: Sketch, other: Sketch) -> bool:
    """Whether two reports share a term, and are not too far apart in time."""
    return abs(one.published_at - other.published_at) <= LONGEST_GAP and not one.terms.keys().isdisjoint(other.terms)


def features(one: Sketch, other: Sketch) -> tuple[float, ...]:
    """What is alike in two reports, as COLUMNS names it; the same in either order."""
    some, others = one.terms, other.terms
    shared = some.keys() & others.keys()
    lesser = {term: min(some[term], others[term]) for term in shared}
    names = one.names & other.names
    days = days_of(one), days_of(other)
    return (
        sum([some[term] * others[term] for term in shared]) / (one.sums.norm * other.sums.norm or 1.0),
        sum(lesser.values()) / (min(one.sums.terms, other.sums.terms) or 1.0),
        sum(map(lesser.__getitem__, names)) / (min(one.sums.names, other.sums.names) or 1.0),
        (_covered(one, shared) + _covered(other, shared)) / 2,
        sum(sorted(lesser.values(), reverse=True)[:HEAVIEST]),
        abs((one.published_at - other.published_at).total_seconds()) / 3_600,
        _shared_countries(one.countries, other.countries),
        min(abs((days[0][0] - days[1][0]).days), MOST_MAIN),
        nearest(*days),
        (not one.days) + (not other.days),
    )


def days_of(sketch: Sketch) -> tuple[date, ...]:
    """The days of the events; that of the publication where none is named."""
    return sketch.days or (published(sketch),)


def published(sketch: Sketch) -> date:
    """The day of the publication."""
    return sketch.published_at.astimezone(UTC).date()


def nearest(some: Collection[date], others: Collection[date]) -> int:
    """The days between those that are nearest to each other, MOST_NEAREST at most."""
    return min(MOST_NEAREST, *(abs((a - b).days) for a in some for b in others))


def _covered(sketch: Sketch, shared: Collection[int]) -> float:
    """The share of the weight of a report's title that is shared."""
    whole = sketch.sums.titled
    return sum(map(sketch.terms.__getitem__, sketch.titled.intersection(shared))) / whole if whole else UNKNOWN


def _shared_countries(one: Sequence[str], other: Sequence[str]) -> float:
    if not one or not other:
        return UNKNOWN
    return len({*one} & {*other}) / min(len(one), len(other))
