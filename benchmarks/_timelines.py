"""Made-up publication timelines: the feeds that `freshness.py` polls. Committed before the policy that they judge.

Rates are log-uniform from one entry a week to 200 a day. Each feed has its own time zone, day, weekend, bursts, window
and kind of dates, drawn from `SEEDS`. Days are as uneven as those of the real feeds we looked at: the square of the
mean root of the hourly rate is .8 of the mean rate. A sixth of the real feeds give all entries one time of day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

SEEDS = (1, 2, 3, 4, 5)
FEEDS = 300
WEEKS = 4
START = datetime(2025, 3, 3, tzinfo=UTC)  # a Monday; entries before it stand in the documents already
LEAST, MOST = 1 / 7, 200.0  # entries a day
WINDOWS = (10, 15, 20, 25, 30, 50, 100)  # entries that a document holds
ZONES = (-8, -5, -5, 0, 1, 1, 2, 3, 5.5, 8, 9)  # hours ahead of UTC; double: more feeds there

_HISTORY = 100  # weeks before the start that are looked at for entries to fill a document with
_HOUR = timedelta(hours=1)


class Dates(StrEnum):
    """What a feed says about when its entries were published."""

    EXACT = "exact"
    DAY = "day"  # midnight of the day
    SHARED = "shared"  # every entry has the date of the document
    NONE = "none"


_DATES = (Dates.EXACT, Dates.DAY, Dates.SHARED, Dates.NONE)
_SHARES_OF_DATES = (0.7, 0.15, 0.05, 0.1)


@dataclass(frozen=True, slots=True)
class Timeline:
    """A feed: when its entries were published, how many its document holds, and what it says of their dates."""

    published: tuple[datetime, ...]  # in order; those before `start` stand in the first document
    start: datetime
    end: datetime
    window: int
    dates: Dates = Dates.EXACT
    rate: float = 0.0  # entries a day that it was drawn with
    root: float = 0.0  # the mean over the week of the root of its rate: what bounds every rule


@dataclass(frozen=True, slots=True)
class _Habit:
    """How a feed's rate depends on the time: shares of its peak."""

    zone: float
    peak: float  # hour of the local day
    width: float  # hours
    night: float
    weekend: float
    changes_at: float  # hours after the start
    change: float  # of the rate, from then on

    def level(self, hours: NDArray[np.float64]) -> NDArray[np.float64]:
        local = hours + self.zone
        away = (local - self.peak + 12) % 24 - 12
        day = self.night + (1 - self.night) * np.exp(-0.5 * (away / self.width) ** 2)
        week = np.where(local // 24 % 7 >= 5, self.weekend, 1.0)
        return np.asarray(day * week * np.where(hours >= self.changes_at, self.change, 1.0))


def made(seed: int, feeds: int = FEEDS) -> Iterator[Timeline]:
    """The feeds of a seed; fewer feeds are the first ones."""
    for number in range(feeds):
        yield _timeline(np.random.default_rng((seed, number)))


def _timeline(draw: np.random.Generator) -> Timeline:
    rate = LEAST * (MOST / LEAST) ** draw.random()
    window = int(draw.choice(WINDOWS))
    followers = float(draw.choice((0, draw.uniform(0, 2))))  # entries that an entry draws after it, on average
    batch = float(draw.choice((1, 1, 1, 1, draw.uniform(2, 5))))  # entries at once, on average
    first, last = -min(3 * window / rate * 24, _HISTORY * 168), WEEKS * 168
    habit = _habit(draw)
    starts = _thinned(draw, habit, rate / 24 / (1 + followers) / batch, first, last)
    drawn = np.repeat(starts, draw.poisson(followers, len(starts)))
    moments = np.concatenate((starts, drawn + draw.exponential(1.0, len(drawn))))
    moments = np.repeat(moments, draw.geometric(1 / batch, len(moments)))
    moments = np.sort(moments + draw.uniform(0, 1 / 60, len(moments)))
    before = int(np.searchsorted(moments, 0))
    moments = moments[max(before - window, 0) : np.searchsorted(moments, last)]
    dates = _DATES[draw.choice(len(_DATES), p=_SHARES_OF_DATES)]
    published = tuple(START + _HOUR * float(hours) for hours in moments)
    week = _week_of(habit)
    root = rate**0.5 * float(np.mean(week**0.5) / np.mean(week) ** 0.5)
    return Timeline(published, START, START + last * _HOUR, window, dates, rate, root)


def _habit(draw: np.random.Generator) -> _Habit:
    return _Habit(
        zone=float(draw.choice(ZONES)),
        peak=draw.uniform(9, 15),
        width=draw.uniform(1.5, 4),
        night=float(draw.choice((draw.uniform(0.01, 0.15),) * 9 + (1.0,))),  # a tenth are made by machines
        weekend=draw.uniform(0.15, 1),
        changes_at=draw.uniform(0, WEEKS * 168),
        change=float(draw.choice((1, 1, 1, 1, 4 ** draw.uniform(-1, 1)))),
    )


def _thinned(draw: np.random.Generator, habit: _Habit, rate: float, first: float, last: float) -> NDArray[np.float64]:
    """Moments of a Poisson process whose mean over a week before the change is `rate` an hour."""
    most = rate * max(habit.change, 1) / float(np.mean(_week_of(habit)))
    moments = np.sort(draw.uniform(first, last, draw.poisson(most * (last - first))))
    return moments[draw.uniform(0, max(habit.change, 1), len(moments)) < habit.level(moments)]


def _week_of(habit: _Habit) -> NDArray[np.float64]:
    quarters = np.arange(-168, 0, 0.25)
    return habit.level(quarters)
