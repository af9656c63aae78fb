"""`defnews demo`: the whole job against the bundled newsroom, without network, and what a first user wants to see."""

import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from pipeline import newsroom
from pipeline.clock import SystemClock
from pipeline.engine import Engine
from pipeline.entrypoints import daemon, output, wiring
from pipeline.entrypoints.backfill import Asked, backfill_with
from pipeline.entrypoints.options import Options
from pipeline.entrypoints.poll import poll_once
from pipeline.errors import UsageError
from pipeline.model import Feed, FeedKind, Label
from pipeline.query import Filters, Query, parse, snippet
from pipeline.settings import Settings
from pipeline.settings.sections import SecondReaderSettings
from pipeline.store import Found, StoriesAsked, StorySort

SEED = 1
WORDS = '"air drill" OR B-52H'
DAYS = 40  # back; the newsroom holds a month
HOST_DELAY_S = 0.02  # it is our own loopback


async def demo(options: Options, keep: Path | None, *, is_open: bool) -> None:
    """Run the demo, and serve its page afterwards when asked to."""
    if keep is not None and keep.exists():
        raise UsageError(f"--keep {keep}: that file exists; the demo writes a new one")
    with tempfile.TemporaryDirectory(prefix="defnews-demo-") as scratch:
        path = keep or Path(scratch) / "demo.db"
        settings = _settings(Options(options.config, options.verbosity - 2).settings(), path)
        async with _newsroom() as room, wiring.open_engine(settings) as engine:
            await engine.store.feeds.add(feeds_of(room), engine.clock.now())
            await _show_all(engine, settings, room)
            if keep is not None:
                _say(f"\nThe database is kept: DEFNEWS_DATABASE_URL=sqlite:///{keep} defnews search missile")
            if is_open:
                await daemon.serve_until_stopped(engine, settings)


def feeds_of(room: newsroom.Newsroom) -> tuple[Feed, ...]:
    """The newsroom's feeds as ours."""
    return tuple(
        Feed(id=0, url=f.url, title=f.title, kind=FeedKind(f.kind), country=f.country, lang=f.lang) for f in room.feeds
    )


@asynccontextmanager
async def _newsroom() -> AsyncIterator[newsroom.Newsroom]:
    room = newsroom.Newsroom(seed=SEED, at=SystemClock().now() - timedelta(minutes=5))
    async with newsroom.serve(room) as server:
        yield server.room


def _settings(settings: Settings, path: Path) -> Settings:
    web = settings.web.model_copy(
        update={"allow_private": ("127.0.0.0/8",), "host_delay_s": HOST_DELAY_S, "proxy": None}
    )
    changes = {"database_url": f"sqlite:///{path}", "web": web, "second_reader": SecondReaderSettings()}
    return settings.model_copy(update=changes)


async def _show_all(engine: Engine, settings: Settings, room: newsroom.Newsroom) -> None:
    _say(f"A newsroom of {len(room.origins)} sites with {len(room.feeds)} feeds is on loopback. Polling ...")
    run = await engine.store.runs.start("poll", engine.clock.now())
    async with wiring.alive(engine.store, run, engine.clock) as counts:
        counts.update(await poll_once(engine, run, settings, None))
    _say(_sentence("Polled", counts))
    _say(f"\nBackfilling the last {DAYS} days from the sitemaps ...")
    filled = await backfill_with(engine, settings, Asked(since=f"{DAYS}d", via="sitemap"), None)
    _say(_sentence("Found", {name: filled[name] for name in ("new", "stored", "defense", "duplicate", "dropped")}))
    newest = await engine.store.search.find(Query(filters=Filters(labels=("defense",)), limit=8))
    _say("\nThe newest defense articles:\n")
    for found in newest:
        _say(f"  {found.title}\n    {_about(found)}")
    await _show_stories(engine)
    asked = parse(WORDS, engine.clock.now())
    hits = await engine.store.search.find(Query(asked, limit=3, is_by_relevance=True))
    _say(f"\nSearch for {WORDS}:\n")
    for found in hits:
        _say(f"  {found.title}\n    {_about(found)}\n    {snippet(found.text, asked.terms)}\n")
    if hits:
        await _explain(engine, hits[0])
    await _compare(engine, room)
    _say("\nNext: `make run` starts the daemon on the feeds of config/feeds.toml; `defnews --help` lists the commands.")


async def _show_stories(engine: Engine) -> None:
    """Events that several outlets tell of, and who was first."""
    _say("\nStories that two outlets or more report:\n")
    asked = StoriesAsked(min_outlets=2, sort=StorySort.SIZE, limit=3)
    for story in await engine.store.stories.listing(asked, engine.clock.now()):
        _say(f"  {story.title}\n    {story.corroboration}")


async def _explain(engine: Engine, found: Found) -> None:
    known = await engine.store.provenance.of_article(found.id)
    if known is None or not known.verdicts:
        return
    verdict = known.verdicts[0]
    terms = ", ".join(f"{term['term']} {term['weight']:+.1f}" for term in verdict["evidence"][:8])
    _say(f"Why the first is {found.label}: {terms}  ({verdict['classifier']})")


async def _compare(engine: Engine, room: newsroom.Newsroom) -> None:
    """How the verdicts agree with what the newsroom's writers say."""
    truth = {article.title: article.label for article in room.articles}
    right = wrong = 0
    async for found in engine.store.search.stream(Query(limit=10_000)):
        if found.title in truth:
            is_right = (found.label == Label.DEFENSE) == truth[found.title]
            right, wrong = right + is_right, wrong + (not is_right)
    stats = await engine.store.stats.read(engine.clock.now())
    _say(f"\nVerdicts that agree with the newsroom's own labels: {right} of {right + wrong}.")
    _say(
        "Not stored, and why: "
        + (", ".join(f"{reason} {n}" for reason, n in sorted(stats.reasons.items())) or "nothing")
    )


def _about(found: Found) -> str:
    tags = (" ".join(found.topics), " ".join(found.countries), ", ".join(name for name, _ in found.entities[:3]))
    about = "  ".join(filter(None, tags))
    return f"{found.label} {found.score:.2f}  {about}  {found.published_at:%Y-%m-%d %H:%M} UTC  {found.feed}"


def _sentence(verb: str, counts: Mapping[str, int]) -> str:
    return f"{verb}: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())


def _say(text: str) -> None:
    sys.stdout.write(output.printable(text) + "\n")
    sys.stdout.flush()
