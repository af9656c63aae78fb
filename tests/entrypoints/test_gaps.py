"""Gaps are repaired: what polls missed is found in the archives, and the feed's record says so."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.entrypoints.gaps import stretches
from pipeline.model import Gap
from pipeline.newsroom import Server
from pipeline.store import GapRow
from tests.make import AT
from tests.running import Place, healed, place, serving


def gap(since_h: float, until_h: float, feed_id: int = 1) -> GapRow:
    """A gap from and to so many hours after noon of July 11th."""
    span = Gap(AT + timedelta(hours=since_h), AT + timedelta(hours=until_h))
    return GapRow(1, feed_id, span, None, None, None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param([gap(0, 1)], [("07-11", "07-12")], id="its day"),
        pytest.param([gap(0, 13)], [("07-11", "07-13")], id="over midnight"),
        pytest.param([gap(20, 22), gap(0, 1)], [("07-11", "07-13")], id="days that touch"),
        pytest.param([gap(0, 1), gap(2, 3, feed_id=2)], [("07-11", "07-12")], id="two feeds"),
        pytest.param([gap(0, 1), gap(72, 73)], [("07-11", "07-12"), ("07-14", "07-15")], id="days apart"),
        pytest.param([gap(0, 80), gap(1, 2), gap(70, 71)], [("07-11", "07-15")], id="one within another"),
        pytest.param([], [], id="none"),
    ],
)
def test_gaps_are_filled_by_ranges_of_whole_days(given: Sequence[GapRow], expected: list[tuple[str, str]]) -> None:
    found = stretches(given)
    assert [(f"{days.since:%m-%d}", f"{days.until:%m-%d}") for days in found] == expected
    assert sorted((one for group in found.values() for one in group), key=id) == sorted(given, key=id)


def missed(server: Server, site: str, gap_of: Gap) -> set[str]:
    """What was published in a gap, by whole days."""
    first, last = gap_of.since.date(), gap_of.until.date()
    return {
        a.url
        for a in server.room.articles
        if a.site == site and a.outcome == "stored" and first <= a.published_at.date() <= last
    }


async def a_feed_with_a_gap(server: Server, directory: Path, site: str) -> tuple[Place, Gap]:
    """A feed of which a gap is on record."""
    healed(server)
    here = place(directory, [next(feed for feed in server.room.feeds if feed.site == site)])
    assert (await here.run("feeds", "list")).code == 0
    moments = sorted(a.published_at for a in server.room.articles if a.site == site)
    span = Gap(moments[len(moments) // 3], moments[len(moments) // 2])
    us = [int(moment.timestamp() * 1_000_000) for moment in (span.since, span.until)]
    here.ask(f"INSERT INTO gaps (feed_id, since_at, until_at, found_at) VALUES (1, {us[0]}, {us[1]}, {us[1]})")
    return here, span


async def test_a_gap_is_filled_and_said_to_be_repaired(tmp_path: Path) -> None:
    async with serving(extra=200) as server:
        here, span = await a_feed_with_a_gap(server, tmp_path, "vector")
        dry = (await here.run("backfill", "--gaps", "--dry-run")).rows
        assert here.ask("SELECT count(*) FROM articles") == [(0,)]
        row = (await here.run("backfill", "--gaps", "--feed", "1")).row
        checked = (await here.run("feeds", "check", "1")).row
        listed = (await here.run("feeds", "list")).row
        again = (await here.run("backfill", "--gaps")).rows
    expected = missed(server, "vector", span)
    assert {url for (url,) in here.ask("SELECT canonical_url FROM articles")} == expected
    assert sum(part["new"] for part in dry) >= len(expected) > 0
    assert (row["gaps"], row["repaired"], row["stored"]) == (1, 1, len(expected))
    (shown,) = checked["gaps"]
    assert (shown["run"], shown["found"]) == (row["run"], len(expected))
    assert datetime.fromisoformat(shown["repaired_at"]).tzinfo == UTC
    assert listed["gaps"] == 0
    assert again == []


async def test_a_gap_that_no_archive_reaches_was_tried_and_stays_open(tmp_path: Path) -> None:
    async with serving() as server:
        here, _ = await a_feed_with_a_gap(server, tmp_path, "vector")
        row = (await here.run("backfill", "--gaps", "--via", "feed")).row
        checked = (await here.run("feeds", "check", "1")).row
    (shown,) = checked["gaps"]
    assert (row["repaired"], shown["run"], shown["repaired_at"]) == (0, row["run"], None)
    assert here.ask("SELECT count(*) FROM gaps WHERE repaired_at IS NULL") == [(1,)]


async def test_the_most_that_may_be_put_in_line_is_of_all_gaps_together(tmp_path: Path) -> None:
    async with serving(extra=200) as server:
        here, span = await a_feed_with_a_gap(server, tmp_path, "vector")
        earlier = [int((moment - timedelta(days=4)).timestamp() * 1_000_000) for moment in (span.since, span.since)]
        here.ask(f"INSERT INTO gaps (feed_id, since_at, until_at, found_at) VALUES (1, {earlier[0]}, {earlier[1]}, 0)")
        words = ("backfill", "--gaps", "--via", "wordpress")
        whole, rest = (await here.run(*words, "--dry-run")).rows
        most = ("--max", str(whole["new"] + 2))
        dry = (await here.run(*words, *most, "--dry-run")).rows
        rows = (await here.run(*words, *most)).rows
    assert rest["new"] > 2
    assert [row["new"] for row in dry] == [row["new"] for row in rows] == [whole["new"], 2]
    assert [row["repaired"] for row in rows] == [1, 0]


@pytest.mark.parametrize(
    "words",
    [("--since", "7d"), ("--until", "7d"), ("--input", "x"), ("--resume", "1"), ("--via", "urls"), ("--via", "x")],
    ids=" ".join,
)
async def test_gaps_go_with_no_range_of_ones_own(tmp_path: Path, words: tuple[str, ...]) -> None:
    ended = await place(tmp_path).run("backfill", "--gaps", *words)
    assert (ended.code, "--gaps" in ended.err) == (2, True)
