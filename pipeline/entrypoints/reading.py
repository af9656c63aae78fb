"""`search`, `show`, `why`, `status`: asking the database."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from pipeline import urls
from pipeline.clock import SystemClock
from pipeline.entrypoints import output
from pipeline.entrypoints.options import Options
from pipeline.errors import CommandError, UsageError
from pipeline.model import FeedKind
from pipeline.query import Filters, Query, moments, parse, snippet
from pipeline.query.countries import COUNTRIES
from pipeline.stages.changes import Change, changes
from pipeline.stages.reread import TOPICS
from pipeline.store import Appearance, Found, Provenance, Store, StoryReport, open_store

LABELS = ("defense", "other", "review")


@dataclass(frozen=True, slots=True)
class Many:
    """The filters that may be repeated, as they stand on the command line."""

    label: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    entity: tuple[str, ...] = ()
    feed: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    site: tuple[str, ...] = ()
    lang: tuple[str, ...] = ()
    story: tuple[int, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked on the command line."""

    words: str | None = None
    many: Many = Many()
    since: str | None = None
    until: str | None = None
    min_score: float | None = None
    is_teaser: bool | None = None
    sort: str = "newest"
    limit: int = 20
    cursor: str | None = None


async def search(options: Options, asked: Asked) -> list[dict[str, Any]]:
    """One page of results, with the piece of text that shows why each was found."""
    async with await open_store(options.settings().database_url) as store:
        query = await to_query(store, asked, SystemClock().now())
        found = await store.search.find(query)
    return [hit(article, query) for article in found]


def hit(article: Found, query: Query) -> dict[str, Any]:
    """An article as a result of a search."""
    return _row(article) | {"snippet": snippet(article.text, query.asked.terms), "cursor": article.cursor}


async def count(options: Options, asked: Asked) -> str:
    """How many articles match, such as 12 or 1000+."""
    async with await open_store(options.settings().database_url) as store:
        found = await store.search.count(await to_query(store, asked, SystemClock().now()))
    return f"{found.number}+" if found.is_least else str(found.number)


async def facets(options: Options, asked: Asked) -> list[dict[str, Any]]:
    """What the newest articles of a result have in common."""
    async with await open_store(options.settings().database_url) as store:
        found = await store.search.facets(await to_query(store, asked, SystemClock().now()))
    names = ("topics", "countries", "entities", "feeds", "months")
    return [
        {"facet": name, "value": value, "articles": number, "of": f"{found.articles}{'+' if found.is_least else ''}"}
        for name in names
        for value, number in getattr(found, name)
    ]


async def to_query(store: Store, asked: Asked, now: datetime) -> Query:
    """The command line as a Query.

    Raises:
        UsageError: a filter has a value that cannot be.
        CommandError: a feed is named that does not exist.
    """
    many = asked.many
    for name, given, known in (
        ("label", many.label, LABELS),
        ("topic", many.topic, TOPICS),
        ("kind", many.kind, tuple(FeedKind)),
    ):
        if wrong := set(given) - set(known):
            raise UsageError(f"--{name}: {', '.join(sorted(wrong))}: expected {', '.join(known)}")
    if asked.sort not in ("newest", "relevance"):
        raise UsageError(f"--sort: {asked.sort!r}: expected newest or relevance")
    rows = await store.feeds.named(many.feed, with_removed=True)
    filters = Filters(
        labels=many.label,
        topics=many.topic,
        countries=countries(many.country),
        entities=many.entity,
        feed_ids=tuple(row.feed.id for row in rows),
        kinds=many.kind,
        sites=tuple(map(_site, many.site)),
        langs=many.lang,
        stories=many.story,
        since=moments.since(asked.since, now),
        until=moments.until(asked.until, now),
        min_score=asked.min_score,
        is_teaser=asked.is_teaser,
    )
    return Query(parse(asked.words or "", now), filters, asked.sort == "relevance", asked.limit, asked.cursor)


def _site(given: str) -> str:
    try:
        return urls.site(given if "//" in given else f"https://{given}")
    except ValueError as e:
        raise UsageError(f"--site: {given!r} is no domain, such as yna.co.kr") from e


def countries(given: Iterable[str]) -> tuple[str, ...]:
    """Country codes as they are stored.

    Raises:
        UsageError: one is no country's.
    """
    codes = tuple(code.upper() for code in given)
    for code in codes:
        if code not in COUNTRIES:
            raise UsageError(f"--country: {code!r} is no ISO 3166-1 alpha-2 code, such as KR")
    return codes


async def show(options: Options, id_or_url: str) -> dict[str, Any]:
    """One article with its provenance, verdicts, evidence, labels, revisions, appearances and trail.

    Raises:
        CommandError: there is none.
    """
    async with await open_store(options.settings().database_url) as store:
        key = await store.provenance.find_article(id_or_url)
        known = await store.provenance.of_article(key) if key is not None else None
        if known is None:
            raise CommandError(f"no article {id_or_url}; `defnews why URL` says what became of a URL")
        return describe(known) | await _story(store, known.found.id)


async def _story(store: Store, article_id: int) -> dict[str, Any]:
    """The story of an article with its other reports, as `show` tells it."""
    story = (await store.stories.of([article_id], SystemClock().now())).get(article_id)
    if story is None:
        return {"story": None, "corroboration": None, "reports": []}
    others = [report(one) for one in await store.stories.reports(story.id) if one.article_id != article_id]
    return {"story": story.id, "corroboration": str(story.corroboration), "reports": others}


def report(told: StoryReport) -> dict[str, Any]:
    """A report of an event, as it is printed."""
    return {
        "id": told.article_id,
        "published_at": told.published_at,
        "site": told.site,
        "agency": told.agency,
        "lang": told.lang,
        "title": told.title,
        "url": told.url,
        "is_pinned": told.is_pinned,
    }


def describe(known: Provenance) -> dict[str, Any]:
    """A provenance as it is shown."""
    said = known.labels[0]["label"] if known.labels else None
    return {
        **_row(known.found),
        "person_label": said,
        "updated_at": known.article["updated_at"],
        "revised_at": known.article["revised_at"],
        "first_seen_at": known.article["first_seen_at"],
        "stored_at": known.article["stored_at"],
        "purged_at": known.article["purged_at"],
        "archive": known.article["archive"],
        "site_memory": known.article["site_memory"],
        "text_hash": known.article["text_hash"],
        "read_from": known.article["url"],
        "urls": known.urls,
        "verdicts": [_without(verdict, "article_id", "run_id") for verdict in known.verdicts],
        "labels": [
            {**_without(label, "article_id"), "is_of_older_text": label["text_hash"] != known.article["text_hash"]}
            for label in known.labels
        ],
        "revisions": _revisions(known),
        "appearances": [became(appearance) for appearance in known.appearances],
        "trail": [_without(event, "id", "article_id") for event in known.trail],
        "text": known.found.text,
    }


def _revisions(known: Provenance) -> list[dict[str, Any]]:
    """What was changed each time, oldest first."""
    said = [(row["title"], row["body"]) for row in known.revisions]
    return [
        {
            "revised_at": row["until_at"],
            "title": [_change(change) for change in changes(before[0], after[0])],
            "text": [_change(change) for change in changes(before[1], after[1])],
        }
        for row, before, after in zip(
            known.revisions, said, [*said[1:], (known.found.title, known.found.text)], strict=False
        )
    ]


def _change(change: Change) -> dict[str, str]:
    return {"change": change.kind, "words": change.text}


async def why(options: Options, url: str) -> list[dict[str, Any]]:
    """What became of a URL: one row for each entry that led to it.

    Raises:
        CommandError: it was never seen.
    """
    async with await open_store(options.settings().database_url) as store:
        found = await store.provenance.of_url(url)
    if not found:
        raise CommandError(f"{url} was never seen: no feed that was polled and no backfill listed it")
    return [became(appearance) for appearance in found]


def became(entry: Appearance) -> dict[str, Any]:
    """An entry and what became of it, in words."""
    return {
        "became": _in_words(entry),
        "url": entry.url,
        "site": entry.site,
        "outlet": entry.outlet,
        "title": entry.title,
        "agency": entry.agency,
        "shared": entry.shared and round(entry.shared, 3),
        "listed_by": entry.feed or entry.archive,
        "seen_at": entry.seen_at,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "detail": entry.detail,
        "article_id": entry.article_id,
        "attempts": entry.attempts,
        "due_at": entry.due_at if entry.state == "waiting" else None,
        "kept_at": entry.kept_at,
    }


def _in_words(entry: Appearance) -> str:
    if entry.state == "claimed":
        return "being worked on now"
    if entry.state == "waiting":
        why = f", because: {entry.reason}" if entry.reason else ""
        return f"waiting until {output.rfc3339(entry.due_at)}{why}"
    if entry.outcome == "duplicate":
        return f"duplicate of {entry.article_id}"
    if entry.outcome == "stored":
        return f"stored as {entry.article_id}"
    return f"dropped: {entry.reason}"


async def status(options: Options, *, is_sized: bool) -> dict[str, Any]:
    """Counts and lag; if asked for, the bytes of each table."""
    async with await open_store(options.settings().database_url) as store:
        counts = asdict(await store.stats.read(SystemClock().now()))
        return counts | ({"sizes": await store.stats.sizes()} if is_sized else {})


def narrow(rows: list[dict[str, Any]], chosen: str | None) -> list[dict[str, Any]]:
    """What of a result fits into a table; all of it elsewhere."""
    if chosen != "table" and not (chosen is None and sys.stdout.isatty()):
        return rows
    names = ("published_at", "label", "score", "topics", "countries", "title", "is_teaser", "feed", "snippet", "id")
    return [{name: row[name] for name in (*names, "story", "more") if name in row} for row in rows]


def print_article(article: dict[str, Any], chosen: str | None) -> None:
    """One article for a person to read, or as JSON."""
    if chosen != "table" and not (chosen is None and sys.stdout.isatty()):
        output.show([article], output.Format(chosen) if chosen else None)
        return
    lists = ("verdicts", "labels", "appearances", "reports", "trail")
    apart = (*lists, "revisions", "urls", "text")
    about = [{"what": name, "value": value} for name, value in article.items() if name not in apart]
    output.show(about, output.Format.TABLE)
    for name in [name for name in lists if name in article]:
        sys.stdout.write(f"\n{name}\n")
        for item in article[name]:
            words = (
                f"{key} {output.in_words(value)}"
                for key, value in output.plain(item).items()
                if value not in (None, [], {}) and key != "evidence"
            )
            sys.stdout.write(output.printable("  " + "; ".join(words)) + "\n")
            for term in item.get("evidence", ())[:12]:
                sys.stdout.write(output.printable(f"    {term['weight']:+.2f}  {term['term']}  ({term['field']})\n"))
    for revision in article["revisions"]:
        _print_revision(revision)
    sys.stdout.write("\n" + output.printable(article["text"]) + "\n")


def _print_revision(revision: dict[str, Any]) -> None:
    """What was changed: ~ edited, - removed, + added."""
    sys.stdout.write(f"\nrevised {output.rfc3339(revision['revised_at'])}\n")
    signs = {"edited": "~", "removed": "-", "added": "+"}
    for part in ("title", "text"):
        for change in revision[part]:
            sys.stdout.write(output.printable(f"  {part} {signs[change['change']]} {change['words']}") + "\n")


def _row(found: Found) -> dict[str, Any]:
    return {
        "id": found.id,
        "published_at": found.published_at,
        "label": found.label,
        "score": round(found.score, 4),
        "needs_review": found.needs_review,
        "topics": found.topics,
        "countries": found.countries,
        "entities": named(found.entities),
        "title": found.title,
        "url": found.url,
        "site": found.site,
        "feed": found.feed,
        "authors": found.authors,
        "agency": found.agency,
        "lang": found.lang,
        "published_from": found.published_from,
        "section": found.section,
        "tags": found.tags,
        "is_teaser": found.is_teaser,
        "extractor": found.extractor,
    }


def named(entities: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Entities as they are printed."""
    return [{"name": name, "kind": kind} for name, kind in entities]


def _without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names and value is not None}
