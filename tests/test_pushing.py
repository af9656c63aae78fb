"""Hubs, with the daemon as it is run and the newsroom's hub: what is pushed is stored at once, without a poll."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline import pushing
from pipeline.model import Hub
from pipeline.newsroom import Fault, FaultKind, RoomFeed, Server
from pipeline.newsroom.texts import texts
from pipeline.stages import poll, push
from pipeline.store import open_store
from tests import make
from tests.conftest import StillClock
from tests.entrypoints.api.conftest import engine_of
from tests.entrypoints.test_daemon import daemon, free_port, until_stored
from tests.running import Place, place, serving


def atom(server: Server) -> RoomFeed:
    return next(feed for feed in server.room.feeds if feed.format.startswith("atom"))


def public() -> dict[str, str]:
    """Settings of a daemon that hubs reach."""
    listen = f"127.0.0.1:{free_port()}"
    return {"DEFNEWS_API__LISTEN": listen, "DEFNEWS_API__PUBLIC_URL": f"http://{listen}"}


async def until(found: Callable[[], Any], seconds: float = 20) -> Any:
    """What is found, as soon as it is."""
    for _ in range(int(seconds / 0.05)):
        if value := found():
            return value
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")


def publish(server: Server, feed: RoomFeed) -> str:
    """One more article; returns its title."""
    known = {a.title for a in server.room.articles if feed.url in a.feeds}
    late = next(text for text in texts() if text.title not in known)
    server.publish(late, feed.site, datetime.now(UTC))  # noqa: TID251
    return late.title


async def test_what_a_hub_pushes_is_stored_within_a_second_and_without_a_poll(tmp_path: Path) -> None:
    async with serving() as server:
        feed = atom(server)
        here, settings = place(tmp_path, [feed]), public()
        async with daemon(here, **settings) as (running, client):
            client.base_url = settings["DEFNEWS_API__PUBLIC_URL"]
            known = (await until_stored(client, 3))["articles"]
            await until(lambda: server.hub.subscribers)
            polls = len(server.requests(feed.url))
            title = publish(server, feed)
            began = asyncio.get_running_loop().time()
            assert await server.push(feed.url) == [202]
            await until(lambda: title in str(here.ask("SELECT title FROM articles")))
            took = asyncio.get_running_loop().time() - began
            assert await server.push(feed.url, "sha512") == [202]  # the same again
            await asyncio.sleep(0.5)
            assert len(here.ask("SELECT id FROM articles")) >= known + 1
            assert len(server.requests(feed.url)) == polls
            (row,) = (await here.run("feeds", "list")).rows
            await here.run("feeds", "disable", feed.url)
            await until(lambda: not server.hub.subscribers)
            code = await running.stop()
    assert code == 0, running.log.decode()
    assert took < 3, took  # on a machine that does much else; usually half a second
    assert row["push"].startswith("pushed by ")
    assert here.ask("SELECT count(*) FROM entries GROUP BY url HAVING count(*) > 1") == []
    kinds = [kind for (kind,) in here.ask("SELECT kind FROM events WHERE kind LIKE 'push-%' ORDER BY id")]
    assert kinds == ["push-active", "push-left"]
    assert b"Traceback" not in running.log


async def test_a_hub_that_is_down_and_one_that_never_verifies_are_asked_again_and_polls_go_on(tmp_path: Path) -> None:
    async with serving() as server:
        feed = atom(server)
        here, settings = place(tmp_path, [feed]), public()
        hub = f"{feed.url.removesuffix('/atom.xml')}/hub"
        server.fault(hub, Fault(FaultKind.STATUS))
        async with daemon(here, **settings):
            await until(lambda: server.requests(hub))
            await until(lambda: here.ask("SELECT 1 FROM subscriptions WHERE reason = 'http-503'"))
        server.fault(hub, None)
        server.hub.verifies = False
        later(here)
        async with daemon(here, **settings):  # a restart in between: the row knows what is due
            await until(lambda: len(server.requests(hub)) == 2)
        server.hub.verifies = True
        later(here)
        async with daemon(here, **settings):
            await until(lambda: server.hub.subscribers)
            (row,) = (await here.run("feeds", "list")).rows
    assert "nothing yet" in row["push"]
    assert not row["because"].startswith("pushed")
    assert here.ask("SELECT state, attempts FROM subscriptions") == [("active", 0)]


def later(here: Place) -> None:
    """The time has come to ask the hub again; it no longer rests."""
    here.ask("UPDATE subscriptions SET due_at = 0")
    here.ask("UPDATE hosts SET rest_until = NULL, next_at = 0")


async def test_a_feed_whose_hub_pushes_is_polled_seldom_until_a_poll_finds_what_was_not_pushed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/news.db"
    clock = StillClock()
    async with await open_store(url) as store:
        engine = replace(engine_of(store, clock), callback="https://us.example/websub/")
        (feed,) = await store.feeds.add([make.feed()], clock.now())
        polled = poll.Polled(make.state(), (), False, None, None, None, Hub("https://hub.example/", feed.url))
        assert (await pushing.heard(replace(engine, callback=None), feed, polled))[1] is None
        assert await store.subscriptions.of_feed(feed.id) is None
        assert (await pushing.heard(engine, feed, polled))[1] is None
        (asked,) = await store.subscriptions.claim("https://us.example/websub/", clock.now(), 1)
        await store.subscriptions.verified(push.verified(asked, None, clock.now()), clock.now())
        assert await pushing.heard(engine, feed, polled) == (polled, None)  # it never pushed
        await store.subscriptions.delivered(asked.id, clock.now())
        late, pushed = await pushing.heard(engine, feed, polled)
        assert late.state.next_poll_at == clock.now() + timedelta(hours=6)
        assert pushed
        assert pushed.usual_poll_at == polled.state.next_poll_at
        await store.subscriptions.polled(pushed, clock.now(), missed=True)
        assert await pushing.heard(engine, feed, polled) == (polled, None)
        unchanged = replace(polled, hub=None, not_modified=True)
        await pushing.heard(engine, feed, unchanged)
        assert await store.subscriptions.of_feed(feed.id) is not None
        await pushing.heard(engine, feed, replace(polled, hub=None))  # it names no hub any more
        assert await store.subscriptions.of_feed(feed.id) is None
