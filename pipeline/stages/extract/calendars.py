"""Year, month, day as people count them -> the day of our calendar: reigns, the Republic of China, the Buddha, Iran."""

import re
from datetime import UTC, datetime, timedelta

# The year before the first one of each; China's republic counts from 1912, Japan's reigns from their beginning.
_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "民國": 1911, "民国": 1911}
_ERA = re.compile(rf"({'|'.join(_ERAS)})\s?(\d{{1,3}}|元)\s?年")
_IRANIAN = range(1300, 1500)
_BUDDHIST = 2400  # a later year counts from the death of the Buddha
_BEGAN = datetime(2025, 3, 21, tzinfo=UTC)  # the first day of the year 1404 in Iran
_BEGAN_YEAR = 1404
_LEAP_REMAINDERS = frozenset({1, 5, 9, 13, 17, 22, 26, 30})  # of the year by 33


def without_eras(text: str) -> str:
    """A text in which the years of reigns and of the Republic of China are those of our calendar."""
    return _ERA.sub(_counted, text)


def day(year: int, month: int, number: int) -> datetime | None:
    """The day that a year, a month and a number name, at midnight in UTC; None where there is no such day."""
    if year in _IRANIAN:
        return _iranian(year, month, number)
    try:
        return datetime(year - 543 if year > _BUDDHIST else year, month, number, tzinfo=UTC)
    except ValueError:
        return None


def _counted(match: re.Match[str]) -> str:
    return f"{_ERAS[match[1]] + (1 if match[2] == '元' else int(match[2]))}年"


def _iranian(year: int, month: int, number: int) -> datetime | None:
    """A day of the Solar Hijri calendar: six months of 31 days, five of 30, one of 29 or 30.

    Source:
        The cycle of 33 years, which agrees with the equinox from 1799 to 2256.
    """
    longest = 31 if month <= 6 else 30 if month < 12 or _is_leap(year) else 29
    if not (1 <= month <= 12 and 1 <= number <= longest):
        return None
    years = range(_BEGAN_YEAR, year) if year >= _BEGAN_YEAR else range(year, _BEGAN_YEAR)
    days = sum(366 if _is_leap(one) else 365 for one in years)
    began = _BEGAN + timedelta(days=days if year >= _BEGAN_YEAR else -days)
    return began + timedelta(days=31 * (month - 1) - max(month - 7, 0) + number - 1)


def _is_leap(year: int) -> bool:
    return year % 33 in _LEAP_REMAINDERS
