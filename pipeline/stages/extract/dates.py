"""Page, entry -> when the article was published and updated.

The page's date wins over the feed's, the feed's over the archive's; when none counts it is the moment we first saw it.
A page that names only a day, or a time without its zone, takes the feed's moment when that may be the same one: when it
lies within the named time, give or take what the zones of the earth differ from UTC. Else it is read as UTC.
A day that is only guessed from the text of the page counts when neither page nor entry state one.
A date before 1990, or more than a day after the page was fetched, does not count.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from htmldate import find_date
from lxml.etree import strip_elements
from lxml.html import HtmlElement

from pipeline.model import DateOrigin, Entry
from pipeline.stages.extract.body import FOREIGN_ERRORS

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
ZONE_SLACK = timedelta(hours=14)  # the largest offset from UTC
DAY = timedelta(days=1)

_ISO = re.compile(  # a date, perhaps a time, perhaps a zone: ISO 8601 and what publishers make of it
    r"(?=\d{4}[-/]|\d{8}(?!\d))(?P<year>\d{4})(?P<mark>[-/]?)(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?!\d)"
    r"(?:(?:T|\s)\s*(?P<hour>\d{1,2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2}))?(?:[.,]\d+)?"
    r"\s*(?P<zone>Z|UTC|GMT|(?P<sign>[+-])(?P<zone_hour>\d{1,2}):?(?P<zone_minute>\d{2})?)?)?",
    re.IGNORECASE | re.ASCII,
)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?", re.ASCII)  # seconds or milliseconds


@dataclass(frozen=True, slots=True)
class Stated:
    """A moment as a page states it."""

    at: datetime  # UTC
    lasts: timedelta | None = None  # None: exact; else `at` is in an unnamed zone, and this is how long it lasts

    @property
    def slack(self) -> timedelta:
        """How much later than the truth it may be read."""
        return timedelta(0) if self.lasts is None else ZONE_SLACK

    def refined(self, by: datetime | None) -> datetime:
        """The other source's exact moment where it may be the same one, else our own."""
        if self.lasts is None or by is None:
            return self.at
        return by if self.at - ZONE_SLACK <= by < self.at + self.lasts + ZONE_SLACK else self.at


def stated(text: str) -> Stated | None:
    """Read a date as machines write it: ISO 8601 and its dialects, RFC 5322, seconds since 1970.

    Midnight is taken for a day: that is what systems write that know no time.
    """
    text = text.strip()
    try:
        if _EPOCH.fullmatch(text):
            return Stated(datetime.fromtimestamp(int(text[:10]), UTC))
        if match := _ISO.match(text):
            return _from_iso(match)
        return _from_moment(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None


def counts(moment: datetime, fetched_at: datetime, slack: timedelta = timedelta(0)) -> bool:
    """Whether a date can be true of an article fetched then; one that lies ahead cannot.

    A date in an unnamed zone may be read as later than it is: that is the slack.
    """
    return EARLIEST <= moment <= fetched_at + slack


def first_stated(candidates: Iterable[str | None], fetched_at: datetime) -> Stated | None:
    """The first candidate that is a date and counts."""
    read = (stated(candidate) for candidate in candidates if candidate)
    return next((one for one in read if one and counts(one.at, fetched_at, one.slack)), None)


def shown(tree: HtmlElement, url: str, fetched_at: datetime, is_last_resort: bool) -> Stated | None:
    """The day that the URL or the marks of a page show to its readers; as a last resort, the best guess from all text.

    The guess was right on three of four pages that show a date; where there is none it may still find some day.
    """
    visible = deepcopy(tree)
    strip_elements(visible, "script", with_tail=False)  # their dates are read already, or are other articles'
    found = None
    with suppress(*FOREIGN_ERRORS):  # a guess that fails is no guess
        found = find_date(
            visible,
            extensive_search=is_last_resort,
            original_date=True,
            url=url,
            min_date=EARLIEST.replace(tzinfo=None),
            max_date=(fetched_at + ZONE_SLACK).replace(tzinfo=None),
        )
    return first_stated([found], fetched_at)


def told(entry: Entry, seen_at: datetime) -> datetime | None:
    """When a feed or archive says that the article was published, None when it says nothing that counts."""
    moment = entry.published_at or entry.updated_at
    return moment if moment and counts(moment, seen_at) else None


def published(page: Stated | None, entry: Entry, seen_at: datetime) -> tuple[datetime, DateOrigin]:
    """When an article was published, and who said so."""
    moment = told(entry, seen_at)
    if page is not None:
        return min(page.refined(moment), seen_at), DateOrigin.PAGE  # it may be tomorrow already where it was written
    if moment is not None:
        return moment, DateOrigin.FEED if entry.archive is None else DateOrigin.ARCHIVE
    return seen_at, DateOrigin.FIRST_SEEN


def updated(candidates: Iterable[datetime | None], published_at: datetime, seen_at: datetime) -> datetime | None:
    """The first update that counts and does not come before the publication."""
    return next((one for one in candidates if one and one >= published_at and counts(one, seen_at)), None)


def _from_iso(match: re.Match[str]) -> Stated:
    year, month, day, hour, minute, second = (
        int(match[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    zone = None
    if match["sign"]:
        offset = timedelta(hours=int(match["zone_hour"]), minutes=int(match["zone_minute"] or 0))
        zone = timezone(offset if match["sign"] == "+" else -offset)
    elif match["zone"]:
        zone = UTC
    return _from_moment(datetime(year, month, day, hour, minute, second, tzinfo=zone))


def _from_moment(moment: datetime) -> Stated:
    if (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return Stated(moment.replace(tzinfo=UTC), DAY)
    if moment.tzinfo is None:
        return Stated(moment.replace(tzinfo=UTC), timedelta())
    return Stated(moment.astimezone(UTC))
