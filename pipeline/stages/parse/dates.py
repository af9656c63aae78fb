"""Dates in the two notations that feeds use: RFC 822 with years of four digits, and W3C's of ISO 8601."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ZONES = {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
_ZONES |= dict.fromkeys(("gmt", "utc", "ut", "z"), 0)
_RFC822 = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun), )?([0-9]{1,2}) ([a-z]{3}) ([0-9]{4}) ([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?"
    r" (?:([a-z]{1,3})|([+-][0-9]{2}):?([0-9]{2}))"
)
_W3C = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}(?::[0-9]{2}|00))?)?"
)


def usual_moment(written: str) -> datetime | None:
    """A date in UTC, which is also the zone of one that names none; None when it is in neither notation."""
    try:
        if _W3C.fullmatch(written):
            moment = datetime.fromisoformat(written).replace(microsecond=0)
        elif parts := _RFC822.fullmatch(written.lower()):
            day, month, year, hour, minute, second, zone, *offset = parts.groups()
            numbers = (int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second or 0))
            moment = datetime(*numbers, tzinfo=_zone(zone, *offset))
        else:
            return None
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, LookupError, OverflowError):  # no such day, hour or zone; the first hours of the year 1
        return None


@lru_cache(maxsize=128)
def _zone(name: str | None, hours: str, minutes: str) -> timezone:
    if name:
        return timezone(timedelta(hours=_ZONES[name]))
    return timezone(timedelta(hours=int(hours), minutes=int(hours[0] + minutes)))
