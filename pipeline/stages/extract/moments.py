"""Text -> Stated: a date as machines write it, or as people do in some forty languages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.resources import files
from itertools import chain

from pipeline.stages.extract import calendars

ZONE_SLACK = timedelta(hours=14)  # the largest offset from UTC
DAY = timedelta(days=1)

_ISO = re.compile(  # a date, perhaps a time, perhaps a zone: ISO 8601 and what publishers make of it
    r"(?=\d{4}[-/]|\d{8}(?!\d))(?P<year>\d{4})(?P<mark>[-/]?)(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?!\d)"
    r"(?:(?:T|\s)\s*(?P<hour>\d{1,2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2}))?(?:[.,]\d+)?"
    r"\s*(?P<zone>Z|UTC|GMT|(?P<sign>[+-])(?P<zone_hour>\d{1,2}):?(?P<zone_minute>\d{2})?)?)?",
    re.IGNORECASE | re.ASCII,
)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?", re.ASCII)  # seconds or milliseconds
_WORD = r"(?P<word>[^\s\d.,:;()|/]{2,20})(?:/[^\s\d/]{2,20})?"  # in the Levant a month has two names: آذار/مارس
_WRITTEN = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # 10 July 2025, 10. Juli 2025, 10 de julio de 2025, 10th of July, 2025, 10-Jul-2025
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º)?[.\s\-]{{1,3}}(?:of\s|de\s|d['’])?\s?{_WORD}"
        r"[.,\s\-]{1,3}(?:del?\s|of\s)?(?P<year>\d{4})(?!\d)",
        # July 10, 2025
        rf"{_WORD}\.?\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[,\s]\s?(?P<year>\d{{4}})(?!\d)",
        # 2025. július 10., 2025 m. liepos 10
        rf"(?<!\d)(?P<year>\d{{4}})[.,]?\s(?:m\.\s)?{_WORD}\.?\s(?P<day>\d{{1,2}})(?!\d)",
        # 2025年7月10日, 2025년 7월 10일, 2025-07-10, 2025.7.10
        r"(?<!\d)(?P<year>\d{4})\s?[年년./\-]\s?(?P<month>\d{1,2})\s?[月월./\-]\s?(?P<day>\d{1,2})(?!\d)",
        # 10 tháng 7, 2025
        r"(?<!\d)(?P<day>\d{1,2})\stháng\s(?P<month>\d{1,2})(?:,|\snăm)?\s(?P<year>\d{4})(?!\d)",
    )
)
_NUMBERS = re.compile(r"(?<![\d./\-])(\d{1,2})\s?([./\-])\s?(\d{1,2})\s?\2\s?(\d{4})(?!\d)")
_SHORT_NUMBERS = re.compile(r"(?<![\d./\-])(\d{2})([./])(\d{2})\2(\d{2})(?![\d./\-])")  # 10.07.25
_MONTH_FIRST = frozenset({"en", "en-US", "en-PH"})
_YEAR_FIRST = frozenset({"ko", "ja", "zh", "hu", "lt", "fa"})
_THIS_CENTURY = 70  # of two digits: 69 is 2069, 70 is 1970
_IN_PATH_BY_NAME = re.compile(r"/(?P<year>(?:19|20)\d{2})/(?P<word>[a-z]{3,9})/(?P<day>0?[1-9]|[12]\d|3[01])/")
_IN_PATH = re.compile(r"/(?P<year>(?:19|20)\d{2})([/\-_]?)(?P<month>0[1-9]|1[0-2])\2(?P<day>0[1-9]|[12]\d|3[01])(?!\d)")


@dataclass(frozen=True, slots=True)
class Stated:
    """A moment as a page states it, in the zone that it is stated in."""

    at: datetime
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


def spelled(text: str) -> Stated | None:
    """The day that a text names in an order that every language reads alike: 2025 Jul 10, July 10, 2025."""
    matches = (match for pattern in _WRITTEN for match in pattern.finditer(text))
    return next((day for day in (_from_words(match, None) for match in matches) if day), None)


def written(text: str, lang: str | None = None) -> Stated | None:
    """The first day that a line names as people write it; which of two numbers is the month, the language tells."""
    if not any(map(str.isdigit, text)):
        return None
    text = calendars.without_eras(text)
    found = (_from_words(match, lang) for pattern in _WRITTEN for match in pattern.finditer(text))
    numbers = (_from_numbers(match, lang) for match in _NUMBERS.finditer(text))
    short = (_from_short(match, lang) for match in _SHORT_NUMBERS.finditer(text))
    return next((day for day in chain(found, numbers, short) if day), None)


def in_path(path: str) -> Stated | None:
    """The day in the path of a URL: /2025/07/10/, 2025-07-10, /20250710, /2025/jul/10/."""
    if match := _IN_PATH.search(path):
        return _day(int(match["year"]), int(match["month"]), int(match["day"]))
    match = _IN_PATH_BY_NAME.search(path)
    return _from_words(match, "en") if match else None


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
    moment.astimezone(UTC)  # raises where that is no date any more
    return Stated(moment)


def _from_words(match: re.Match[str], lang: str | None) -> Stated | None:
    named = match.groupdict()
    month = int(named["month"]) if "month" in named else _month(named["word"], lang)
    return _day(int(named["year"]), month, int(named["day"])) if month else None


def _from_numbers(match: re.Match[str], lang: str | None) -> Stated | None:
    first, mark, second, year = int(match[1]), match[2], int(match[3]), int(match[4])
    is_month_first = mark != "." and (lang or "en") in _MONTH_FIRST
    month, day = (first, second) if is_month_first else (second, first)
    return _day(year, month, day) or _day(year, day, month)


def _from_short(match: re.Match[str], lang: str | None) -> Stated | None:
    """10.07.25 where the language says which is which; in English, and where it is unknown, nobody knows."""
    language = (lang or "en").partition("-")[0]
    if language == "en":
        return None
    first, month, last = int(match[1]), int(match[3]), int(match[4])
    year, day = (first, last) if language in _YEAR_FIRST else (last, first)
    return _day(year + (2000 if year < _THIS_CENTURY else 1900), month, day)


def _day(year: int, month: int, day: int) -> Stated | None:
    at = calendars.day(year, month, day)
    return Stated(at, DAY) if at else None


def _month(word: str, lang: str | None) -> int | None:
    """The month that a word names, first in its own language, then in any other."""
    word, own, other = word.lower(), (lang or "en").partition("-")[0], None
    for language, month, start in _months():
        if word.startswith(start):
            if language == own:
                return month
            other = other or month
    return other


@cache
def _months() -> tuple[tuple[str, int, str], ...]:
    return tuple(_listed(files(__package__).joinpath("months.tsv").read_text("utf-8")))


def _listed(table: str) -> Iterator[tuple[str, int, str]]:
    for row in table.splitlines()[1:]:
        language, *months = row.split("\t")
        for number, starts in enumerate(months, 1):
            yield from ((language, number, start) for start in starts.split(","))
