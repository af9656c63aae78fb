"""Two sketches -> how likely they are of one event, by trees that learnt it from stories of our own writing."""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, timedelta
from functools import cache
from importlib.resources import files

import numpy as np

from pipeline.stages import forest
from pipeline.stages.forest import Forest
from pipeline.stages.story.sketches import Sketch

COLUMNS = (
    "cosine", "overlap", "names", "title", "heaviest", "hours", "countries", "main-days", "nearest-days", "undated",
)  # fmt: skip
LONGEST_GAP = timedelta(days=8)  # between two reports of one event
HEAVIEST = 4  # shared terms
MOST_MAIN, MOST_NEAREST = 8, 4  # days; what is farther apart is as far
UNKNOWN = 0.5  # share of countries where one report has none
SUREST = 6.0  # log-odds; more is as much, and two reports that share no term have as little


def logits(new: Sketch, others: Sequence[Sketch], judge: Forest) -> list[float]:
    """The log-odds that a report is of the same event as each other one, within SUREST."""
    found = [-SUREST] * len(others)
    near = [at for at, other in enumerate(others) if may_be_one(new, other)]
    if near:
        values = np.array([features(new, others[at]) for at in near], np.float32).T
        likely = judge.score(values)
        for at, logit in zip(near, np.log(likely / (1 - likely)).clip(-SUREST, SUREST).tolist(), strict=True):
            found[at] = logit
    return found


def may_be_one(one: Sketch, other: Sketch) -> bool:
    """Whether two reports share a term, and are not too far apart in time."""
    return abs(one.published_at - other.published_at) <= LONGEST_GAP and not one.terms.keys().isdisjoint(other.terms)


def features(one: Sketch, other: Sketch) -> tuple[float, ...]:
    """What the trees look at, as COLUMNS names it; the same in either order."""
    shared = one.terms.keys() & other.terms.keys()
    lesser = {term: min(one.terms[term], other.terms[term]) for term in shared}
    days = _days(one), _days(other)
    return (
        sum(one.terms[term] * other.terms[term] for term in shared) / (_norm(one) * _norm(other)),
        _overlap(one.terms, other.terms, lesser),
        _overlap(
            _of(one, one.names),
            _of(other, other.names),
            {term: lesser[term] for term in shared if term in one.names and term in other.names},
        ),
        (_covered(one, other) + _covered(other, one)) / 2,
        sum(sorted(lesser.values(), reverse=True)[:HEAVIEST]),
        abs((one.published_at - other.published_at).total_seconds()) / 3_600,
        _shared_countries(one.countries, other.countries),
        min(abs((days[0][0] - days[1][0]).days), MOST_MAIN),
        min(MOST_NEAREST, *(abs((a - b).days) for a in days[0] for b in days[1])),
        (not one.days) + (not other.days),
    )


def _norm(sketch: Sketch) -> float:
    return math.hypot(*sketch.terms.values())


def _of(sketch: Sketch, kept: Collection[int]) -> dict[int, float]:
    return {term: sketch.terms[term] for term in kept}


def _overlap(one: Mapping[int, float], other: Mapping[int, float], lesser: Mapping[int, float]) -> float:
    """The weight that two share, of that of the lighter one."""
    whole = min(sum(one.values()), sum(other.values()))
    return sum(lesser.values()) / whole if whole else 0.0


def _covered(one: Sketch, other: Sketch) -> float:
    """The share of the weight of one's title that the other has anywhere."""
    whole = sum(_of(one, one.titled).values())
    return sum(_of(one, one.titled & other.terms.keys()).values()) / whole if whole else UNKNOWN


def _shared_countries(one: Sequence[str], other: Sequence[str]) -> float:
    if not one or not other:
        return UNKNOWN
    return len({*one} & {*other}) / min(len(one), len(other))


def _days(sketch: Sketch) -> tuple[date, ...]:
    """The days of the events; that of the publication where none is named."""
    return sketch.days or (sketch.published_at.astimezone(UTC).date(),)


@cache
def shipped() -> Forest:
    """The trees in the package."""
    return forest.read(files(__package__) / "pairs.npz")
