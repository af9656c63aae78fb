"""Page, entry -> when the article was published and updated.

The page's date wins over the feed's, the feed's over the archive's; when none counts it is the moment we first saw it.
A page that names only a day, or a time without its zone, takes the feed's moment when that may be the same one: when it
lies within the named time, give or take what the zones of the earth differ from UTC. Else it is read as UTC. An update
refines nothing: the same article is given the same day, whether a feed named its publication or a sitemap its change.
Of a page's dates what it tells machines wins (JSON-LD, meta elements, microdata), then the day in its URL, what readers
see around the headline, what its scripts agree on, an update where nothing else is seen, and what is marked as a date.
The first day in a short line anywhere on the page counts when neither page nor entry state one.
A date before 1990, or after the page was fetched, does not count; one in an unnamed zone may seem 14 hours later.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from urllib.parse import urlsplit

from lxml.etree import XPath
from lxml.html import HtmlElement

from pipeline.model import DateOrigin, Entry, Page
from pipeline.stages.extract import east_asian
from pipeline.stages.extract.around import Line, lines_of
from pipeline.stages.extract.moments import Stated, in_path, stated, written

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_UPDATED = re.compile(
    r"updated?\b|modified|revised|reviewed|edited|actualizad|atualizad|aggiornat|mis(?:e)? à jour|modifié|aktualisiert"
    r"|zuletzt|stand:|geändert|bijgewerkt|uppdaterad|opdateret|oppdatert|päivitetty|aktualiz|zmodyf|обновл|оновлен|изменен"
    r"|güncelle|ενημέρωση|عدل|تحديث|עודכן|更新|최종|수정|diperbarui|cập nhật|frissítve|actualizat",
    re.IGNORECASE,
)
_MARKED_AS_DATE = XPath("//time | //@class[contains(.,'date') or contains(.,'ublish') or contains(.,'osted')]/..")
MOST_MARKED = 10
LONGEST_SHOWN = 120  # characters of a line around the headline that dates the article
LONGEST_DATED = 80  # characters of a line that names the day of its article; a longer one tells of that day
MOST_SHORT = 1_000  # of these
_DIGIT = re.compile(r"\d")
_IN_SCRIPT = re.compile(
    r"[\"'](?:datePublished|date_published|publishedAt|published_at|publishDate|publish_date|publicationDate|pubDate"
    r"|firstPublished(?:At|Date)?|pagePostDate)\\?[\"']\s*:\s*\\?[\"']([^\"'\\]{8,40})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What readers are told around the headline."""

    published: Stated | None = None
    updated: Stated | None = None


def counts(moment: datetime, fetched_at: datetime, slack: timedelta = timedelta(0)) -> bool:
    """Whether a date can be true of an article fetched then; one that lies ahead cannot.

    A date in an unnamed zone may be read as later than it is: that is the slack.
    """
    return EARLIEST <= moment <= fetched_at + slack


def first_stated(candidates: Iterable[str | None], fetched_at: datetime) -> Stated | None:
    """The first candidate that is a date and counts."""
    read = (stated(candidate) for candidate in candidates if candidate)
    return next((one for one in read if one and counts(one.at, fetched_at, one.slack)), None)


def shown(lines: Iterable[Line], lang: str | None, fetched_at: datetime) -> Shown:
    """The dates that readers see around the headline, the nearest first."""
    published, updated = None, None
    dated = (one for one in lines if one.stamps or _may_date(one.text))
    for one, is_update in chain.from_iterable(map(_parted, dated)):
        day = first_stated(one.stamps, fetched_at) or written(one.text, lang)
        if day is None or not counts(day.at, fetched_at, day.slack):
            continue
        if is_update:
            updated = updated or day
        else:
            published = published or day
    return Shown(published, updated)


def _may_date(text: str) -> bool:
    """Whether a line may tell the day of its article; a sentence tells of that day, and is shorter in Chinese."""
    longest = LONGEST_SHOWN // 2 if east_asian.IS_EAST_ASIAN.search(text) else LONGEST_SHOWN
    return len(text) <= longest and _DIGIT.search(text) is not None


def _parted(one: Line) -> Iterator[tuple[Line, bool]]:
    """What a line says of the publication and of an update, and which is which: `3 May 2025, updated 7 May 2025`."""
    match = _UPDATED.search(one.text)
    first, second = (one.text[: match.start()], one.text[match.start() :]) if match else (one.text, "")
    if len(one.stamps) != 1 and written(first) and written(second):
        yield Line(first, one.stamps[:1]), False
        yield Line(second, one.stamps[1:]), True
    else:
        yield one, match is not None


def of_page(tree: HtmlElement, page: Page, seen: Shown, is_last_resort: bool) -> Stated | None:
    """The day that a page shows, that its URL or its scripts name; as a last resort, the first in any of its lines."""
    path = in_path(urlsplit(page.url).path)
    if path is not None and counts(path.at, page.fetched_at, path.slack):
        return path
    if (found := seen.published or _scripted(tree, page.fetched_at) or seen.updated) is not None:
        return found
    marked = shown(islice(_marked(tree), MOST_MARKED), None, page.fetched_at)
    if (found := marked.published or marked.updated) is not None or not is_last_resort:
        return found
    short = (one for one in lines_of(tree) if len(one.text) <= LONGEST_DATED)
    anywhere = shown(islice(short, MOST_SHORT), None, page.fetched_at)
    return anywhere.published or anywhere.updated


def _scripted(tree: HtmlElement, fetched_at: datetime) -> Stated | None:
    """The date of publication in the data of a page's scripts, when they name only one."""
    scripts = (one.text or "" for one in tree.iter("script") if "ld+json" not in (one.get("type") or ""))
    found = {match[1] for script in scripts for match in _IN_SCRIPT.finditer(script)}
    return first_stated(found, fetched_at) if len(found) == 1 else None


def _marked(tree: HtmlElement) -> Iterator[Line]:
    """The lines, anywhere in a page, that are marked as dates."""
    for element in _MARKED_AS_DATE(tree):
        yield from islice(lines_of(element), 2)


def told(entry: Entry, seen_at: datetime) -> datetime | None:
    """When a feed or archive says that the article was published, None when it says nothing that counts."""
    return _counted(entry.dated_at, seen_at)


def _counted(moment: datetime | None, seen_at: datetime) -> datetime | None:
    return moment if moment and counts(moment, seen_at) else None


def published(page: Stated | None, entry: Entry, seen_at: datetime) -> tuple[datetime, DateOrigin]:
    """When an article was published, and who said so."""
    if page is not None:
        at = page.refined(_counted(entry.published_at, seen_at)).astimezone(UTC)
        return min(at, seen_at), DateOrigin.PAGE  # it may be tomorrow already where it was written
    if (moment := told(entry, seen_at)) is not None:
        return moment, DateOrigin.FEED if entry.archive is None else DateOrigin.ARCHIVE
    return seen_at, DateOrigin.FIRST_SEEN


def updated(candidates: Iterable[datetime | None], published_at: datetime, seen_at: datetime) -> datetime | None:
    """The first update that counts and does not come before the publication."""
    return next((one for one in candidates if one and one >= published_at and counts(one, seen_at)), None)
