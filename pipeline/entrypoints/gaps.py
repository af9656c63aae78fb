"""`defnews backfill --gaps`: the times of which polls missed entries, filled from the archives of the feeds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from pipeline.archives import ARCHIVES
from pipeline.engine import Engine
from pipeline.entrypoints import backfill as filling
from pipeline.entrypoints import wiring
from pipeline.entrypoints.options import Options
from pipeline.errors import UsageError
from pipeline.model import Gap
from pipeline.settings import Settings
from pipeline.store import FeedRow, GapRow

DAY = timedelta(days=1)


async def repair(
    options: Options, asked: filling.Asked, *, is_dry: bool, in_lines: bool = False
) -> list[dict[str, Any]]:
    """Backfill the days of all open gaps, and note what was found; a row for each range of days.

    Raises:
        UsageError: the options do not fit together.
        CommandError: there is no such feed.
    """
    if asked.since or asked.until or asked.inputs:
        raise UsageError("--gaps: the polls say which times; it goes with --feed, --via, --max and --dry-run only")
    if asked.via not in ("auto", *ARCHIVES):
        raise UsageError(f"--via: {asked.via!r}: with --gaps expected auto, {', '.join(ARCHIVES)}")
    settings = options.settings()
    async with wiring.open_engine(settings) as engine:
        rows = await (engine.store.feeds.named(asked.feeds) if asked.feeds else engine.store.feeds.listing())
        feeds = {row.feed.id: row for row in rows if row.is_enabled or asked.feeds}
        found = await engine.store.gaps.of_feeds(list(feeds), is_open=True)
        shown: list[dict[str, Any]] = []
        for days, gaps in stretches(found).items():
            part = Part(engine, settings, days, gaps, {gap.feed_id: feeds[gap.feed_id] for gap in gaps})
            own = replace(asked, maximum=_left(asked.maximum, shown))
            if own.maximum == 0:
                break  # the other gaps stay open
            shown += await (part.estimate(own) if is_dry else part.fill(own, in_lines=in_lines))
        return shown


class Part:
    """A range of days, and the gaps of feeds that lie in it."""

    def __init__(
        self, engine: Engine, settings: Settings, days: Gap, gaps: Sequence[GapRow], feeds: Mapping[int, FeedRow]
    ) -> None:
        self._engine, self._settings, self._days, self._gaps, self._feeds = engine, settings, days, gaps, feeds

    async def estimate(self, asked: filling.Asked) -> list[dict[str, Any]]:
        """How much there would be to do."""
        rows = await filling.estimate_with(self._engine, self._settings, self._asked(asked))
        return [self._named() | row for row in rows]

    async def fill(self, asked: filling.Asked, *, in_lines: bool) -> list[dict[str, Any]]:
        """Backfill these days, and note at each gap what was found."""
        store, clock = self._engine.store, self._engine.clock
        own = self._asked(asked)
        counts = await filling.backfill_with(self._engine, self._settings, own, None, in_lines=in_lines)
        run = await store.runs.get(counts["run"])
        tried = run.cursor.get("tried", {}) if run else {}
        repaired = 0
        for gap in self._gaps:
            is_repaired = "reaches back" in tried.get(self._feeds[gap.feed_id].feed.url, {}).values()
            repaired += is_repaired
            await store.gaps.tried(gap, counts["run"], day_range([gap]), clock.now() if is_repaired else None)
        return [self._named() | {"repaired": repaired} | counts]

    def _asked(self, asked: filling.Asked) -> filling.Asked:
        until = (self._days.until - DAY).date().isoformat()  # a date includes its day
        ids = tuple(str(feed_id) for feed_id in sorted(self._feeds))
        return replace(asked, feeds=ids, since=self._days.since.date().isoformat(), until=until)

    def _named(self) -> dict[str, Any]:
        feeds = [row.feed.title for row in self._feeds.values()]
        return {"since": self._days.since, "until": self._days.until, "feeds": feeds, "gaps": len(self._gaps)}


def _left(maximum: int | None, done: Sequence[Mapping[str, Any]]) -> int | None:
    """How many of those that may be put in line are left for the other ranges."""
    return None if maximum is None else max(maximum - sum(row["new"] for row in done), 0)


def stretches(gaps: Sequence[GapRow]) -> dict[Gap, list[GapRow]]:
    """The gaps by ranges of whole days that are apart: those of all feeds that touch are one range, oldest first."""
    found: list[list[GapRow]] = []
    for gap in sorted(gaps, key=lambda gap: gap.gap.since):
        if found and day_range([gap]).since <= day_range(found[-1]).until:
            found[-1].append(gap)
        else:
            found.append([gap])
    return {day_range(group): group for group in found}


def day_range(gaps: Sequence[GapRow]) -> Gap:
    """The whole days around gaps: many pages tell their day only."""
    first, last = min(row.gap.since for row in gaps), max(row.gap.until for row in gaps)
    return Gap(_midnight(first), _midnight(last) + DAY)


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)
