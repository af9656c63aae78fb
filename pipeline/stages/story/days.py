"""Text -> days: when the events happened that a report tells of, by the weekdays and dates that it names."""

import re
from datetime import date, timedelta

MOST = 6  # days of one report
FARTHEST = 60  # days from the publication; what is farther is history or outlook
READ = 1_200  # characters of title and text
BEFORE = 45  # characters in which the future shows

_WEEKDAYS = {day: at for at, day in enumerate(("mon", "tues", "wednes", "thurs", "fri", "satur", "sun"))}
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: at for at, name in enumerate(_MONTH_NAMES, start=1)}
_MONTH = "|".join(_MONTHS)
_YESTERDAY = frozenset({"yesterday", "last night"})
_NAMED = re.compile(
    rf"\b(?:(?P<weekday>{'|'.join(_WEEKDAYS)})days?"
    rf"|(?P<month>{_MONTH})[a-z]*\.? (?P<day>\d{{1,2}})(?!\d)"
    rf"|(?P<day_first>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month_last>{_MONTH})[a-z]*"
    r"|(?P<near>today|tonight|this morning|this afternoon|this evening|overnight|yesterday|last night|tomorrow))\b"
)
_FUTURE = re.compile(r"\b(?:will|due to|next|upcoming|begins?|until|scheduled|coming|expected|before|by)\b[^.\n]*$")


def days(text: str, published: date) -> tuple[date, ...]:
    """The days that an English text names, in the order in which it does; each once."""
    read = text[:READ].lower()
    found = (_day(match, read, published) for match in _NAMED.finditer(read))
    near = (day for day in found if day is not None and abs((day - published).days) <= FARTHEST)
    return tuple(dict.fromkeys(near))[:MOST]


def _day(match: re.Match[str], text: str, published: date) -> date | None:
    if match["weekday"]:
        ahead = (_WEEKDAYS[match["weekday"]] - published.weekday()) % 7
        is_future = _FUTURE.search(text, max(0, match.start() - BEFORE), match.start())
        return published + timedelta(ahead if is_future else -(-ahead % 7))
    if match["near"]:
        return published + timedelta((match["near"] == "tomorrow") - (match["near"] in _YESTERDAY))
    month = _MONTHS[match["month"] or match["month_last"]]
    return _nearest(month, int(match["day"] or match["day_first"]), published)


def _nearest(month: int, day: int, published: date) -> date | None:
    """The day of a month in the year in which it is closest; None when there is no such day."""
    try:
        years = [date(year, month, day) for year in (published.year - 1, published.year, published.year + 1)]
    except ValueError:
        return None
    return min(years, key=lambda one: abs((one - published).days))
