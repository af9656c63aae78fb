"""Two sketches -> numbers that say how much is alike in them."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from pipeline.stages.story.sketches import Sketch

COLUMNS = (
    "cosine", "overlap", "names", "title", "heaviest", "hours", "countries", "main-days", "nearest-days", "undated",
)  # fmt: skip
LONGEST_GAP_H = 8 * 24.0  # between two reports of one event
HEAVIEST = 4  # shared terms
MOST_MAIN, MOST_NEAREST = 8, 4  # days; what is farther apart is as far
UNKNOWN = 0.5  # share of what a report does not have: countries, words in its title

_COSINE, _HOURS = COLUMNS.index("cosine"), COLUMNS.index("hours")
_HOUR = timedelta(hours=1)


def features(one: Sketch, other: Sketch) -> tuple[float, ...]:
    """What is alike in two reports, as COLUMNS names it; the same in either order."""
    some, others = one.terms, other.terms
    shared = some.keys() & others.keys()
    lesser = {term: min(some[term], others[term]) for term in shared}
    names = one.names & other.names
    days = one.calendar.days, other.calendar.days
    return (
        sum([some[term] * others[term] for term in shared]) / (one.sums.norm * other.sums.norm or 1.0),
        sum(lesser.values()) / (min(one.sums.terms, other.sums.terms) or 1.0),
        sum(map(lesser.__getitem__, names)) / (min(one.sums.names, other.sums.names) or 1.0),
        (_covered(one, shared) + _covered(other, shared)) / 2,
        sum(sorted(lesser.values(), reverse=True)[:HEAVIEST]),
        abs(one.published_at - other.published_at) / _HOUR,
        _shared_countries(one.countries, other.countries),
        min(abs(days[0][0] - days[1][0]), MOST_MAIN),
        nearest(*days),
        (not one.days) + (not other.days),
    )


def may_be_one(alike: Sequence[float]) -> bool:
    """Whether two reports share a term, and are not too far apart in time, by what `features` found alike in them."""
    return alike[_COSINE] > 0 and alike[_HOURS] <= LONGEST_GAP_H


def nearest(some: Collection[int], others: Collection[int]) -> int:
    """The days between those that are nearest to each other, MOST_NEAREST at most."""
    return min(MOST_NEAREST, *[abs(a - b) for a in some for b in others])


def _covered(sketch: Sketch, shared: Collection[int]) -> float:
    """The share of the weight of a report's title that is shared."""
    whole = sketch.sums.titled
    return sum(map(sketch.terms.__getitem__, sketch.titled.intersection(shared))) / whole if whole else UNKNOWN


def _shared_countries(one: Sequence[str], other: Sequence[str]) -> float:
    if not one or not other:
        return UNKNOWN
    return len({*one} & {*other}) / min(len(one), len(other))
