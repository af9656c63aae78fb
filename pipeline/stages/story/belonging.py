"""A report and stories -> how likely it belongs to each, by trees that learnt it from stories of our own writing.

Two reports of one event may have little in common; what tells them from those of another event is what all reports of
the story say together: a place that none of them names is another place.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import NamedTuple

import numpy as np

from pipeline.stages import forest
from pipeline.stages.forest import Forest
from pipeline.stages.story import pairs
from pipeline.stages.story.pairs import UNKNOWN
from pipeline.stages.story.sketches import Sketch

OWN_COLUMNS = (
    "reports", "told", "told-names", "told-title", "new-name", "kept-names", "lost-name", "usual", "same-days",
    "nearest-of-days", "main-day", "newest-day", "day-after-all", "usual-day", "shared-days", "since-first",
    "since-last",
)  # fmt: skip
FARTHEST = 6  # days; what is farther apart is as far
COLUMNS = (*(f"mean-{name}" for name in pairs.COLUMNS), *(f"most-{name}" for name in pairs.COLUMNS), *OWN_COLUMNS)
SUREST = 6.0  # log-odds; more is as much, and reports that share no term with a story have as little
_HOUR = timedelta(hours=1)


class Told(NamedTuple):
    """What the reports of a story say together; their order does not matter."""

    reports: Sequence[Sketch]  # at least one
    terms: Counter[int]  # by how many of them
    usual: Mapping[int, float]  # the names that most of them have, with the largest weight in any
    named: frozenset[date]  # days
    days: Counter[int]  # ordinals of the days, with those of publication where none is named, by how many reports
    usual_day: int  # the main day of most reports; the latest of several


class Asked(NamedTuple):
    """A report beside a story that it may belong to."""

    new: Sketch
    told: Told
    alike: Sequence[tuple[float, ...]]  # the pair features of the report and each of the story's


def told(story: Sequence[Sketch]) -> Told:
    """Put together what a story says."""
    named = Counter(chain.from_iterable([one.names for one in story]))
    most = [name for name, n in named.items() if n > len(story) / 2]
    return Told(
        reports=story,
        terms=Counter(chain.from_iterable([one.terms for one in story])),
        usual={name: max([one.terms[name] for one in story if name in one.terms]) for name in most},
        named=frozenset(chain.from_iterable([one.days for one in story])),
        days=Counter(chain.from_iterable([{*one.calendar.days} for one in story])),
        usual_day=_most(Counter([one.calendar.days[0] for one in story])),
    )


def beside(new: Sketch, story: Told) -> Asked:
    """A report, compared with each of a story's."""
    return Asked(new, story, [pairs.features(new, one) for one in story.reports])


def across(one: Told, other: Told) -> list[Asked]:
    """Each report of two stories beside the other story; two reports are as alike from either side."""
    rows = [[pairs.features(a, b) for b in other.reports] for a in one.reports]
    return [
        *(Asked(new, other, row) for new, row in zip(one.reports, rows, strict=True)),
        *(Asked(new, one, column) for new, column in zip(other.reports, zip(*rows, strict=True), strict=True)),
    ]


def logits(asked: Sequence[Asked], judge: Forest) -> list[float]:
    """The log-odds that each report is of the event of the story beside it, within SUREST."""
    is_near = [any(map(pairs.may_be_one, one.alike)) for one in asked]
    values = [features(one) for one, near in zip(asked, is_near, strict=True) if near]
    if not values:
        return [-SUREST] * len(asked)
    likely = judge.score(np.array(values, np.float32).T)
    found = iter(np.log(likely / (1 - likely)).clip(-SUREST, SUREST).tolist())
    return [next(found) if near else -SUREST for near in is_near]


def features(asked: Asked) -> tuple[float, ...]:
    """What the trees look at, as COLUMNS names it."""
    columns = [*zip(*asked.alike, strict=True)]
    return (
        *(math.fsum(column) / len(column) for column in columns),
        *map(max, columns),
        len(asked.alike),
        *_told(asked.new, asked.told.terms.keys()),
        *_usual(asked.new, asked.told),
        len(asked.told.named.intersection(asked.new.days)),
        pairs.nearest(asked.new.calendar.days, asked.told.days),
        *_later(asked.new, asked.told),
    )


def _told(new: Sketch, known: AbstractSet[int]) -> Iterable[float]:
    """How far the story tells what the report does: terms, names, names in its title; the heaviest name that is new."""
    titled = new.names & new.titled
    return (
        _weight(new, new.terms.keys() & known) / (new.sums.terms or 1.0),
        _weight(new, new.names & known) / (new.sums.names or 1.0),
        _weight(new, titled & known) / _weight(new, titled) if titled else UNKNOWN,
        max((new.terms[term] for term in new.names - known), default=0.0),
    )


def _usual(new: Sketch, story: Told) -> Iterable[float]:
    """How far the report has what is usual in the story: names of most reports, the heaviest that it lacks, terms."""
    usual, whole = story.usual, math.fsum(story.usual.values())
    return (
        math.fsum([usual[name] for name in usual.keys() & new.terms]) / whole if whole else UNKNOWN,
        max([usual[name] for name in usual.keys() - new.terms], default=0.0),
        math.fsum([new.terms[term] * story.terms[term] for term in new.terms.keys() & story.terms.keys()])
        / ((new.sums.terms or 1.0) * len(story.reports)),
    )


def _later(new: Sketch, story: Told) -> Iterable[float]:
    """How much later the report is, and what it tells of: a story that was told before an event is not of that one."""
    own, others = new.calendar, [one.calendar for one in story.reports]
    return (
        _apart(own.days[0], story.usual_day),
        _apart(own.newest, max([one.newest for one in others])),
        _apart(own.newest, max([one.published for one in others])),
        _most(story.days) in own.days,
        sum([day in own.days for day in story.days]) / len(story.days),
        (new.published_at - min([one.published_at for one in story.reports])) / _HOUR,
        (new.published_at - max([one.published_at for one in story.reports])) / _HOUR,
    )


def _apart(later: int, earlier: int) -> int:
    return max(-FARTHEST, min(FARTHEST, later - earlier))


def _most(counts: Mapping[int, int]) -> int:
    """The day that is named most often; the latest of several."""
    return max(counts, key=lambda day: (counts[day], day))


def _weight(sketch: Sketch, kept: Iterable[int]) -> float:
    return math.fsum(map(sketch.terms.__getitem__, kept))


@cache
def shipped() -> Forest:
    """The trees in the package."""
    return forest.read(files(__package__) / "belonging.npz")
