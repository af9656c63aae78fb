"""Publication times -> Rhythm -> the next poll: when a feed publishes, and when asking it again is worth a request.

A request costs the same wherever it goes; what it saves is delay. If a feed publishes `r` entries an hour and is
polled every `d` hours, its entries wait r * d / 2 hours for each hour that passes. Under one budget the sum over all
feeds is least when every poll ends the same delay, summed over the entries that it finds: the price, so d = sqrt(2 *
price / r). A feed is due when the entries that it should have by now have waited that long together, at the rate that
its hours and weekdays let us expect; and the price rises as long as more requests are made than the budget allows.

Source:
    K. C. Sia, J. Cho, H.-K. Cho, "Efficient Monitoring Algorithm for Fast News Alerts", IEEE TKDE 19 (2007), for the
    delay of an aggregator and rates with a period; Y. Azar et al., "Tractable near-optimal policies for crawling",
    PNAS 115 (2018), for one price under one budget.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.model import Rhythm

FIRST_PRICE = 0.3  # hours; about right for one request an hour and feed
DEAREST, CHEAPEST = 1e4, 1e-4  # 800 entries a day are worth a poll a day; an entry a week, one every ten minutes
MEMORY = timedelta(weeks=4)  # how far back a first document tells how often a feed publishes
HALF_LIFE = timedelta(weeks=2)  # after which what was learned counts half
FARTHEST = timedelta(days=2)  # beyond this no poll is planned
SAFE_SHARE = 0.5  # of its window that a feed may be expected to fill before the next poll

_FIRST_ENTRIES, _FIRST_DAYS = 0.5, 0.02  # supposed before any evidence: a feed that nothing is known of is asked soon
_EVEN_HOUR, _EVEN_WEEKDAY = 1.0, 5.0  # entries that speak for an even day, in each hour, and for an even week
_LATE = timedelta(days=1)  # an entry that appears later after its date than this is dated by its first sight
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)  # any


def learned(
    rhythm: Rhythm | None, polled_at: datetime, published: Sequence[datetime], known_share: float, window: int
) -> Rhythm:
    """What a successful poll adds to a feed's rhythm; None is a feed that was never polled.

    Args:
        published: the dates in the document, UTC, in any order. They are believed when every entry has one and they
            differ in their time of day; otherwise entries count when they are first seen.
        known_share: of the document's entries, those that were there before.
        window: entries in the document; 0 when it did not change.
    """
    if rhythm is None:
        return _first(polled_at, published, window)
    faded = _faded(rhythm, polled_at)
    new = round(window * (1 - known_share))
    believed = len(published) == window and _tell_hours(published)
    moments = _moments(rhythm.polled_at, polled_at, sorted(published)[window - new :] if believed else (), new)
    days = faded.days + max(polled_at - rhythm.polled_at, timedelta(0)) / _DAY
    return replace(_counted(faded, moments), polled_at=polled_at, window=window or rhythm.window, days=days)


def next_at(rhythm: Rhythm, now: datetime, price: float) -> tuple[datetime, str]:
    """When a feed's unseen entries will have waited `price` hours together, or half its window is new; and why then."""
    at, unseen, waited = rhythm.polled_at, 0.0, 0.0
    most, farthest = rhythm.window * SAFE_SHARE or math.inf, at + FARTHEST
    while at < farthest:
        rate = expected(rhythm, at)
        worth = (math.sqrt(unseen**2 + 2 * rate * (price - waited)) - unseen) / rate
        wait = min(worth, (most - unseen) / rate)
        end = min(at.replace(minute=0, second=0, microsecond=0) + _HOUR, farthest)
        left = (end - at) / _HOUR
        if wait <= left:
            at, unseen = at + wait * _HOUR, unseen + rate * wait
            break
        waited += unseen * left + rate * left**2 / 2
        at, unseen = end, unseen + rate * left
    new = f"about {unseen:.1f}" if unseen >= 0.1 else "hardly anything"
    return max(at, now), f"rhythm: {new} new by then"


def expected(rhythm: Rhythm, at: datetime) -> float:
    """Entries an hour at that moment, by its hour and weekday; little evidence leaves them near the feed's mean."""
    a_day = (sum(rhythm.hours) + _FIRST_ENTRIES) / (rhythm.days + _FIRST_DAYS)
    end = (rhythm.polled_at - _MONDAY) / _DAY
    found = watched = 0.0
    for hour, weight in ((at.hour - 1) % 24, 0.25), (at.hour, 0.5), ((at.hour + 1) % 24, 0.25):
        found += rhythm.hours[hour] * weight
        watched += _share(end, rhythm.days, 24, hour) / 24 * weight
    hour_factor = (found + _EVEN_HOUR) / (watched * a_day + _EVEN_HOUR)
    weekday = at.weekday()
    watched = _share(end / 7, rhythm.days / 7, 7, weekday)
    return a_day / 24 * hour_factor * (rhythm.weekdays[weekday] + _EVEN_WEEKDAY) / (watched * a_day + _EVEN_WEEKDAY)


def price_after(price: float, made: int, budget: float, elapsed: timedelta) -> float:
    """The price after a stretch in which so many requests were made, and `budget` were allowed.

    A day of twice the budget makes it four times as high, which halves the requests.
    """
    excess = (made + 1) / (budget + 1)
    return min(max(price * math.pow(excess, 2 * (elapsed / _DAY)), CHEAPEST), DEAREST)


def _share(end: float, length: float, slots: int, slot: int) -> float:
    """How often one of a cycle's slots passed in so many cycles until `end`."""
    return _passed(end, slots, slot) - _passed(end - length, slots, slot)


def _passed(cycles: float, slots: int, slot: int) -> float:
    whole = math.floor(cycles)
    part = (cycles - whole) * slots - slot
    return whole + (0.0 if part <= 0 else 1.0 if part >= 1 else part)  # `min` and `max` take twice as long


def _tell_hours(published: Sequence[datetime]) -> bool:
    """Whether dates differ in their time of day: otherwise they are days, or the document's own date."""
    return len({at.time() for at in published}) > 1


def _first(polled_at: datetime, published: Sequence[datetime], window: int) -> Rhythm:
    """What one document tells: the oldest date only marks where its time begins."""
    rhythm = Rhythm(polled_at, window)
    past = [at for at in published if at <= polled_at]
    if len(set(past)) < 2:
        return rhythm
    since = max(min(past), polled_at - MEMORY)
    rhythm = _counted(replace(rhythm, days=(polled_at - since) / _DAY), [at for at in past if at > since])
    if _tell_hours(past):
        return rhythm
    return replace(rhythm, hours=(round(sum(rhythm.hours) / 24, 2),) * 24)


def _faded(rhythm: Rhythm, now: datetime) -> Rhythm:
    """Everything lighter by its age; in steps of a day, so that rounded counts fade too."""
    passed = (now.date() - rhythm.polled_at.date()).days
    if passed <= 0:
        return rhythm
    kept = math.pow(0.5, passed * _DAY / HALF_LIFE)
    hours, weekdays = (tuple(round(n * kept, 2) for n in counts) for counts in (rhythm.hours, rhythm.weekdays))
    return replace(rhythm, days=round(rhythm.days * kept, 4), hours=hours, weekdays=weekdays)


def _moments(since: datetime, now: datetime, dates: Sequence[datetime], new: int) -> list[datetime]:
    """When the new entries were published: their dates if they can be true, else evenly since the last poll."""
    seen = [since + (now - since) * ((place + 0.5) / new) for place in range(new)]
    return [date if since - _LATE <= date <= now else at for date, at in zip(dates or seen, seen, strict=True)]


def _counted(rhythm: Rhythm, moments: Sequence[datetime]) -> Rhythm:
    if not moments:
        return rhythm
    hours, weekdays = list(rhythm.hours), list(rhythm.weekdays)
    for at in moments:
        hours[at.hour] += 1
        weekdays[at.weekday()] += 1
    return replace(rhythm, hours=tuple(hours), weekdays=tuple(weekdays))
