"""Times as users type them: dates, RFC 3339, or ages (36h, 7d)."""

import re
from datetime import UTC, datetime, timedelta

from pipeline.errors import UsageError

_AGE = re.compile(r"(\d{1,6})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def since(text: str | None, now: datetime) -> datetime | None:
    """The start of a range: a date means its first moment (UTC)."""
    return None if text is None else _read(text, now, "--since")[0]


def until(text: str | None, now: datetime) -> datetime | None:
    """The end of a range, excluded: a date includes that whole day, an instant excludes itself."""
    if text is None:
        return None
    moment, is_date = _read(text, now, "--until")
    return moment + timedelta(days=1) if is_date else moment


def _read(text: str, now: datetime, option: str) -> tuple[datetime, bool]:
    text = text.strip()
    try:
        if age := _AGE.fullmatch(text):
            return now - timedelta(**{_UNITS[age[2]]: int(age[1])}), False
        moment = datetime.fromisoformat(text)
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return aware, _DATE.fullmatch(text) is not None
    except (ValueError, OverflowError) as e:
        raise UsageError(f"{option}: {text!r} is no date (2025-07-11), RFC 3339 time or age (36h, 7d)") from e
