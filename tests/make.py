"""Builders: values with everything filled in, so that a test names only what it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.model import Article, DateOrigin, Entry, Evidence, Feed, FeedState, Label, Rest, Verdict

AT = datetime(2025, 7, 11, 12, 0, tzinfo=UTC)
TEXT = "\n".join(
    (
        "South Korea, the United States and Japan flew joint air drills near Jeju with a B-52H bomber.",
        "The chiefs of defense of the three countries met in Seoul and warned of a build-up.",
        "They agreed to expand the Freedom Edge exercises in the coming year.",
    )
)


def feed(number: int = 1, **changes: Any) -> Feed:
    return replace(Feed(id=0, url=f"https://feed{number}.example/rss", title=f"Feed {number}"), **changes)


def state(**changes: Any) -> FeedState:
    known = FeedState(
        next_poll_at=AT + timedelta(hours=1), next_poll_reason="interval", last_poll_at=AT, last_success_at=AT
    )
    return replace(known, **changes)


def rest(until: datetime, length: timedelta = timedelta(hours=1)) -> Rest:
    return Rest(until, length)


def entry(number: int = 1, **changes: Any) -> Entry:
    url = f"https://site{number}.example/news/{number}"
    given = Entry(id=url, url=url, title=f"Entry {number}", published_at=AT - timedelta(hours=number))
    return replace(given, **changes)


def text(number: int) -> str:
    """A text that begins as all of them do, and is no near-duplicate of another."""
    own = " ".join(f"{word}{number}{half}" for half in "ab" for word in TEXT.split())
    return TEXT if number == 1 else f"{TEXT}\n{own}"


def article(number: int = 1, **changes: Any) -> Article:
    url = f"https://site{number}.example/news/{number}"
    made = Article(
        url=url,
        canonical_url=url,
        title=f"Allies fly joint air drill number {number}",
        text=text(number),
        published_at=AT - timedelta(hours=number),
        published_from=DateOrigin.PAGE,
        extractor="test@1",
        lang="en",
    )
    return replace(made, **changes)


def verdict(**changes: Any) -> Verdict:
    given = Verdict(
        label=Label.DEFENSE,
        score=0.9,
        threshold=0.5,
        needs_review=False,
        topics=("operations", "policy"),
        evidence=(Evidence("air drills", 52, 62, "text", 1.5),),
        classifier="test@1",
    )
    return replace(given, **changes)


def tagged(**changes: Any) -> Verdict:
    """A verdict that names countries and entities."""
    tags = {"tagger": "tags@1", "countries": ("KR", "US"), "entities": (("B-52H", "aircraft"), ("RIMPAC", "exercise"))}
    return verdict(**{**tags, **changes})


def other(**changes: Any) -> Verdict:
    return verdict(label=Label.OTHER, score=0.1, topics=(), evidence=(), **changes)
