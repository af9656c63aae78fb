"""How far a backfill is: rates and what is left, for people and machines; the table of what it came to."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from pipeline.entrypoints.backfill import narrow, via_of
from pipeline.entrypoints.output import Format
from pipeline.entrypoints.progress import WINDOW_S, Counts, Track, follow
from pipeline.errors import StoreError, UsageError
from tests.running import healed, place, serving


def track(*seen: tuple[float, int], found: int = 100) -> Track:
    """An archive of which so many were done at a second."""
    followed = Track("sitemap")
    for at, done in seen:
        followed.take({"stored": done, "defense": done // 4, "waiting": found - done}, at)
    return followed


@pytest.mark.parametrize(
    ("followed", "a_second", "left_s"),
    [
        pytest.param(track((0, 0)), 0, None, id="just begun"),
        pytest.param(track((0, 0), (10, 20)), 2, 40, id="steady"),
        pytest.param(track((0, 20), (10, 20)), 0, None, id="stands still"),
        pytest.param(track((0, 0), (10, 60), (11 + WINDOW_S, 61)), 0, None, id="what is long ago counts no more"),
        pytest.param(track((0, 90), (10, 100)), 1, 0, id="done"),
    ],
)
def test_a_rate_is_of_the_last_minute_and_says_what_is_left(
    followed: Track, a_second: float, left_s: int | None
) -> None:
    assert (followed.a_second, followed.left_s) == (a_second, left_s)
    line = followed.line()
    assert line["found"] == followed.done + line["waiting"] == 100


def test_a_table_has_a_row_for_each_archive_and_one_for_all() -> None:
    counts = {"stored": 1, "waiting": 0}
    row = {"run": 3, "stored": 2, "archives": {"sitemap": counts, "rfc5005": counts}, "cursor": {"tried": "t", "x": 1}}
    assert [line["archive"] for line in narrow([row], Format.TABLE)] == ["sitemap", "rfc5005", "all"]
    assert narrow([row], Format.TABLE)[-1] == {"archive": "all", "run": 3, "stored": 2, "tried": "t"}
    assert narrow([row], Format.JSONL) == [row]


async def test_a_database_that_is_busy_for_a_while_does_not_end_the_display() -> None:
    answers: list[dict[str, Counts] | None] = [None, {"sitemap": {"stored": 3}}]
    shown = asyncio.Event()

    async def state() -> dict[str, Counts]:
        answer = answers.pop(0) if answers else {}
        if answer is None:
            raise StoreError("database is locked")
        return answer

    following = asyncio.create_task(follow(state, 0.001, lambda track: shown.set() if track.done == 3 else None))
    await asyncio.wait_for(shown.wait(), 30)
    following.cancel()


def test_the_archive_of_files_is_known_by_their_names_and_several_kinds_are_refused() -> None:
    assert [via_of(names) for names in (["a.warc.gz", "b.wacz"], ["a.opml"], ["a.txt", "b.csv"])] == [
        "warc",
        "opml",
        "urls",
    ]
    with pytest.raises(UsageError, match="opml and warc"):
        via_of(["a.warc", "b.opml"])


async def test_machines_that_ask_get_lines_and_a_terminal_gets_bars(tmp_path: Path) -> None:
    words = ("backfill", "--since", "20d", "--via", "sitemap")
    slow = {"DEFNEWS_WEB__HOST_DELAY_S": "0.3"}
    async with serving() as server:
        healed(server)
        ended = await place(tmp_path / "lines", server.room.feeds).run(*words, "--format", "jsonl", **slow)
        here = place(tmp_path / "bars", server.room.feeds)
        ours, theirs = os.openpty()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pipeline", *words, cwd=here.directory, stdout=asyncio.subprocess.PIPE, stderr=theirs,
            env=here.environment(TERM="xterm", COLUMNS="120", **slow),
        )  # fmt: skip
        os.close(theirs)
        drawn = asyncio.create_task(asyncio.to_thread(read_all, ours))
        await asyncio.wait_for(process.communicate(), 100)
    lines = [json.loads(line) for line in ended.err.splitlines() if '"progress"' in line]
    assert {line["progress"] for line in lines} == {"sitemap"}
    assert {"found", "stored", "defense", "waiting", "a_second", "left_s", "defense_share"} <= set(lines[0])
    assert ended.row["archives"]["sitemap"]["stored"] == ended.row["stored"]
    assert ended.row["done_a_minute"] > 0
    text = await drawn
    assert "sitemap ━".encode() in text
    assert b"defense " in text


def read_all(terminal: int) -> bytes:
    """What a program wrote to a terminal until it ended."""
    text = b""
    try:
        while block := os.read(terminal, 65536):
            text += block
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
    return text
