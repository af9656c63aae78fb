"""What every feed format does with its strings: plain text, moments, links, entries without doubles."""

import hashlib
import html
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from pipeline.model import Entry
from pipeline.urls import canonical_url

LONGEST_LINE = 10_000  # characters of markup; what is longer is no title or name

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EARLIEST_YEAR = 1971  # the epoch itself stands for "unknown"
_LATEST_YEAR = 2100
_INLINE = "a abbr acronym b bdi bdo big br cite code del div em font h1 h2 h3 h4 h5 h6 i img ins kbd li mark nobr ol p"
_INLINE += " q s samp small span strike strong sub sup tt u ul var wbr"
_TAG = re.compile(rf"</?(?:{'|'.join(_INLINE.split())})(?:\s[^<>]*)?/?>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")


def clean(text: str) -> str:
    """Text without what no database or terminal wants: NUL, control characters, lone surrogates."""
    return _UNPRINTABLE.sub("", text)


def plain_text(markup: str | None) -> str | None:
    """One line of text: tags and entities resolved, white space folded; None when nothing is left."""
    if not markup:
        return None
    text = markup[:LONGEST_LINE]
    if "<" in text or "&" in text or not text.isprintable():
        text = clean(html.unescape(_TAG.sub("", text)))
    return " ".join(text.split()) or None


def plain_texts(markups: Iterable[str | None]) -> tuple[str, ...]:
    """The plain texts of several strings, in order, without empty ones and doubles."""
    return tuple(dict.fromkeys(filter(None, map(plain_text, markups))))


def sane_moment(moment: datetime | None) -> datetime | None:
    """A date in UTC that an article can have; None for the epoch, the far past and the far future."""
    if moment is None or not _EARLIEST_YEAR <= moment.year <= _LATEST_YEAR:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def iso_moment(written: object) -> datetime | None:
    """A date that an article can have, in ISO 8601, the first moment of a day; None for anything else."""
    try:
        return sane_moment(datetime.fromisoformat(written)) if isinstance(written, str) else None
    except ValueError:
        return None


def size(value: object) -> int | None:
    """A whole number of at least zero that fits a database, as a number or a string of digits."""
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,18}\s*", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63 else None


def hours(numbers: Iterable[str | None]) -> frozenset[int]:
    """The hours that a feed's skipHours names; RSS 0.91 counts them from 1 to 24."""
    return frozenset(hour % 24 for hour in map(size, numbers) if hour is not None and hour <= 24)


def days(names: Iterable[str | None]) -> frozenset[int]:
    """The days of the week that a feed's skipDays names; Monday is 0."""
    written = {(name or "").strip().lower() for name in names}
    return frozenset(day for day, name in enumerate(_DAYS) if name in written)


def unnamed_id(title: str | None, text: str | None, moment: datetime | None) -> str | None:
    """What an entry with neither an id nor a link is known by: all that it says; None when it says nothing."""
    if not title and not text:
        return None
    said = "\n".join((title or "", text or "", moment.isoformat() if moment else ""))
    return "unnamed-" + hashlib.sha256(said.encode(errors="replace")).hexdigest()[:32]


def distinct(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Entries with identities of their own, in order.

    Of entries with the same id and the same link the first stays. Where one id stands for several links it identifies
    nothing, and those entries go by their canonical links instead.
    """
    found = tuple(entries)
    if len({entry.id for entry in found}) == len(found):
        return found
    links: defaultdict[str, set[str]] = defaultdict(set)
    listed = [(entry, canonical_url(entry.url) if entry.url else None) for entry in found]
    for entry, link in listed:
        if link:
            links[entry.id].add(link)
    kept: dict[str, Entry] = {}
    for entry, link in listed:
        own = replace(entry, id=link) if link and len(links[entry.id]) > 1 else entry
        kept.setdefault(own.id, own)
    return tuple(kept.values())
