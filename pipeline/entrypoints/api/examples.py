"""An answer of each operation, as the description of the API shows it."""

from collections.abc import Sequence
from typing import Any

from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

_ARTICLE: dict[str, Any] = {
    "id": 1836213600391168,
    "published_at": "2025-07-11T00:00:00Z",
    "published_from": "page",
    "label": "defense",
    "score": 0.97,
    "needs_review": False,
    "topics": ["operations", "policy"],
    "countries": ["KR", "US"],
    "entities": [{"name": "B-52H", "kind": "aircraft"}],
    "title": "Bombers join fighters over Jeju",
    "url": "https://news.example/2025/07/11/bombers",
    "site": "news.example",
    "feed": "News Example: Defense",
    "authors": ["Kim Min-ji"],
    "agency": None,
    "lang": "en",
    "section": "World",
    "tags": ["air force"],
    "is_teaser": False,
    "extractor": "blocks@1",
}
ARTICLES: dict[str, Any] = {
    "articles": [{**_ARTICLE, "snippet": "... two [B-52H] bombers flew with fighters ...", "text": None}],
    "next": "1836213600391168",
}
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ARTICLE: dict[str, Any] = {
    **_ARTICLE,
    "text": "Two B-52H bombers flew with fighters of both air forces on Friday.",
    "person_label": None,
    "updated_at": None,
    "revised_at": None,
    "first_seen_at": "2025-07-11T00:10:00Z",
    "stored_at": "2025-07-11T00:10:04Z",
    "purged_at": None,
    "archive": None,
    "site_memory": None,
    "text_hash": _HASH,
    "read_from": "https://news.example/2025/07/11/bombers",
    "urls": ["https://news.example/2025/07/11/bombers"],
    "verdicts": [
        {
            "id": 7,
            "classifier": "defnews-en@3",
            "tagger": "defnews-tags@2",
            "label": "defense",
            "score": 0.97,
            "threshold": 0.5,
            "base": -1.2,
            "needs_review": False,
            "topics": ["operations", "policy"],
            "countries": ["KR", "US"],
            "entities": [{"name": "B-52H", "kind": "aircraft"}],
            "evidence": [{"term": "b-52h", "start": 4, "end": 9, "field": "text", "weight": 2.1}],
            "text_hash": _HASH,
            "created_at": "2025-07-11T00:10:04Z",
        }
    ],
    "labels": [],
    "revisions": [],
    "appearances": [],
    "trail": [{"at": "2025-07-11T00:10:04Z", "kind": "stored", "feed_id": 1, "entry_id": 12}],
}
_STORY: dict[str, Any] = {
    "id": 1836213600391168,
    "title": "Bombers join fighters over Jeju",
    "first_at": "2025-07-11T00:00:00Z",
    "last_at": "2025-07-11T06:30:00Z",
    "size": 2,
    "growth": 2,
    "outlets": ["news.example", "wire.example"],
    "families": ["news.example", "wire.example"],
    "countries": ["KR"],
    "corroboration": "reported by 2 outlets of 2 families, first by news.example",
}
STORIES: dict[str, Any] = {"stories": [_STORY], "next": None}
STORY: dict[str, Any] = {
    **_STORY,
    "reports": [
        {
            "article_id": 1836213600391168,
            "title": "Bombers join fighters over Jeju",
            "url": "https://news.example/2025/07/11/bombers",
            "site": "news.example",
            "agency": None,
            "published_at": "2025-07-11T00:00:00Z",
            "lang": "en",
            "is_pinned": False,
        }
    ],
}
FEEDS: dict[str, Any] = {
    "feeds": [
        {
            "id": 1,
            "title": "News Example: Defense",
            "url": "https://news.example/defense.rss",
            "kind": "general",
            "country": "KR",
            "lang": "en",
            "tags": [],
            "state": "active",
            "reason": None,
            "failures": 0,
            "last_poll_at": "2025-07-11T00:10:00Z",
            "last_success_at": "2025-07-11T00:10:00Z",
            "next_poll_at": "2025-07-11T00:40:00Z",
            "because": "rhythm: about 1.2 new by then",
            "push": "pushed by https://hub.example/ until 2025-07-20T00:00:00Z, last 2025-07-11T00:05:00Z",
            "gaps": 0,
        }
    ]
}
STATISTICS: dict[str, Any] = {
    "feeds": 12,
    "feeds_failing": 1,
    "feeds_gone": 0,
    "feeds_overdue": 0,
    "entries": {"done/stored": 76, "done/duplicate": 6, "done/dropped": 5, "waiting": 1},
    "reasons": {"http-404": 2, "robots-disallowed": 1},
    "articles": 76,
    "labels": {"defense": 45, "other": 31},
    "needs_review": 2,
    "stored_last_day": 76,
    "newest_article_at": "2025-07-11T00:00:00Z",
    "last_poll_at": "2025-07-11T00:10:00Z",
    "lag_s": None,
    "daemon_beat_at": "2025-07-11T00:10:03Z",
    "network_down_since": None,
    "alerts": {},
    "volume": [{"since": "2025-07-11T00:00:00Z", "defense": 1, "other": 0}],
    "topics": [{"name": "operations", "articles": 1}],
    "countries": [{"name": "KR", "articles": 1}],
}
LABEL: dict[str, Any] = {
    "article_id": 1836213600391168,
    "title": "Bombers join fighters over Jeju",
    "said": "yes",
    "who": "ann",
    "created_at": "2025-07-11T08:00:00Z",
    "text_hash": _HASH,
    "label": "defense",
    "needs_review": False,
}


def of(answer: dict[str, Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """What the description of an operation takes."""
    return {status: {"content": {"application/json": {"example": answer}}}}


def put_back(described: dict[str, Any], routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The description with its examples whole: FastAPI drops all that is null in it, also of answers that say null."""
    for route in iter_route_contexts(routes):
        if isinstance(route.original_route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                answers = described["paths"][route.path_format][method.lower()]["responses"]
                for status, answer in route.responses.items():
                    for kind, content in answer.get("content", {}).items():
                        answers[str(status)]["content"][kind].update(content)
    return described
