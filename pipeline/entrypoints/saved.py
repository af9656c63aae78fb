"""`defnews saved ...`: searches that are kept, and whom they tell what they find."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from pipeline.clock import SystemClock
from pipeline.entrypoints.options import Options
from pipeline.entrypoints.reading import Asked, Many, to_query
from pipeline.errors import AlertError, UsageError
from pipeline.query import Query
from pipeline.settings.sections import AlertsSettings
from pipeline.store import Alert, Saved, Store, open_store

TESTED = 3  # articles of a test
_FILTERS = ("since", "until", "min_score", "is_teaser")


def asked_of(saved: Saved) -> Asked:
    """A saved search as it stood on the command line."""
    many = {name: tuple(values) for name, values in saved.filters.items() if name not in _FILTERS}
    rest = {name: value for name, value in saved.filters.items() if name in _FILTERS}
    return Asked(words=saved.words, many=Many(**many), **rest)


def filters_of(asked: Asked) -> dict[str, Any]:
    """The filters that were given, as they are kept."""
    rest = {name: getattr(asked, name) for name in _FILTERS}
    return {name: value for name, value in {**asdict(asked.many), **rest}.items() if value not in ((), None)}


async def add(options: Options, name: str, asked: Asked, targets: Mapping[str, str | None]) -> dict[str, Any]:
    """Save a search.

    Raises:
        UsageError: the query or a filter cannot be read, or the settings lack what a channel needs.
        CommandError: there is one of that name.
    """
    settings = options.settings()
    given = {channel: target for channel, target in targets.items() if target}
    _check(given, settings.alerts)
    clock = SystemClock()
    async with await open_store(settings.database_url) as store:
        return await add_with(store, name, asked, given, clock.now())


async def add_with(store: Store, name: str, asked: Asked, targets: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """The same, with an open store and targets that were checked."""
    await to_query(store, asked, now)
    await store.saved.add(name, asked.words or "", filters_of(asked), targets, now)
    return about(await store.saved.named(name))


def _check(targets: Mapping[str, str], settings: AlertsSettings) -> None:
    from pipeline.web.hooks import checked

    for channel in ("webhook", "slack"):
        if channel in targets:
            checked(targets[channel])
    if "webhook" in targets and settings.webhook_secret is None:
        raise UsageError("--webhook: set DEFNEWS_ALERTS__WEBHOOK_SECRET (or ..._FILE), which signs what is sent")
    if "email" in targets:
        if not settings.smtp_host or not settings.smtp_from:
            raise UsageError("--email: set smtp_host and smtp_from in [alerts]")
        if not targets["email"].isprintable() or "@" not in targets["email"]:
            raise UsageError(f"--email: {targets['email']!r} is no address")


async def listing(options: Options) -> list[dict[str, Any]]:
    """All saved searches, with what became of their alerts."""
    async with await open_store(options.settings().database_url) as store:
        return [about(saved) | asdict(sendings) for saved, sendings in await store.saved.listing()]


async def asked_by_name(options: Options, name: str) -> Asked:
    """What a saved search asks.

    Raises:
        CommandError: there is none of that name.
    """
    async with await open_store(options.settings().database_url) as store:
        return asked_of(await store.saved.named(name))


async def test(options: Options, name: str) -> list[dict[str, Any]]:
    """Send the newest articles that a search finds now by each of its channels; says what became of it.

    Raises:
        CommandError: there is none of that name.
    """
    from pipeline.entrypoints.alerts import open_alerts

    settings, clock = options.settings(), SystemClock()
    async with await open_store(settings.database_url) as store, open_alerts(settings, store, clock) as duty:
        saved = await store.saved.named(name)
        query: Query = replace(await to_query(store, asked_of(saved), clock.now()), limit=TESTED)
        found = tuple([article.id for article in await store.search.find(query)])
        rows = []
        for channel in saved.targets:
            try:
                await duty.send(Alert(0, saved, channel, found, 1, clock.now()))
                rows.append({"channel": channel, "articles": len(found), "is_sent": True, "reason": None})
            except AlertError as error:
                rows.append({"channel": channel, "articles": len(found), "is_sent": False, "reason": error.reason})
    return rows


async def change(options: Options, name: str, what: str) -> None:
    """Pause, resume or remove a saved search.

    Raises:
        CommandError: there is none of that name.
    """
    now = SystemClock().now()
    async with await open_store(options.settings().database_url) as store:
        await _change(store, (await store.saved.named(name)).id, what, now)


async def _change(store: Store, key: int, what: str, now: Any) -> None:
    if what == "pause":
        await store.saved.pause(key, now)
    elif what == "resume":
        await store.saved.resume(key, now)
    else:
        await store.saved.remove(key)


def about(saved: Saved) -> dict[str, Any]:
    """A saved search, as it is shown: of the addresses of its alerts nothing that may be a secret."""
    return {
        "name": saved.name,
        "query": saved.words,
        "filters": saved.filters,
        "alerts": [f"{channel} {_where(channel, target)}" for channel, target in saved.targets.items()],
        "created_at": saved.created_at,
        "paused_at": saved.paused_at,
    }


def _where(channel: str, target: str) -> str:
    """An address without its path, which may be a secret."""
    return target if channel == "email" else urlsplit(target).hostname or ""
