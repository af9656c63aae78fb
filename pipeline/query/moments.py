"""Times as users type them: dates, RFC 3339, or ages (36h, 7d)."""

import re
from datetime import UTC, datetime, timedelta

from pipeline.errors import UsageError

_AGE = re.compile(r"(\d{1,6})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(rf"{_DATE.pattern}[Tt ].+")


def since(text: str | None, now: datetime) -> datetime | None:
    """The start of a range: a date means its first moment (UTC)."""
    return None if text is None else _option(text, now, "--since")[0]


def until(text: str | None, now: datetime) -> datetime | None:
    """The end of a range, excluded: a date includes that whole day, an instant excludes itself."""
    return None if text is None else _option(text, now, "--until")[1]


def _option(text: str, now: datetime, option: str) -> tuple[datetime, datetime]:
    try:
        return read(text, now)
    except ValueError as e:
        raise UsageError(f"{option}: {e}") from e


def is_age(text: str) -> bool:
    """Whether a time is said by how long ago it is."""
    return _AGE.fullmatch(text.strip()) is not None


def read(text: str, now: datetime) -> tuple[datetime, datetime]:
    """The first moment of what is meant, and its end: a date is a day long.

    Raises:
        ValueError: it is no time; says so.
    """
    try:
        moment = _read(text.strip(), now)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise ValueError(f"{text!r} is no date (2025-07-11), RFC 3339 time or age (36h, 7d)")
    return moment


def _read(text: str, now: datetime) -> tuple[datetime, datetime] | None:
    if age := _AGE.fullmatch(text):
        first = now - timedelta(**{_UNITS[age[2]]: int(age[1])})
        return first, first
    if _DATE.fullmatch(text):
        first = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return first, first + timedelta(days=1)
    if _INSTANT.fullmatch(text):
        moment = datetime.fromisoformat(text.upper())
        first = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return first, first
    return None
