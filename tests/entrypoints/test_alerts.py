"""Alerts against servers on loopback that take them, fail, hang, redirect or are gone; and the commands about them."""

import asyncio
import hashlib
import hmac
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.backoff import MAX_ATTEMPTS
from pipeline.entrypoints.alerts import AT_ONCE, AlertDuty
from pipeline.queue.lane import Lane
from pipeline.settings.sections import AlertsSettings
from pipeline.store import Store
from pipeline.store.saved import LEASE
from pipeline.web.hooks import Hooks
from tests import make
from tests.conftest import StillClock
from tests.make import AT
from tests.running import Place, place
from tests.store.test_saved import stored
from tests.web.internet import Answer, Site, moved, reply, serving, silence

SECRET = "whsec-of-these-tests"
TITLE = "Drill <https://evil.example|click> & more"


def settings(**changes: Any) -> AlertsSettings:
    known: dict[str, Any] = {"webhook_secret": SECRET, "allow_private": ["127.0.0.0/8"], "timeout_s": 1}
    return AlertsSettings(**known | changes)


class Sender:
    """Alerts of one store, with its own clock."""

    def __init__(self, store: Store, duty: AlertDuty, clock: StillClock) -> None:
        self.store, self.duty, self.clock = store, duty, clock

    async def tick(self) -> None:
        """What the daemon does at each tick, to its end."""
        await self.duty.collect()
        async with Lane(self.duty, AT_ONCE, self.clock) as lane:
            await lane.run_dry()

    async def told(self) -> dict[str, Any]:
        ((_, sendings),) = await self.store.saved.listing()
        return {"sent": sendings.sent, "waiting": sendings.waiting, "gave_up": sendings.gave_up} | (
            {"reason": sendings.reason} if sendings.reason else {}
        )


@asynccontextmanager
async def sending(store: Store, clock: StillClock, **changes: Any) -> AsyncIterator[Sender]:
    given = settings(**changes)
    async with Hooks(given.allow_private, timedelta(seconds=given.timeout_s), clock) as hooks:
        yield Sender(store, AlertDuty(store, hooks, given, clock), clock)


async def an_alert(store: Store, clock: StillClock, site: Site, channel: str = "webhook") -> None:
    """A saved search, and an article that it finds."""
    await store.saved.add("drills", "drill", {}, {channel: f"http://127.0.0.1:{site.port}/hook/secret"}, AT)
    await stored(store, [make.article(2, title=TITLE)], clock.advance(minutes=1))


async def fate(store: Store, clock: StillClock, answer: Answer | bytes, ticks: int = 1, **changes: Any) -> Any:
    """What became of an alert, and how often it was sent, when ticks are a day apart."""
    async with serving(answer) as site, sending(store, clock, **changes) as sender:
        await an_alert(store, clock, site)
        for _ in range(ticks):
            await sender.tick()
            clock.advance(days=2)
        return await sender.told(), len(site.asked)


async def test_a_webhook_gets_signed_json_once(store: Store, clock: StillClock) -> None:
    async with serving(reply(status="204 No Content")) as site, sending(store, clock) as sender:
        await an_alert(store, clock, site)
        for _ in range(3):
            await sender.tick()
        (asked,) = site.asked
        body = json.loads(asked.body)
        assert (body["saved_search"], body["query"], body["attempt"]) == ("drills", "drill", 1)
        assert [article["title"] for article in body["articles"]] == [TITLE]
        stamp, given = (asked.header("defnews-signature") or "").split(",")
        signed = f"{stamp[2:]}.".encode() + asked.body
        assert given == "v1=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert int(stamp[2:]) == int(clock.now().timestamp())
        assert await sender.told() == {"sent": 1, "waiting": 0, "gave_up": 0}


async def test_slack_gets_a_link_whose_title_calls_nobody(store: Store, clock: StillClock) -> None:
    async with serving(reply(b"ok")) as site, sending(store, clock) as sender:
        await an_alert(store, clock, site, "slack")
        await sender.tick()
    text = json.loads(site.asked[0].body)["text"]
    assert "*drills: 1 new article*\n" in text
    assert "<https://site2.example/news/2|Drill &lt;https://evil.example|click&gt; &amp; more>" in text


async def test_a_server_that_fails_is_tried_again_until_it_takes_it(store: Store, clock: StillClock) -> None:
    answers = iter([reply(status="500 Oops"), reply(status="503 Busy"), reply()])
    assert await fate(store, clock, lambda _: next(answers), ticks=4) == ({"sent": 1, "waiting": 0, "gave_up": 0}, 3)


async def test_a_server_that_always_fails_is_given_up_with_its_reason(store: Store, clock: StillClock) -> None:
    expected = {"sent": 0, "waiting": 0, "gave_up": 1, "reason": "http-500"}
    assert await fate(store, clock, reply(status="500 Oops"), ticks=MAX_ATTEMPTS + 2) == (expected, MAX_ATTEMPTS)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(reply(status="410 Gone"), {"gave_up": 1, "waiting": 0, "reason": "http-410"}, id="gone"),
        pytest.param(moved("http://127.0.0.1:1/"), {"gave_up": 0, "waiting": 1, "reason": "http-302"}, id="redirect"),
        pytest.param(silence, {"gave_up": 0, "waiting": 1, "reason": "timeout"}, id="hangs"),
        pytest.param(b"nonsense\r\n\r\n", {"gave_up": 0, "waiting": 1, "reason": "protocol"}, id="no HTTP"),
    ],
)
async def test_an_alert_that_did_not_arrive_says_why(
    store: Store, clock: StillClock, answer: Any, told: dict[str, Any]
) -> None:
    assert await fate(store, clock, answer) == ({"sent": 0, **told}, 1)


async def test_private_addresses_get_nothing_unless_the_settings_say_so(store: Store, clock: StillClock) -> None:
    told, count = await fate(store, clock, reply(), allow_private=[])
    assert (told["reason"], count) == ("address-refused", 0)


async def test_what_was_being_sent_when_we_died_is_sent_once_more(store: Store, clock: StillClock) -> None:
    async with serving(reply()) as site, sending(store, clock) as sender:
        await an_alert(store, clock, site)
        await sender.duty.collect()
        (alert,) = await sender.duty.claim(10, ())
        await sender.duty.send(alert)  # and nobody records it
        for _ in range(3):
            clock.advance(seconds=LEASE.total_seconds())
            await sender.tick()
        first, second = [json.loads(asked.body) for asked in site.asked]
        assert (first["id"], first["attempt"], second["attempt"]) == (second["id"], 1, 2)


async def test_a_query_that_cannot_be_run_any_more_holds_up_no_other(store: Store, clock: StillClock) -> None:
    async with serving(reply()) as site, sending(store, clock) as sender:
        await store.saved.add("broken", "drill", {"feed": ["no such feed"]}, {}, AT)
        await an_alert(store, clock, site)
        await sender.tick()
    assert len(site.asked) == 1


class Post:
    """A mail server that speaks enough of SMTP, or refuses."""

    def __init__(self, answer: str = "250 ok") -> None:
        self.answer = answer
        self.mails: list[str] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode().strip().upper():
            if line == "DATA":
                writer.write(b"354 go on\r\n")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                line = "."
            said = self.answer if line.startswith("RCPT") else "221 bye" if line == "QUIT" else "250 ok"
            writer.write(f"{said}\r\n".encode())
            await writer.drain()
            if line == "QUIT":
                break
        writer.close()


async def mailed(store: Store, clock: StillClock, post: Post, name: str = "drills", **more: Any) -> dict[str, Any]:
    server = await asyncio.start_server(post.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    smtp = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "news@here.example"}
    async with server, sending(store, clock, **smtp | more) as sender:
        await store.saved.add(name, "drill", {}, {"email": "me@there.example"}, AT)
        await stored(store, [make.article(2)], clock.advance(minutes=1))
        await sender.tick()
        return await sender.told()


async def test_a_mail_lists_the_articles(store: Store, clock: StillClock) -> None:
    post = Post()
    assert (await mailed(store, clock, post))["sent"] == 1
    (mail,) = post.mails
    assert "Subject: drills: 1 new article\r\n" in mail
    assert "To: me@there.example\r\n" in mail
    assert "https://site2.example/news/2" in mail


async def test_a_mail_that_is_refused_waits_with_the_servers_code(store: Store, clock: StillClock) -> None:
    told = await mailed(store, clock, Post("550 nobody"))
    assert told == {"sent": 0, "waiting": 1, "gave_up": 0, "reason": "smtp-550"}


async def test_a_name_adds_no_header_to_a_mail(store: Store, clock: StillClock) -> None:
    post = Post()
    assert (await mailed(store, clock, post, "x\r\nBcc: all@there.example\r\n\r\nBuy"))["sent"] == 1
    assert "\r\nBcc" not in post.mails[0]
    assert "Subject: x Bcc: all@there.example Buy: 1 new article\r\n" in post.mails[0]


@pytest.mark.parametrize("wrong", [{"smtp_host": "a..b"}, {"smtp_user": "jürgen", "smtp_password": "ü"}], ids=str)
async def test_a_mail_that_the_settings_cannot_send_waits(
    wrong: dict[str, str], store: Store, clock: StillClock
) -> None:
    assert await mailed(store, clock, Post(), **wrong) == {"sent": 0, "waiting": 1, "gave_up": 0, "reason": "smtp"}


def test_a_secret_that_signs_nothing_is_refused() -> None:
    for secret in ("", "short"):
        with pytest.raises(ValidationError):
            settings(webhook_secret=secret)


@pytest.fixture
def here(tmp_path: Path, migrated_file: Path) -> Place:
    here = place(tmp_path)
    shutil.copyfile(migrated_file, here.database)
    return here


async def test_searches_are_saved_listed_tested_and_removed(here: Place) -> None:
    more = {"DEFNEWS_ALERTS__WEBHOOK_SECRET": SECRET, "DEFNEWS_ALERTS__ALLOW_PRIVATE": "127.0.0.0/8"}
    async with serving(reply()) as site:
        hook = f"http://127.0.0.1:{site.port}/hook/secret"
        words = ("saved", "add", "drills", "B-52* label:defense", "--country", "KR", "--webhook", hook)
        assert (await here.run(*words, **more)).code == 0
        listed = await here.run("saved", "list")
        row = listed.row
        assert (row["query"], row["filters"], row["sent"]) == ("B-52* label:defense", {"country": ["KR"]}, 0)
        assert "secret" not in listed.out
        tested = await here.run("saved", "test", "drills", **more)
        assert (tested.code, tested.row["is_sent"], len(site.asked)) == (0, True, 1)
    assert (await here.run("saved", "test", "drills", **more)).code == 1
    for command in ("show", "pause", "resume", "remove"):
        assert (await here.run("saved", command, "drills")).code == 0
    assert (await here.run("saved", "list")).rows == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("x", "drill", "--webhook", "https://a.example/"), "WEBHOOK_SECRET", id="unsigned"),
        pytest.param(("x", "drill", "--email", "a@b.example"), "smtp_host", id="no mail server"),
        pytest.param(("x", "drill", "--slack", "ftp://a.example/"), "no http(s) URL", id="no URL"),
        pytest.param(("x", "drill", "--slack", "https://me:pass@a.example/"), "takes no user name", id="a password"),
        pytest.param(("x", "drill OR"), "column 7", id="no query"),
    ],
)
async def test_what_could_never_be_sent_is_refused(here: Place, words: tuple[str, ...], said: str) -> None:
    ended = await here.run("saved", "add", *words)
    assert (ended.code, said in ended.err) == (2, True), ended.err
