"""A backfill that is started on the page, paused, killed with the daemon, and taken up again."""

import asyncio
import re
import signal
from pathlib import Path

import httpx

from pipeline.newsroom.room import Newsroom
from tests import warcs
from tests.entrypoints.test_daemon import ask, daemon
from tests.entrypoints.test_warc import NOW, in_parts, urls_in
from tests.entrypoints.test_warc import stored as told
from tests.running import place, serving
from tests.test_backfill import here, range_of, stored, within
from tests.web.internet import serving as answering

SITE = "vector"
SENT = "SELECT state, length(plan ->> '$.uploads.\"list.txt\"') FROM runs WHERE kind = 'backfill'"


async def until_said(client: httpx.AsyncClient, path: str, words: str) -> str:
    """A page, once it says so."""
    for _ in range(400):
        page = (await client.get(path)).text
        if re.search(words, page):
            return page
        await asyncio.sleep(0.1)
    raise AssertionError(f"{path} never says {words}: {page}")


async def test_a_backfill_of_the_page_is_paused_killed_and_taken_up_again_until_all_is_there(tmp_path: Path) -> None:
    async with serving(extra=400) as server:
        at, (since, until) = here(server, tmp_path, SITE), range_of(server)
        async with daemon(at, DEFNEWS_WEB__HOST_DELAY_S="0.1") as (first, client):
            await ask(client, "/healthz")
            look = await client.post("/backfill", data={"since": since, "until": until, "via": "wordpress"})
            await until_said(client, look.headers["location"], 'id="start"')
            run = (await client.post(look.headers["location"], data={"to": "start"})).headers["location"]
            await until_said(client, run, 'id="pause"')
            assert (await client.post(run, data={"to": "pause"})).status_code == 303
            await until_said(client, run, ">interrupted<")
            assert (await client.post(run, data={"to": "resume"})).status_code == 303
            await until_said(client, run, "<b>[1-9][0-9]*</b> done")
            await first.stop(signal.SIGKILL)
        async with daemon(at) as (second, client):
            await ask(client, "/healthz")
            await until_said(client, run, ">interrupted<")
            await client.post(run, data={"to": "resume"})
            await until_said(client, run, ">(done|waiting)<")
            assert await second.stop() == 0
    assert within(server, SITE) <= stored(at)
    assert at.ask("SELECT count(*) FROM runs WHERE kind = 'backfill'") == [(1,)]
    assert (await at.run("db", "check")).code == 0


async def test_a_stop_of_the_daemon_interrupts_its_backfill_and_what_was_sent_stays_until_it_is_done(
    tmp_path: Path,
) -> None:
    async with serving(extra=400) as server:
        at = here(server, tmp_path, SITE)
        async with daemon(at, DEFNEWS_WEB__HOST_DELAY_S="1") as (running, client):
            await ask(client, "/healthz")
            urls = "\n".join(sorted(within(server, SITE)))
            look = await client.post("/backfill", files={"file": ("list.txt", urls)})
            await until_said(client, look.headers["location"], 'id="start"')
            run = (await client.post(look.headers["location"], data={"to": "start"})).headers["location"]
            await until_said(client, run, 'id="pause"')
            assert await running.stop() == 0
        assert at.ask(SENT) == [("interrupted", len(urls))]
        assert (await at.run("backfill", "--resume", run.rpartition("/")[2])).code == 0
    assert at.ask(SENT) == [("done", 0)]
    assert within(server, SITE) <= stored(at)


async def test_a_warc_at_an_address_is_counted_read_to_the_end_and_what_is_missed_is_named(tmp_path: Path) -> None:
    room = Newsroom(seed=1, at=NOW)
    at = place(tmp_path, room.feeds)
    async with (
        answering(in_parts({"news.warc.gz": warcs.gzipped(warcs.of_room(room))})) as mirror,
        daemon(at) as (_, client),
    ):
        await ask(client, "/healthz")
        good, gone = (mirror.url(f"/mirror/{name}.warc.gz", host="127.0.0.1") for name in ("news", "gone"))
        look = await client.post("/backfill", data={"warc": f"{good}\n{gone}"})
        page = await until_said(client, look.headers["location"], 'id="start"')
        run = (await client.post(look.headers["location"], data={"to": "start"})).headers["location"]
        pages = (page, await until_said(client, run, ">done<"))
    for shown in pages:
        assert f'<bdi>{gone}</bdi> <span class="bad">http-404</span>' in shown
        assert f"<bdi>{good}</bdi>" not in shown
    assert urls_in(at) == told(room)
