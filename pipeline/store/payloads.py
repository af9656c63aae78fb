"""Payloads: what only the extraction needs of an entry, as JSON that lives until the entry is done."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pipeline.model import Article, DateOrigin, Enclosure, Entry, Page

_BYTES = "latin-1"  # each byte as one character; the column is compressed


def pack(entry: Entry) -> str:
    """The payload of an entry."""
    content: dict[str, Any] = {
        "summary": entry.summary,
        "content": entry.content,
        "authors": entry.authors,
        "tags": entry.tags,
        "enclosures": [asdict(enclosure) for enclosure in entry.enclosures],
        "copy": entry.copy,
    }
    if isinstance(entry.held, Page):
        content["page"] = asdict(entry.held) | {"body": entry.held.body.decode(_BYTES)}
    elif entry.held is not None:
        content["article"] = asdict(entry.held)
    return json.dumps(content, default=datetime.isoformat)


def unpack(row: Any) -> Entry:
    """The entry of a row, as its feed or archive gave it."""
    payload = json.loads(row.payload) if row.payload else {}
    return Entry(
        id=row.key,
        url=row.url,
        title=row.title,
        published_at=row.published_at,
        updated_at=row.updated_at,
        summary=payload.get("summary"),
        content=payload.get("content"),
        authors=tuple(payload.get("authors", ())),
        tags=tuple(payload.get("tags", ())),
        enclosures=tuple(Enclosure(**enclosure) for enclosure in payload.get("enclosures", ())),
        lang=row.lang,
        archive=row.archive,
        copy=payload.get("copy"),
        held=_held(payload),
    )


def _held(payload: dict[str, Any]) -> Page | Article | None:
    if page := payload.get("page"):
        fetched_at = datetime.fromisoformat(page["fetched_at"])
        return Page(**{**page, "body": page["body"].encode(_BYTES), "fetched_at": fetched_at})
    if article := payload.get("article"):
        updated_at = article["updated_at"] and datetime.fromisoformat(article["updated_at"])
        typed = {
            "published_at": datetime.fromisoformat(article["published_at"]),
            "published_from": DateOrigin(article["published_from"]),
            "updated_at": updated_at,
            "authors": tuple(article["authors"]),
            "tags": tuple(article["tags"]),
        }
        return Article(**{**article, **typed})
    return None
