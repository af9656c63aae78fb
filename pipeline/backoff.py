"""When to come back: the timing rules that polls, fetches and the web share."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from pipeline.model import Response, Rest

MAX_ATTEMPTS = 7  # of one fetch: with the delays below, the last one comes about 23 hours after the first
FIRST_RETRY = timedelta(minutes=1)
RETRY_FACTOR = 4.0
LONGEST_DELAY = timedelta(days=1)  # nobody's word keeps us away for longer: absurd values are mistakes
UNNAMED_REST = timedelta(hours=1)  # after a 429 or 503 that names no time
RETRY_SPREAD = 0.2  # jitter, as a share of the delay

_REST_STATUSES = frozenset({429, 503})
_TEMPORARY_STATUSES = frozenset(
    {408, 425, 429, 500, 502, 503, 504, *range(520, 531)}
)  # 52x, 530: a CDN's origin is down
_SECONDS = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?")


def is_temporary(status: int) -> bool:
    """Whether the same request may well succeed later."""
    return status in _TEMPORARY_STATUSES


def http_date(value: str | None) -> datetime | None:
    """The moment that an HTTP-date names; None when it names none.

    Source:
        RFC 9110 section 5.6.7, all three formats.
    """
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def retry_after(value: str | None, date: str | None, now: datetime) -> datetime | None:
    """The moment before which a server wants no further request.

    A date is read on the server's own clock when it sent `Date`. A time that is over means `now`, and anything beyond
    `LONGEST_DELAY` means that.

    Returns:
        None when the header is absent or says nothing.

    Source:
        RFC 9110 section 10.2.3.
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        seconds = min(max(float(text), 0), LONGEST_DELAY.total_seconds())
        return now + timedelta(seconds=seconds)
    moment = http_date(text)
    if moment is None:
        return None
    return now + min(max(moment - (http_date(date) or now), timedelta(0)), LONGEST_DELAY)


def named_retry(response: Response) -> datetime | None:
    """The time that a 429 or 503 names in Retry-After; None for any other response, or when it names none."""
    if not asks_for_rest(response):
        return None
    return retry_after(response.header("retry-after"), response.header("date"), response.received_at)


def asks_for_rest(response: Response) -> bool:
    """Whether its host wants to be left alone: 429 or 503."""
    return response.status in _REST_STATUSES


def rest_until(response: Response, now: datetime) -> datetime | None:
    """Until when its whole host is left alone after a 429 or 503; None after any other response."""
    if not asks_for_rest(response):
        return None
    return retry_after(response.header("retry-after"), response.header("date"), now) or now + UNNAMED_REST


def rest_after(response: Response, last: Rest | None) -> Rest:
    """How long its whole host is left alone after a 429 or 503.

    Without a time of the server's own it is an hour, and twice the last rest when that one did not help for long.
    """
    now = response.received_at
    named = named_retry(response)
    length = (named or now + UNNAMED_REST) - now
    if named is None and last is not None and now - last.until < last.length:
        length = min(max(2 * last.length, UNNAMED_REST), LONGEST_DELAY)
    return Rest(now + length, length)


def retry_at(attempts: int, now: datetime, key: str) -> datetime:
    """When something that failed `attempts` times is tried again: exponentially later, spread over its keys."""
    delay = min(FIRST_RETRY * RETRY_FACTOR ** min(max(attempts - 1, 0), MAX_ATTEMPTS), LONGEST_DELAY)
    return now + delay * (1 + RETRY_SPREAD * jitter(key, attempts))


def gave_up(attempts: int) -> bool:
    """Whether that many failed attempts are enough."""
    return attempts >= MAX_ATTEMPTS


def jitter(key: str, n: int) -> float:
    """A number in [-1, 1], evenly spread over keys and `n`, the same for the same arguments."""
    digest = hashlib.blake2b(f"{n}\n{key}".encode("utf-8", "surrogatepass"), digest_size=7).digest()
    return int.from_bytes(digest) / (1 << 55) - 1
