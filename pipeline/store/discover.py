"""New entries: telling them from known ones, and putting them in line."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from pipeline import urls
from pipeline.model import Entry, Feed, FetchMode
from pipeline.store import payloads
from pipeline.store.database import Database
from pipeline.store.tables import entries, events, hosts
from pipeline.store.tables import urls as url_rows

LIVE, BACKFILL = 1, 0  # priorities
REVISION_PAUSE = timedelta(hours=1)  # doubled for each further revision: some feeds renew `updated` at every poll
LONGEST_PAUSE = timedelta(days=1)
LONGEST_KEY = 1000  # bytes; PostgreSQL's index rows end at 2,704
_CHUNK = 400  # rows a statement


@dataclass(frozen=True, slots=True)
class Discovery:
    """Entries that a feed or an archive holds."""

    entries: tuple[Entry, ...]
    at: datetime
    feed: Feed | None = None
    origin_run_id: int | None = None  # the backfill that found them
    unwanted: frozenset[str] = frozenset()  # ids of those that the feed's include / exclude keep out


async def discover(c: AsyncConnection, db: Database, found: Discovery) -> list[int]:
    """Store the entries that are new, and wake those that announce a revision; returns their ids."""
    by_key = {key_of(entry): entry for entry in reversed(found.entries)}
    canonical = {entry.url: urls.canonical_url(entry.url) for entry in by_key.values() if entry.url}
    url_ids = await _url_ids(c, db, {url for url in canonical.values() if url}, found.at)
    known = await _known(c, found, list(by_key))
    fresh, woken, corrected = [], [], []
    for key, entry in by_key.items():
        url_id = url_ids.get(canonical.get(entry.url or "") or "")
        if key not in known:
            fresh.append(_row(entry, url_id, found))
        elif _is_revised(known[key], entry, url_id):
            woken.append(_revision(known[key], entry, url_id, found))
        elif _is_corrected(known[key], url_id):
            corrected.append({"id": known[key].id, **_content(entry, url_id, found.feed)})
    await _add_hosts(c, db, {row["host"] for row in [*fresh, *woken, *corrected]}, found.at)
    new = insert(entries).returning(entries.c.id, entries.c.key)
    added = [row for chunk in _chunks(fresh) for row in await c.execute(new, chunk)]
    for row in [*woken, *corrected]:
        await c.execute(update(entries).where(entries.c.id == row["id"]).values(**row))
    changed = [
        *((row.id, "seen", by_key[row.key].place) for row in added),
        *((row["id"], "announced-again", None) for row in woken),
    ]
    await _add_events(c, changed, found)
    return [i for i, _, _ in changed]


async def _url_ids(c: AsyncConnection, db: Database, wanted: set[str], at: datetime) -> dict[str, int]:
    """The row of each canonical URL, made where it is missing."""
    found: dict[str, int] = {}
    for chunk in _chunks(sorted(wanted)):
        rows = [{"url": url, "first_seen_at": at} for url in chunk]
        await c.execute(db.insert(url_rows).on_conflict_do_nothing(index_elements=["url"]), rows)
        found.update((await c.execute(select(url_rows.c.url, url_rows.c.id).where(url_rows.c.url.in_(chunk)))).all())
    return found


async def _known(c: AsyncConnection, found: Discovery, keys: list[str]) -> dict[str, Any]:
    if found.origin_run_id is not None:
        is_ours = entries.c.origin_run_id == found.origin_run_id
    elif found.feed is not None:
        is_ours = (entries.c.feed_id == found.feed.id) & entries.c.origin_run_id.is_(None)
    else:
        raise ValueError("entries come from a feed or from a backfill")
    rows: dict[str, Any] = {}
    for chunk in _chunks(keys):
        query = select(entries).where(is_ours, entries.c.key.in_(chunk))
        rows.update({row.key: row for row in await c.execute(query)})
    return rows


def _is_revised(row: Any, entry: Entry, url_id: int | None) -> bool:
    if row.state != "done" or url_id is None:
        return False
    is_newer = entry.updated_at is not None and row.updated_at is not None and entry.updated_at > row.updated_at
    return url_id != row.url_id or is_newer


def _is_corrected(row: Any, url_id: int | None) -> bool:
    """The link was changed before the page was fetched."""
    return bool(row.state == "waiting" and url_id is not None and url_id != row.url_id)


def key_of(entry: Entry) -> str:
    """What an entry is known by; a long one is cut and hashed, since an index row is bounded."""
    raw = entry.id.encode(errors="replace")
    if len(raw) <= LONGEST_KEY:
        return entry.id
    return raw[:LONGEST_KEY].decode(errors="ignore") + "#" + hashlib.sha256(raw).hexdigest()


def _row(entry: Entry, url_id: int | None, found: Discovery) -> dict[str, Any]:
    feed = found.feed
    dropped = "no-link" if url_id is None else "excluded" if entry.id in found.unwanted else None
    return {
        "feed_id": feed.id if feed else None,
        "key": key_of(entry),
        "archive": entry.archive,
        "state": "done" if dropped else "waiting",
        "outcome": "dropped" if dropped else None,
        "reason": dropped,
        "priority": LIVE if found.origin_run_id is None else BACKFILL,
        "newest_at": entry.dated_at or found.at,
        "due_at": found.at,
        "attempts": 0,
        "revision": 0,
        "origin_run_id": found.origin_run_id,
        "seen_at": found.at,
        "done_at": found.at if dropped else None,
        **_content(entry, url_id, feed),
    }


def _revision(row: Any, entry: Entry, url_id: int | None, found: Discovery) -> dict[str, Any]:
    pause = min(REVISION_PAUSE * 2 ** min(row.revision - 1, 10), LONGEST_PAUSE) if row.revision else timedelta()
    return {
        "id": row.id,
        "state": "waiting",
        "outcome": None,
        "reason": None,
        "detail": None,
        "attempts": 0,
        "revision": row.revision + 1,
        "due_at": found.at + pause,
        "done_at": None,
        **_content(entry, url_id, found.feed),
    }


def _content(entry: Entry, url_id: int | None, feed: Feed | None) -> dict[str, Any]:
    has_text = bool(entry.content or entry.summary)
    has_text_only = feed is not None and feed.fetch is FetchMode.FEED and has_text
    needs_page = entry.url is not None and entry.held is None and not has_text_only
    return {
        "url_id": url_id,
        "url": entry.url,
        "host": urls.host_key(entry.url) if needs_page and entry.url else "",
        "title": entry.title,
        "published_at": entry.published_at,
        "updated_at": entry.updated_at,
        "lang": entry.lang,
        "payload": payloads.pack(entry),
    }


async def _add_hosts(c: AsyncConnection, db: Database, wanted: Iterable[str], at: datetime) -> None:
    """Each host that is to be asked has its row, so that what is due is found through the hosts."""
    rows = [{"host": host, "next_at": at} for host in sorted(wanted) if host]
    if rows:
        await c.execute(db.insert(hosts).on_conflict_do_nothing(index_elements=["host"]), rows)


async def _add_events(c: AsyncConnection, changed: list[tuple[int, str, str | None]], found: Discovery) -> None:
    about = {"at": found.at, "feed_id": found.feed.id if found.feed else None, "run_id": found.origin_run_id}
    rows = [
        {**about, "kind": kind, "entry_id": entry_id, "detail": {"found_in": place} if place else None}
        for entry_id, kind, place in changed
    ]
    if rows:
        await c.execute(insert(events), rows)


def _chunks(items: list[Any]) -> Iterable[list[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
