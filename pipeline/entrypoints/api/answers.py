"""What the API answers: the shapes of its JSON."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipeline.entrypoints.feeds import pushed_by, state_of
from pipeline.model import Subscription
from pipeline.store import FeedRow, Found, Said


class Answer(BaseModel):
    """What is read off values of ours."""

    model_config = ConfigDict(from_attributes=True)


class Entity(Answer):
    """What an article names."""

    name: str = Field(examples=["B-52H"])
    kind: str = Field(examples=["aircraft"])


class Article(Answer):
    """An article that was found."""

    id: int = Field(examples=[1836213600391168])
    published_at: datetime
    published_from: str = Field(description="Who says so: page, feed, archive, or none: when it was first seen.")
    label: str = Field(examples=["defense"])
    score: float = Field(examples=[0.97])
    needs_review: bool
    topics: list[str] = Field(description="Strongest first.", examples=[["operations", "policy"]])
    countries: list[str] = Field(examples=[["KR", "US"]])
    entities: list[Entity]
    title: str
    url: str
    site: str = Field(examples=["yna.co.kr"])
    feed: str | None = Field(description="The title of the feed that brought it first.")
    authors: list[str]
    agency: str | None = Field(description="That wrote it.", examples=["Yonhap"])
    lang: str | None
    section: str | None = Field(description="The publisher's, as the tags.")
    tags: list[str]
    is_teaser: bool = Field(description="The text is only the beginning; the rest is paid for.")
    extractor: str


class FoundArticle(Article):
    """A row of a result."""

    snippet: str = Field(description="The piece of text that shows why it was found, matches in brackets.")
    text: str | None = Field(description="Null unless `text=true` was asked.")


class Articles(Answer):
    """A page of a result."""

    articles: list[FoundArticle]
    next: str | None = Field(description="The cursor of the page that follows; null: this is the last.")


class Evidence(Answer):
    """A term that moved the score."""

    term: str
    start: int = Field(description="Code points into the field, which JavaScript counts otherwise.")
    end: int
    field: str = Field(description="title or text")
    weight: float = Field(description="In log-odds.")


class Verdict(Answer):
    """What a classifier said."""

    id: int
    classifier: str
    tagger: str | None = None
    label: str
    score: float
    threshold: float
    base: float = Field(description="Log-odds before the evidence.")
    needs_review: bool
    topics: list[str]
    countries: list[str]
    entities: list[Entity]
    evidence: list[Evidence] = Field(description="Largest weight first.")
    text_hash: str
    site_memory: str | None = None
    created_at: datetime


class PersonLabel(Answer):
    """What a person said."""

    id: int
    label: Said
    who: str
    text_hash: str
    is_of_older_text: bool
    created_at: datetime


class Change(Answer):
    """Words that were edited, removed or added."""

    change: str
    words: str


class Revision(Answer):
    """What the publisher changed, and when that was seen."""

    revised_at: datetime
    title: list[Change]
    text: list[Change]


class Appearance(Answer):
    """An entry of a feed or an archive that led to the article."""

    became: str = Field(examples=["duplicate of 1836213600391168"])
    url: str | None
    site: str | None
    outlet: str | None
    title: str | None
    agency: str | None
    shared: float | None = Field(description="By a reprint: share of the shorter text that the longer has.")
    listed_by: str | None = Field(description="The feed or archive.")
    seen_at: datetime
    outcome: str | None
    reason: str | None
    detail: str | None
    article_id: int | None
    attempts: int
    due_at: datetime | None
    kept_at: str | None = Field(description="File and offset of its page's bytes.")


class Event(Answer):
    """A line of the audit trail."""

    at: datetime
    kind: str
    feed_id: int | None = None
    entry_id: int | None = None
    run_id: int | None = None
    detail: dict[str, Any] | None = None


class WholeArticle(Article):
    """All that is known of an article."""

    text: str
    person_label: Said | None
    updated_at: datetime | None
    revised_at: datetime | None
    first_seen_at: datetime
    stored_at: datetime
    purged_at: datetime | None = Field(description="When its text was deleted.")
    archive: str | None = Field(description="That brought it, if no feed did.")
    site_memory: str | None
    text_hash: str
    read_from: str
    urls: list[str]
    verdicts: list[Verdict] = Field(description="Newest first; the first counts, unless a person said otherwise.")
    labels: list[PersonLabel] = Field(description="Newest first.")
    revisions: list[Revision] = Field(description="Oldest first.")
    appearances: list[Appearance]
    trail: list[Event] = Field(description="Oldest first.")


class Feed(Answer):
    """A feed and how it does."""

    id: int
    title: str
    url: str
    kind: str
    country: str | None
    lang: str | None
    tags: list[str]
    state: str = Field(examples=["active"], description="disabled, new, active, quiet, failing, resting, moved or gone")
    reason: str | None
    failures: int
    last_poll_at: datetime | None
    last_success_at: datetime | None
    next_poll_at: datetime | None
    because: str | None
    gaps: int = Field(description="Times of which entries were missed.")
    push: str | None = Field(description="Which hub pushes it until when, or why none does; null: it names no hub.")


class Feeds(Answer):
    """All feeds."""

    feeds: list[Feed]


class GivenLabel(BaseModel):
    """A person's word on an article."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"article_id": 1, "label": "yes"}]})

    article_id: int = Field(ge=0, lt=2**63)
    label: Said
    who: str = Field(default="api", min_length=1, max_length=100, pattern="^[^\x00]*$", description="Whose word it is.")


class StoredLabel(Answer):
    """A label as it was stored, and what the article shows since."""

    article_id: int
    title: str
    said: Said
    who: str
    created_at: datetime
    text_hash: str
    label: str
    needs_review: bool


class Volume(BaseModel):
    """How many articles were published in an hour or a day."""

    since: datetime
    defense: int
    other: int


class Count(BaseModel):
    """How many defense articles of the time bear a tag."""

    name: str = Field(examples=["KR"])
    articles: int


class Statistics(Answer):
    """The state of the database at one moment, and what was published lately."""

    feeds: int
    feeds_failing: int
    feeds_gone: int
    feeds_overdue: int
    entries: dict[str, int] = Field(description="By state, and by outcome when done.")
    reasons: dict[str, int] = Field(description="Why entries were dropped, or wait.")
    articles: int
    labels: dict[str, int]
    needs_review: int
    stored_last_day: int
    newest_article_at: datetime | None
    last_poll_at: datetime | None
    lag_s: float | None = Field(description="How long the longest due entry has been waiting.")
    daemon_beat_at: datetime | None
    network_down_since: datetime | None
    alerts: dict[str, int] = Field(description="Of saved searches, by state.")
    volume: list[Volume] = Field(description="Oldest first; the last hour or day is the present one.")
    topics: list[Count] = Field(description="Of that time, most frequent first.")
    countries: list[Count] = Field(description="Of that time, most frequent first.")


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["no article 1"])


PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem (RFC 9457)",
        "content": {"application/problem+json": {"schema": Problem.model_json_schema()}},
    }
}


def entities(found: Found) -> list[Entity]:
    """What an article names."""
    return [Entity(name=name, kind=kind) for name, kind in found.entities]


def article(found: Found, snippet: str, *, with_text: bool) -> FoundArticle:
    """A row of a result."""
    own = {name: getattr(found, name) for name in Article.model_fields if name not in ("entities", "score")}
    text = found.text if with_text else None
    return FoundArticle(**own, entities=entities(found), score=round(found.score, 4), snippet=snippet, text=text)


def feed(row: FeedRow, pushed: Subscription | None) -> Feed:
    """A feed's row."""
    of_feed = {name: getattr(row.feed, name) for name in ("id", "title", "url", "country", "lang")}
    times = ("last_poll_at", "last_success_at", "next_poll_at", "reason", "failures")
    return Feed(
        **of_feed,
        **{name: getattr(row.state, name) for name in times},
        kind=row.feed.kind.value,
        tags=list(row.feed.tags),
        state=state_of(row),
        because=row.state.next_poll_reason,
        gaps=row.gaps,
        push=pushed_by(pushed),
    )
