"""`defnews doctor`: are the settings, the database, the model, the clock and the network fit for work?

Each check says ok, warn (it works, but look at it) or fail; what a failed check is needed for is not looked at.
"""

import asyncio
import os
import platform
import resource
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urljoin

from pipeline import urls
from pipeline.clock import SystemClock
from pipeline.entrypoints import wiring
from pipeline.entrypoints.classifier import make_classifier
from pipeline.entrypoints.feeds import add_new_feeds
from pipeline.entrypoints.options import Options
from pipeline.entrypoints.output import rfc3339
from pipeline.errors import StageError, StoreError, UsageError
from pipeline.model import Article, DateOrigin, Health, Label, Request, RequestKind, Response
from pipeline.settings import Settings, config_dir, load_feeds
from pipeline.settings.sections import NOBODY
from pipeline.store import Store, open_store, redacted, schema
from pipeline.store.database import file_of
from pipeline.web import Web

OK, WARN, FAIL = "ok", "warn", "fail"
LITTLE_SPACE = 1_000_000_000  # bytes; a day of a few thousand articles takes some tens of millions
ASKED = 3  # hosts of feeds
PATIENCE_S = 45.0  # for an answer, the host's pace included
SKEW = timedelta(seconds=5)  # a Date header and the way to us take a second or two
NO_RUN, NO_URL = 0, "https://example.org/"
SILENT = timedelta(minutes=1)
KNOWN = (  # what any classifier of ours must tell apart
    ("Navy destroyer shoots down missiles fired at a convoy of warships", Label.DEFENSE),
    ("Bake the lemon cake for forty minutes and let it cool", Label.OTHER),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found."""

    check: str
    state: str
    says: str


async def examine(options: Options) -> list[Finding]:
    """All checks, in the order in which they need each other.

    Raises:
        UsageError: the settings are wrong: says which key, file and line.
    """
    return [finding async for finding in _examined(options)]


async def _examined(options: Options) -> AsyncIterator[Finding]:
    settings, clock = options.settings(), SystemClock()
    yield _settings(options, settings)
    yield _program(settings)
    yield _model(settings, clock.now())
    try:
        store = await open_store(settings.database_url)
    except StoreError as error:
        yield Finding("database", FAIL, str(error))
        return
    async with store:
        database = await _database(store, settings, clock.now())
        yield database
        if database.state == FAIL:
            return
        await add_new_feeds(store, options, clock)
        yield await _daemon(store, clock.now())
        async with Web(wiring.web_limits(settings.web), store.hosts, clock) as web:
            answers = await _ask(web, await _hosts(store))
        yield _network(answers)
        yield _clock(await store.stats.server_time(), answers, clock.now())


def _settings(options: Options, settings: Settings) -> Finding:
    directory, feeds = config_dir(options.config), load_feeds(options.config)
    says = f"{directory}, {len(feeds)} feeds in feeds.toml"
    if settings.pages.directory and not _is_writable(Path(settings.pages.directory).absolute()):
        return Finding("settings", FAIL, f"{says}; [pages] directory {settings.pages.directory} cannot be written")
    if settings.web.user_agent == NOBODY:
        return Finding("settings", WARN, f"{says}; set [web] user_agent: publishers cannot reach you")
    return Finding("settings", OK, says)


def _is_writable(directory: Path) -> bool:
    """Whether files can be made there, or in the nearest directory above that there is."""
    there = next(path for path in (directory, *directory.parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK)


def _program(settings: Settings) -> Finding:
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores"
    wanted = settings.poll.concurrency + settings.ingest.concurrency + wiring.OTHER_FILES
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < wanted:
        return Finding("program", WARN, f"{versions}; {most} files may be open: lower poll.concurrency")
    return Finding("program", OK, versions)


def _model(settings: Settings, now: datetime) -> Finding:
    began = time.monotonic()
    try:
        classifier = make_classifier(settings)
    except UsageError as error:
        return Finding("model", FAIL, str(error))
    took_ms = (time.monotonic() - began) * 1000
    verdicts = [(classifier.classify(_titled(title, now)), title, label) for title, label in KNOWN]
    says = f"{verdicts[0][0].classifier}, loaded in {took_ms:.0f} ms"
    wrong = [
        f"{title!r} is judged {verdict.label.value}" for verdict, title, label in verdicts if verdict.label != label
    ]
    return Finding("model", WARN if wrong else OK, "; ".join([says, *wrong]))


def _titled(title: str, now: datetime) -> Article:
    return Article(NO_URL, NO_URL, title, "", now, DateOrigin.FIRST_SEEN, "given@1", lang="en")


async def _database(store: Store, settings: Settings, now: datetime) -> Finding:
    about = [f"{redacted(settings.database_url)}, schema {schema.HEAD}"]
    try:
        about.append(f"{await store.stats.size_bytes() / 1e6:,.0f} MB")
        await store.runs.beat(NO_RUN, now)  # whether it takes what is written
    except StoreError as error:
        return Finding("database", FAIL, str(error))
    if path := file_of(settings.database_url):
        free = shutil.disk_usage(path.absolute().parent).free
        about.append(f"{free / 1e9:,.1f} GB free beside it")
        if free < LITTLE_SPACE:
            return Finding("database", WARN, ", ".join(about))
    return Finding("database", OK, ", ".join(about))


async def _daemon(store: Store, now: datetime) -> Finding:
    beat_at = await store.runs.daemon_beat_at()
    if beat_at is None:
        return Finding("daemon", WARN, "none runs on this database: nothing is polled")
    is_silent = beat_at < now - SILENT
    return Finding("daemon", WARN if is_silent else OK, f"last heard of {rfc3339(beat_at)}")


async def _hosts(store: Store) -> list[str]:
    """Where to ask: the roots of some feeds' hosts, those of healthy feeds first."""
    lines = [line for line in await store.feeds.lines() if line.is_enabled]
    lines.sort(key=lambda line: line.health is not Health.ACTIVE)
    return list(dict.fromkeys(urljoin(line.url, "/robots.txt") for line in lines))[:ASKED]


async def _ask(web: Web, addresses: Sequence[str]) -> dict[str, Response | str]:
    """What each host answers, or why it does not; politely, as with every request."""

    async def answer(url: str) -> Response | str:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await web.send(Request(url, RequestKind.FEED))
        except StageError as error:
            return error.reason
        except TimeoutError:
            return "its turn did not come in time"

    return dict(zip(addresses, await asyncio.gather(*map(answer, addresses)), strict=True))


def _network(answers: Mapping[str, Response | str]) -> Finding:
    if not answers:
        return Finding("network", WARN, "there is no feed to ask: `defnews feeds add URL`")
    silent = [f"{urls.host_key(url)}: {answer}" for url, answer in answers.items() if isinstance(answer, str)]
    says = ", ".join([f"{len(answers) - len(silent)} of {len(answers)} hosts of feeds answer", *silent])
    return Finding("network", FAIL if len(silent) == len(answers) else WARN if silent else OK, says)


def _clock(server: datetime | None, answers: Mapping[str, Response | str], now: datetime) -> Finding:
    """Ours against the database server's and those of the hosts that answered."""
    told = {urls.host_key(url): _skew(answer) for url, answer in answers.items() if isinstance(answer, Response)}
    skews = {name: skew for name, skew in told.items() if skew is not None}
    if server is not None:
        skews["the database"] = now - server
    if not skews:
        return Finding("clock", WARN, f"{rfc3339(now)}; nobody to compare it with")
    off = {name: f"{skew.total_seconds():+.0f} s" for name, skew in skews.items() if abs(skew) > SKEW}
    if not off:
        return Finding("clock", OK, f"{rfc3339(now)}, agrees with {', '.join(skews)}")
    says = ", ".join(f"{skew} against {name}" for name, skew in off.items())
    return Finding("clock", FAIL if len(off) == len(skews) else WARN, says)


def _skew(response: Response) -> timedelta | None:
    """How far we are ahead of a server; None: it does not say what time it is."""
    try:
        return response.received_at - parsedate_to_datetime(response.header("date") or "")
    except (ValueError, TypeError):
        return None
